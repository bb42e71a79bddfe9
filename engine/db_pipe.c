#include "engine/db_pipe.h"

#include "engine/db_error.h"
#include "engine/db_rows.h"

#include <assert.h>
#include <talloc.h>

/* A little more than a statement may take (session_settings): then the server itself is stuck. */
enum { ANSWER_S = 35 };

/*
 * A stuck statement must not hold up what is behind it for ever. The others make the server write
 * values in the one form that we read, whatever its configuration says. Compiling (jit) costs more
 * than any statement of ours.
 */
static const char settings_format[] =
	"SELECT set_config('statement_timeout', '30s', false), set_config('TimeZone', 'UTC', "
	"false),"
	" set_config('DateStyle', 'ISO', false), set_config('bytea_output', 'hex', false),"
	" set_config('client_encoding', 'UTF8', false), set_config('jit', 'off', false),"
	" set_config('client_min_messages', 'warning', false)%s";

/*
 * A plan that is kept from when a table was small takes time with the square of the rows, unless it
 * goes by index, in the index's order: a batch of due bugs is then read without looking at the rest.
 */
static const char *const settings_of_plans[] = {
	[DB_PLANS_ANEW] = ", set_config('plan_cache_mode', 'force_custom_plan', false)",
	[DB_PLANS_KEPT] = ", set_config('plan_cache_mode', 'force_generic_plan', false),"
			  " set_config('enable_seqscan', 'off', false),"
			  " set_config('enable_bitmapscan', 'off', false),"
			  " set_config('enable_sort', 'off', false)",
};

struct db_pipe {
	struct db_link *link;
	const struct db_pipe_events *events;
	void *cookie;
	enum db_plans plans;
	const char *settings; /* the session's, as a statement */
	bool ready;
	unsigned prepared; /* answers heard while not ready: the settings', then each query's */
	struct db_batches sent;
	unsigned load;
};

static void on_up(void *cookie)
{
	struct db_pipe *pipe = cookie;
	PGconn *conn = db_link_conn(pipe->link);
	pipe->prepared = 0;
	bool ok = PQenterPipelineMode(conn) &&
		PQsendQueryParams(conn, pipe->settings, 0, NULL, NULL, NULL, NULL, 0);
	for (int i = 0; ok && i < QUERIES; i++)
		ok = PQsendPrepare(conn, query_texts[i].name, query_texts[i].sql, 0, NULL);
	if (ok && PQpipelineSync(conn)) {
		db_link_flush(pipe->link);
		return;
	}
	struct err err = {0};
	db_error_of_connection(&err, "the queries can't be prepared", conn);
	db_link_fail(pipe->link, &err);
}

static void on_down(void *cookie, const struct err *why)
{
	struct db_pipe *pipe = cookie;
	struct db_batch *batch;
	pipe->ready = false;
	while ((batch = TAILQ_FIRST(&pipe->sent)) != NULL) {
		TAILQ_REMOVE(&pipe->sent, batch, entry);
		pipe->load--;
		err_set(&batch->err, ERR_DATABASE_GONE, "%s", why->text);
		pipe->events->finished(pipe->cookie, batch);
	}
	pipe->events->down(pipe->cookie, why);
}

/* False where the connection was dropped for it. */
static bool take_prepared(struct db_pipe *pipe, const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	if (status == PGRES_PIPELINE_SYNC) {
		pipe->ready = true;
		db_link_settled(pipe->link);
		pipe->events->ready(pipe->cookie);
		return true;
	}
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
		pipe->prepared++;
		return true;
	}
	struct err err = {0};
	const char *name = pipe->prepared == 0 ? "the session's settings"
					       : query_texts[pipe->prepared - 1].name;
	db_error_of_result(&err, name, result);
	db_link_fail(pipe->link, &err);
	return false;
}

static void finish(struct db_pipe *pipe, struct db_batch *batch)
{
	TAILQ_REMOVE(&pipe->sent, batch, entry);
	pipe->load--;
	db_link_expect(pipe->link, pipe->load > 0 ? ANSWER_S : 0);
	pipe->events->finished(pipe->cookie, batch);
}

