/* Tables as CSV: what is read, and what is refused. */
#include "trackers/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

static const struct csv_column columns[] = {{"id", "bug_id"}, {"Title", NULL}, {"Gone", NULL}, {0}};

static struct csv *read_text(const char *text, struct err *err)
{
	return csv_read(NULL, columns, text, strlen(text), err);
}

static void reads_cells(void **state)
{
	struct err err = {0};
	struct csv *table = read_text("\xef\xbb\xbf"
				      "Other,\"Title\",bug_id,id\r\n"
				      "x,\"two\r\nlines, \"\"quoted\"\"\",7,8\r\n"
				      "y,,9,10\r\n",
		&err);
	assert_non_null(table);
	assert_int_equal(table->count, 2);
	assert_true(table->has[0] && table->has[1] && !table->has[2]);
	assert_string_equal(csv_cell(table, 0, 0), "7");
	assert_string_equal(csv_cell(table, 0, 1), "two  lines, \"quoted\"");
	assert_null(csv_cell(table, 0, 2));
	assert_string_equal(csv_cell(table, 1, 0), "9");
	assert_null(csv_cell(table, 1, 1));
	talloc_free(table);
}

static void reads_no_rows(void **state)
{
	struct err err = {0};
	struct csv *table = read_text("id\n", &err);
	assert_non_null(table);
	assert_int_equal(table->count, 0);
	talloc_free(table);
}

static void semicolons_may_stand_between_cells(void **state)
{
	struct csv *table = read_text("id;Title\n7;\"one, two; three\"\n", NULL);
	assert_non_null(table);
	assert_string_equal(csv_cell(table, 0, 0), "7");
	assert_string_equal(csv_cell(table, 0, 1), "one, two; three");
	talloc_free(table);
}

static void refuses_what_is_not_whole(void **state)
{
	static const char *const broken[] = {"", "\xef\xbb\xbf", "<html>\n", "\n", "id",
		"id,Title\n1,one\n2", "id,Title\n1,one\n2,two", "id,Title\n1\n", "id\n1,2\n",
		"id,Title\n1,\"open\n", "id,Title\n1,\"a\"b\n"};
	for (unsigned i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct err err = {0};
		assert_null(read_text(broken[i], &err));
		assert_int_equal(err.kind, ERR_UNPARSABLE_TRACKER);
	}
}

static void bounds_the_width(void **state)
{
	struct err err = {0};
	char text[1200] = "id";
	for (int i = 0; i < 256; i++)
		strcat(text, ",a");
	assert_null(read_text(strcat(text, "\n"), &err));
	assert_int_equal(err.kind, ERR_UNPARSABLE_TRACKER);
}

static void cleans_cells(void **state)
{
	static const char text[] = "id\n\"a\x01\xff\0b\"\n";
	struct err err = {0};
	struct csv *table = csv_read(NULL, columns, text, sizeof(text) - 1, &err);
	assert_non_null(table);
	assert_string_equal(csv_cell(table, 0, 0),
		"a \xef\xbf\xbd\xef\xbf\xbd"
		"b");
	talloc_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_cells),
		cmocka_unit_test(reads_no_rows),
		cmocka_unit_test(semicolons_may_stand_between_cells),
		cmocka_unit_test(refuses_what_is_not_whole),
		cmocka_unit_test(bounds_the_width),
		cmocka_unit_test(cleans_cells),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
