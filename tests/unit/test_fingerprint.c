/* A bug's state in 64 bits: every stored field counts, and nothing runs together. */
#include "engine/fingerprint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sodium.h>

static struct observation bug(void)
{
	return (struct observation){
		.title = "Crash on start",
		.product = "editor",
		.status = "RESOLVED",
		.resolution = "FIXED",
		.severity = "major",
		.priority = "P1",
		.changed_at = 42 * MOMENT_SECOND,
		.mapped_status = STATUS_FIX_RELEASED,
		.mapped_importance = IMPORTANCE_HIGH,
	};
}

static void the_same_bug_has_the_same_fingerprint(void **state)
{
	struct observation a = bug(), b = bug();
	b.wanted = 7;
	assert_true(fingerprint(&a) == fingerprint(&b));
	assert_true(fingerprint(&a) != 0);
}

/* Stored fingerprints must stay good when the program is upgraded. */
static void it_is_the_same_for_ever(void **state)
{
	struct observation a = bug();
	assert_int_equal(fingerprint(&a), INT64_C(0x1862ad8bcfbf45ee));
}

static void every_field_counts(void **state)
{
	struct observation a = bug(), changed[10];
	for (int i = 0; i < 10; i++)
		changed[i] = a;
	changed[0].title = "Crash on stop";
	changed[1].product = NULL;
	changed[2].status = "VERIFIED";
	changed[3].resolution = "";
	changed[4].severity = "minor";
	changed[5].priority = "P2";
	changed[6].tags = "patch";
	changed[7].changed_at++;
	changed[8].mapped_status = STATUS_UNKNOWN;
	changed[9].mapped_importance = IMPORTANCE_LOW;
	for (int i = 0; i < 10; i++)
		assert_true(fingerprint(&a) != fingerprint(&changed[i]));
}

static void fields_do_not_run_together(void **state)
{
	struct observation a = {.title = "ab", .product = "c"}, b = {.title = "a", .product = "bc"};
	struct observation none = {0}, empty = {.title = ""};
	assert_true(fingerprint(&a) != fingerprint(&b));
	assert_true(fingerprint(&none) != fingerprint(&empty));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_bug_has_the_same_fingerprint),
		cmocka_unit_test(it_is_the_same_for_ever),
		cmocka_unit_test(every_field_counts),
		cmocka_unit_test(fields_do_not_run_together),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
