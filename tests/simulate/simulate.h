/* Runs the engine's schedule over the histories of a tracker's bugs. */
#ifndef TESTS_SIMULATE_SIMULATE_H
#define TESTS_SIMULATE_SIMULATE_H

#include "engine/schedule.h"
#include "tests/simulate/history.h"

#include <stddef.h>

/* What to simulate, and in which window of time (seconds since 1970) to count. */
struct plan {
	enum schedule_mode mode;
	enum schedule_policy policy;
	struct knobs knobs;
	unsigned batch; /* bugs in a request */
	int64_t every_s; /* from one batch or question to the next; 0: by the policy */
	int64_t from, until;
};

/* How late changes were seen, in seconds, in no order. */
struct delays {
	double *late;
	size_t count;
};

/* What came of it; the delays are talloc children of the owner. */
struct outcome {
	double watches; /* on average */
	double checks, requests; /* a day */
	double questions; /* what changed, a day */
	double fetches; /* requests a day for the bugs that were said to have changed */
	struct delays status, comments;
};

/* Simulates PLAN on HISTORY; what the outcome holds is owned by OWNER. */
struct outcome simulate(const void *owner, const struct history *history, const struct plan *plan);

#endif
