/*
 * PostgreSQL on the loop. All of libpq is behind this header.
 *
 * Statements are gathered in a batch, and a batch is one transaction: sent in one go (pipeline
 * mode), committed together or not at all. Every query is prepared when a connection is made.
 *
 * States of a connection:
 *   DOWN --timer--> RESOLVING --addresses--> CONNECTING --ok--> PREPARING --ok--> READY
 *   any --failure, 25006, went away--> DOWN (back-off 0.1 s to 5 s with jitter)
 */
#ifndef ENGINE_DB_H
#define ENGINE_DB_H

#include "engine/resolver.h"
#include "schema/schema.h"
#include "trackers/err.h"
#include "trackers/moment.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

struct db;
struct db_batch;
struct db_rows;

/*
 * A pool of CONNECTIONS to what CONNINFO (string or URL; several hosts may be named) leads to: half of
 * them, but at least one, are for batches whose queries are all `kept` (schema/README.md), the others
 * for the rest, so that small statements never wait behind big ones.
 * NULL and ERR_USAGE if that can't be understood. Connecting goes on by itself for ever.
 * talloc_free ends it; batches under way end without a call.
 */
struct db *db_new(const void *owner, struct event_base *base, struct resolver *resolver,
	const char *conninfo, unsigned connections, struct err *err);

/* Whether a statement sent now would reach the database. */
bool db_ready(const struct db *db);

/* Called whenever db_ready turns; once for each turn. */
void db_watch_ready(struct db *db, void (*turned)(void *cookie, bool ready), void *cookie);

/*
 * Called once, never before db_send returned. ERR is NULL on success. ROWS has one element a
 * statement, in order, valid during the call; NULL on failure: ERR_DATABASE_GONE (not reached or went away: what became of the
 * transaction is not known), ERR_LEASE_LOST (SQLSTATE BW001), ERR_EXISTS (a unique value is taken),
 * ERR_DATABASE (everything else, with the server's words).
 */
typedef void db_done(void *cookie, const struct err *err, struct db_rows *const *rows);

/* An empty batch. It is owned by DB from db_send on. */
struct db_batch *db_batch_new(struct db *db);

/* Adds a statement with its query's number of text PARAMETERS (NULL is SQL's null); copied. */
void db_add(struct db_batch *batch, enum query query, const char *const *parameters);

/* Sends the batch, which ends itself after `done`. DONE may be NULL. */
void db_send(struct db_batch *batch, db_done *done, void *cookie);

/* The batch's `done` will not be called; the transaction itself goes on. Safe until `done` ran. */
void db_forget(struct db_batch *batch);

/* One query as a batch of its own; the batch is returned for db_forget. */
struct db_batch *db_query(struct db *db, enum query query, const char *const *parameters,
	db_done *done, void *cookie);

/* How many rows there are. Rows and columns count from 0; both must be there. */
unsigned db_count(const struct db_rows *rows);

/* How many rows the statement wrote (or gave, where it only reads). */
uint64_t db_affected(const struct db_rows *rows);

/* Whether a cell is null. */
bool db_null(const struct db_rows *rows, unsigned row, unsigned column);

/* A cell's text, "" where null; valid as long as the rows. */
const char *db_text(const struct db_rows *rows, unsigned row, unsigned column);

/* A cell as an integer, 0 where null. */
int64_t db_integer(const struct db_rows *rows, unsigned row, unsigned column);

/*
 * Hears CHANNEL on a connection of its own. HEARD gets the payload, or NULL when the connection was
 * made (again): something may have been missed. Ends with OWNER, which goes before DB.
 */
void db_listen(const void *owner, struct db *db, const char *channel,
	void (*heard)(void *cookie, const char *payload), void *cookie);

/* ---- array parameters, written as PostgreSQL array literals ---- */
struct db_array;

/* An empty array, owned by OWNER. */
struct db_array *db_array_new(const void *owner);

/* Adds a text (copied), or a null element where it is NULL. */
void db_array_add_text(struct db_array *array, const char *text);

/* Adds a whole number. */
void db_array_add_integer(struct db_array *array, int64_t value);

/* The literal; owned by the array, which takes no more elements. */
const char *db_array_text(struct db_array *array);

#endif
