/*
 * One request of a client, from its head to its answer. Exactly one answer ends and frees it,
 * whether its client is still there or not.
 *
 * States: ARRIVED --target, route--> KNOWN --token--> ALLOWED --handler, database--> ANSWERED
 *         any --9 s, bad, database gone--> ANSWERED (with a problem)
 */
#ifndef UI_API_REQUEST_H
#define UI_API_REQUEST_H

#include "engine/db.h"
#include "engine/vault.h"
#include "trackers/moment.h"
#include "ui-api/body.h"
#include "ui-api/http.h"
#include "ui-api/problem.h"
#include "ui-api/route.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <json-c/json.h>
#include <sys/queue.h>

struct streams;

LIST_HEAD(request_list, request);

/* What requests are answered with; must outlive them. */
struct api {
	struct event_base *base;
	struct db *db;
	const struct vault *vault;
	struct streams *streams;
};

/* Who asks, by token. */
struct caller {
	const char *id, *name, *role;
	moment expires_at; /* 0: never */
};

/* A talloc object: what a handler allocates for a request is owned by it. */
struct request {
	LIST_ENTRY(request) next;
	struct evhttp_request *wire;
	struct db *db;
	const struct vault *vault;
	struct streams *streams;
	const struct route *route;
	struct http_target target;
	const char *parameters[ROUTE_PARAMETERS]; /* what the route's braces matched */
	struct caller caller;
	const char *conflict; /* the handler's words for ERR_EXISTS; NULL where it can't be */
	void *work; /* the handler's own */
	struct request_state *state;
};

/* What a handler does with a batch's rows, one element a statement; runs once. */
typedef void request_rows(struct request *request, struct db_rows *const *rows);

/* Takes up WIRE in LIST, which holds it until it ended. The caller may free it at any time. */
void request_begin(struct request_list *list, const struct api *api, struct evhttp_request *wire);

/* Sends one query. A failure is answered here; else NEXT runs. One at a time. */
void request_query(struct request *request, enum query query, const char *const *parameters,
	request_rows *next);

/* The same with BATCH. */
void request_send(struct request *request, struct db_batch *batch, request_rows *next);

/*
 * The body as JSON, owned by the request, an object by the table FIELDS; where FIELDS is NULL, any
 * document. NULL where it is not that: then the request is answered with 400.
 */
struct json_object *request_body(struct request *request, const struct body_field *fields);

/* The value of query parameter NAME, or NULL. */
const char *request_parameter(const struct request *request, const char *name);

/* The braces' value as an id, or NULL where it can't be one: then it is answered with 404. */
const char *request_id(struct request *request);

/* The buffer of the answer's body, for request_answer; owned by the request. */
struct evbuffer *request_output(struct request *request);

/* Adds a header to the answer. */
void request_header(struct request *request, const char *name, const char *value);

/* Answers with STATUS and what is in request_output as JSON, or TEXT where not NULL. Frees REQUEST. */
void request_answer(struct request *request, int status, const char *text);

/*
 * Hands the wire to the caller, who answers himself, with the status 200 and TYPE; NULL where the
 * client is gone. Frees REQUEST.
 */
struct evhttp_request *request_take_over(struct request *request, const char *type);

/* Answers with 200 and what is in request_output, of the media type TYPE. Frees REQUEST. */
void request_answer_as(struct request *request, const char *type);

/* Answers with PROBLEM. Frees REQUEST. */
void request_refuse(struct request *request, struct problem *problem);

/* Answers with a problem of this HTTP STATUS, and DETAIL. Frees REQUEST. */
void request_fail(struct request *request, int status, const char *detail, ...)
	__attribute__((format(printf, 3, 4)));

#endif
