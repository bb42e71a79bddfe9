/* Trac's RSS feeds. */
#ifndef TRACKERS_TRAC_FEED_H
#define TRACKERS_TRAC_FEED_H

#include "trackers/err.h"
#include "trackers/moment.h"

#include <stddef.h>
#include <stdint.h>

/* One comment of a ticket's feed; texts are clean. */
struct entry {
	int64_t number;
	const char *author; /* NULL where it has none */
	moment posted_at; /* 0 where it has none */
	const char *text; /* plain; "" for a change of fields without words */
};

struct feed {
	struct entry *entries;
	unsigned count;
};

/*
 * The version that a whole feed's generator names, NULL where it names none; owned by OWNER. Also
 * NULL, and ERR says why, for what is no feed.
 */
const char *feed_version(const void *owner, const char *text, size_t size, struct err *err);

/*
 * Reads the SIZE bytes of a ticket's feed; owned by OWNER. NULL, and ERR says why: of kind
 * ERR_UNPARSABLE_TRACKER where it is no whole feed at all, ERR_COMMENTS_FAILED for a whole one
 * that can't be read, which is that ticket's own trouble.
 */
struct feed *feed_read(const void *owner, const char *text, size_t size, struct err *err);

#endif
