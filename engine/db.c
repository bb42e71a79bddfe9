#include "engine/db.h"

#include "engine/db_batch.h"
#include "engine/db_listen.h"
#include "engine/db_pipe.h"
#include "engine/log.h"

#include <assert.h>
#include <string.h>
#include <talloc.h>

enum { WAIT_S = 10 }; /* how long a batch waits for room on a connection */

/* What anyone is called with is gathered, and told from the loop: nobody is called from inside. */
struct db {
	struct event_base *base;
	struct resolver *resolver;
	struct db_target *target;
	struct db_pipe **pipes; /* for each kind of plans in turn */
	unsigned pipe_count;
	struct db_batches waiting, finished; /* in the order they came */
	struct event *deliver, *expire;
	void (*turned)(void *cookie, bool ready);
	void *cookie;
	bool told_ready;
	struct err last_failure; /* said once, not for each connection and attempt */
	bool *freed; /* set while somebody is being called */
};

static time_t seconds_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void soon(struct event *event, time_t seconds)
{
	event_add(event, &(struct timeval){seconds > 0 ? seconds : 0, 0});
}

static void finished(void *cookie, struct db_batch *batch)
{
	struct db *db = cookie;
	TAILQ_INSERT_TAIL(&db->finished, batch, entry);
	soon(db->deliver, 0);
}

static void fail(struct db_batch *batch, const char *why)
{
	err_set(&batch->err, ERR_DATABASE_GONE, "%s", why);
	finished(batch->db, batch);
}

static void fail_waiting(struct db *db, const char *why)
{
	struct db_batch *batch;
	while ((batch = TAILQ_FIRST(&db->waiting)) != NULL) {
		TAILQ_REMOVE(&db->waiting, batch, entry);
		fail(batch, why);
	}
}

static enum db_plans plans_of(const struct db_batch *batch)
{
	for (unsigned i = 0; i < batch->count; i++)
		if (!query_texts[batch->statements[i].query].kept)
			return DB_PLANS_ANEW;
	return DB_PLANS_KEPT;
}

/* The least loaded ready connection with room among those of PLANS; NULL if all are full. */
static struct db_pipe *choose(const struct db *db, enum db_plans plans)
{
	struct db_pipe *best = NULL;
	unsigned load = DB_PIPE_DEPTH;
	for (unsigned i = plans; i < db->pipe_count; i += DB_PLANS) {
		struct db_pipe *pipe = db->pipes[i];
		if (db_pipe_ready(pipe) && db_pipe_load(pipe) < load) {
			best = pipe;
			load = db_pipe_load(pipe);
		}
	}
	return best;
}

static bool has_ready(const struct db *db, enum db_plans plans)
{
	for (unsigned i = plans; i < db->pipe_count; i += DB_PLANS)
		if (db_pipe_ready(db->pipes[i]))
			return true;
	return false;
}

bool db_ready(const struct db *db)
{
	return has_ready(db, DB_PLANS_ANEW) && has_ready(db, DB_PLANS_KEPT);
}

static void send_waiting(struct db *db)
{
	struct db_batch *batch, *next;
	for (batch = TAILQ_FIRST(&db->waiting); batch != NULL; batch = next) {
		struct db_pipe *pipe = choose(db, plans_of(batch));
		next = TAILQ_NEXT(batch, entry);
		if (pipe == NULL)
			continue;
		TAILQ_REMOVE(&db->waiting, batch, entry);
		db_pipe_send(pipe, batch);
	}
}

static void on_ready(void *cookie)
{
	struct db *db = cookie;
	err_clear(&db->last_failure);
	soon(db->deliver, 0);
}

static void on_down(void *cookie, const struct err *why)
{
	struct db *db = cookie;
	if (strcmp(db->last_failure.text, why->text) != 0)
		log_warning("database", "%s", why->text);
	db->last_failure = *why;
	soon(db->deliver, 0);
}

/* False where the pool was freed meanwhile. */
static bool tell_turn(struct db *db, const bool *freed)
{
	bool ready = db_ready(db);
	if (ready != db->told_ready) {
		db->told_ready = ready;
		log_info("database", ready ? "connected" : "no connection");
		if (db->turned != NULL)
			db->turned(db->cookie, ready);
	}
	return !*freed;
}

static void call(struct db_batch *batch)
{
	/* Not freed with the pool while its rows are being read. */
	talloc_steal(NULL, batch);
	bool failed = batch->err.kind != ERR_NONE;
	if (batch->done != NULL)
		batch->done(
			batch->cookie, failed ? &batch->err : NULL, failed ? NULL : batch->rows);
	talloc_free(batch);
}

