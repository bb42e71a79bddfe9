#include "engine/migrate.h"

#include "engine/db_error.h"
#include "engine/db_target.h"
#include "engine/log.h"
#include "schema/schema.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

/* "bugwatch" in ASCII: what instances that migrate the same database agree on. */
#define LOCK "7094690550425871208"

enum { HASH_BYTES = 32, HASH_TEXT = 2 * HASH_BYTES + 1 };

struct migrator {
	PGconn *conn;
	struct err *err;
};

int migrate_newest(void)
{
	int newest = 0;
	for (const struct migration *m = migrations; m->name != NULL; m++)
		newest = m->version;
	return newest;
}

/* The result of one statement, or NULL where it failed. */
static PGresult *ask(const struct migrator *migrator, const char *doing, const char *sql, int n,
	const char *const *values)
{
	PGresult *result = PQexecParams(migrator->conn, sql, n, NULL, values, NULL, NULL, 0);
	ExecStatusType status = PQresultStatus(result);
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return result;
	db_error_of_result(migrator->err, doing, result);
	PQclear(result);
	return NULL;
}

static bool run(const struct migrator *migrator, const char *doing, const char *sql)
{
	PGresult *result = PQexec(migrator->conn, sql); /* it may be several statements */
	bool ok = PQresultStatus(result) == PGRES_COMMAND_OK ||
		PQresultStatus(result) == PGRES_TUPLES_OK;
	if (!ok)
		db_error_of_result(migrator->err, doing, result);
	PQclear(result);
	return ok;
}

/* 1 for true, 0 for false, -1 where it failed. */
static int truth(const struct migrator *migrator, const char *doing, const char *sql)
{
	PGresult *result = ask(migrator, doing, sql, 0, NULL);
	if (result == NULL)
		return -1;
	int is = strcmp(PQgetvalue(result, 0, 0), "t") == 0;
	PQclear(result);
	return is;
}

/* The lock goes with the connection, so a migration that is killed leaves none. */
static bool lock(const struct migrator *migrator)
{
	const char *doing = "waiting for another instance that migrates the database";
	if (!run(migrator, "migration",
		    "SET lock_timeout = '2min'; SET statement_timeout = 0;"
		    " SET client_min_messages = warning; SET client_encoding = 'UTF8'"))
		return false;
	int got = truth(migrator, doing, "SELECT pg_try_advisory_lock(" LOCK ")");
	if (got != 0)
		return got == 1;
	log_info("database", "another instance migrates it: waiting, at most 2 minutes");
	return run(migrator, doing, "SELECT pg_advisory_lock(" LOCK ")");
}

/*
 * Under the lock, because CREATE SCHEMA IF NOT EXISTS of two sessions can collide. Only where it is
 * missing, because the statement wants rights that a role needs never again.
 */
static bool make_table(const struct migrator *migrator)
{
	const char *doing = "making the table bugwatch.migration";
	int there = truth(migrator, doing, "SELECT to_regclass('bugwatch.migration') IS NOT NULL");
	if (there != 0)
		return there == 1;
	return run(migrator, doing,
		"CREATE SCHEMA IF NOT EXISTS bugwatch;"
		"CREATE TABLE bugwatch.migration ("
		"version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,"
		" applied_at timestamptz NOT NULL DEFAULT now())");
}

static const char *checksum(const struct migration *m, char *text)
{
	unsigned char hash[HASH_BYTES];
	crypto_generichash(
		hash, sizeof(hash), (const unsigned char *)m->sql, strlen(m->sql), NULL, 0);
	return sodium_bin2hex(text, HASH_TEXT, hash, sizeof(hash));
}

/* Whether what was applied, as RESULT's row ROW says, is what the program brings. */
static bool same(const struct migrator *migrator, const PGresult *result, int row)
{
	int version = (int)strtol(PQgetvalue(result, row, 0), NULL, 10), newest = migrate_newest();
	char text[HASH_TEXT];
	if (version > newest) {
		err_set(migrator->err, ERR_DATABASE,
			"the database's schema has version %d and is newer than this program, "
			"which "
			"knows %d: run a bugwatch that is as new as the one that migrated it",
			version, newest);
		return false;
	}
	if (version >= 1 &&
		strcmp(checksum(&migrations[version - 1], text), PQgetvalue(result, row, 1)) == 0)
		return true;
	err_set(migrator->err, ERR_DATABASE,
		"migration %d (%.80s) was edited since it was applied: run the program that "
		"applied "
		"it, or write the change as a new migration",
		version, PQgetvalue(result, row, 2));
	return false;
}

/* Sets APPLIED[version]; false where the database does not fit to the program. */
static bool read_applied(const struct migrator *migrator, bool *applied)
{
	PGresult *result = ask(migrator, "reading bugwatch.migration",
		"SELECT version, checksum, name FROM bugwatch.migration ORDER BY version DESC", 0,
		NULL);
	bool ok = result != NULL;
	for (int i = 0; ok && i < PQntuples(result); i++) {
		ok = same(migrator, result, i);
		if (ok)
			applied[strtol(PQgetvalue(result, i, 0), NULL, 10)] = true;
	}
	PQclear(result);
	return ok;
}

/* A failure ends the connection's transaction with the connection. */
static bool apply(const struct migrator *migrator, const struct migration *m)
{
	char version[12], text[HASH_TEXT];
	snprintf(version, sizeof(version), "%d", m->version);
	const char *row[] = {version, m->name, checksum(m, text)};
	if (!run(migrator, m->name, "BEGIN") || !run(migrator, m->name, m->sql))
		return false;
	PGresult *result = ask(migrator, m->name,
		"INSERT INTO bugwatch.migration (version, name, checksum) VALUES ($1, $2, $3)", 3,
		row);
	PQclear(result);
	return result != NULL && run(migrator, m->name, "COMMIT");
}

static int apply_missing(const struct migrator *migrator, const bool *applied,
	void (*step)(void *cookie, int version, const char *name), void *cookie)
{
	int count = 0;
	for (const struct migration *m = migrations; m->name != NULL; m++) {
		if (applied[m->version])
			continue;
		if (!apply(migrator, m))
			return -1;
		count++;
		if (step != NULL)
			step(cookie, m->version, m->name);
	}
	return count;
}

static PGconn *connect_to(const char *conninfo, struct err *err)
{
	struct db_target *target = db_target_new(NULL, conninfo, err);
	if (target == NULL)
		return NULL;
	struct db_parameters parameters = db_target_parameters(target, target);
	PGconn *conn = PQconnectdbParams(parameters.keywords, parameters.values, 0);
	talloc_free(target);
	if (PQstatus(conn) == CONNECTION_OK)
		return conn;
	db_error_of_connection(err, "the database can't be reached", conn);
	PQfinish(conn);
	return NULL;
}

static void on_notice(void *cookie, const char *message)
{
	log_debug("database", "%s", message);
}

int migrate(const char *conninfo, void (*step)(void *cookie, int version, const char *name),
	void *cookie, struct err *err)
{
	struct migrator migrator = {.conn = connect_to(conninfo, err), .err = err};
	if (migrator.conn == NULL)
		return -1;
	PQsetNoticeProcessor(migrator.conn, on_notice, NULL);
	bool *applied = talloc_zero_array(NULL, bool, (unsigned)migrate_newest() + 1);
	int count = -1;
	if (lock(&migrator) && make_table(&migrator) && read_applied(&migrator, applied))
		count = apply_missing(&migrator, applied, step, cookie);
	talloc_free(applied);
	PQfinish(migrator.conn);
	return count;
}
