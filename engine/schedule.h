/*
 * When to ask again: pure functions of what is known, with their constants in one place. The service
 * and the simulator (tests/simulate) call the same ones. docs/scheduling.md argues for them.
 */
#ifndef ENGINE_SCHEDULE_H
#define ENGINE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* The constants that people may set, for all trackers or for one: see knobs.def. */
struct knobs {
#define KNOB(name, unit, initial, least, most, help) long name;
#include "engine/knobs.def"
#undef KNOB
};

/* The knobs as they are unless somebody sets them. */
extern const struct knobs schedule_knobs;

/* How a bug's interval follows from its state. */
enum schedule_policy {
	SCHEDULE_SQRT, /* with the square root of the time since its last change */
	SCHEDULE_LADDER, /* in steps: a day, half a week, a week, a month */
	SCHEDULE_DAILY, /* a day, whatever happens: what others are measured against */
};

/* What a tracker's server can do for us. */
enum schedule_mode {
	SCHEDULE_SINGLE, /* each bug takes a request of its own */
	SCHEDULE_BATCH, /* a request takes many bugs, and costs the same with few */
	SCHEDULE_CHANGES, /* it can say what changed: bugs by themselves are only swept */
};

/* Words of both, as settings, API and options have them; NULL past the last. */
const char *schedule_policy_word(unsigned policy);
const char *schedule_mode_word(unsigned mode);

/* The policy that WORD names; false for none, and for daily, which is no policy for a service. */
bool schedule_policy_of_word(const char *word, enum schedule_policy *policy);

/* What holds for all bugs of a tracker. */
struct schedule_rules {
	enum schedule_policy policy;
	enum schedule_mode mode;
	const struct knobs *knobs;
	double stretch_s; /* schedule_stretch's, in mode batch; 0 where it is not known yet */
	bool doubtful; /* what the server says of changes is not to be trusted */
};

/* One bug as it was just checked; all zero is one that changes right now. */
struct schedule_bug {
	double quiet_s; /* since its last change of any kind */
	double steady_s; /* since its status last changed */
	bool resolved;
	bool first; /* it was never checked before */
	unsigned failures; /* in a row, this check among them */
	bool gone; /* not found or private, so far as it failed */
};

/*
 * Seconds until the next check of BUG, at least 1. DRAW is a random number in [0, 1): bugs with the
 * same one that are alike stay together. In mode changes the first sweep is drawn from the whole
 * interval, so that bugs which came together are swept apart.
 */
int64_t schedule_bug(
	const struct schedule_rules *rules, const struct schedule_bug *bug, double draw);

/* Changes a day to expect of BUG; a tracker's load is their sum over its bugs. */
double schedule_load(const struct schedule_bug *bug);

/* How often BUG should be asked about beside others, in no unit; to be summed, too. */
double schedule_pull(const struct knobs *knobs, const struct schedule_bug *bug);

/* Seconds from one question what changed to the next, by the load of the tracker; no jitter. */
int64_t schedule_changes(const struct knobs *knobs, double load);

/* Seconds from one request of BATCH bugs to the next with which BUGS are swept once in their interval. */
int64_t schedule_sweep(const struct schedule_rules *rules, unsigned batch, double bugs);

/* Seconds from one request of BATCH bugs to the next, for a tracker of LOAD; no jitter. */
int64_t schedule_batch(const struct knobs *knobs, unsigned batch, double load);

/*
 * The interval, in seconds, of an open bug that changed a day ago with which bugs of PULL in all
 * nearly fill a request of BATCH bugs every EVERY_S seconds.
 */
double schedule_stretch(double pull, unsigned batch, int64_t every_s);

/* LENGTH_S with the jitter of RULES. */
int64_t schedule_jittered(const struct schedule_rules *rules, int64_t length_s, double draw);

/*
 * Seconds that a tracker is left alone after FAILURES in a row (at least 1), the first of them
 * DOWN_S seconds ago: doubled each time, at most an hour on the first day, 6 hours in the first
 * week, then a day; spread by 20 % either way.
 */
int64_t schedule_tracker(const struct knobs *knobs, unsigned failures, int64_t down_s, double draw);

#endif
