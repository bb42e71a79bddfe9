#include "engine/db_listen.h"

#include "engine/db_error.h"
#include "engine/db_link.h"
#include "engine/log.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

/* PostgreSQL takes no longer ones. */
enum { PAYLOAD_MAX = 8000 };

struct db_listener {
	struct db_link *link;
	const char *channel;
	void (*heard)(void *cookie, const char *payload);
	void *cookie;
	bool listening;
	bool *freed; /* set while HEARD is being called */
};

static void on_up(void *cookie)
{
	struct db_listener *listener = cookie;
	PGconn *conn = db_link_conn(listener->link);
	char *channel = PQescapeIdentifier(conn, listener->channel, strlen(listener->channel));
	char *sql = talloc_asprintf(listener, "LISTEN %s", channel != NULL ? channel : "");
	PQfreemem(channel);
	listener->listening = false;
	int ok = PQsendQuery(conn, sql);
	talloc_free(sql);
	if (ok) {
		db_link_flush(listener->link);
		return;
	}
	struct err err = {0};
	db_error_of_connection(&err, "LISTEN", conn);
	db_link_fail(listener->link, &err);
}

/* False where the listener was freed meanwhile. */
static bool tell(struct db_listener *listener, const char *payload)
{
	bool freed = false;
	listener->freed = &freed;
	listener->heard(listener->cookie, payload);
	if (!freed)
		listener->freed = NULL;
	return !freed;
}

/* True where LISTEN was done just now. False as well where the connection had to be dropped. */
static bool begun(struct db_listener *listener, PGconn *conn)
{
	bool done = false;
	while (!listener->listening && !PQisBusy(conn)) {
		PGresult *result = PQgetResult(conn);
		if (result == NULL) {
			listener->listening = done;
			break;
		}
		done = PQresultStatus(result) == PGRES_COMMAND_OK;
		struct err err = {0};
		if (!done)
			db_error_of_result(&err, "LISTEN", result);
		PQclear(result);
		if (!done) {
			db_link_fail(listener->link, &err);
			break;
		}
	}
	return done && listener->listening;
}

static void on_readable(void *cookie)
{
	struct db_listener *listener = cookie;
	if (!listener->listening && begun(listener, db_link_conn(listener->link))) {
		db_link_settled(listener->link);
		if (!tell(listener, NULL))
			return;
	}
	while (listener->listening) {
		PGnotify *notify = PQnotifies(db_link_conn(listener->link));
		if (notify == NULL)
			return;
		char payload[PAYLOAD_MAX + 1];
		int n = snprintf(payload, sizeof(payload), "%s", notify->extra);
		PQfreemem(notify);
		/* One that can't be read whole is as good as missed. */
		if (!tell(listener, n <= PAYLOAD_MAX ? payload : NULL))
			return;
	}
}

static void on_down(void *cookie, const struct err *why)
{
	struct db_listener *listener = cookie;
	listener->listening = false;
	log_debug("database", "not listening to %s: %s", listener->channel, why->text);
}

static int listener_free(struct db_listener *listener)
{
	if (listener->freed != NULL)
		*listener->freed = true;
	return 0;
}

struct db_listener *db_listener_new(const void *owner, struct event_base *base,
	struct resolver *resolver, const struct db_target *target, const char *channel,
	void (*heard)(void *cookie, const char *payload), void *cookie)
{
	static const struct db_link_events events = {on_up, on_readable, on_down};
	struct db_listener *listener = talloc_zero(owner, struct db_listener);
	listener->channel = talloc_strdup(listener, channel);
	listener->heard = heard;
	listener->cookie = cookie;
	talloc_set_destructor(listener, listener_free);
	listener->link = db_link_new(listener, base, resolver, target, &events, listener);
	return listener;
}
