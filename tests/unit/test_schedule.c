/* When to ask again: intervals by state, modes and policies, back-off, caps and spread. */
#include "engine/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

static const double MIDDLE = 0.5;

static const struct schedule_rules single = {SCHEDULE_SQRT, SCHEDULE_SINGLE, &schedule_knobs};
static const struct schedule_rules ladder = {SCHEDULE_LADDER, SCHEDULE_SINGLE, &schedule_knobs};
static const struct schedule_rules changes = {SCHEDULE_SQRT, SCHEDULE_CHANGES, &schedule_knobs};

/* ---- bugs ---- */

struct bug_case {
	const struct schedule_rules *rules;
	struct schedule_bug bug;
	int64_t interval_s;
};

static void check_cases(const struct bug_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(
			schedule_bug(cases[i].rules, &cases[i].bug, MIDDLE), cases[i].interval_s);
}

static void intervals_grow_with_the_square_root_of_quiet(void **state)
{
	const struct bug_case cases[] = {
		/* under the least, and at it */
		{&single, {.quiet_s = 0}, HOUR},
		{&single, {.quiet_s = -5 * DAY}, HOUR},
		{&single, {.quiet_s = DAY / 16.0}, HOUR},
		{&single, {.quiet_s = DAY}, 9720},
		{&single, {.quiet_s = 4 * DAY}, 2 * 9720},
		{&single, {.quiet_s = 100 * DAY}, 10 * 9720},
		/* a resolved one is asked about a quarter as often */
		{&single, {.quiet_s = DAY, .resolved = true}, 4 * 9720},
		{&single, {.quiet_s = 400 * DAY, .resolved = true}, 80 * 9720},
		/* never later than the most */
		{&single, {.quiet_s = 20000.0 * DAY, .resolved = true}, 30 * DAY},
		{&single, {.quiet_s = 1e300}, 30 * DAY},
	};
	check_cases(cases, sizeof(cases) / sizeof(cases[0]));
}

static void the_ladder_has_its_steps(void **state)
{
	const struct bug_case cases[] = {
		{&ladder, {.quiet_s = 0, .steady_s = 30 * DAY}, DAY},
		{&ladder, {.quiet_s = 0, .steady_s = 30 * DAY + 1}, 3 * DAY + DAY / 2},
		{&ladder, {.quiet_s = 0, .steady_s = 60 * DAY}, 3 * DAY + DAY / 2},
		{&ladder, {.quiet_s = 0, .steady_s = 60 * DAY + 1}, 7 * DAY},
		{&ladder, {.resolved = true, .steady_s = 0}, 7 * DAY},
		{&ladder, {.resolved = true, .steady_s = 120 * DAY}, 7 * DAY},
		{&ladder, {.resolved = true, .steady_s = 120 * DAY + 1}, 30 * DAY},
	};
	check_cases(cases, sizeof(cases) / sizeof(cases[0]));
}

static void failures_back_off_but_not_far(void **state)
{
	const struct bug_case cases[] = {
		{&single, {.failures = 1}, DAY},
		{&single, {.failures = 2}, 2 * DAY},
		{&single, {.failures = 3}, 4 * DAY},
		{&single, {.failures = 4}, 7 * DAY},
		{&single, {.failures = 4000000000u}, 7 * DAY},
		{&single, {.failures = 1, .gone = true}, DAY},
		{&single, {.failures = 2, .gone = true}, 3 * DAY},
		{&single, {.failures = 3, .gone = true}, 9 * DAY},
		{&single, {.failures = 4, .gone = true}, 27 * DAY},
		{&single, {.failures = 5, .gone = true}, 30 * DAY},
		{&changes, {.failures = 2, .first = true}, 2 * DAY},
		/* what once failed and is read again counts for nothing */
		{&single, {.gone = true, .quiet_s = DAY}, 9720},
	};
	check_cases(cases, sizeof(cases) / sizeof(cases[0]));
}

static void a_tracker_that_tells_what_changed_is_swept(void **state)
{
	struct schedule_rules doubtful = changes;
	doubtful.doubtful = true;
	const struct bug_case cases[] = {
		{&changes, {.quiet_s = 0}, 30 * DAY},
		{&changes, {.quiet_s = 900 * DAY, .resolved = true}, 30 * DAY},
		{&doubtful, {.quiet_s = 0}, 3 * DAY},
	};
	check_cases(cases, sizeof(cases) / sizeof(cases[0]));
	struct schedule_bug first = {.first = true};
	assert_int_equal(schedule_bug(&changes, &first, 0.0), 1);
	assert_int_equal(schedule_bug(&changes, &first, 0.25), 30 * DAY / 4);
	assert_int_equal(schedule_bug(&changes, &first, 0.999999), 30 * DAY - 3);
}

static void a_batch_stretches_its_intervals(void **state)
{
	struct schedule_rules batch = {SCHEDULE_SQRT, SCHEDULE_BATCH, &schedule_knobs, 4 * HOUR};
	struct schedule_bug bug = {.quiet_s = 4 * DAY};
	assert_int_equal(schedule_bug(&batch, &bug, MIDDLE), 8 * HOUR);
	/* not reckoned yet: as a bug by itself */
	batch.stretch_s = 0;
	assert_int_equal(schedule_bug(&batch, &bug, MIDDLE), 2 * 9720);
}

static void the_most_is_the_most(void **state)
{
	struct knobs knobs = schedule_knobs;
	knobs.check_interval_s = 1;
	for (unsigned policy = 0; schedule_policy_word(policy) != NULL; policy++)
		for (unsigned mode = 0; schedule_mode_word(mode) != NULL; mode++) {
			struct schedule_rules rules = {(enum schedule_policy)policy,
				(enum schedule_mode)mode, &knobs, DAY, true};
			struct schedule_bug bug = {.quiet_s = 100 * DAY};
			assert_int_equal(schedule_bug(&rules, &bug, MIDDLE), 1);
		}
	assert_int_equal(schedule_changes(&knobs, 0), 1);
	assert_int_equal(schedule_batch(&knobs, 500, 0), 1);
}

