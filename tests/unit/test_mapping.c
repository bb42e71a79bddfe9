/* Every row of tests/data/mappings, and the rules that stand beside them. */
#include "trackers/bugzilla/mapping.h"
#include "trackers/github/mapping.h"
#include "trackers/mapping.h"
#include "trackers/roundup/mapping.h"
#include "trackers/trac/mapping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COLUMNS = 4 };

/* Calls ROW with the cells of each line of FILE after the first; there must be at least LEAST. */
static void walk(const char *file, int least, void (*row)(char **cells, int count))
{
	char path[256], *line = NULL;
	size_t room = 0;
	int rows = 0;
	snprintf(path, sizeof(path), "tests/data/mappings/%s", file);
	FILE *in = fopen(path, "r");
	assert_non_null(in);
	assert_true(getline(&line, &room, in) > 0);
	while (getline(&line, &room, in) > 0) {
		char none[] = "", *cells[COLUMNS] = {none, none, none, none}, *rest = line;
		int count = 0;
		line[strcspn(line, "\n")] = '\0';
		while (rest != NULL && count < COLUMNS)
			cells[count++] = strsep(&rest, "\t");
		row(cells, count);
		rows++;
	}
	fclose(in);
	free(line);
	assert_true(rows >= least);
}

/* A `*` is tried with a word that no row has, and with none. */
static void assert_status(const struct status_row *rows, char **cells)
{
	bool any = strcmp(cells[1], "*") == 0;
	const char *resolution = any ? "SHIPPED_NEVER" : cells[1];
	if (strcmp(status_word(map_status(rows, cells[0], resolution)), cells[2]) != 0)
		fail_msg("%s %s is not %s", cells[0], cells[1], cells[2]);
	if (any || *cells[1] == '\0')
		assert_string_equal(status_word(map_status(rows, cells[0], NULL)), cells[2]);
}

static void bugzilla_status(char **cells, int count)
{
	assert_int_equal(count, 3);
	assert_status(bugzilla_status_rows, cells);
}

static void assert_importance(const struct importance_row *rows, char **cells)
{
	if (strcmp(importance_word(map_importance(rows, cells[0])), cells[1]) != 0)
		fail_msg("%s is not %s", cells[0], cells[1]);
}

static void bugzilla_importance_row(char **cells, int count)
{
	assert_int_equal(count, 2);
	assert_importance(bugzilla_importance_rows, cells);
}

static void roundup_importance(char **cells, int count)
{
	assert_int_equal(count, 2);
	assert_importance(roundup_importance_rows, cells);
}

static void roundup_status(char **cells, int count)
{
	assert_int_equal(count, 4);
	assert_status(roundup_status_rows, cells + 1);
}

static void every_row_of_bugzilla_is_known(void **state)
{
	walk("bugzilla-status.tsv", 90, bugzilla_status);
	walk("bugzilla-importance.tsv", 30, bugzilla_importance_row);
}

static void every_row_of_roundup_is_known(void **state)
{
	walk("roundup-status.tsv", 30, roundup_status);
	walk("roundup-importance.tsv", 10, roundup_importance);
}

/* A word stands for a status, or for the resolution of a closed ticket. */
static void trac_word(char **cells, int count)
{
	assert_int_equal(count, 2);
	assert_string_equal(status_word(trac_status(cells[0], "shipped never")),
		strcmp(cells[0], "closed") == 0 ? "unknown" : cells[1]);
	assert_string_equal(status_word(trac_status("closed", cells[0])), cells[1]);
}

static void trac_weight(char **cells, int count)
{
	assert_int_equal(count, 2);
	assert_importance(trac_importance_rows, cells);
	assert_string_equal(importance_word(trac_importance("", cells[0])), cells[1]);
	assert_string_equal(importance_word(trac_importance(cells[0], NULL)), cells[1]);
}

static void every_row_of_trac_is_known(void **state)
{
	walk("trac-status.tsv", 20, trac_word);
	walk("trac-importance.tsv", 10, trac_weight);
	assert_int_equal(trac_status("Closed", "--"), STATUS_FIX_RELEASED);
	assert_int_equal(trac_status("closed", NULL), STATUS_FIX_RELEASED);
	assert_int_equal(trac_status("reopened", "fixed"), STATUS_NEW);
	assert_int_equal(trac_importance("S1 - crash", "major"), IMPORTANCE_UNKNOWN);
	assert_int_equal(trac_importance("minor", "blocker"), IMPORTANCE_LOW);
}

