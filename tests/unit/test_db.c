#include "engine/db.h"

#include "engine/migrate.h"
#include "tests/unit/postgres.h"
#include "tests/unit/stub_dns.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <talloc.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_S = 30 };

/* What became of one batch. */
struct outcome {
	bool over;
	struct err err;
	unsigned rows;
	uint64_t affected;
	char text[64]; /* the first statement's first cell */
	unsigned *order;
	unsigned place; /* as which of those that share ORDER it ended */
};

static bool is_over(void *cookie)
{
	return ((struct outcome *)cookie)->over;
}

static void note(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct outcome *outcome = cookie;
	assert_false(outcome->over);
	outcome->over = true;
	assert_int_equal(err == NULL, rows != NULL);
	if (err != NULL)
		outcome->err = *err;
	if (outcome->order != NULL)
		outcome->place = (*outcome->order)++;
	if (rows == NULL)
		return;
	outcome->rows = db_count(rows[0]);
	outcome->affected = db_affected(rows[0]);
	if (outcome->rows > 0)
		snprintf(outcome->text, sizeof(outcome->text), "%s", db_text(rows[0], 0, 0));
}

static bool is_ready(void *cookie)
{
	return db_ready(cookie);
}

static bool is_gone(void *cookie)
{
	return !db_ready(cookie);
}

/* A pool that is ready, on a schema with the trackers 1 and 2 and nothing else. */
static struct db *open_pool(struct postgres *postgres, unsigned connections)
{
	struct err err = {0};
	assert_true(migrate(cluster_conninfo(postgres->cluster), NULL, NULL, &err) >= 0);
	postgres_sql(postgres,
		"SET client_min_messages = warning; TRUNCATE bugwatch.tracker CASCADE;"
		"INSERT INTO bugwatch.tracker (id, name, type, base_url) OVERRIDING SYSTEM VALUE"
		" VALUES (1, 'one', 'auto', 'http://one/'), (2, 'two', 'auto', 'http://two/');"
		"INSERT INTO bugwatch.tracker_state (tracker_id, lease_token, lease_until)"
		" SELECT id, 7, 'infinity' FROM bugwatch.tracker");
	struct db *db = db_new(NULL, postgres->base, postgres->resolver,
		cluster_conninfo(postgres->cluster), connections, &err);
	assert_non_null(db);
	assert_true(postgres_loop(postgres->base, PATIENCE_S, is_ready, db));
	return db;
}

/* Adds the writing of SERVER (JSON) as what is known of TRACKER. */
static void add_write(struct db_batch *batch, const char *tracker, const char *server)
{
	db_add(batch, QUERY_work_probed, (const char *[]){tracker, "auto", server, "false"});
}

static struct outcome write_one(
	struct postgres *postgres, struct db *db, const char *tracker, const char *server)
{
	struct outcome outcome = {0};
	struct db_batch *batch = db_batch_new(db);
	add_write(batch, tracker, server);
	db_send(batch, note, &outcome);
	assert_true(postgres_loop(postgres->base, PATIENCE_S, is_over, &outcome));
	return outcome;
}

static const char *written(struct postgres *postgres, const char *tracker)
{
	return postgres_sql(postgres,
		"SELECT coalesce(server::text, '-') FROM bugwatch.tracker_state WHERE tracker_id = "
		"%s",
		tracker);
}

static void a_batch_is_written_whole(void **state)
{
	struct postgres *postgres = *state;
	struct db *db = open_pool(postgres, 2);
	struct outcome outcome = {0};
	struct db_batch *batch = db_batch_new(db);
	add_write(batch, "1", "{}");
	add_write(batch, "2", "[]");
	db_send(batch, note, &outcome);
	assert_false(outcome.over);
	assert_true(postgres_loop(postgres->base, PATIENCE_S, is_over, &outcome));
	assert_int_equal(outcome.err.kind, ERR_NONE);
	assert_int_equal(outcome.affected, 1);
	assert_string_equal(written(postgres, "1"), "{}");
	assert_string_equal(written(postgres, "2"), "[]");
	talloc_free(db);
}