static void the_spread_is_a_tenth_either_way(void **state)
{
	struct schedule_bug bug = {.quiet_s = 100 * DAY};
	assert_int_equal(schedule_bug(&single, &bug, 0.0), 97200 * 9 / 10);
	assert_in_range(
		schedule_bug(&single, &bug, 0.999999), 97200 * 11 / 10 - 1, 97200 * 11 / 10);
}

/* ---- trackers ---- */

static void questions_follow_the_load(void **state)
{
	assert_int_equal(schedule_changes(&schedule_knobs, 0), DAY);
	assert_int_equal(schedule_changes(&schedule_knobs, 1e-9), DAY);
	assert_int_equal(schedule_changes(&schedule_knobs, 0.25), (int64_t)(0.065 * 2 * DAY));
	assert_int_equal(schedule_changes(&schedule_knobs, 1e9), 30 * MINUTE);
	struct schedule_bug busy = {0}, old = {.quiet_s = 100 * DAY, .resolved = true};
	assert_true(fabs(schedule_load(&busy) - 0.27 * 24) < 1e-9);
	assert_true(fabs(schedule_load(&old) - 0.0004) < 1e-9);
}

static void batches_follow_their_size_and_the_load(void **state)
{
	struct knobs knobs = schedule_knobs;
	assert_int_equal(schedule_batch(&knobs, 500, 1e9), 110 * MINUTE);
	assert_int_equal(schedule_batch(&knobs, 250, 1e9), 110 * MINUTE);
	assert_int_equal(schedule_batch(&knobs, 249, 1e9), HOUR);
	assert_int_equal(schedule_batch(&knobs, 500, 0), DAY);
	knobs.batch_interval_s = 77;
	assert_int_equal(schedule_batch(&knobs, 500, 0), 77);
}

/* A thousand bugs of the same kind, then, are checked as often as the requests allow. */
static void the_stretch_fills_nine_tenths_of_a_batch(void **state)
{
	struct schedule_bug bug = {.quiet_s = 9 * DAY, .resolved = true};
	double pull = 1000 * schedule_pull(&schedule_knobs, &bug);
	struct schedule_rules batch = {
		SCHEDULE_SQRT, SCHEDULE_BATCH, &schedule_knobs, schedule_stretch(pull, 100, HOUR)};
	int64_t interval = schedule_bug(&batch, &bug, MIDDLE);
	assert_in_range(interval, 1000 * HOUR / 90 - 1, 1000 * HOUR / 90 + 1);
}

static void a_tracker_is_left_alone_for_longer_as_it_stays_away(void **state)
{
	const struct knobs *knobs = &schedule_knobs;
	assert_int_equal(schedule_tracker(knobs, 1, 0, MIDDLE), 5 * MINUTE);
	assert_int_equal(schedule_tracker(knobs, 2, 300, MIDDLE), 10 * MINUTE);
	assert_int_equal(schedule_tracker(knobs, 4, 2000, MIDDLE), 40 * MINUTE);
	assert_int_equal(schedule_tracker(knobs, 5, 4000, MIDDLE), HOUR);
	assert_int_equal(schedule_tracker(knobs, 30, DAY - 1, MIDDLE), HOUR);
	assert_int_equal(schedule_tracker(knobs, 30, DAY, MIDDLE), 6 * HOUR);
	assert_int_equal(schedule_tracker(knobs, 90, 7 * DAY, MIDDLE), DAY);
	assert_int_equal(schedule_tracker(knobs, 4000000000u, 400 * DAY, MIDDLE), DAY);
	assert_int_equal(schedule_tracker(knobs, 1, 0, 0.0), 4 * MINUTE);
}

/* However the draws fall. */
static void a_day_of_outage_costs_thirty_probes_at_most(void **state)
{
	for (int step = 6; step < 20; step++) {
		double draw = step * 0.05;
		int64_t down_s = 0;
		unsigned failures = 0;
		while (down_s < DAY)
			down_s += schedule_tracker(&schedule_knobs, ++failures, down_s, draw);
		assert_in_range(failures, 20, 30);
	}
}

static void words_name_policies(void **state)
{
	enum schedule_policy policy;
	assert_true(schedule_policy_of_word("ladder", &policy));
	assert_int_equal(policy, SCHEDULE_LADDER);
	assert_false(schedule_policy_of_word("daily", &policy));
	assert_false(schedule_policy_of_word("", &policy));
	assert_string_equal(schedule_mode_word(SCHEDULE_CHANGES), "changes");
	assert_null(schedule_mode_word(3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals_grow_with_the_square_root_of_quiet),
		cmocka_unit_test(the_ladder_has_its_steps),
		cmocka_unit_test(failures_back_off_but_not_far),
		cmocka_unit_test(a_tracker_that_tells_what_changed_is_swept),
		cmocka_unit_test(a_batch_stretches_its_intervals),
		cmocka_unit_test(the_most_is_the_most),
		cmocka_unit_test(the_spread_is_a_tenth_either_way),
		cmocka_unit_test(questions_follow_the_load),
		cmocka_unit_test(batches_follow_their_size_and_the_load),
		cmocka_unit_test(the_stretch_fills_nine_tenths_of_a_batch),
		cmocka_unit_test(a_tracker_is_left_alone_for_longer_as_it_stays_away),
		cmocka_unit_test(a_day_of_outage_costs_thirty_probes_at_most),
		cmocka_unit_test(words_name_policies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