static void on_deliver(evutil_socket_t fd, short what, void *cookie)
{
	struct db *db = cookie;
	struct db_batch *batch;
	bool freed = false;
	/* What finishes while these are told has its own turn: the loop must come round. */
	struct db_batches batches = TAILQ_HEAD_INITIALIZER(batches);
	TAILQ_CONCAT(&batches, &db->finished, entry);
	if (db_ready(db))
		send_waiting(db);
	else
		fail_waiting(db, db->last_failure.text);
	db->freed = &freed;
	if (!tell_turn(db, &freed))
		return;
	while (!freed && (batch = TAILQ_FIRST(&batches)) != NULL) {
		TAILQ_REMOVE(&batches, batch, entry);
		call(batch);
	}
	if (!freed)
		db->freed = NULL;
}

static void on_expire(evutil_socket_t fd, short what, void *cookie)
{
	struct db *db = cookie;
	struct db_batch *batch;
	while ((batch = TAILQ_FIRST(&db->waiting)) != NULL) {
		time_t left = batch->waiting_since + WAIT_S - seconds_now();
		if (left > 0) {
			soon(db->expire, left);
			return;
		}
		TAILQ_REMOVE(&db->waiting, batch, entry);
		fail(batch, "the database is too busy: nothing could be sent for 10 s");
	}
}

static int pool_free(struct db *db)
{
	if (db->freed != NULL)
		*db->freed = true;
	event_free(db->deliver);
	event_free(db->expire);
	return 0;
}

struct db *db_new(const void *owner, struct event_base *base, struct resolver *resolver,
	const char *conninfo, unsigned connections, struct err *err)
{
	static const struct db_pipe_events events = {on_ready, on_down, finished};
	struct db_target *target = db_target_new(owner, conninfo, err);
	if (target == NULL)
		return NULL;
	struct db *db = talloc_zero(owner, struct db);
	db->base = base;
	db->resolver = resolver;
	db->target = talloc_steal(db, target);
	TAILQ_INIT(&db->waiting);
	TAILQ_INIT(&db->finished);
	db->deliver = evtimer_new(base, on_deliver, db);
	db->expire = evtimer_new(base, on_expire, db);
	talloc_set_destructor(db, pool_free);
	err_set(&db->last_failure, ERR_DATABASE_GONE, "the database is not connected yet");
	unsigned pipes = (connections + 1) / 2 * DB_PLANS;
	db->pipes = talloc_array(db, struct db_pipe *, pipes);
	for (; db->pipe_count < pipes; db->pipe_count++)
		db->pipes[db->pipe_count] = db_pipe_new(db, base, resolver, target,
			(enum db_plans)(db->pipe_count % DB_PLANS), &events, db);
	return db;
}

void db_watch_ready(struct db *db, void (*turned)(void *cookie, bool ready), void *cookie)
{
	db->turned = turned;
	db->cookie = cookie;
}

struct db_batch *db_batch_new(struct db *db)
{
	struct db_batch *batch = talloc_zero(db, struct db_batch);
	batch->db = db;
	return batch;
}

void db_add(struct db_batch *batch, enum query query, const char *const *parameters)
{
	assert(query < QUERIES);
	unsigned n = query_texts[query].parameters, at = batch->count++;
	batch->statements =
		talloc_realloc(batch, batch->statements, struct db_statement, batch->count);
	struct db_statement *statement = &batch->statements[at];
	statement->query = query;
	statement->parameters = talloc_array(batch, const char *, n);
	for (unsigned i = 0; i < n; i++)
		statement->parameters[i] = talloc_strdup(batch, parameters[i]);
}

void db_send(struct db_batch *batch, db_done *done, void *cookie)
{
	struct db *db = batch->db;
	batch->done = done;
	batch->cookie = cookie;
	batch->rows = talloc_zero_array(batch, struct db_rows *, batch->count + 1);
	if (!db_ready(db)) {
		fail(batch, db->last_failure.text);
		return;
	}
	batch->waiting_since = seconds_now();
	TAILQ_INSERT_TAIL(&db->waiting, batch, entry);
	send_waiting(db);
	if (!TAILQ_EMPTY(&db->waiting) && !evtimer_pending(db->expire, NULL))
		soon(db->expire, WAIT_S);
}

void db_forget(struct db_batch *batch)
{
	batch->done = NULL;
}

struct db_batch *db_query(
	struct db *db, enum query query, const char *const *parameters, db_done *done, void *cookie)
{
	struct db_batch *batch = db_batch_new(db);
	db_add(batch, query, parameters);
	db_send(batch, done, cookie);
	return batch;
}

void db_listen(const void *owner, struct db *db, const char *channel,
	void (*heard)(void *cookie, const char *payload), void *cookie)
{
	db_listener_new(owner, db->base, db->resolver, db->target, channel, heard, cookie);
}