static void a_lost_lease_writes_nothing(void **state)
{
	struct postgres *postgres = *state;
	struct db *db = open_pool(postgres, 1);
	struct outcome outcome = {0};
	struct db_batch *batch = db_batch_new(db);
	add_write(batch, "1", "{}");
	db_add(batch, QUERY_work_hold, (const char *[]){"1", "6"});
	add_write(batch, "2", "{}");
	db_send(batch, note, &outcome);
	assert_true(postgres_loop(postgres->base, PATIENCE_S, is_over, &outcome));
	assert_int_equal(outcome.err.kind, ERR_LEASE_LOST);
	assert_string_equal(written(postgres, "1"), "-");
	assert_string_equal(written(postgres, "2"), "-");
	assert_true(db_ready(db));
	talloc_free(db);
}

static void errors_have_their_kinds(void **state)
{
	struct postgres *postgres = *state;
	struct db *db = open_pool(postgres, 1);
	struct outcome outcome = write_one(postgres, db, "1", "{");
	assert_int_equal(outcome.err.kind, ERR_DATABASE);
	assert_non_null(strstr(outcome.err.text, "work_probed"));
	assert_non_null(strstr(outcome.err.text, "22P02"));
	assert_true(db_ready(db));

	postgres_sql(postgres,
		"CREATE UNIQUE INDEX only_one ON bugwatch.tracker_state ((server::text))");
	assert_int_equal(write_one(postgres, db, "1", "{}").err.kind, ERR_NONE);
	outcome = write_one(postgres, db, "2", "{}");
	assert_int_equal(outcome.err.kind, ERR_EXISTS);
	assert_non_null(strstr(outcome.err.text, "only_one"));
	postgres_sql(postgres, "DROP INDEX bugwatch.only_one");
	assert_int_equal(write_one(postgres, db, "2", "{}").err.kind, ERR_NONE);
	talloc_free(db);
}

static void an_error_at_commit_fails_the_batch(void **state)
{
	struct postgres *postgres = *state;
	struct db *db = open_pool(postgres, 1);
	postgres_sql(postgres,
		"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
		" 'BEGIN RAISE ''never''; END';"
		"CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON bugwatch.tracker_state"
		" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()");
	struct outcome outcome = write_one(postgres, db, "1", "{}");
	assert_int_equal(outcome.err.kind, ERR_DATABASE);
	assert_non_null(strstr(outcome.err.text, "never"));
	postgres_sql(postgres, "DROP FUNCTION refuse CASCADE");
	assert_string_equal(written(postgres, "1"), "-");
	assert_int_equal(write_one(postgres, db, "1", "{}").err.kind, ERR_NONE);
	talloc_free(db);
}

static void many_batches_are_under_way_at_once(void **state)
{
	enum { BATCHES = 500 };
	struct postgres *postgres = *state;
	struct db *db = open_pool(postgres, 1);
	struct outcome *outcomes = talloc_zero_array(db, struct outcome, BATCHES);
	unsigned order = 0;
	for (int i = 0; i < BATCHES; i++) {
		/* Each third fails; those beside it don't. */
		struct db_batch *batch = db_batch_new(db);
		db_add(batch, QUERY_work_hold, (const char *[]){"1", i % 3 == 0 ? "6" : "7"});
		outcomes[i].order = &order;
		db_send(batch, note, &outcomes[i]);
	}
	for (int i = 0; i < BATCHES; i++) {
		assert_true(postgres_loop(postgres->base, PATIENCE_S, is_over, &outcomes[i]));
		assert_int_equal(outcomes[i].err.kind, i % 3 == 0 ? ERR_LEASE_LOST : ERR_NONE);
		assert_int_equal(outcomes[i].place, i); /* one connection keeps the order */
	}
	talloc_free(db);
}

