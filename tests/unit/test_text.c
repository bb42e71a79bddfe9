/* Remote text is made harmless, and words are compared as people read them. */
#include "trackers/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

#define BAD "\xef\xbf\xbd"

#define assert_clean(text, expected)                                                               \
	assert_cleaned(text_clean, text, sizeof(text) - 1, 1000, expected)
#define assert_line(text, expected)                                                                \
	assert_cleaned(text_clean_line, text, sizeof(text) - 1, 1000, expected)

static void assert_cleaned(char *(*clean)(const void *, const char *, size_t, size_t),
	const char *text, size_t n, size_t limit, const char *expected)
{
	/* A copy of its own, so that reading past the end is seen. */
	char *copy = talloc_memdup(NULL, text, n);
	char *cleaned = clean(copy, copy, n, limit);
	assert_string_equal(cleaned, expected);
	assert_true(strlen(cleaned) <= limit);
	assert_ptr_equal(talloc_parent(cleaned), copy);
	talloc_free(copy);
}

static void good_text_stays(void **state)
{
	assert_clean("", "");
	assert_clean(" two\nlines\t ", " two\nlines\t ");
	assert_clean("\xc3\xbc \xe2\x82\xac \xf0\x9f\x90\x9b \xf4\x8f\xbf\xbf",
		"\xc3\xbc \xe2\x82\xac \xf0\x9f\x90\x9b \xf4\x8f\xbf\xbf");
	assert_clean("one\r\ntwo\rthree\r\n", "one\ntwo\rthree\n");
	assert_clean("ends\r", "ends\r");
}

static void broken_bytes_are_replaced(void **state)
{
	assert_clean("a\0b", "a" BAD "b");
	assert_clean("a\xff\xfe", "a" BAD BAD);
	assert_clean("\xc0\x80", BAD BAD);
	assert_clean("\xe0\x80\x80", BAD BAD BAD);
	assert_clean("\xf4\x90\x80\x80", BAD BAD BAD BAD);
	assert_clean("\xe2\x82", BAD);
	assert_clean("\xe2\x82x", BAD "x");
	assert_clean("\x80", BAD);
	assert_clean("\xed\xa0\x80x", BAD "x");
	assert_clean("\xed\xbf\xbf", BAD);
	assert_clean("\xed\x9f\xbf", "\xed\x9f\xbf");
}

static void a_long_text_is_cut_at_a_character(void **state)
{
	assert_cleaned(text_clean, "abcdef", 6, 3, "abc");
	assert_cleaned(text_clean, "ab\xe2\x82\xac", 5, 4, "ab");
	assert_cleaned(text_clean, "ab\xe2\x82\xac", 5, 5, "ab\xe2\x82\xac");
	assert_cleaned(text_clean, "\xff\xff", 2, 5, BAD);
	assert_cleaned(text_clean, "abc", 3, 0, "");
}

static void a_line_has_no_control_characters(void **state)
{
	assert_line("  a title \r\n", "a title");
	assert_line("a\nb\tc\x1b[31md\x7f", "a b c [31md");
	assert_line("a\xc2\x85"
		    "b\xc2\x9b"
		    "c",
		"a b c");
	assert_line("a\xe2\x80\xa8"
		    "b\xe2\x80\xa9",
		"a b");
	assert_line("a\xc2\xa0"
		    "b",
		"a\xc2\xa0"
		"b");
	assert_line("\x01\x02", "");
	assert_line("\0x", BAD "x");
}

static void words_are_the_same_without_regard_to_case_and_blanks(void **state)
{
	assert_true(text_same_word("IN_PROGRESS", "in progress"));
	assert_true(text_same_word("in-progress", "In_Progress"));
	assert_true(text_same_word("", ""));
	assert_true(text_same_word("--", "__"));
	assert_false(text_same_word("new", "newer"));
	assert_false(text_same_word("newer", "new"));
	assert_false(text_same_word("", " "));
	assert_false(text_same_word("in.progress", "in progress"));
}

static void a_star_stands_for_any_text(void **state)
{
	assert_true(text_fits("Won't-fix", "won't_FIX"));
	assert_true(text_fits("*", ""));
	assert_true(text_fits("*", "anything at all"));
	assert_true(text_fits("RESOLVED *", "resolved shipped_never"));
	assert_false(text_fits("RESOLVED *", "resolved"));
	assert_true(text_fits("RESOLVED*", "resolved"));
	assert_true(text_fits("*ab*ab", "abaab ab"));
	assert_false(text_fits("*ab*ab", "ab"));
	assert_false(text_fits("a", "ab"));
	assert_false(text_fits("ab", "a"));
	assert_false(text_fits("", "a"));
	assert_true(text_fits("", ""));
	assert_true(text_fits("a**", "a"));
}

static void numbers_are_digits_alone(void **state)
{
	assert_true(text_is_number("0", 1));
	assert_true(text_is_number("1234567890", 10));
	assert_false(text_is_number("12345678901", 10));
	assert_false(text_is_number("", 10));
	assert_false(text_is_number("-1", 10));
	assert_false(text_is_number("1 ", 10));
	assert_false(text_is_number("\xd9\xa1", 10));
}

static bool is_markup(const char *text)
{
	return text_is_markup(text, strlen(text));
}

static void markup_begins_with_its_bracket(void **state)
{
	assert_true(is_markup("<html>"));
	assert_true(is_markup(" \r\n\t<!DOCTYPE html>"));
	assert_true(is_markup("\xef\xbb\xbf<html>"));
	assert_false(is_markup("{\"a\": \"<\"}"));
	assert_false(is_markup(""));
	assert_false(is_markup("   "));
	assert_false(text_is_markup("<", 0));
}

static bool is_login_page(const char *text)
{
	return text_is_login_page(text, strlen(text));
}

static void a_login_page_asks_for_a_password(void **state)
{
	assert_true(is_login_page("<form><input name=p type=\"password\"></form>"));
	assert_true(is_login_page("<INPUT TYPE = 'Password'>"));
	assert_true(is_login_page("<input type=password"));
	assert_false(is_login_page("<p>your password type: text</p>"));
	assert_false(is_login_page("<input type=\"text\" name=\"password\">"));
	assert_false(is_login_page("<input type=passwor"));
	assert_false(is_login_page("<form class='mini_login'><input type=password></form>"));
	assert_true(is_login_page("<form class='mini_login'></form><form><input type=password>"));
	assert_false(is_login_page("type"));
	assert_false(is_login_page("type="));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_text_stays),
		cmocka_unit_test(broken_bytes_are_replaced),
		cmocka_unit_test(a_long_text_is_cut_at_a_character),
		cmocka_unit_test(a_line_has_no_control_characters),
		cmocka_unit_test(words_are_the_same_without_regard_to_case_and_blanks),
		cmocka_unit_test(a_star_stands_for_any_text),
		cmocka_unit_test(numbers_are_digits_alone),
		cmocka_unit_test(markup_begins_with_its_bracket),
		cmocka_unit_test(a_login_page_asks_for_a_password),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
