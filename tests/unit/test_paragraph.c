#include "ui-api/paragraph.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Prints TEXT behind two blanks, and compares with EXPECTED. */
static void assert_printed(const char *text, unsigned columns, const char *expected)
{
	char *printed = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&printed, &n);
	paragraph_print(out, text, 2, columns);
	fclose(out);
	assert_string_equal(printed, expected);
	free(printed);
}

static void lines_stay(void **state)
{
	assert_printed("one\n\n  two\nthree", 0, "  one\n\n    two\n  three\n");
	assert_printed(
		"a long line where nothing is cut", 0, "  a long line where nothing is cut\n");
	assert_printed("the end is left out \n\n \t\n", 0, "  the end is left out\n");
	assert_printed("", 0, "\n");
}

static void long_lines_go_on_at_a_blank(void **state)
{
	assert_printed("one two three four", 12, "  one two\n  three four\n");
	assert_printed("one two    three four", 12, "  one two\n  three four\n");
	assert_printed("1234567890 ab", 12, "  1234567890\n  ab\n");
	assert_printed("1234567890", 12, "  1234567890\n");
}

static void words_too_long_are_cut(void **state)
{
	assert_printed("123456789012345 a", 12, "  1234567890\n  12345 a\n");
	assert_printed("    123456789012", 12, "      123456\n  789012\n");
	assert_printed("漢字漢字漢字漢字", 13, "  漢字漢字漢\n  字漢字\n");
}

static void narrow_terminals_get_ten_columns(void **state)
{
	assert_printed("123456789012", 1, "  1234567890\n  12\n");
}

static void tabs_reach_the_next_stop(void **state)
{
	assert_printed("\tx", 0, "          x\n");
	assert_printed("é\tx\ty", 0, "  é       x       y\n");
	assert_printed("12345678\tx", 0, "  12345678        x\n");
}

static void nothing_reaches_the_terminal_as_a_command(void **state)
{
	assert_printed("a\033[31mb\rc\n\u202ed", 0, "  a\\u001b[31mb\\u000dc\n  \\u202ed\n");
	assert_printed("\xff\xfe", 0, "  \uFFFD\uFFFD\n");
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_stay),
		cmocka_unit_test(long_lines_go_on_at_a_blank),
		cmocka_unit_test(words_too_long_are_cut),
		cmocka_unit_test(narrow_terminals_get_ten_columns),
		cmocka_unit_test(tabs_reach_the_next_stop),
		cmocka_unit_test(nothing_reaches_the_terminal_as_a_command),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
