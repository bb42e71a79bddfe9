#include "engine/migrate.h"

#include "schema/schema.h"
#include "tests/unit/postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <talloc.h>
#include <unistd.h>

#include <cmocka.h>

/* Each test begins with the database empty. */
static int empty(void **state)
{
	postgres_sql(*state,
		"SET client_min_messages = warning; DROP SCHEMA IF EXISTS bugwatch CASCADE");
	return 0;
}

static void count_step(void *cookie, int version, const char *name)
{
	int *count = cookie;
	++*count;
	assert_int_equal(version, *count);
	assert_string_equal(name, migrations[version - 1].name);
}

static int run(struct postgres *postgres, int *steps, struct err *err)
{
	return migrate(cluster_conninfo(postgres->cluster), count_step, steps, err);
}

static void again_changes_nothing(void **state)
{
	struct err err = {0};
	int steps = 0;
	assert_int_equal(run(*state, &steps, &err), migrate_newest());
	assert_int_equal(steps, migrate_newest());
	assert_int_equal(run(*state, &steps, &err), 0);
	assert_int_equal(steps, migrate_newest());
	assert_string_equal(postgres_sql(*state,
				    "SELECT count(*) = %d AND bool_and(checksum ~ '^[0-9a-f]{64}$')"
				    " FROM bugwatch.migration",
				    migrate_newest()),
		"t");
}

static void two_at_once_migrate_once(void **state)
{
	struct postgres *postgres = *state;
	int total = 0;
	for (int round = 0; round < 5; round++) {
		pid_t pids[2];
		empty(state);
		total = 0;
		for (int i = 0; i < 2; i++) {
			pids[i] = fork();
			if (pids[i] != 0)
				continue;
			struct err err = {0};
			int n = migrate(cluster_conninfo(postgres->cluster), NULL, NULL, &err);
			if (n < 0)
				fprintf(stderr, "%s\n", err.text);
			_exit(n < 0 ? 100 : n);
		}
		for (int i = 0; i < 2; i++) {
			int status;
			waitpid(pids[i], &status, 0);
			assert_true(WIFEXITED(status));
			total += WEXITSTATUS(status);
		}
		assert_int_equal(total, migrate_newest());
	}
}

static void what_failed_leaves_nothing_and_resumes(void **state)
{
	struct err err = {0};
	int steps = 0;
	postgres_sql(*state, "CREATE SCHEMA bugwatch; CREATE TABLE bugwatch.event (precious text)");
	assert_int_equal(run(*state, &steps, &err), -1);
	assert_int_equal(err.kind, ERR_DATABASE);
	assert_non_null(strstr(err.text, migrations[0].name));
	assert_int_equal(steps, 0);
	assert_string_equal(
		postgres_sql(*state, "SELECT to_regclass('bugwatch.tracker') IS NULL"), "t");
	assert_string_equal(
		postgres_sql(*state, "SELECT to_regclass('bugwatch.event') IS NOT NULL"), "t");
	postgres_sql(*state, "DROP TABLE bugwatch.event");
	err_clear(&err);
	assert_int_equal(run(*state, &steps, &err), migrate_newest());
}

static void a_migration_and_its_record_are_one(void **state)
{
	struct err err = {0};
	int steps = 0;
	postgres_sql(*state,
		"CREATE SCHEMA bugwatch; CREATE TABLE bugwatch.migration (version integer CHECK "
		"(version < 1), name text, checksum text, applied_at timestamptz DEFAULT now())");
	assert_int_equal(run(*state, &steps, &err), -1);
	assert_int_equal(err.kind, ERR_DATABASE);
	assert_string_equal(
		postgres_sql(*state, "SELECT to_regclass('bugwatch.tracker') IS NULL"), "t");
}

static void an_edited_migration_is_refused(void **state)
{
	struct err err = {0};
	int steps = 0;
	run(*state, &steps, &err);
	postgres_sql(*state, "UPDATE bugwatch.migration SET checksum = 'other' WHERE version = 1");
	assert_int_equal(run(*state, &steps, &err), -1);
	assert_int_equal(err.kind, ERR_DATABASE);
	assert_non_null(strstr(err.text, "was edited since it was applied"));
	assert_non_null(strstr(err.text, migrations[0].name));
}

static void a_newer_schema_is_refused(void **state)
{
	struct err err = {0};
	int steps = 0;
	run(*state, &steps, &err);
	postgres_sql(*state, "INSERT INTO bugwatch.migration VALUES (%d, 'later', 'x')",
		migrate_newest() + 1);
	assert_int_equal(run(*state, &steps, &err), -1);
	assert_int_equal(err.kind, ERR_DATABASE);
	assert_non_null(strstr(err.text, "newer"));
	assert_string_equal(postgres_sql(*state, "SELECT count(*) FROM bugwatch.tracker"), "0");
}

static void what_is_not_reached_is_said(void **state)
{
	struct err err = {0};
	assert_int_equal(migrate("host=/nowhere", NULL, NULL, &err), -1);
	assert_int_equal(err.kind, ERR_DATABASE_GONE);
	assert_non_null(strstr(err.text, "/nowhere"));
	err_clear(&err);
	assert_int_equal(migrate("nonsense", NULL, NULL, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
}

static void every_query_fits_the_schema(void **state)
{
	struct postgres *postgres = *state;
	struct err err = {0};
	int steps = 0, bad = 0;
	assert_int_equal(run(postgres, &steps, &err), migrate_newest());
	for (int i = 0; i < QUERIES; i++) {
		PGresult *result =
			PQprepare(postgres->conn, query_texts[i].name, query_texts[i].sql, 0, NULL);
		if (PQresultStatus(result) != PGRES_COMMAND_OK) {
			bad++;
			print_error("%s: %s", query_texts[i].name, PQresultErrorMessage(result));
		}
		PQclear(result);
		result = PQdescribePrepared(postgres->conn, query_texts[i].name);
		if (PQnparams(result) != (int)query_texts[i].parameters) {
			bad++;
			print_error("%s: %d parameters, not %u\n", query_texts[i].name,
				PQnparams(result), query_texts[i].parameters);
		}
		PQclear(result);
	}
	assert_int_equal(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(again_changes_nothing, empty),
		cmocka_unit_test_setup(two_at_once_migrate_once, empty),
		cmocka_unit_test_setup(what_failed_leaves_nothing_and_resumes, empty),
		cmocka_unit_test_setup(a_migration_and_its_record_are_one, empty),
		cmocka_unit_test_setup(an_edited_migration_is_refused, empty),
		cmocka_unit_test_setup(a_newer_schema_is_refused, empty),
		cmocka_unit_test_setup(what_is_not_reached_is_said, empty),
		cmocka_unit_test_setup(every_query_fits_the_schema, empty),
	};
	return cmocka_run_group_tests(tests, postgres_setup, postgres_teardown);
}
