#include "ui-api/server.h"

#include "engine/log.h"
#include "ui-api/request.h"
#include "ui-api/stream.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/listener.h>
#include <netdb.h>
#include <string.h>
#include <talloc.h>

enum {
	HEAD_MAX = 32 << 10,
	/* Beyond the API's own 8 MiB, so that a body somewhat too large is read whole and refused in
	 * the API's words; evhttp refuses what is larger still. */
	READ_MAX = 16 << 20,
	IDLE_S = 60, /* without a byte */
	ARRIVAL_S = 60, /* for a whole request, from the first moment its connection is free */
	CONNECTIONS_MAX = 512,
	/* The value that evhttp 2.1.12 gives a method that it does not know. */
	METHOD_UNKNOWN = 1 << 15,
	METHODS = METHOD_UNKNOWN | EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
		EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
		EVHTTP_REQ_PATCH,
};

/* A connection of a client. evhttp owns it and tells when it ends. */
struct connection {
	LIST_ENTRY(connection) next;
	struct api_server *server;
	struct bufferevent *stream; /* a reference of ours, until `wire` is known */
	struct evhttp_connection *wire;
	struct event *timer;
};

struct api_server {
	struct api api;
	struct evhttp *http;
	struct evconnlistener *listener;
	struct request_list requests;
	LIST_HEAD(, connection) connections;
	unsigned connection_count;
	char *url;
};

/* The kernel holds further clients while all places are taken. */
static int connection_destroy(struct connection *connection)
{
	struct api_server *server = connection->server;
	LIST_REMOVE(connection, next);
	event_free(connection->timer);
	if (connection->stream != NULL)
		bufferevent_decref(connection->stream);
	if (server->connection_count-- == CONNECTIONS_MAX && server->listener != NULL)
		evconnlistener_enable(server->listener);
	return 0;
}

static void connection_closed(struct evhttp_connection *wire, void *cookie)
{
	struct connection *connection = cookie;
	streams_closed(connection->server->api.streams, wire);
	talloc_free(connection);
}

/* A request must be whole in time. */
static void await_request(struct connection *connection)
{
	const struct timeval limit = {.tv_sec = ARRIVAL_S};
	evtimer_add(connection->timer, &limit);
}

/*
 * Runs at once after the connection was made, and again when it took too long. evhttp 2.1.12 tells
 * nobody of a connection before its first request is whole, but it is the stream's cookie.
 */
static void connection_timer(evutil_socket_t fd, short what, void *cookie)
{
	struct connection *connection = cookie;
	if (connection->wire != NULL) {
		evhttp_connection_free(connection->wire);
		return;
	}
	bufferevent_event_cb unused;
	bufferevent_data_cb unused_too;
	void *wire;
	bufferevent_getcb(connection->stream, &unused_too, &unused_too, &unused, &wire);
	bufferevent_decref(connection->stream);
	connection->stream = NULL;
	connection->wire = wire;
	if (wire == NULL) {
		talloc_free(connection);
		return;
	}
	evhttp_connection_set_closecb(wire, connection_closed, connection);
	await_request(connection);
}

static struct bufferevent *connection_new(struct event_base *base, void *cookie)
{
	struct api_server *server = cookie;
	struct connection *connection = talloc_zero(server, struct connection);
	connection->server = server;
	connection->stream = bufferevent_socket_new(base, -1, 0);
	bufferevent_incref(connection->stream);
	connection->timer = evtimer_new(base, connection_timer, connection);
	event_active(connection->timer, EV_TIMEOUT, 0);
	LIST_INSERT_HEAD(&server->connections, connection, next);
	talloc_set_destructor(connection, connection_destroy);
	if (++server->connection_count == CONNECTIONS_MAX) {
		log_warning("api", "%u connections are open: more must wait", CONNECTIONS_MAX);
		evconnlistener_disable(server->listener);
	}
	return connection->stream;
}

static struct connection *connection_of(struct api_server *server, struct evhttp_request *wire)
{
	struct evhttp_connection *of = evhttp_request_get_connection(wire);
	struct connection *connection;
	LIST_FOREACH (connection, &server->connections, next)
		if (connection->wire == of)
			return connection;
	return NULL;
}

