/* Histories of real bugs, as a file of tab-separated lines tells them (tests/simulate/README.md). */
#ifndef TESTS_SIMULATE_HISTORY_H
#define TESTS_SIMULATE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_kind { EVENT_STATUS, EVENT_COMMENT, EVENT_OTHER };

/* Something that became visible on a bug. */
struct event {
	int64_t at; /* seconds since 1970 */
	enum event_kind kind;
	bool resolved; /* the bug is, from then on */
};

/* A bug and the watch on it. */
struct bug {
	int64_t created, watched; /* seconds since 1970; watched from the latter on */
	const struct event *events; /* in time order */
	unsigned event_count;
};

/* One tracker's bugs. */
struct history {
	const char *tracker;
	struct bug *bugs;
	size_t count;
};

/* All trackers of a file, in its order. */
struct histories {
	struct history *trackers;
	size_t count;
};

/*
 * Reads FILE, gzipped or not; everything is owned by OWNER. NULL if that fails, with the reason
 * (file, line and what is wrong with it) on standard error.
 */
struct histories *history_read(const void *owner, const char *file);

#endif