static void a_big_batch_does_not_jam(void **state)
{
	enum { SIZE = 4 << 20 };
	struct postgres *postgres = *state;
	struct db *db = open_pool(postgres, 1);
	struct outcome outcome = {0};
	char *text = talloc_zero_array(db, char, SIZE + 3);
	memset(text, 'x', SIZE + 2);
	text[0] = text[SIZE + 1] = '"';
	struct db_batch *batch = db_batch_new(db);
	for (int i = 0; i < 8; i++)
		add_write(batch, "1", text);
	db_send(batch, note, &outcome);
	assert_true(postgres_loop(postgres->base, PATIENCE_S, is_over, &outcome));
	assert_int_equal(outcome.err.kind, ERR_NONE);
	assert_int_equal(strlen(written(postgres, "1")), SIZE + 2);
	talloc_free(db);
}

static void an_empty_batch_is_no_trouble(void **state)
{
	struct postgres *postgres = *state;
	struct db *db = open_pool(postgres, 1);
	db_send(db_batch_new(db), NULL, NULL);
	assert_int_equal(write_one(postgres, db, "1", "{}").err.kind, ERR_NONE);
	talloc_free(db);
}

static void a_forgotten_batch_is_written_all_the_same(void **state)
{
	struct postgres *postgres = *state;
	struct db *db = open_pool(postgres, 1);
	struct outcome outcome = {0};
	struct db_batch *batch = db_batch_new(db);
	add_write(batch, "1", "{}");
	db_send(batch, note, &outcome);
	db_forget(batch);
	assert_int_equal(write_one(postgres, db, "2", "{}").err.kind, ERR_NONE);
	assert_false(outcome.over);
	assert_string_equal(written(postgres, "1"), "{}");
	talloc_free(db);
}

static void free_pool(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct db **db = cookie;
	assert_null(err);
	TALLOC_FREE(*db);
	assert_int_equal(db_count(rows[0]), 1); /* valid during the call */
}

static bool is_null(void *cookie)
{
	return *(void **)cookie == NULL;
}

static void the_pool_may_be_freed_in_a_call(void **state)
{
	struct postgres *postgres = *state;
	struct db *db = open_pool(postgres, 2);
	struct outcome others[20] = {0};
	db_query(db, QUERY_api_ready, NULL, free_pool, &db);
	for (int i = 0; i < 20; i++)
		db_query(db, QUERY_work_event_order, NULL, note, &others[i]);
	assert_true(postgres_loop(postgres->base, PATIENCE_S, is_null, &db));
}

static void without_a_database_batches_fail_later(void **state)
{
	struct postgres *postgres = *state;
	struct err err = {0};
	struct outcome outcome = {0};
	struct db *db = db_new(NULL, postgres->base, postgres->resolver, "host=/nowhere", 2, &err);
	assert_false(db_ready(db));
	db_query(db, QUERY_api_ready, NULL, note, &outcome);
	assert_false(outcome.over);
	assert_true(postgres_loop(postgres->base, PATIENCE_S, is_over, &outcome));
	assert_int_equal(outcome.err.kind, ERR_DATABASE_GONE);
	talloc_free(db);
	assert_null(db_new(NULL, postgres->base, postgres->resolver, "nonsense", 2, &err));
	assert_int_equal(err.kind, ERR_USAGE);
	err_clear(&err);
	assert_null(db_new(NULL, postgres->base, postgres->resolver,
		"host=a,b port=1,2,3 password=hidden", 2, &err));
	assert_int_equal(err.kind, ERR_USAGE);
	assert_null(strstr(err.text, "hidden"));
}

struct turns {
	unsigned count;
	bool last;
};

static void turned(void *cookie, bool ready)
{
	struct turns *turns = cookie;
	if (turns->count++ > 0)
		assert_true(turns->last != ready);
	turns->last = ready;
}

static bool turned_twice(void *cookie)
{
	return ((struct turns *)cookie)->count == 2;
}

static bool is_blocked(void *cookie)
{
	return strcmp(postgres_sql(cookie, "SELECT count(*) FROM pg_locks WHERE NOT granted"),
		       "0") != 0;
}

