#include "ui-api/terminal.h"

#include "trackers/utf8.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <talloc.h>

static void assert_safe(const char *text, const char *expected)
{
	char *safe = terminal_text(NULL, text);
	assert_string_equal(safe, expected);
	talloc_free(safe);
}

static void plain_text_stays(void **state)
{
	assert_safe("", "");
	assert_safe("Ünïcode 漢字 👩 fine", "Ünïcode 漢字 👩 fine");
	assert_safe("{\"a\":\"b\\n\"}", "{\"a\":\"b\\n\"}");
}

static void controls_are_shown(void **state)
{
	assert_safe("a\033[31mb", "a\\u001b[31mb");
	assert_safe("a\nb\tc\r", "a\\u000ab\\u0009c\\u000d");
	assert_safe("del\177", "del\\u007f");
	assert_safe("csi\xc2\x9b"
		    "31m",
		"csi\\u009b31m");
}

static void bidirectional_controls_are_shown(void **state)
{
	assert_safe("\u202eevil\u202c", "\\u202eevil\\u202c");
	assert_safe("\u202a\u202b\u202d", "\\u202a\\u202b\\u202d");
	assert_safe("\u2066\u2067\u2068\u2069", "\\u2066\\u2067\\u2068\\u2069");
	assert_safe("\u200e\u200f\u061c", "\\u200e\\u200f\\u061c");
	assert_safe("\u2028\u2029", "\\u2028\\u2029");
}

static void neighbours_of_controls_stay(void **state)
{
	assert_safe("\u00a0\u200d\u2027\u202f\u2065\u206a", "\u00a0\u200d\u2027\u202f\u2065\u206a");
}

static void broken_bytes_are_replaced(void **state)
{
	assert_safe("a\x9b", "a\uFFFD");
	assert_safe("\xc3(", "\uFFFD(");
	assert_safe("\xe2\x80", "\uFFFD\uFFFD");
	assert_safe("\xc0\x8a", "\uFFFD\uFFFD");
	assert_safe("\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD");
	assert_safe("\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD");
}

static void valid_utf8_is_told(void **state)
{
	assert_true(utf8_is_valid(""));
	assert_true(utf8_is_valid("a\u00e9\u6f22\U0001f469"));
	assert_false(utf8_is_valid("a\xe9"));
	assert_false(utf8_is_valid("\xed\xa0\x80"));
	assert_false(utf8_is_valid("\xf0\x9f\x91"));
}

static void width_counts_columns(void **state)
{
	assert_int_equal(terminal_width("abc"), 3);
	assert_int_equal(terminal_width("漢字"), 4);
	assert_int_equal(terminal_width("e\u0301"), 1);
}

static void text_is_cut_at_whole_characters(void **state)
{
	unsigned width;
	assert_int_equal(terminal_fit("abc", 2, &width), 2);
	assert_int_equal(width, 2);
	assert_int_equal(terminal_fit("漢字", 3, &width), 3);
	assert_int_equal(width, 2);
	assert_int_equal(terminal_fit("e\u0301x", 1, &width), 3);
	assert_int_equal(width, 1);
	assert_int_equal(terminal_fit("abc", 9, &width), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_stays),
		cmocka_unit_test(controls_are_shown),
		cmocka_unit_test(bidirectional_controls_are_shown),
		cmocka_unit_test(neighbours_of_controls_stay),
		cmocka_unit_test(broken_bytes_are_replaced),
		cmocka_unit_test(valid_utf8_is_told),
		cmocka_unit_test(width_counts_columns),
		cmocka_unit_test(text_is_cut_at_whole_characters),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
