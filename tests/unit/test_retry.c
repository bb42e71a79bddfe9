#include "engine/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW (INT64_C(1795341900) * MOMENT_SECOND) /* Sun, 22 Nov 2026 10:05:00 GMT */

static void reads_what_servers_send(void **state)
{
	static const struct {
		const char *value;
		int64_t seconds;
	} rows[] = {
		{"120", 120},
		{" 7 ", 7},
		{"1", 1},
		{"0", 1},
		{"86400", 86400},
		{"86401", 86400},
		{"999999", 86400},
		{"315360000", 86400},
		{"99999999999999999999999", 86400},
		{"Sun, 22 Nov 2026 10:07:00 GMT", 120},
		{"Sun, 22 Nov 2026 10:04:00 GMT", 1},
		{"Sun, 22 Nov 2036 10:05:00 GMT", 86400},
		{"-5", 60},
		{"", 60},
		{"soon", 60},
		{"12 minutes", 60},
		{"1.5", 60},
		{"2026-11-22T10:07:00Z", 60},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t ms = retry_after_ms(rows[i].value, NOW);
		if (ms != rows[i].seconds * 1000)
			print_error("%s: %jd ms\n", rows[i].value, (intmax_t)ms);
		assert_true(ms == rows[i].seconds * 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_servers_send),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