static void github_status(char **cells, int count)
{
	assert_int_equal(count, 3);
	assert_status(github_status_rows, cells);
}

static void github_importance(char **cells, int count)
{
	assert_int_equal(count, 2);
	assert_importance(github_importance_rows, cells);
}

static void every_row_of_github_is_known(void **state)
{
	walk("github-status.tsv", 8, github_status);
	walk("github-importance.tsv", 1, github_importance);
}

static void words_match_loosely(void **state)
{
	assert_int_equal(map_status(bugzilla_status_rows, "in progress", ""), STATUS_IN_PROGRESS);
	assert_int_equal(
		map_status(bugzilla_status_rows, "Resolved", "will-not-fix"), STATUS_WONT_FIX);
	assert_int_equal(map_importance(bugzilla_importance_rows, "NOT SET"), IMPORTANCE_UNDECIDED);
}

static void what_no_row_knows_is_unknown(void **state)
{
	assert_int_equal(map_status(bugzilla_status_rows, "SLEEPING", ""), STATUS_UNKNOWN);
	assert_int_equal(
		map_status(bugzilla_status_rows, "RESOLVED", "SHIPPED_NEVER"), STATUS_UNKNOWN);
	assert_int_equal(map_status(bugzilla_status_rows, "*", "*"), STATUS_UNKNOWN);
	assert_int_equal(map_status(bugzilla_status_rows, NULL, NULL), STATUS_UNKNOWN);
	assert_int_equal(
		map_importance(bugzilla_importance_rows, "earth-shaking"), IMPORTANCE_UNKNOWN);
}

static void an_exact_row_wins_over_any(void **state)
{
	static const struct status_row rows[] = {
		{"open", "now", STATUS_IN_PROGRESS},
		{"*", "*", STATUS_NEW},
		{"open", "*", STATUS_CONFIRMED},
		{"open", "", STATUS_TRIAGED},
		{"*", "done", STATUS_FIX_RELEASED},
		{NULL, NULL, STATUS_UNKNOWN},
	};
	assert_int_equal(map_status(rows, "open", "now"), STATUS_IN_PROGRESS);
	assert_int_equal(map_status(rows, "open", ""), STATUS_TRIAGED);
	assert_int_equal(map_status(rows, "open", "later"), STATUS_CONFIRMED);
	assert_int_equal(map_status(rows, "shut", "done"), STATUS_FIX_RELEASED);
	assert_int_equal(map_status(rows, "shut", ""), STATUS_NEW);
}

static void the_priority_decides_where_the_severity_does_not(void **state)
{
	assert_int_equal(bugzilla_importance("major", "Lowest"), IMPORTANCE_HIGH);
	assert_int_equal(bugzilla_importance("--", "P1"), IMPORTANCE_CRITICAL);
	assert_int_equal(bugzilla_importance(NULL, "Low"), IMPORTANCE_LOW);
	assert_int_equal(bugzilla_importance("task", NULL), IMPORTANCE_UNDECIDED);
	assert_int_equal(bugzilla_importance("odd", "P1"), IMPORTANCE_UNKNOWN);
	assert_int_equal(bugzilla_importance("---", "odd"), IMPORTANCE_UNKNOWN);
	assert_true(bugzilla_priority_decides("---"));
	assert_true(bugzilla_priority_decides(NULL));
	assert_false(bugzilla_priority_decides("normal"));
	assert_false(bugzilla_priority_decides("odd"));
}

static void five_statuses_are_resolved(void **state)
{
	int resolved = 0;
	for (int status = STATUS_UNKNOWN; status <= STATUS_FIX_RELEASED; status++)
		resolved += status_resolved((enum bug_status)status);
	assert_int_equal(resolved, 5);
	assert_true(status_resolved(STATUS_FIX_RELEASED));
	assert_true(status_resolved(STATUS_OPINION));
	assert_false(status_resolved(STATUS_FIX_COMMITTED));
	assert_false(status_resolved(STATUS_UNKNOWN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_bugzilla_is_known),
		cmocka_unit_test(every_row_of_roundup_is_known),
		cmocka_unit_test(every_row_of_trac_is_known),
		cmocka_unit_test(every_row_of_github_is_known),
		cmocka_unit_test(words_match_loosely),
		cmocka_unit_test(what_no_row_knows_is_unknown),
		cmocka_unit_test(an_exact_row_wins_over_any),
		cmocka_unit_test(the_priority_decides_where_the_severity_does_not),
		cmocka_unit_test(five_statuses_are_resolved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
