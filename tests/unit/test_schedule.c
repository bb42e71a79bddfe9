/* When to ask again: intervals, doubling, caps and spread. */
#include "engine/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { HOUR = 3600, DAY = 86400 };

static const double MIDDLE = 0.5;

static void a_healthy_bug_keeps_its_interval(void **state)
{
	assert_int_equal(schedule_bug(DAY, 0, MIDDLE), DAY);
	assert_int_equal(schedule_bug(30, 0, MIDDLE), 30);
}

static void each_failure_doubles_up_to_a_week(void **state)
{
	assert_int_equal(schedule_bug(DAY, 1, MIDDLE), 2 * DAY);
	assert_int_equal(schedule_bug(DAY, 2, MIDDLE), 4 * DAY);
	assert_int_equal(schedule_bug(DAY, 3, MIDDLE), 7 * DAY);
	assert_int_equal(schedule_bug(DAY, 4000000000u, MIDDLE), 7 * DAY);
}

static void a_longer_interval_is_its_own_cap(void **state)
{
	assert_int_equal(schedule_bug(30 * DAY, 5, MIDDLE), 30 * DAY);
}

static void the_spread_is_a_tenth_either_way(void **state)
{
	assert_int_equal(schedule_bug(1000, 0, 0.0), 900);
	assert_in_range(schedule_bug(1000, 0, 0.999999), 1099, 1100);
}

static void the_next_check_is_never_now(void **state)
{
	assert_int_equal(schedule_bug(1, 0, 0.0), 1);
}

static void a_tracker_is_left_alone_for_longer_up_to_an_hour(void **state)
{
	assert_int_equal(schedule_tracker(1, MIDDLE), 60);
	assert_int_equal(schedule_tracker(2, MIDDLE), 120);
	assert_int_equal(schedule_tracker(7, MIDDLE), HOUR);
	assert_int_equal(schedule_tracker(1000, MIDDLE), HOUR);
	assert_int_equal(schedule_tracker(1, 0.0), 48);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_healthy_bug_keeps_its_interval),
		cmocka_unit_test(each_failure_doubles_up_to_a_week),
		cmocka_unit_test(a_longer_interval_is_its_own_cap),
		cmocka_unit_test(the_spread_is_a_tenth_either_way),
		cmocka_unit_test(the_next_check_is_never_now),
		cmocka_unit_test(a_tracker_is_left_alone_for_longer_up_to_an_hour),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