/* The answer is sent: the time for the next request begins. */
static void request_sent(struct evhttp_request *wire, void *cookie)
{
	struct connection *connection = connection_of(cookie, wire);
	if (connection != NULL)
		await_request(connection);
}

static void request_arrived(struct evhttp_request *wire, void *cookie)
{
	struct api_server *server = cookie;
	struct connection *connection = connection_of(server, wire);
	if (connection != NULL)
		evtimer_del(connection->timer);
	evhttp_request_set_on_complete_cb(wire, request_sent, server);
	request_begin(&server->requests, &server->api, wire);
}

/* Requests first: they hold what evhttp_free frees. */
static int server_destroy(struct api_server *server)
{
	struct request *request;
	while ((request = LIST_FIRST(&server->requests)) != NULL)
		talloc_free(request);
	server->listener = NULL;
	evhttp_free(server->http);
	struct connection *connection;
	while ((connection = LIST_FIRST(&server->connections)) != NULL)
		talloc_free(connection);
	return 0;
}

/* Splits "ADDRESS:PORT"; brackets around the address go. */
static bool parse_listen(const void *owner, const char *listen, char **address, unsigned *port)
{
	const char *colon = strrchr(listen, ':');
	char rest;
	if (colon == NULL || colon == listen || sscanf(colon + 1, "%5u%c", port, &rest) != 1 ||
		*port > 65535)
		return false;
	size_t n = (size_t)(colon - listen);
	if (listen[0] == '[' && colon[-1] == ']')
		*address = talloc_strndup(owner, listen + 1, n - 2);
	else
		*address = talloc_strndup(owner, listen, n);
	return true;
}

/* The URL by which this machine reaches what FD is bound to. */
static char *url_of(const void *owner, evutil_socket_t fd)
{
	struct sockaddr_storage bound;
	socklen_t n = sizeof(bound);
	char host[NI_MAXHOST], port[NI_MAXSERV];
	if (getsockname(fd, (struct sockaddr *)&bound, &n) != 0 ||
		getnameinfo((struct sockaddr *)&bound, n, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return NULL;
	if (strchr(host, ':') != NULL)
		return talloc_asprintf(
			owner, "http://[%s]:%s", strcmp(host, "::") == 0 ? "::1" : host, port);
	return talloc_asprintf(
		owner, "http://%s:%s", strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1" : host, port);
}

static bool start_listening(struct api_server *server, const char *listen, struct err *err)
{
	char *address;
	unsigned port;
	if (!parse_listen(server, listen, &address, &port)) {
		err_set(err, ERR_USAGE, "can't listen on \"%s\": write ADDRESS:PORT", listen);
		return false;
	}
	errno = 0;
	struct evhttp_bound_socket *bound =
		evhttp_bind_socket_with_handle(server->http, address, (ev_uint16_t)port);
	if (bound == NULL) {
		err_set(err, ERR_SYSTEM, "can't listen on %s: %s; choose another with --listen",
			listen, errno != 0 ? strerror(errno) : "no such address");
		return false;
	}
	server->listener = evhttp_bound_socket_get_listener(bound);
	server->url = url_of(server, evhttp_bound_socket_get_fd(bound));
	if (server->url == NULL)
		err_set(err, ERR_SYSTEM, "can't tell the address that %s listens on", listen);
	return server->url != NULL;
}

struct api_server *api_server_new(const void *owner, struct event_base *base, struct db *db,
	const struct vault *vault, const char *listen, struct err *err)
{
	struct api_server *server = talloc_zero(owner, struct api_server);
	server->api = (struct api){base, db, vault, streams_new(server, base, db)};
	server->http = evhttp_new(base);
	talloc_set_destructor(server, server_destroy);
	evhttp_set_max_headers_size(server->http, HEAD_MAX);
	evhttp_set_max_body_size(server->http, READ_MAX);
	evhttp_set_timeout(server->http, IDLE_S);
	evhttp_set_allowed_methods(server->http, METHODS);
	evhttp_set_default_content_type(server->http, NULL);
	evhttp_set_bevcb(server->http, connection_new, server);
	evhttp_set_gencb(server->http, request_arrived, server);
	if (!start_listening(server, listen, err)) {
		talloc_free(server);
		return NULL;
	}
	return server;
}

const char *api_server_url(const struct api_server *server)
{
	return server->url;
}
