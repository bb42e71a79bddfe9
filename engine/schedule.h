/* When to ask again: pure functions of what is known, with their constants in one place. */
#ifndef ENGINE_SCHEDULE_H
#define ENGINE_SCHEDULE_H

#include <stdint.h>

/*
 * Seconds from a bug's check to its next: INTERVAL_S, doubled for each of FAILURES in a row, at
 * most 7 days (or INTERVAL_S where that is more), spread by 10 % either way. DRAW is a random
 * number in [0, 1).
 */
int64_t schedule_bug(int64_t interval_s, unsigned failures, double draw);

/*
 * Seconds that a tracker is left alone after FAILURES in a row (at least 1): a minute, doubled each
 * time, at most an hour, spread by 20 % either way.
 */
int64_t schedule_tracker(unsigned failures, double draw);

#endif
