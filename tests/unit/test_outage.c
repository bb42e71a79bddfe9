/* When most trackers can't be reached it is us. */
#include "engine/outage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <talloc.h>

static const moment START = 1700000000 * MOMENT_SECOND;

static void most_of_a_few_make_an_outage(void **state)
{
	struct outage *outage = outage_new(NULL);
	assert_false(outage_note(outage, 1, ERR_DNS, START));
	assert_false(outage_note(outage, 2, ERR_TIMEOUT, START));
	assert_true(outage_note(outage, 3, ERR_CONNECTION, START));
	/* a tracker that answers has a failure of its own */
	assert_false(outage_note(outage, 4, ERR_HTTP, START));
	assert_true(outage_note(outage, 1, ERR_DNS, START));
	talloc_free(outage);
}

static void one_tracker_counts_once(void **state)
{
	struct outage *outage = outage_new(NULL);
	for (int i = 0; i < 10; i++)
		assert_false(outage_note(outage, 1, ERR_DNS, START + i));
	talloc_free(outage);
}

static void some_that_are_reached_end_it(void **state)
{
	struct outage *outage = outage_new(NULL);
	for (int i = 1; i <= 4; i++)
		outage_note(outage, i, ERR_DNS, START);
	assert_false(outage_note(outage, 1, ERR_NONE, START));
	assert_false(outage_note(outage, 2, ERR_NONE, START));
	assert_false(outage_note(outage, 3, ERR_DNS, START));
	talloc_free(outage);
}

static void what_was_long_ago_does_not_count(void **state)
{
	struct outage *outage = outage_new(NULL);
	for (int i = 1; i <= 200; i++)
		outage_note(outage, i, ERR_DNS, START);
	assert_false(outage_note(outage, 300, ERR_DNS, START + 601 * MOMENT_SECOND));
	talloc_free(outage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(most_of_a_few_make_an_outage),
		cmocka_unit_test(one_tracker_counts_once),
		cmocka_unit_test(some_that_are_reached_end_it),
		cmocka_unit_test(what_was_long_ago_does_not_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
