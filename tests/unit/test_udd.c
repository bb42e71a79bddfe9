#include "engine/udd.h"

#include "tests/unit/postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_S = 30 };

static const char *const nothing[] = {NULL};

struct outcome {
	bool over;
	struct err err;
	size_t bytes;
	char rows[256]; /* the beginning of them */
};

static bool is_over(void *cookie)
{
	return ((struct outcome *)cookie)->over;
}

static void note_row(void *cookie, const char *line, size_t n)
{
	struct outcome *outcome = cookie;
	size_t used = strlen(outcome->rows);
	assert_false(outcome->over);
	assert_int_equal(line[n - 1], '\n');
	snprintf(outcome->rows + used, sizeof(outcome->rows) - used, "%.*s", (int)n, line);
}

static void note_done(void *cookie, const struct err *err, size_t bytes)
{
	struct outcome *outcome = cookie;
	assert_false(outcome->over);
	outcome->over = true;
	outcome->bytes = bytes;
	if (err != NULL)
		outcome->err = *err;
}

static const struct udd_handlers handlers = {note_row, note_done};

static struct udd *open_udd(struct postgres *postgres, const char *conninfo, const char *allowed)
{
	struct network_policy *policy = network_policy_new(postgres, allowed, NULL);
	return udd_new(NULL, postgres->base, postgres->resolver, policy, conninfo);
}

static struct udd *open_own(struct postgres *postgres)
{
	return open_udd(postgres, cluster_conninfo(postgres->cluster), "127.0.0.0/8");
}

static struct outcome ask(
	struct postgres *postgres, struct udd *udd, const char *sql, const char *const *parameters)
{
	struct outcome outcome = {0};
	udd_ask(udd, sql, parameters, &handlers, &outcome);
	assert_false(outcome.over);
	assert_true(postgres_loop(postgres->base, PATIENCE_S, is_over, &outcome));
	return outcome;
}

