#include "engine/udd.h"

#include "engine/db_error.h"
#include "engine/db_link.h"

#include <assert.h>
#include <string.h>
#include <talloc.h>

enum {
	ANSWER_S = 30,
	PARAMETERS_MOST = 8,
	BYTES_MOST = 4 * 1024 * 1024, /* of rows in one answer */
};

static const char settings[] = "SELECT set_config('statement_timeout', '20s', false),"
			       " set_config('default_transaction_read_only', 'on', false),"
			       " set_config('TimeZone', 'UTC', false),"
			       " set_config('client_encoding', 'UTF8', false),"
			       " set_config('client_min_messages', 'error', false)";

/*
 *   IDLE --udd_ask--> CONNECTING --up--> SETTING --settled--> ASKING --last row--> IDLE
 *                          |                |                    |
 *                          +----------------+--failure-----------+--> IDLE, without a connection
 * Asked again with a connection, it goes from IDLE to ASKING.
 */
enum udd_state { IDLE, CONNECTING, SETTING, ASKING };

struct udd {
	struct event_base *base;
	struct resolver *resolver;
	const struct network_policy *policy;
	const char *conninfo;
	struct db_target *target;
	struct db_link *link;
	enum udd_state state;
	void *question; /* owns what belongs to it */
	const char *sql;
	const char **parameters;
	int parameter_count;
	const struct udd_handlers *handlers;
	void *cookie;
	size_t bytes;
	struct err err;
	struct event *over; /* tells from the loop that the question is answered, or failed */
};

bool udd_understands(const char *conninfo, struct err *err)
{
	struct db_target *target = db_target_new_foreign(NULL, conninfo, NULL, err);
	talloc_free(target);
	return target != NULL;
}

static void finish(struct udd *udd)
{
	event_active(udd->over, 0, 0);
}

/* What our own database's failures are called of a tracker. */
static enum err_kind kind_of(enum err_kind kind)
{
	if (err_scope(kind) == ERR_SCOPE_TRACKER)
		return kind;
	return kind == ERR_DATABASE_GONE ? ERR_CONNECTION : ERR_UNPARSABLE_TRACKER;
}

static void fail(struct udd *udd, const struct err *why)
{
	err_set(&udd->err, kind_of(why->kind), "UDD: %s", why->text);
	finish(udd);
}

/* ---- answers ---- */

static void send_question(struct udd *udd)
{
	PGconn *conn = db_link_conn(udd->link);
	bool sent = PQsendQueryParams(conn, udd->sql, udd->parameter_count, NULL, udd->parameters,
			    NULL, NULL, 0) &&
		PQsetSingleRowMode(conn);
	struct err err = {0};
	udd->state = ASKING;
	db_link_expect(udd->link, ANSWER_S);
	if (sent) {
		db_link_flush(udd->link);
		return;
	}
	db_error_of_connection(&err, "the question can't be sent", conn);
	db_link_fail(udd->link, &err);
}

static void on_up(void *cookie)
{
	struct udd *udd = cookie;
	PGconn *conn = db_link_conn(udd->link);
	struct err err = {0};
	udd->state = SETTING;
	if (PQsendQueryParams(conn, settings, 0, NULL, NULL, NULL, NULL, 0)) {
		db_link_flush(udd->link);
		return;
	}
	db_error_of_connection(&err, "the session can't be set up", conn);
	db_link_fail(udd->link, &err);
}

static void take_row(struct udd *udd, const PGresult *result)
{
	char *line = talloc_strdup(udd->question, "");
	for (int i = 0; i < PQnfields(result); i++)
		line = talloc_asprintf_append_buffer(
			line, "%s%s", i > 0 ? "\t" : "", PQgetvalue(result, 0, i));
	line = talloc_strdup_append_buffer(line, "\n");
	size_t n = strlen(line);
	udd->bytes += n;
	if (udd->bytes > BYTES_MOST)
		err_set(&udd->err, ERR_TOO_LARGE, "UDD: its answer has more than %d bytes",
			BYTES_MOST);
	else
		udd->handlers->row(udd->cookie, line, n);
	talloc_free(line);
}

static void take_error(struct udd *udd, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	bool late = state != NULL && strcmp(state, "57014") == 0; /* statement_timeout */
	struct err err = {0};
	db_error_of_result(&err, "the query failed", result);
	err_set(&udd->err, late ? ERR_TIMEOUT : kind_of(err.kind), "UDD: %s", err.text);
}

