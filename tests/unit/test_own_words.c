#include "trackers/own_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <talloc.h>

#include <cmocka.h>

static struct own_words *words;

static int make(void **state)
{
	words = own_words_new(NULL);
	return 0;
}

static int unmake(void **state)
{
	talloc_free(words);
	return 0;
}

/* A bug as a driver's table left it. */
static struct observation read_bug(const char *status, const char *resolution)
{
	return (struct observation){
		.status = status,
		.resolution = resolution,
		.severity = "normal",
		.priority = "P9",
		.mapped_status = STATUS_CONFIRMED,
		.mapped_importance = IMPORTANCE_MEDIUM,
	};
}

static void status_is(const char *status, const char *resolution, enum bug_status expected)
{
	struct observation o = read_bug(status, resolution);
	own_words_apply(words, &o);
	assert_string_equal(status_word(o.mapped_status), status_word(expected));
}

static void without_rows_the_driver_decides(void **state)
{
	status_is("NEW", "", STATUS_CONFIRMED);
	status_is(NULL, NULL, STATUS_CONFIRMED);
}

static void a_status_is_named_with_its_resolution(void **state)
{
	assert_true(own_words_add(words, "status", "RESOLVED SHIPPED_NEVER", "wont-fix"));
	assert_true(own_words_add(words, "status", "in progress", "triaged"));
	status_is("Resolved", "shipped-never", STATUS_WONT_FIX);
	status_is("RESOLVED", "FIXED", STATUS_CONFIRMED);
	status_is("RESOLVED", "", STATUS_CONFIRMED);
	status_is("IN_PROGRESS", NULL, STATUS_TRIAGED);
	status_is("IN_PROGRESS", "", STATUS_TRIAGED);
}

static void the_first_row_that_fits_decides(void **state)
{
	assert_true(own_words_add(words, "status", "CLOSED ODD", "invalid"));
	assert_true(own_words_add(words, "status", "CLOSED *", "fix-released"));
	assert_true(own_words_add(words, "status", "*", "new"));
	status_is("CLOSED", "ODD", STATUS_INVALID);
	status_is("CLOSED", "FIXED", STATUS_FIX_RELEASED);
	status_is("CLOSED", "", STATUS_NEW);
	status_is(NULL, NULL, STATUS_CONFIRMED);
}

static void importance_is(struct observation o, enum bug_importance expected)
{
	own_words_apply(words, &o);
	assert_string_equal(importance_word(o.mapped_importance), importance_word(expected));
}

static void the_priority_counts_where_it_decides(void **state)
{
	struct observation o = read_bug("NEW", "");
	assert_true(own_words_add(words, "importance", "P9", "low"));
	importance_is(o, IMPORTANCE_MEDIUM);
	o.priority_decides = true;
	importance_is(o, IMPORTANCE_LOW);
	o.priority_decides = false;
	o.severity = NULL;
	importance_is(o, IMPORTANCE_LOW);
	o.severity = "";
	importance_is(o, IMPORTANCE_LOW);
	o.priority = NULL;
	importance_is(o, IMPORTANCE_MEDIUM);
}

static void a_severity_of_its_own_counts_always(void **state)
{
	struct observation o = read_bug("NEW", "");
	o.priority_decides = true;
	assert_true(own_words_add(words, "importance", "normal", "high"));
	assert_true(own_words_add(words, "importance", "P9", "low"));
	importance_is(o, IMPORTANCE_HIGH);
}

static void fields_are_apart(void **state)
{
	assert_true(own_words_add(words, "importance", "NEW", "critical"));
	assert_true(own_words_add(words, "status", "normal", "invalid"));
	status_is("NEW", "", STATUS_CONFIRMED);
	importance_is(read_bug("NEW", ""), IMPORTANCE_MEDIUM);
}

static void only_our_words_are_taken(void **state)
{
	assert_false(own_words_add(words, "status", "NEW", "critical"));
	assert_false(own_words_add(words, "importance", "NEW", "fix-released"));
	assert_false(own_words_add(words, "status", "NEW", "unknown"));
	assert_false(own_words_add(words, "importance", "NEW", "unknown"));
	assert_false(own_words_add(words, "status", "NEW", "New"));
	assert_false(own_words_add(words, "title", "NEW", "new"));
	status_is("NEW", "", STATUS_CONFIRMED);
}

static void words_are_named_in_full(void **state)
{
	struct observation o = read_bug("RESOLVED", "SHIPPED_NEVER");
	assert_string_equal(own_words_status(words, &o), "RESOLVED SHIPPED_NEVER");
	assert_string_equal(own_words_importance(&o), "normal");
	o = read_bug("NEW", "");
	o.priority_decides = true;
	assert_string_equal(own_words_status(words, &o), "NEW");
	assert_string_equal(own_words_importance(&o), "P9");
	o = (struct observation){.resolution = "FIXED"};
	assert_null(own_words_status(words, &o));
	assert_null(own_words_importance(&o));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_rows_the_driver_decides, make, unmake),
		cmocka_unit_test_setup_teardown(
			a_status_is_named_with_its_resolution, make, unmake),
		cmocka_unit_test_setup_teardown(the_first_row_that_fits_decides, make, unmake),
		cmocka_unit_test_setup_teardown(the_priority_counts_where_it_decides, make, unmake),
		cmocka_unit_test_setup_teardown(a_severity_of_its_own_counts_always, make, unmake),
		cmocka_unit_test_setup_teardown(fields_are_apart, make, unmake),
		cmocka_unit_test_setup_teardown(only_our_words_are_taken, make, unmake),
		cmocka_unit_test_setup_teardown(words_are_named_in_full, make, unmake),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
