/* What Roundup's ids, addresses and words mean. */
#include "trackers/roundup/mapping.h"
#include "trackers/tracker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

static const struct tracker *roundup(void)
{
	return tracker_by_name("roundup");
}

/* ---- ids and addresses ---- */

static void test_ids(void **state)
{
	static const char *const good[] = {"1", "55", "2147483647"};
	static const char *const bad[] = {"", "0", "007", "-1", "1a", "1 ", "2147483648",
		"9999999999", "99999999999999999999", "issue1", "1&id=2"};
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(roundup()->valid_id(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (roundup()->valid_id(bad[i]))
			fail_msg("taken as an id: \"%s\"", bad[i]);
}

static void test_recognises(void **state)
{
	static const char *const rows[][3] = {
		{"https://tracker.example.net/mercurial/issue55",
			"https://tracker.example.net/mercurial/", "55"},
		{"https://tracker.example.net/mercurial/issue55?@template=item",
			"https://tracker.example.net/mercurial/", "55"},
		{"https://tracker.example.net/mercurial/issue55#msg7",
			"https://tracker.example.net/mercurial/", "55"},
		{"https://tracker.example.net/mercurial/issue55/",
			"https://tracker.example.net/mercurial/", "55"},
		{"http://Bugs.Example.org:8080/issue1", "http://bugs.example.org:8080/", "1"},
	};
	void *owner = talloc_new(NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct remote_bug bug;
		if (!tracker_recognise(owner, rows[i][0], &bug))
			fail_msg("not recognised: %s", rows[i][0]);
		assert_ptr_equal(bug.tracker, roundup());
		assert_string_equal(bug.base_url, rows[i][1]);
		assert_string_equal(bug.remote_id, rows[i][2]);
	}
	talloc_free(owner);
}

static void test_leaves_other_addresses(void **state)
{
	static const char *const others[] = {"http://bugs.example.org/issue",
		"http://bugs.example.org/issue1a", "http://bugs.example.org/msg1",
		"http://bugs.example.org/reissue1", "http://bugs.example.org/issue/55",
		"http://bugs.example.org/issues/9", "http://bugs.example.org/issue1/x",
		"http://bugs.example.org/issue0", "http://bugs.example.org/issue1//",
		"http://bugs.example.org/?issue1", "http://bugs.example.org/#issue1"};
	void *owner = talloc_new(NULL);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		struct remote_bug bug;
		if (tracker_recognise(owner, others[i], &bug))
			fail_msg("recognised: %s", others[i]);
	}
	talloc_free(owner);
}

/* ---- words ---- */

/* The columns of LINE, which ends in a newline. */
static unsigned split(char *line, char **columns)
{
	unsigned count = 0;
	line[strcspn(line, "\n")] = '\0';
	for (char *column; (column = strsep(&line, "\t")) != NULL;)
		columns[count++] = column;
	return count;
}

/* Reads the shared table NAME and gives each row to JUDGE; skipped where there is none. */
static void each_row(const char *name, unsigned width, void (*judge)(char **columns))
{
	char line[256], *columns[sizeof(line)];
	FILE *table = fopen(name, "r");
	if (table == NULL)
		skip();
	assert_non_null(fgets(line, sizeof(line), table));
	unsigned rows = 0;
	for (; fgets(line, sizeof(line), table) != NULL; rows++) {
		assert_int_equal(split(line, columns), width);
		judge(columns);
	}
	fclose(table);
	assert_true(rows > 0);
}

static void judge_status(char **columns)
{
	const char *resolution = strcmp(columns[2], "*") == 0 ? "whatever" : columns[2];
	enum bug_status status = map_status(roundup_status_rows, columns[1], resolution);
	if (strcmp(status_word(status), columns[3]) != 0)
		fail_msg("%s %s: %s", columns[1], columns[2], status_word(status));
}

static void judge_importance(char **columns)
{
	enum bug_importance importance = map_importance(roundup_importance_rows, columns[0]);
	if (strcmp(importance_word(importance), columns[1]) != 0)
		fail_msg("%s: %s", columns[0], importance_word(importance));
}

static void test_status_table(void **state)
{
	each_row("../shared/data/mappings/roundup-status.tsv", 4, judge_status);
}

static void test_importance_table(void **state)
{
	each_row("../shared/data/mappings/roundup-importance.tsv", 2, judge_importance);
}

static void test_words(void **state)
{
	static const struct {
		const char *status, *resolution;
		enum bug_status to;
	} rows[] = {
		{"Done CBB", NULL, STATUS_FIX_COMMITTED},
		{"need_eg", "", STATUS_INCOMPLETE},
		{"closed", "wont fix", STATUS_WONT_FIX},
		{"closed", "Not-A-Bug", STATUS_INVALID},
		{"closed", "shipped never", STATUS_UNKNOWN},
		{"languishing", "anything", STATUS_INCOMPLETE},
		{"pending", "fixed", STATUS_UNKNOWN},
		{NULL, NULL, STATUS_UNKNOWN},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(
			map_status(roundup_status_rows, rows[i].status, rows[i].resolution),
			rows[i].to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_recognises),
		cmocka_unit_test(test_leaves_other_addresses),
		cmocka_unit_test(test_status_table),
		cmocka_unit_test(test_importance_table),
		cmocka_unit_test(test_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