/* False where the connection was dropped: something else (COPY) than what was asked for begins. */
static bool take(struct udd *udd, const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	if (status == PGRES_SINGLE_TUPLE) {
		if (udd->state == ASKING && udd->err.kind == ERR_NONE)
			take_row(udd, result);
		return true;
	}
	if (status == PGRES_TUPLES_OK)
		return true;
	take_error(udd, result);
	if (status != PGRES_FATAL_ERROR)
		db_link_fail(udd->link, &udd->err);
	return status == PGRES_FATAL_ERROR;
}

/* An answer is over: that to the settings, or that to the question. */
static void answered(struct udd *udd)
{
	if (udd->state == SETTING && udd->err.kind == ERR_NONE) {
		send_question(udd);
		return;
	}
	db_link_settled(udd->link);
	finish(udd);
}

static void on_readable(void *cookie)
{
	struct udd *udd = cookie;
	PGconn *conn = db_link_conn(udd->link);
	while (!PQisBusy(conn)) {
		PGresult *result = PQgetResult(conn);
		if (result == NULL) {
			answered(udd);
			return;
		}
		bool up = take(udd, result);
		PQclear(result);
		if (!up)
			return;
	}
}

static void on_down(void *cookie, const struct err *why)
{
	struct udd *udd = cookie;
	fail(udd, why);
}

/* ---- the question ---- */

static void forget(struct udd *udd)
{
	TALLOC_FREE(udd->question);
	udd->state = IDLE;
	udd->handlers = NULL;
	event_del(udd->over);
}

/* After a failure the connection goes: it may be in any state, and would be made anew for ever. */
static void on_over(evutil_socket_t fd, short what, void *cookie)
{
	struct udd *udd = cookie;
	const struct udd_handlers *handlers = udd->handlers;
	struct err err = udd->err;
	if (err.kind != ERR_NONE)
		TALLOC_FREE(udd->link);
	forget(udd);
	if (handlers != NULL)
		handlers->done(udd->cookie, err.kind != ERR_NONE ? &err : NULL, udd->bytes);
}

static void open_link(struct udd *udd)
{
	static const struct db_link_events events = {on_up, on_readable, on_down};
	struct err err = {0};
	udd->state = CONNECTING;
	if (udd->target == NULL)
		udd->target = db_target_new_foreign(udd, udd->conninfo, udd->policy, &err);
	if (udd->target == NULL) {
		err_set(&udd->err, ERR_UNSUPPORTED_TRACKER, "UDD: %s", err.text);
		finish(udd);
		return;
	}
	udd->link = db_link_new(udd, udd->base, udd->resolver, udd->target, &events, udd);
}

void udd_ask(struct udd *udd, const char *sql, const char *const *parameters,
	const struct udd_handlers *handlers, void *cookie)
{
	assert(udd->state == IDLE);
	udd->question = talloc_new(udd);
	udd->sql = talloc_strdup(udd->question, sql);
	udd->parameters = talloc_zero_array(udd->question, const char *, PARAMETERS_MOST);
	udd->parameter_count = 0;
	for (; parameters[udd->parameter_count] != NULL; udd->parameter_count++) {
		assert(udd->parameter_count < PARAMETERS_MOST);
		udd->parameters[udd->parameter_count] =
			talloc_strdup(udd->question, parameters[udd->parameter_count]);
	}
	udd->handlers = handlers;
	udd->cookie = cookie;
	udd->bytes = 0;
	err_clear(&udd->err);
	/* The server may have closed the connection since the last question. */
	event_del(udd->over);
	if (udd->link != NULL && db_link_conn(udd->link) == NULL)
		TALLOC_FREE(udd->link);
	if (udd->link != NULL)
		send_question(udd);
	else
		open_link(udd);
}

/* Rows that are still to come are not to be read: the connection goes with the question. */
void udd_cancel(struct udd *udd)
{
	TALLOC_FREE(udd->link);
	forget(udd);
}

static int udd_free(struct udd *udd)
{
	TALLOC_FREE(udd->link);
	event_free(udd->over);
	return 0;
}

struct udd *udd_new(const void *owner, struct event_base *base, struct resolver *resolver,
	const struct network_policy *policy, const char *conninfo)
{
	struct udd *udd = talloc_zero(owner, struct udd);
	udd->base = base;
	udd->resolver = resolver;
	udd->policy = policy;
	udd->conninfo = talloc_strdup(udd, conninfo);
	udd->over = event_new(base, -1, 0, on_over, udd);
	talloc_set_destructor(udd, udd_free);
	return udd;
}
