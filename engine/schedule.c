#include "engine/schedule.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum { HOUR = 3600, DAY = 86400, WEEK = 7 * DAY };

const struct knobs schedule_knobs = {
#define KNOB(name, unit, initial, least, most, help) .name = initial,
#include "engine/knobs.def"
#undef KNOB
};

/*
 * A bug that was quiet for d days changes k / d times in the next: measured on 70,000 bugs of two
 * communities from half a day to 1,000 days.
 */
static const double OPEN_RATE = 0.27, RESOLVED_RATE = 0.04;

/* Days to the power of one half: what a question costs beside an hour of delay. */
static const double CHANGES_WEIGHT = 0.065;

static const double BATCH_FILL = 0.9; /* the rest is for bugs that changed since */
static const double TRACKER_JITTER = 0.2;

enum { LARGE_BATCH = 250, LARGE_BATCH_S = 6600, SMALL_BATCH_S = HOUR };

const char *schedule_policy_word(unsigned policy)
{
	static const char *const words[] = {"sqrt", "ladder", "daily"};
	return policy < sizeof(words) / sizeof(words[0]) ? words[policy] : NULL;
}

const char *schedule_mode_word(unsigned mode)
{
	static const char *const words[] = {"single", "batch", "changes"};
	return mode < sizeof(words) / sizeof(words[0]) ? words[mode] : NULL;
}

bool schedule_policy_of_word(const char *word, enum schedule_policy *policy)
{
	for (*policy = SCHEDULE_SQRT; *policy < SCHEDULE_DAILY; (*policy)++)
		if (strcmp(word, schedule_policy_word(*policy)) == 0)
			return true;
	return false;
}

static double clamp(double value, double least, double most)
{
	return value > most ? most : value < least ? least : value;
}

/* FIRST times FACTOR for each of FAILURES after the first, without passing MOST. */
static double backed_off(double first, double factor, unsigned failures, double most)
{
	double length = first;
	while (failures-- > 1 && length < most)
		length *= factor;
	return length < most ? length : most;
}

static int64_t spread(double length, double part, double draw)
{
	double spread = length * (1 + part * (2 * draw - 1));
	return spread > 1 ? (int64_t)spread : 1;
}

static double quiet_days(const struct schedule_bug *bug)
{
	return (bug->quiet_s > HOUR ? bug->quiet_s : HOUR) / DAY;
}

/* What the proto-specification wants, step by step. */
static double ladder(const struct schedule_bug *bug)
{
	double days = bug->steady_s / DAY;
	if (bug->resolved)
		return days > 120 ? 30 * DAY : 7 * DAY;
	return days > 60 ? 7 * DAY : days > 30 ? 3.5 * DAY : DAY;
}

static double by_square_root(const struct schedule_rules *rules, const struct schedule_bug *bug)
{
	bool stretched = rules->mode == SCHEDULE_BATCH && rules->stretch_s > 0;
	double unit = stretched ? rules->stretch_s : (double)rules->knobs->unit_interval_s;
	return unit / schedule_pull(rules->knobs, bug);
}

static double wanted(const struct schedule_rules *rules, const struct schedule_bug *bug)
{
	const struct knobs *knobs = rules->knobs;
	double most = (double)knobs->check_interval_s;
	if (rules->mode == SCHEDULE_CHANGES && rules->policy == SCHEDULE_SQRT)
		return rules->doubtful ? clamp((double)knobs->doubt_interval_s, 0, most) : most;
	double length = rules->policy == SCHEDULE_DAILY ? DAY
		: rules->policy == SCHEDULE_LADDER	? ladder(bug)
							: by_square_root(rules, bug);
	return clamp(length, (double)knobs->least_interval_s, most);
}

int64_t schedule_bug(
	const struct schedule_rules *rules, const struct schedule_bug *bug, double draw)
{
	const struct knobs *knobs = rules->knobs;
	double part = (double)knobs->jitter_percent / 100;
	if (bug->failures > 0 && bug->gone)
		return spread(backed_off((double)knobs->gone_interval_s, 3, bug->failures,
				      (double)knobs->most_gone_s),
			part, draw);
	if (bug->failures > 0)
		return spread(backed_off((double)knobs->failure_interval_s, 2, bug->failures,
				      (double)knobs->most_failure_s),
			part, draw);
	double length = wanted(rules, bug);
	if (rules->mode == SCHEDULE_CHANGES && rules->policy == SCHEDULE_SQRT && bug->first)
		return spread(length * draw, 0, draw);
	return spread(length, part, draw);
}

double schedule_load(const struct schedule_bug *bug)
{
	return (bug->resolved ? RESOLVED_RATE : OPEN_RATE) / quiet_days(bug);
}

double schedule_pull(const struct knobs *knobs, const struct schedule_bug *bug)
{
	double factor = bug->resolved ? (double)knobs->resolved_factor : 1;
	return 1 / (factor * sqrt(quiet_days(bug)));
}

static double for_load(double load)
{
	return load > 0 ? CHANGES_WEIGHT / sqrt(load) * DAY : INFINITY;
}

int64_t schedule_changes(const struct knobs *knobs, double load)
{
	double most = (double)knobs->most_changes_s, sweep = (double)knobs->check_interval_s;
	return (int64_t)clamp(
		for_load(load), (double)knobs->least_changes_s, most < sweep ? most : sweep);
}

int64_t schedule_sweep(const struct schedule_rules *rules, unsigned batch, double bugs)
{
	struct schedule_bug bug = {0};
	double length = wanted(rules, &bug);
	return spread(bugs > batch ? length * batch / bugs : length, 0, 0);
}

int64_t schedule_batch(const struct knobs *knobs, unsigned batch, double load)
{
	double least = batch >= LARGE_BATCH ? LARGE_BATCH_S : SMALL_BATCH_S;
	double most = (double)knobs->check_interval_s;
	if (knobs->batch_interval_s > 0)
		return knobs->batch_interval_s;
	return (int64_t)clamp(clamp(for_load(load), least, DAY), 1, most);
}

double schedule_stretch(double pull, unsigned batch, int64_t every_s)
{
	return pull * (double)every_s / (BATCH_FILL * batch);
}

int64_t schedule_jittered(const struct schedule_rules *rules, int64_t length_s, double draw)
{
	return spread((double)length_s, (double)rules->knobs->jitter_percent / 100, draw);
}

int64_t schedule_tracker(const struct knobs *knobs, unsigned failures, int64_t down_s, double draw)
{
	double most = down_s < DAY ? HOUR : down_s < WEEK ? 6 * HOUR : DAY;
	return spread(backed_off((double)knobs->probe_interval_s, 2, failures, most),
		TRACKER_JITTER, draw);
}