/*
 * After an error the batch's further statements come as PIPELINE_ABORTED, up to the sync. A commit
 * that fails is an error after the last statement's answer. False where the connection was dropped.
 */
static bool take_answer(struct db_pipe *pipe, struct db_batch *batch, PGresult **result)
{
	ExecStatusType status = PQresultStatus(*result);
	if (status == PGRES_PIPELINE_SYNC) {
		finish(pipe, batch);
		return true;
	}
	bool known = batch->answered < batch->count;
	bool good = known && (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK);
	if (good) {
		batch->rows[batch->answered] = db_rows_new(batch, *result);
		*result = NULL;
	} else if (status != PGRES_PIPELINE_ABORTED) {
		db_error_of_result(&batch->err,
			known ? query_texts[batch->statements[batch->answered].query].name
			      : "commit",
			*result);
	}
	batch->answered++;
	if (batch->err.kind != ERR_DATABASE_GONE)
		return true;
	db_link_fail(pipe->link, &batch->err);
	return false;
}

static bool take(struct db_pipe *pipe, PGresult *result)
{
	struct db_batch *batch = TAILQ_FIRST(&pipe->sent);
	bool up = true;
	if (!pipe->ready)
		up = take_prepared(pipe, result);
	else if (batch != NULL)
		up = take_answer(pipe, batch, &result);
	PQclear(result);
	return up;
}

/* One NULL ends each statement's answer; two in a row mean that nothing more is under way. */
static void on_readable(void *cookie)
{
	struct db_pipe *pipe = cookie;
	PGconn *conn = db_link_conn(pipe->link);
	int nulls = 0;
	while (nulls < 2 && !PQisBusy(conn)) {
		PGresult *result = PQgetResult(conn);
		nulls = result == NULL ? nulls + 1 : 0;
		if (result != NULL && !take(pipe, result))
			return;
	}
	if (pipe->load > 0)
		db_link_expect(pipe->link, ANSWER_S);
}

struct db_pipe *db_pipe_new(const void *owner, struct event_base *base, struct resolver *resolver,
	const struct db_target *target, enum db_plans plans, const struct db_pipe_events *events,
	void *cookie)
{
	static const struct db_link_events link_events = {on_up, on_readable, on_down};
	struct db_pipe *pipe = talloc_zero(owner, struct db_pipe);
	pipe->events = events;
	pipe->cookie = cookie;
	pipe->plans = plans;
	pipe->settings = talloc_asprintf(pipe, settings_format, settings_of_plans[plans]);
	TAILQ_INIT(&pipe->sent);
	pipe->link = db_link_new(pipe, base, resolver, target, &link_events, pipe);
	return pipe;
}

bool db_pipe_ready(const struct db_pipe *pipe)
{
	return pipe->ready;
}

unsigned db_pipe_load(const struct db_pipe *pipe)
{
	return pipe->load;
}

void db_pipe_send(struct db_pipe *pipe, struct db_batch *batch)
{
	assert(pipe->ready && pipe->load < DB_PIPE_DEPTH);
	PGconn *conn = db_link_conn(pipe->link);
	bool ok = true;
	TAILQ_INSERT_TAIL(&pipe->sent, batch, entry);
	if (pipe->load++ == 0)
		db_link_expect(pipe->link, ANSWER_S);
	for (unsigned i = 0; ok && i < batch->count; i++) {
		const struct query_text *text = &query_texts[batch->statements[i].query];
		ok = PQsendQueryPrepared(conn, text->name, (int)text->parameters,
			batch->statements[i].parameters, NULL, NULL, 0);
	}
	if (ok && PQpipelineSync(conn)) {
		db_link_flush(pipe->link);
		return;
	}
	struct err err = {0};
	db_error_of_connection(&err, "a batch can't be sent", conn);
	db_link_fail(pipe->link, &err);
}
