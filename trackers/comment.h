/* One comment on a bug, as a driver learnt it. */
#ifndef TRACKERS_COMMENT_H
#define TRACKERS_COMMENT_H

#include "trackers/moment.h"

#include <stdint.h>

/* The most bytes that are kept of one comment's text. */
enum { COMMENT_LIMIT = 1024 * 1024 };

/* Made and owned by the conversation. Texts are clean (text_clean) and owned by it too. */
struct comment {
	unsigned wanted; /* index of the bug among those the conversation was given */
	int64_t number; /* rises in the remote's order; the same comment always has the same */
	const char *author; /* NULL where the remote does not say */
	moment posted_at; /* 0 where the remote does not say */
	const char *text; /* NULL: only that it is there was learnt */
};

#endif
