/*
 * Live streams of events (server-sent events): one question to the database for all who are up to
 * date, one each for those who have something to catch up with.
 *
 * A stream catches up until it has reached the others, then it is live; it is gone when its client
 * is, when that reads too slowly, or when its token is revoked.
 */
#ifndef UI_API_STREAM_H
#define UI_API_STREAM_H

#include "ui-api/request.h"

struct streams;

/* Nobody listens yet. Owned by OWNER; freed after the connections of all its streams. */
struct streams *streams_new(const void *owner, struct event_base *base, struct db *db);

/*
 * Turns REQUEST into a stream of the events after AFTER (an id; NULL: of those from now on), or
 * answers it with 503 where there are too many.
 */
void streams_open(struct streams *streams, struct request *request, const char *after);

/* The connection WIRE is gone, and its stream with it, if it was one. */
void streams_closed(struct streams *streams, const struct evhttp_connection *wire);

#endif
