#include "ui-api/stream.h"

#include "engine/clock.h"

#include <event2/bufferevent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum {
	STREAMS_MAX = 400, /* of the server's connections, so that others find a place */
	PAGE = 500,
	HEARTBEAT_S = 10,
	/* Who has more than this unread is sent no more before that is read. */
	UNREAD_MAX = 256 << 10,
	INPUT_MAX = 4096, /* what a client may send after its request; nobody reads it */
};

struct stream {
	LIST_ENTRY(stream) next;
	struct streams *streams;
	struct evhttp_request *wire;
	struct evhttp_connection *connection;
	bool live;
	int64_t token;
	moment ends_at; /* with its token; 0: never */
	int64_t at; /* the last event sent, or known before */
	size_t unread; /* at the last heartbeat */
	struct db_batch *batch; /* under way while it catches up */
};

struct streams {
	struct db *db;
	struct event *heartbeat;
	LIST_HEAD(, stream) list;
	unsigned count;
	int64_t at; /* the last event that all live streams were sent */
	struct db_batch *batch; /* for the live ones, under way */
	bool again; /* more was told of while that was under way */
};

static void catch_up(struct stream *stream);

/* A comment, by the format. */
#define HEARTBEAT ":\n\n"

/* ---- to the client ---- */

/* The wire goes with its connection; where evhttp has taken that away from it, it is ours. */
static int stream_destroy(struct stream *stream)
{
	LIST_REMOVE(stream, next);
	stream->streams->count--;
	if (stream->batch != NULL)
		db_forget(stream->batch);
	if (evhttp_request_get_connection(stream->wire) == NULL)
		evhttp_request_free(stream->wire);
	return 0;
}

void streams_closed(struct streams *streams, const struct evhttp_connection *wire)
{
	struct stream *stream;
	LIST_FOREACH (stream, &streams->list, next)
		if (stream->connection == wire) {
			talloc_free(stream);
			return;
		}
}

/* Ends the stream with its connection, which tells streams_closed. */
static void cut(struct stream *stream)
{
	evhttp_connection_free(stream->connection);
}

/* How much of what was sent its client has not taken. */
static size_t unread(const struct stream *stream)
{
	struct bufferevent *socket = evhttp_connection_get_bufferevent(stream->connection);
	return evbuffer_get_length(bufferevent_get_output(socket));
}

/* Sends TEXT; TAKEN runs when the client has taken all. */
static void send_text(
	struct stream *stream, const char *text, void (*taken)(struct evhttp_connection *, void *))
{
	struct evbuffer *buffer = evbuffer_new();
	evbuffer_add(buffer, text, strlen(text));
	evhttp_send_reply_chunk_with_cb(stream->wire, buffer, taken, stream);
	evbuffer_free(buffer);
}

/* The events in ROWS that come after the stream's place, which moves on; owned by OWNER. */
static char *events_text(const void *owner, struct stream *stream, const struct db_rows *rows)
{
	char *text = talloc_strdup(owner, "");
	for (unsigned i = 0; i < db_count(rows); i++) {
		int64_t id = db_integer(rows, i, 1);
		if (id <= stream->at)
			continue;
		stream->at = id;
		text = talloc_asprintf_append_buffer(
			text, "id: %" PRId64 "\ndata: %s\n\n", id, db_text(rows, i, 0));
	}
	return text;
}

static struct db_batch *query_after(struct db *db, int64_t after, db_done *done, void *cookie)
{
	char id[24], limit[24];
	snprintf(id, sizeof(id), "%" PRId64, after);
	snprintf(limit, sizeof(limit), "%d", PAGE);
	return db_query(db, QUERY_api_events, (const char *[]){NULL, id, limit}, done, cookie);
}

/* ---- for those who are up to date ---- */

static bool anybody_lives(const struct streams *streams)
{
	const struct stream *stream;
	LIST_FOREACH (stream, &streams->list, next)
		if (stream->live)
			return true;
	return false;
}

static void ask(struct streams *streams);

/* A slow reader has taken all, and may have the rest. */
static void go_on(struct evhttp_connection *connection, void *cookie)
{
	catch_up(cookie);
}

static void send_to_live(struct streams *streams, const struct db_rows *rows)
{
	struct stream *stream, *following;
	for (stream = LIST_FIRST(&streams->list); stream != NULL; stream = following) {
		following = LIST_NEXT(stream, next);
		if (!stream->live)
			continue;
		char *text = events_text(NULL, stream, rows);
		stream->live = unread(stream) <= UNREAD_MAX;
		if (*text != '\0')
			send_text(stream, text, stream->live ? NULL : go_on);
		talloc_free(text);
	}
}

/* A failure is no matter: it is asked again with the next notice or heartbeat. */
static void hear_events(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct streams *streams = cookie;
	streams->batch = NULL;
	if (rows == NULL)
		return;
	unsigned count = db_count(rows[0]);
	if (count > 0)
		streams->at = db_integer(rows[0], count - 1, 1);
	send_to_live(streams, rows[0]);
	if (streams->again || count == PAGE)
		ask(streams);
}

static void ask(struct streams *streams)
{
	streams->again = streams->batch != NULL;
	if (streams->batch == NULL && anybody_lives(streams))
		streams->batch = query_after(streams->db, streams->at, hear_events, streams);
}

