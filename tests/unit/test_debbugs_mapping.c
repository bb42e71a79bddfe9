/* What Debbugs' words mean, against the tables. */
#include "trackers/debbugs/mapping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A row's signs, each beside all that come after it. */
static void every_row_of_the_tables(void **state)
{
	static const char *const tags[] = {"", "help moreinfo pending wontfix",
		"confirmed fixed moreinfo", "help moreinfo", "fixed-upstream unreproducible",
		"patch unreproducible", "patch"};
	char line[256], path[] = "tests/data/mappings/debbugs-status.tsv";
	FILE *in = fopen(path, "r");
	assert_non_null(fgets(line, sizeof(line), in));
	for (int row = 0; row < 7; row++) {
		assert_non_null(fgets(line, sizeof(line), in));
		line[strcspn(line, "\n")] = '\0';
		enum bug_status status = debbugs_status(row < 1, row < 4, tags[row]);
		assert_string_equal(status_word(status), strrchr(line, '\t') + 1);
	}
	fclose(in);
	in = fopen("tests/data/mappings/debbugs-importance.tsv", "r");
	assert_non_null(fgets(line, sizeof(line), in));
	for (int row = 0; row < 8; row++) {
		char word[32], value[32];
		assert_int_equal(fscanf(in, "%31s %31s", word, value), 2);
		assert_string_equal(
			importance_word(map_importance(debbugs_importance_rows, word)), value);
	}
	fclose(in);
}

static void tags_are_whole_words(void **state)
{
	assert_int_equal(debbugs_status(false, false, "pending-x xfixed"), STATUS_NEW);
	assert_int_equal(
		debbugs_status(false, false, "a fixed-in-experimental z"), STATUS_FIX_COMMITTED);
	assert_int_equal(debbugs_status(false, false, "upstream"), STATUS_CONFIRMED);
	assert_int_equal(debbugs_status(false, false, "moreinfo"), STATUS_INCOMPLETE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_tables),
		cmocka_unit_test(tags_are_whole_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
