#include "ui-api/table.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

static const char *red(const char *cell)
{
	return strcmp(cell, "bad") == 0 ? "31" : NULL;
}

static const struct table_column columns[] = {
	{.title = "id", .number = true},
	{.title = "state", .paint = red},
	{.title = "title", .least = 4},
	{0},
};

/* Prints ROWS rows of three cells each, and compares with EXPECTED. */
static void assert_table(const char *const cells[][3], unsigned rows, unsigned width, bool colours,
	const char *expected)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	struct table *table = table_new(NULL, columns);
	for (unsigned i = 0; i < rows; i++)
		table_add(table, cells[i]);
	table_print(table, out, width, colours);
	fclose(out);
	assert_string_equal(text, expected);
	talloc_free(table);
	free(text);
}

static const char *const two[][3] = {
	{"7", "ok", "A title of some length"},
	{"1234", "bad", NULL},
};

static void columns_are_aligned(void **state)
{
	assert_table(two, 2, 0, false,
		"  id  state  title\n"
		"   7  ok     A title of some length\n"
		"1234  bad    \n");
}

static void long_cells_are_cut(void **state)
{
	assert_table(two, 1, 20, false,
		"id  state  title\n"
		" 7  ok     A title \u2026\n");
}

static void cuts_stop_at_the_least_width(void **state)
{
	assert_table(two, 1, 5, false,
		"id  state  tit\u2026\n"
		" 7  ok     A t\u2026\n");
}

static void wide_characters_are_cut_whole(void **state)
{
	const char *const wide[][3] = {{"1", "ok", "漢字漢字漢字"}};
	assert_table(wide, 1, 17, false,
		"id  state  title\n"
		" 1  ok     漢字\u2026\n");
}

static void remote_text_is_harmless(void **state)
{
	const char *const hostile[][3] = {{"1", "ok", "\033]0;x\a\u202e"}};
	assert_table(hostile, 1, 0, false,
		"id  state  title\n"
		" 1  ok     \\u001b]0;x\\u0007\\u202e\n");
}

static void colours_do_not_move_columns(void **state)
{
	const char *const bad[][3] = {{"1", "bad", "t"}};
	assert_table(bad, 1, 0, true,
		"\033[1mid\033[0m  \033[1mstate\033[0m  \033[1mtitle\033[0m\n"
		" 1  \033[31mbad  \033[0m  t\n");
}

static void many_rows_are_kept(void **state)
{
	struct table *table = table_new(NULL, columns);
	for (unsigned i = 0; i < 1000; i++)
		table_add(table, two[i % 2]);
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	table_print(table, out, 0, false);
	fclose(out);
	unsigned lines = 0;
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	assert_int_equal(lines, 1001);
	talloc_free(table);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_aligned),
		cmocka_unit_test(long_cells_are_cut),
		cmocka_unit_test(cuts_stop_at_the_least_width),
		cmocka_unit_test(wide_characters_are_cut_whole),
		cmocka_unit_test(remote_text_is_harmless),
		cmocka_unit_test(colours_do_not_move_columns),
		cmocka_unit_test(many_rows_are_kept),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