static void assert_failed(const struct outcome *outcome, enum err_kind kind, const char *words)
{
	assert_string_equal(err_word(outcome->err.kind), err_word(kind));
	assert_memory_equal(outcome->err.text, "UDD: ", 5);
	if (strstr(outcome->err.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", outcome->err.text, words);
}

static void what_may_be_said(void **state)
{
	static const char *const good[] = {"host=udd.example.org dbname=udd user=u password=p",
		"postgresql://u:p@udd.example.org:5452/udd?sslmode=require", "hostaddr=192.0.2.1",
		"host=/run/postgresql dbname=udd"};
	static const char *const bad[][2] = {{"dbname=udd", "name a host"},
		{"host=h service=x", "must not set service"},
		{"host=h passfile=/etc/shadow", "must not set passfile"},
		{"host=h sslkey=/root/key", "must not set sslkey"},
		{"host=h options='-c work_mem=1TB'", "must not set options"},
		{"host=h nonsense=1", "can't be understood"}};
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(udd_understands(good[i], NULL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err err = {0};
		assert_false(udd_understands(bad[i][0], &err));
		assert_non_null(strstr(err.text, bad[i][1]));
	}
}

static void rows_are_lines(void **state)
{
	struct udd *udd = open_own(*state);
	struct outcome outcome = ask(*state, udd,
		"SELECT n, n * $1::int, $2::text FROM generate_series(1, 2) AS n ORDER BY n",
		(const char *[]){"10", "x", NULL});
	assert_int_equal(outcome.err.kind, ERR_NONE);
	assert_string_equal(outcome.rows, "1\t10\tx\n2\t20\tx\n");
	assert_int_equal(outcome.bytes, 14);
	outcome = ask(*state, udd, "SELECT NULL WHERE false", nothing);
	assert_int_equal(outcome.err.kind, ERR_NONE);
	assert_string_equal(outcome.rows, "");
	talloc_free(udd);
}

static void one_connection_for_all_questions(void **state)
{
	struct udd *udd = open_own(*state);
	struct outcome first = ask(*state, udd, "SELECT pg_backend_pid()", nothing);
	struct outcome second = ask(*state, udd, "SELECT pg_backend_pid()", nothing);
	assert_string_equal(first.rows, second.rows);
	postgres_sql(*state, "SELECT pg_terminate_backend(%d)", atoi(first.rows));
	/* However that is noticed, the question after a failed one is answered. */
	second = ask(*state, udd, "SELECT pg_backend_pid()", nothing);
	if (second.err.kind != ERR_NONE) {
		assert_failed(&second, ERR_CONNECTION, "");
		second = ask(*state, udd, "SELECT pg_backend_pid()", nothing);
	}
	assert_int_equal(second.err.kind, ERR_NONE);
	assert_string_not_equal(first.rows, second.rows);
	talloc_free(udd);
}

static void the_session_is_harmless(void **state)
{
	struct udd *udd = open_own(*state);
	struct outcome outcome = ask(*state, udd,
		"SELECT current_setting('statement_timeout'), current_setting('TimeZone'),"
		" current_setting('transaction_read_only')",
		nothing);
	assert_string_equal(outcome.rows, "20s\tUTC\ton\n");
	outcome = ask(*state, udd, "CREATE TABLE spoilt ()", nothing);
	assert_failed(&outcome, ERR_CONNECTION, "read-only");
	talloc_free(udd);
}

static void what_fails_is_said(void **state)
{
	struct udd *udd = open_own(*state);
	struct outcome outcome = ask(*state, udd, "SELECT id FROM bugs", nothing);
	assert_failed(&outcome, ERR_UNPARSABLE_TRACKER, "relation \"bugs\" does not exist");
	outcome = ask(*state, udd, "SELECT set_config('statement_timeout', '50', false)", nothing);
	outcome = ask(*state, udd, "SELECT pg_sleep(20)", nothing);
	assert_failed(&outcome, ERR_TIMEOUT, "statement timeout");
	outcome =
		ask(*state, udd, "SELECT repeat('x', 1000) FROM generate_series(1, 5000)", nothing);
	assert_failed(&outcome, ERR_TOO_LARGE, "more than");
	outcome = ask(*state, udd, "COPY (SELECT 1) TO STDOUT", nothing);
	assert_failed(&outcome, ERR_CONNECTION, "");
	outcome = ask(*state, udd, "SELECT 7", nothing);
	assert_string_equal(outcome.rows, "7\n");
	talloc_free(udd);
}

static void nobody_is_there(void **state)
{
	static const struct {
		const char *conninfo, *allowed;
		enum err_kind kind;
		const char *words;
	} rows[] = {
		{"hostaddr=127.0.0.1 port=1", "127.0.0.0/8", ERR_CONNECTION, "refused"},
		{"hostaddr=127.0.0.1 port=1", "", ERR_BLOCKED_ADDRESS, "127.0.0.1"},
		{"host=::1 port=1", "127.0.0.0/8", ERR_BLOCKED_ADDRESS, "::1"},
		{"host=localhost port=1", "10.0.0.0/8", ERR_BLOCKED_ADDRESS, "localhost"},
		{"host=/run/postgresql port=1", "", ERR_BLOCKED_ADDRESS, "127.0.0.1"},
		{"host=no-such-name.invalid", "", ERR_DNS, "no-such-name.invalid"},
		{"dbname=udd", "", ERR_UNSUPPORTED_TRACKER, "host"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct udd *udd = open_udd(*state, rows[i].conninfo, rows[i].allowed);
		struct outcome outcome = ask(*state, udd, "SELECT 1", nothing);
		assert_failed(&outcome, rows[i].kind, rows[i].words);
		talloc_free(udd);
	}
}

static void a_question_called_off(void **state)
{
	struct udd *udd = open_own(*state);
	struct outcome outcome = {0}, next;
	udd_ask(udd, "SELECT pg_sleep(20)", nothing, &handlers, &outcome);
	udd_cancel(udd);
	next = ask(*state, udd, "SELECT 7", nothing);
	assert_string_equal(next.rows, "7\n");
	assert_false(outcome.over);
	udd_ask(udd, "SELECT 8", nothing, &handlers, &outcome);
	talloc_free(udd);
	assert_false(outcome.over);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_be_said),
		cmocka_unit_test(rows_are_lines),
		cmocka_unit_test(one_connection_for_all_questions),
		cmocka_unit_test(the_session_is_harmless),
		cmocka_unit_test(what_fails_is_said),
		cmocka_unit_test(nobody_is_there),
		cmocka_unit_test(a_question_called_off),
	};
	return cmocka_run_group_tests(tests, postgres_setup, postgres_teardown);
}