static void hear_notice(void *cookie, const char *payload)
{
	ask(cookie);
}

/* ---- for those who have missed something ---- */

/* Lets the stream live on with the others, if it has all that they were sent. */
static bool reach_others(struct stream *stream)
{
	struct streams *streams = stream->streams;
	bool others = anybody_lives(streams);
	if (others && stream->at < streams->at)
		return false;
	if (!others)
		streams->at = stream->at;
	stream->live = true;
	return true;
}

static void hear_missed(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct stream *stream = cookie;
	stream->batch = NULL;
	if (rows == NULL) {
		cut(stream);
		return;
	}
	struct streams *streams = stream->streams;
	char *text = events_text(NULL, stream, rows[0]);
	if (db_count(rows[0]) < PAGE && reach_others(stream))
		send_text(stream, *text != '\0' ? text : HEARTBEAT, NULL);
	else if (*text != '\0')
		send_text(stream, text, go_on);
	else
		catch_up(stream);
	talloc_free(text);
	ask(streams); /* what came between the page and now */
}

static void catch_up(struct stream *stream)
{
	stream->batch = query_after(stream->streams->db, stream->at, hear_missed, stream);
}

/* ---- opening ---- */

/* The answer begins when it is known from when on it tells. */
static void begin(struct stream *stream)
{
	struct bufferevent *socket = evhttp_connection_get_bufferevent(stream->connection);
	bufferevent_set_timeouts(socket, NULL, NULL);
	bufferevent_setwatermark(socket, EV_READ, 0, INPUT_MAX);
	evhttp_send_reply_start(stream->wire, 200, "OK");
	send_text(stream, "retry: 2000\n\n", NULL);
	catch_up(stream);
}

static void hear_newest(struct request *request, struct db_rows *const *rows)
{
	struct stream *stream = request->work;
	if (stream->at < 0)
		stream->at = db_integer(rows[0], 0, 0);
	talloc_steal(stream->streams, stream);
	stream->wire = request_take_over(request, "text/event-stream");
	if (stream->wire == NULL) {
		talloc_free(stream);
		return;
	}
	stream->connection = evhttp_request_get_connection(stream->wire);
	LIST_INSERT_HEAD(&stream->streams->list, stream, next);
	stream->streams->count++;
	talloc_set_destructor(stream, stream_destroy);
	begin(stream);
}

void streams_open(struct streams *streams, struct request *request, const char *after)
{
	if (streams->count >= STREAMS_MAX) {
		request_header(request, "Retry-After", "30");
		request_fail(request, 503,
			"%d streams are open already; come back later, or read "
			"events with ?after=N",
			STREAMS_MAX);
		return;
	}
	struct stream *stream = request->work = talloc_zero(request, struct stream);
	stream->streams = streams;
	stream->token = strtoll(request->caller.id, NULL, 10);
	stream->ends_at = request->caller.expires_at;
	stream->at = after != NULL ? strtoll(after, NULL, 10) : -1;
	request_query(request, QUERY_api_newest_event, NULL, hear_newest);
}

/* ---- all of them ---- */

/* Token PAYLOAD is revoked; without one it may have been any, and who is not will come back. */
static void hear_revoked(void *cookie, const char *payload)
{
	struct streams *streams = cookie;
	struct stream *stream, *following;
	int64_t token = payload != NULL ? strtoll(payload, NULL, 10) : 0;
	for (stream = LIST_FIRST(&streams->list); stream != NULL; stream = following) {
		following = LIST_NEXT(stream, next);
		if (payload == NULL || stream->token == token)
			cut(stream);
	}
}

/* Whether the client took nothing since the last heartbeat, though there was something to take. */
static bool is_stuck(struct stream *stream)
{
	size_t before = stream->unread;
	stream->unread = unread(stream);
	return before > 0 && stream->unread >= before;
}

/* Finds clients that are gone without a word, and asks again what no notice told of. */
static void beat(evutil_socket_t fd, short what, void *cookie)
{
	struct streams *streams = cookie;
	struct stream *stream, *following;
	for (stream = LIST_FIRST(&streams->list); stream != NULL; stream = following) {
		following = LIST_NEXT(stream, next);
		if (is_stuck(stream) || (stream->ends_at != 0 && stream->ends_at <= clock_now()))
			cut(stream);
		else if (stream->live)
			send_text(stream, HEARTBEAT, NULL);
	}
	ask(streams);
}

static int streams_destroy(struct streams *streams)
{
	event_free(streams->heartbeat);
	if (streams->batch != NULL)
		db_forget(streams->batch);
	return 0;
}

struct streams *streams_new(const void *owner, struct event_base *base, struct db *db)
{
	const struct timeval interval = {.tv_sec = HEARTBEAT_S};
	struct streams *streams = talloc_zero(owner, struct streams);
	streams->db = db;
	LIST_INIT(&streams->list);
	streams->heartbeat = event_new(base, -1, EV_PERSIST, beat, streams);
	event_add(streams->heartbeat, &interval);
	talloc_set_destructor(streams, streams_destroy);
	db_listen(streams, db, "bugwatch_events", hear_notice, streams);
	db_listen(streams, db, "bugwatch_tokens", hear_revoked, streams);
	return streams;
}
