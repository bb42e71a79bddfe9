#include "engine/db_link.h"

#include "engine/db_error.h"
#include "engine/log.h"

#include <event2/util.h>
#include <talloc.h>

enum { BACK_OFF_FIRST_MS = 100, BACK_OFF_LAST_MS = 5000 };

enum link_state { DOWN, RESOLVING, CONNECTING, UP };

struct db_link {
	struct event_base *base;
	struct resolver *resolver;
	const struct db_target *target;
	const struct db_link_events *events;
	void *cookie;
	enum link_state state;
	struct db_lookup *lookup;
	PGconn *conn;
	struct event *io; /* NULL where the socket is not watched */
	short watched;
	struct event *timer; /* DOWN: the end of the pause; later: of our patience */
	unsigned failures; /* in a row */
	unsigned first; /* the address that is tried first */
};

static void on_io(evutil_socket_t fd, short what, void *cookie);

static void unwatch(struct db_link *link)
{
	if (link->io != NULL)
		event_free(link->io);
	link->io = NULL;
}

static void watch(struct db_link *link, short what)
{
	if (link->io != NULL && link->watched == what)
		return;
	unwatch(link);
	link->io = event_new(link->base, PQsocket(link->conn), what | EV_PERSIST, on_io, link);
	link->watched = what;
	event_add(link->io, NULL);
}

static void drop(struct db_link *link)
{
	unwatch(link); /* before libpq closes the socket */
	TALLOC_FREE(link->lookup);
	PQfinish(link->conn);
	link->conn = NULL;
	link->state = DOWN;
}

static unsigned back_off_ms(unsigned failures)
{
	unsigned ms = failures < 6 ? BACK_OFF_FIRST_MS << failures : BACK_OFF_LAST_MS;
	if (ms > BACK_OFF_LAST_MS)
		ms = BACK_OFF_LAST_MS;
	unsigned draw;
	evutil_secure_rng_get_bytes(&draw, sizeof(draw));
	return ms / 2 + draw % (ms / 2 + 1);
}

void db_link_fail(struct db_link *link, const struct err *why)
{
	/* WHY may be worded by the connection that is dropped here. */
	struct err copy = *why;
	drop(link);
	unsigned ms = back_off_ms(link->failures++);
	event_add(link->timer, &(struct timeval){ms / 1000, ms % 1000 * 1000});
	link->events->down(link->cookie, &copy);
}

static void fail_connection(struct db_link *link, const char *doing)
{
	struct err err = {0};
	db_error_of_connection(&err, doing, link->conn);
	db_link_fail(link, &err);
}

static void on_notice(void *cookie, const PGresult *result)
{
	struct err err = {0};
	db_error_of_result(&err, "the server says", result);
	log_info("database", "%s", err.text);
}

static void connected(struct db_link *link)
{
	if (PQsetnonblocking(link->conn, 1) != 0) {
		fail_connection(link, "the database's connection");
		return;
	}
	link->state = UP;
	watch(link, EV_READ);
	db_link_expect(link, db_target_timeout_s(link->target));
	link->events->up(link->cookie);
}

/* The socket may be another one after each step, so it is not watched meanwhile. */
static void connect_step(struct db_link *link)
{
	unwatch(link);
	switch (PQconnectPoll(link->conn)) {
	case PGRES_POLLING_READING:
		watch(link, EV_READ);
		break;
	case PGRES_POLLING_ACTIVE:
	case PGRES_POLLING_WRITING:
		watch(link, EV_WRITE);
		break;
	case PGRES_POLLING_OK:
		connected(link);
		break;
	case PGRES_POLLING_FAILED:
		fail_connection(link, "the database can't be reached");
		break;
	}
}

static void connect_begin(void *cookie)
{
	struct db_link *link = cookie;
	struct db_parameters parameters;
	struct err err = {0};
	if (!db_lookup_parameters(link->lookup, link->first, &parameters, &err)) {
		db_link_fail(link, &err);
		return;
	}
	link->conn = PQconnectStartParams(parameters.keywords, parameters.values, 0);
	if (link->conn == NULL || PQstatus(link->conn) == CONNECTION_BAD) {
		fail_connection(link, "the database can't be reached");
		return;
	}
	link->state = CONNECTING;
	PQsetNoticeReceiver(link->conn, on_notice, NULL);
	db_link_expect(link, db_target_timeout_s(link->target));
	watch(link, EV_WRITE);
}

static void resolve(struct db_link *link)
{
	TALLOC_FREE(link->lookup);
	link->state = RESOLVING;
	link->lookup = db_lookup_new(link, link->target, link->resolver, connect_begin, link);
	if (db_lookup_over(link->lookup))
		connect_begin(link);
}

static void on_io(evutil_socket_t fd, short what, void *cookie)
{
	struct db_link *link = cookie;
	if (link->state == CONNECTING) {
		connect_step(link);
		return;
	}
	if ((what & EV_WRITE) != 0)
		db_link_flush(link);
	if ((what & EV_READ) == 0 || link->state != UP)
		return;
	if (!PQconsumeInput(link->conn))
		fail_connection(link, "the database went away");
	else
		link->events->readable(link->cookie);
}

static void on_timer(evutil_socket_t fd, short what, void *cookie)
{
	struct db_link *link = cookie;
	struct err err = {0};
	if (link->state == DOWN) {
		resolve(link);
		return;
	}
	/* libpq goes on to its next host only after a refusal: who is silent must not be first again. */
	if (link->state == CONNECTING)
		link->first++;
	err_set(&err, ERR_DATABASE_GONE, "the database at %s:%s does not answer",
		PQhost(link->conn), PQport(link->conn));
	db_link_fail(link, &err);
}

static int link_free(struct db_link *link)
{
	drop(link);
	event_free(link->timer);
	return 0;
}

struct db_link *db_link_new(const void *owner, struct event_base *base, struct resolver *resolver,
	const struct db_target *target, const struct db_link_events *events, void *cookie)
{
	struct db_link *link = talloc_zero(owner, struct db_link);
	link->base = base;
	link->resolver = resolver;
	link->target = target;
	link->events = events;
	link->cookie = cookie;
	link->timer = evtimer_new(base, on_timer, link);
	talloc_set_destructor(link, link_free);
	event_add(link->timer, &(struct timeval){0, 0});
	return link;
}

PGconn *db_link_conn(const struct db_link *link)
{
	return link->state == UP ? link->conn : NULL;
}

void db_link_flush(struct db_link *link)
{
	int left = PQflush(link->conn);
	if (left < 0)
		fail_connection(link, "the database went away");
	else
		watch(link, left > 0 ? EV_READ | EV_WRITE : EV_READ);
}

void db_link_settled(struct db_link *link)
{
	link->failures = 0;
	db_link_expect(link, 0);
}

void db_link_expect(struct db_link *link, unsigned seconds)
{
	if (seconds == 0)
		evtimer_del(link->timer);
	else
		event_add(link->timer, &(struct timeval){seconds, 0});
}