static void what_is_under_way_fails_with_its_connection(void **state)
{
	struct postgres *postgres = *state;
	struct outcome first = {0}, second = {0};
	struct db *db = open_pool(postgres, 1);
	postgres_sql(postgres, "BEGIN; LOCK bugwatch.tracker_state");
	struct db_batch *batch = db_batch_new(db);
	add_write(batch, "1", "{}");
	db_send(batch, note, &first);
	db_query(db, QUERY_api_ready, NULL, note, &second);
	assert_true(postgres_loop(postgres->base, PATIENCE_S, is_blocked, postgres));
	assert_false(first.over || second.over);
	postgres_sql(postgres, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted");
	assert_true(postgres_loop(postgres->base, PATIENCE_S, is_over, &first));
	assert_true(postgres_loop(postgres->base, PATIENCE_S, is_over, &second));
	assert_int_equal(first.err.kind, ERR_DATABASE_GONE);
	assert_int_equal(second.err.kind, ERR_DATABASE_GONE);
	postgres_sql(postgres, "COMMIT");
	assert_string_equal(written(postgres, "1"), "-");
	assert_true(postgres_loop(postgres->base, PATIENCE_S, is_ready, db));
	talloc_free(db);
}

static void a_killed_server_is_come_back_to(void **state)
{
	struct postgres *postgres = *state;
	struct turns turns = {0};
	struct db *db = open_pool(postgres, 1); /* several die one by one */
	assert_int_equal(write_one(postgres, db, "1", "{}").err.kind, ERR_NONE);
	db_watch_ready(db, turned, &turns);
	kill(postgres_pid(postgres->dir), SIGKILL);
	assert_true(postgres_loop(postgres->base, PATIENCE_S, turned_twice, &turns));
	assert_true(turns.last);
	assert_int_equal(write_one(postgres, db, "2", "[]").err.kind, ERR_NONE);
	postgres_sql(postgres, "SELECT 1"); /* this connection notices that it died */
	assert_string_equal(written(postgres, "1"), "{}");
	assert_string_equal(written(postgres, "2"), "[]");
	talloc_free(db);
}

static void a_server_turned_read_only_is_left(void **state)
{
	struct postgres *postgres = *state;
	struct db *db = open_pool(postgres, 1);
	postgres_sql(postgres, "ALTER SYSTEM SET default_transaction_read_only = on");
	postgres_sql(postgres, "SELECT pg_reload_conf()");
	struct outcome outcome;
	do /* until the session has seen it */
		outcome = write_one(postgres, db, "1", "{}");
	while (outcome.err.kind == ERR_NONE);
	assert_int_equal(outcome.err.kind, ERR_DATABASE_GONE);
	assert_non_null(strstr(outcome.err.text, "25006"));
	assert_true(is_gone(db));
	postgres_sql(postgres, "ALTER SYSTEM SET default_transaction_read_only = off");
	postgres_sql(postgres, "SELECT pg_reload_conf()");
	assert_true(postgres_loop(postgres->base, PATIENCE_S, is_ready, db));
	assert_int_equal(write_one(postgres, db, "1", "{}").err.kind, ERR_NONE);
	talloc_free(db);
}

static void what_was_prepared_anew_serves(void **state)
{
	struct postgres *postgres = *state;
	struct db *db = open_pool(postgres, 1);
	struct outcome outcome = {0};
	db_query(db, QUERY_work_take, (const char *[]){"me", "60", "1"}, note, &outcome);
	assert_true(postgres_loop(postgres->base, PATIENCE_S, is_over, &outcome));
	assert_int_equal(outcome.err.kind, ERR_NONE);
	/* The answer's columns change: a plan that was kept is refused from here on (0A000). */
	postgres_sql(postgres, "ALTER TABLE bugwatch.tracker ALTER min_delay_ms TYPE bigint");
	outcome = (struct outcome){0};
	db_query(db, QUERY_work_take, (const char *[]){"me", "60", "1"}, note, &outcome);
	assert_true(postgres_loop(postgres->base, PATIENCE_S, is_over, &outcome));
	assert_int_equal(outcome.err.kind, ERR_DATABASE_GONE);
	assert_true(postgres_loop(postgres->base, PATIENCE_S, is_ready, db));
	outcome = (struct outcome){0};
	db_query(db, QUERY_work_take, (const char *[]){"me", "60", "1"}, note, &outcome);
	assert_true(postgres_loop(postgres->base, PATIENCE_S, is_over, &outcome));
	assert_int_equal(outcome.err.kind, ERR_NONE);
	postgres_sql(postgres, "ALTER TABLE bugwatch.tracker ALTER min_delay_ms TYPE integer");
	talloc_free(db);
}

/* A port of 127.0.0.1 that is connected to, but never answers; *FD holds it. */
static int silent_port(int *fd)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(*fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(*fd, 8), 0);
	assert_int_equal(getsockname(*fd, (struct sockaddr *)&address, &size), 0);
	return ntohs(address.sin_port);
}

