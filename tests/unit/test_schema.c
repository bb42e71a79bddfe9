/* What the schema says in SQL is what the program says in C. */
#include "engine/migrate.h"
#include "tests/unit/postgres.h"
#include "trackers/mapping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int migrated(void **state)
{
	struct err err = {0};
	if (postgres_setup(state) != 0)
		return -1;
	struct postgres *postgres = *state;
	return migrate(cluster_conninfo(postgres->cluster), NULL, NULL, &err) < 0 ? -1 : 0;
}

static void the_same_statuses_are_resolved(void **state)
{
	static const enum bug_status statuses[] = {
#define STATUS(name, word, resolved) STATUS_##name,
#include "trackers/words.def"
#undef STATUS
	};
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		const char *word = status_word(statuses[i]);
		assert_string_equal(postgres_sql(*state, "SELECT bugwatch.is_resolved('%s')", word),
			status_resolved(statuses[i]) ? "t" : "f");
	}
}

static void moments_and_lengths_are_written_for_people(void **state)
{
	assert_string_equal(
		postgres_sql(*state, "SELECT bugwatch.rfc3339('2026-03-08 03:30:00.9-04')"),
		"2026-03-08T07:30:00Z");
	assert_string_equal(
		postgres_sql(*state, "SELECT bugwatch.rfc3339('infinity') IS NULL"), "t");
	assert_string_equal(postgres_sql(*state, "SELECT bugwatch.in_words('90 s')"), "90 s");
	assert_string_equal(postgres_sql(*state, "SELECT bugwatch.in_words('36 h')"), "36 h");
	assert_string_equal(postgres_sql(*state, "SELECT bugwatch.in_words('7 days')"), "7 days");
}

/* Two claims on one tracker: only the newer token may write, and only while its time lasts. */
static void a_lost_lease_holds_nothing(void **state)
{
	postgres_sql(*state,
		"INSERT INTO bugwatch.tracker (name, type, base_url)"
		" VALUES ('t', 'bugzilla', 'https://bugs.example/');"
		"INSERT INTO bugwatch.tracker_state (tracker_id, lease_token, lease_until)"
		" SELECT id, 2, now() + interval '1 hour' FROM bugwatch.tracker;"
		"CREATE FUNCTION bugwatch.test_holds(token bigint) RETURNS text LANGUAGE plpgsql "
		"AS $$"
		" BEGIN PERFORM bugwatch.hold_lease((SELECT id FROM bugwatch.tracker), token);"
		" RETURN 'held'; EXCEPTION WHEN SQLSTATE 'BW001' THEN RETURN 'lost'; END $$");
	assert_string_equal(postgres_sql(*state, "SELECT bugwatch.test_holds(2)"), "held");
	assert_string_equal(postgres_sql(*state, "SELECT bugwatch.test_holds(1)"), "lost");
	postgres_sql(*state, "UPDATE bugwatch.tracker_state SET lease_until = now()");
	assert_string_equal(postgres_sql(*state, "SELECT bugwatch.test_holds(2)"), "lost");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_statuses_are_resolved),
		cmocka_unit_test(moments_and_lengths_are_written_for_people),
		cmocka_unit_test(a_lost_lease_holds_nothing),
	};
	return cmocka_run_group_tests(tests, migrated, postgres_teardown);
}
