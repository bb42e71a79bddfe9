/* Times as trackers and HTTP servers write them. */
#include "trackers/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { AT = 1772955000 }; /* 2026-03-08T07:30:00Z */

static void assert_reads(const char *text, int64_t seconds, int64_t microseconds)
{
	moment at = -1;
	if (!moment_parse(text, &at))
		fail_msg("not read: %s", text);
	if (at != seconds * MOMENT_SECOND + microseconds)
		fail_msg("%s read as %lld", text, (long long)at);
}

static void the_forms_of_trackers_are_read(void **state)
{
	assert_reads("2026-03-08T07:30:00Z", AT, 0);
	assert_reads("2026-03-08t07:30:00z", AT, 0);
	assert_reads("2026-03-08 07:30:00", AT, 0);
	assert_reads("2026-03-08 03:30:00 -0400", AT, 0);
	assert_reads("2026-03-08T09:30:00+02:00", AT, 0);
	assert_reads("2026-03-08T13:00:00+05:30", AT, 0);
	assert_reads("2026-03-08T09:30:00+02", AT, 0);
	assert_reads("20260308T07:30:00", AT, 0);
	assert_reads("2026-03-08.07:30:00", AT, 0);
	assert_reads("2026-03-08.07:30:00.123", AT, 123000);
	assert_reads("2026-03-08T07:30:00.123456789Z", AT, 123456);
	assert_reads("2026-03-08T07:29:60Z", AT, 0);
}

static void the_ends_of_time_are_read(void **state)
{
	assert_reads("1970-01-01T00:00:00Z", 0, 0);
	assert_reads("0001-01-01T00:00:00Z", INT64_C(-62135596800), 0);
	assert_reads("9999-12-31T23:59:59Z", INT64_C(253402300799), 0);
	assert_reads("2024-02-29T00:00:00Z", 1709164800, 0);
}

static void anything_else_is_refused(void **state)
{
	static const char *const wrong[] = {"", "now", "2026", "2026-03-08", "2026-03-08T07:30",
		"2026-03-08T07:30:00X", "2026-03-08T07:30:00Z ", " 2026-03-08T07:30:00Z",
		"2026-3-8T07:30:00Z", "2026-0308T07:30:00Z", "202603-08T07:30:00Z",
		"2026-03-08T07:30:00.Z", "2026-03-08T07:30:00+1", "2026-03-08T07:30:00+24:00",
		"2026-03-08T07:30:00+02:60", "2026-03-08T07:30:00 ", "26-03-08T07:30:00Z",
		"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z",
		"2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "0000-12-31T00:00:00Z",
		"9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", "+026-03-08T07:30:00Z",
		"2026-03-08T-7:30:00Z"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		moment at;
		if (moment_parse(wrong[i], &at))
			fail_msg("read: %s", wrong[i]);
	}
}

static void http_has_three_forms(void **state)
{
	static const char *const forms[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"};
	for (int i = 0; i < 3; i++) {
		moment at = 0;
		assert_true(moment_parse_http(forms[i], &at));
		assert_int_equal(at, 784111777 * MOMENT_SECOND);
	}
	moment at;
	assert_true(moment_parse_http("Wednesday, 11-Nov-26 00:00:00 GMT", &at));
	assert_int_equal(at, INT64_C(1794355200) * MOMENT_SECOND);
	assert_true(moment_parse_http("Fri Nov 11 00:00:00 1994", &at));
}

static void other_http_dates_are_refused(void **state)
{
	static const char *const wrong[] = {"", "0", "-1", "120", "Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 08:49:37 GMT ",
		"Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nox 1994 08:49:37 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT", "Su, 06 Nov 1994 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994 GMT", "1994-11-06T08:49:37Z"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		moment at;
		if (moment_parse_http(wrong[i], &at))
			fail_msg("read: %s", wrong[i]);
	}
}

static void assert_written(moment at, const char *expected)
{
	char text[MOMENT_TEXT];
	assert_string_equal(moment_format(at, text), expected);
}

static void whole_seconds_are_written(void **state)
{
	assert_written(AT * MOMENT_SECOND + 999999, "2026-03-08T07:30:00Z");
	assert_written(0, "1970-01-01T00:00:00Z");
	assert_written(-1, "1969-12-31T23:59:59Z");
	assert_written(INT64_C(-62135596800) * MOMENT_SECOND, "0001-01-01T00:00:00Z");
	char text[MOMENT_TEXT];
	moment_format(INT64_MAX, text);
	moment_format(INT64_MIN, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_forms_of_trackers_are_read),
		cmocka_unit_test(the_ends_of_time_are_read),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(http_has_three_forms),
		cmocka_unit_test(other_http_dates_are_refused),
		cmocka_unit_test(whole_seconds_are_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