static void a_silent_host_is_passed_over(void **state)
{
	struct postgres *postgres = *state;
	struct err err = {0};
	int fd, port = silent_port(&fd);
	char conninfo[256];
	snprintf(conninfo, sizeof(conninfo),
		"host=127.0.0.1,%s/postgres port=%d,5432 user=bugwatch dbname=bugwatch "
		"connect_timeout=1 sslmode=disable",
		postgres->dir, port);
	struct db *db = db_new(NULL, postgres->base, postgres->resolver, conninfo, 2, &err);
	assert_true(postgres_loop(postgres->base, PATIENCE_S, is_ready, db));
	talloc_free(db);
	close(fd);
}

static bool is_called(void *cookie)
{
	int fd = accept(*(int *)cookie, NULL, NULL);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* libpq by itself would ask the system's name servers, and stand still until they answer. */
static void names_are_asked_of_the_resolver(void **state)
{
	struct postgres *postgres = *state;
	struct err err = {0};
	int fd, port = silent_port(&fd);
	char url[128];
	struct stub_dns *dns = stub_dns_new(NULL, postgres->base);
	struct resolver *resolver = resolver_new(NULL, postgres->base, dns->servers, &err);
	dns->a = "127.0.0.1";
	snprintf(
		url, sizeof(url), "postgresql://u:p@nosuch.example:1,db.example:%d/bugwatch", port);
	struct db *db = db_new(NULL, postgres->base, resolver, url, 1, &err);
	assert_true(postgres_loop(postgres->base, PATIENCE_S, is_called, &fd));
	talloc_free(db);

	/* One that never answers is waited for by nobody else. */
	db = db_new(NULL, postgres->base, resolver, "host=silent.example", 1, &err);
	struct outcome outcome = {0};
	db_query(db, QUERY_api_ready, NULL, note, &outcome);
	assert_true(postgres_loop(postgres->base, 2, is_over, &outcome));
	talloc_free(db);
	talloc_free(resolver);
	talloc_free(dns);
	close(fd);
}

struct heard {
	unsigned made, payloads;
	char last[16];
};

static void hear(void *cookie, const char *payload)
{
	struct heard *heard = cookie;
	if (payload == NULL) {
		heard->made++;
		return;
	}
	heard->payloads++;
	snprintf(heard->last, sizeof(heard->last), "%s", payload);
}

static bool made_once(void *cookie)
{
	return ((struct heard *)cookie)->made == 1;
}

static bool made_twice(void *cookie)
{
	return ((struct heard *)cookie)->made == 2;
}

static bool heard_three(void *cookie)
{
	return ((struct heard *)cookie)->payloads == 3;
}

static void notifications_are_heard_again_after_a_break(void **state)
{
	struct postgres *postgres = *state;
	struct heard heard = {0};
	struct db *db = open_pool(postgres, 1);
	db_listen(db, db, "odd \"channel", hear, &heard);
	assert_true(postgres_loop(postgres->base, PATIENCE_S, made_once, &heard));
	postgres_sql(postgres, "NOTIFY \"odd \"\"channel\", '1'; NOTIFY \"odd \"\"channel\", '2'");
	postgres_sql(postgres, "NOTIFY other, '9'");
	postgres_sql(postgres, "NOTIFY \"odd \"\"channel\", '3'");
	assert_true(postgres_loop(postgres->base, PATIENCE_S, heard_three, &heard));
	assert_string_equal(heard.last, "3");
	postgres_sql(postgres,
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ '^LISTEN'");
	assert_true(postgres_loop(postgres->base, PATIENCE_S, made_twice, &heard));
	heard.payloads = 2;
	postgres_sql(postgres, "NOTIFY \"odd \"\"channel\", '4'");
	assert_true(postgres_loop(postgres->base, PATIENCE_S, heard_three, &heard));
	assert_string_equal(heard.last, "4");
	assert_int_equal(heard.made, 2);
	talloc_free(db);
}

static void arrays_carry_any_text(void **state)
{
	static const char *const texts[] = {"", "NULL", "{}", "a,b", " blank ", "\"", "\\", "\\\"x",
		"'; DROP TABLE x; --", "line\nline\r\t", "\x01\x7f", "\xc3\xa9\xf0\x9f\x90\x9b",
		NULL, "{\"a\",NULL}"};
	struct postgres *postgres = *state;
	enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };
	struct db_array *array = db_array_new(NULL);
	for (int i = 0; i < TEXTS; i++)
		db_array_add_text(array, texts[i]);
	const char *literal = db_array_text(array);
	PGresult *result = PQexecParams(
		postgres->conn, "SELECT unnest($1::text[])", 1, NULL, &literal, NULL, NULL, 0);
	assert_int_equal(PQntuples(result), TEXTS);
	for (int i = 0; i < TEXTS; i++) {
		assert_int_equal(PQgetisnull(result, i, 0), texts[i] == NULL);
		if (texts[i] != NULL)
			assert_string_equal(PQgetvalue(result, i, 0), texts[i]);
	}
	PQclear(result);
	talloc_free(array);
}

static void arrays_carry_any_integer(void **state)
{
	struct db_array *array = db_array_new(NULL);
	assert_string_equal(db_array_text(array), "{}");
	talloc_free(array);
	array = db_array_new(NULL);
	db_array_add_integer(array, INT64_MIN);
	db_array_add_integer(array, 0);
	db_array_add_integer(array, INT64_MAX);
	assert_string_equal(db_array_text(array), "{-9223372036854775808,0,9223372036854775807}");
	talloc_free(array);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_is_written_whole),
		cmocka_unit_test(a_lost_lease_writes_nothing),
		cmocka_unit_test(errors_have_their_kinds),
		cmocka_unit_test(an_error_at_commit_fails_the_batch),
		cmocka_unit_test(many_batches_are_under_way_at_once),
		cmocka_unit_test(a_big_batch_does_not_jam),
		cmocka_unit_test(an_empty_batch_is_no_trouble),
		cmocka_unit_test(a_forgotten_batch_is_written_all_the_same),
		cmocka_unit_test(the_pool_may_be_freed_in_a_call),
		cmocka_unit_test(without_a_database_batches_fail_later),
		cmocka_unit_test(what_is_under_way_fails_with_its_connection),
		cmocka_unit_test(a_killed_server_is_come_back_to),
		cmocka_unit_test(a_server_turned_read_only_is_left),
		cmocka_unit_test(what_was_prepared_anew_serves),
		cmocka_unit_test(a_silent_host_is_passed_over),
		cmocka_unit_test(names_are_asked_of_the_resolver),
		cmocka_unit_test(notifications_are_heard_again_after_a_break),
		cmocka_unit_test(arrays_carry_any_text),
		cmocka_unit_test(arrays_carry_any_integer),
	};
	return cmocka_run_group_tests(tests, postgres_setup, postgres_teardown);
}
