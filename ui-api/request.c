#include "ui-api/request.h"

#include "engine/log.h"
#include "ui-api/audit.h"
#include "ui-api/idempotency.h"
#include "ui-api/list.h"
#include "ui-api/token.h"

#include <event2/http_struct.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>
#include <talloc.h>

enum { BODY_MAX = 8 << 20, TARGET_MAX = 8192, PATIENCE_S = 9 };

/* Those whose body evhttp reads. */
enum {
	METHODS_WITH_BODY = EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH |
		EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS
};

struct request_state {
	struct event *deadline;
	struct db_batch *batch; /* under way, or NULL */
	request_rows *then;
	struct evbuffer *output;
	bool acts; /* as an administrator: it is to be recorded */
	const char *said; /* the body for the record, or NULL */
	const char *record; /* its name there, once it is recorded */
	const char *key; /* its Idempotency-Key, once it has taken it */
};

/* Where the answer was not sent, the wire goes with its connection; without one it is ours. */
static int request_destroy(struct request *request)
{
	LIST_REMOVE(request, next);
	struct request_state *state = request->state;
	if (state->batch != NULL)
		db_forget(state->batch);
	event_free(state->deadline);
	evbuffer_free(state->output);
	if (request->wire != NULL && evhttp_request_get_connection(request->wire) == NULL)
		evhttp_request_free(request->wire);
	return 0;
}

static void give_up(evutil_socket_t fd, short what, void *cookie)
{
	struct request *request = cookie;
	request_fail(request, 503,
		"the database did not answer in time; what became of the request is not known");
}

struct evbuffer *request_output(struct request *request)
{
	return request->state->output;
}

void request_header(struct request *request, const char *name, const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(request->wire), name, value);
}

/* How an act ended goes to the record and to the log. */
static void end_act(const struct request *request, int status)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request->wire);
	if (request->state->record == NULL)
		return;
	audit_answered(request->db, request->state->record, status);
	if (status < 400)
		log_info("api", "%s (token %s): %s %s: %d", request->caller.name,
			request->caller.id, route_method(request->route->method),
			evhttp_uri_get_path(uri), status);
}

static void add_headers(struct request *request, int status, const char *type)
{
	if (status != 204 && status != 304)
		request_header(request, "Content-Type", type);
	request_header(request, "Cache-Control", "private, no-cache");
	request_header(request, "X-Content-Type-Options", "nosniff");
}

/* A name for what the answer says: the same words, the same name. */
static char *tag_of(struct request *request)
{
	enum { TAG_BYTES = 16 };
	struct evbuffer *output = request->state->output;
	unsigned char hash[TAG_BYTES];
	char hex[2 * TAG_BYTES + 1];
	crypto_generichash(hash, sizeof(hash), evbuffer_pullup(output, -1),
		evbuffer_get_length(output), NULL, 0);
	return talloc_asprintf(
		request, "\"%s\"", sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash)));
}

/* Names what a GET is answered with; where the client has just that, it is not sent again. */
static int spare_known(struct request *request, int status)
{
	enum { ASKED = EVHTTP_REQ_GET | EVHTTP_REQ_HEAD };
	if (status != 200 || (evhttp_request_get_command(request->wire) & ASKED) == 0)
		return status;
	char *tag = tag_of(request);
	request_header(request, "ETag", tag);
	const char *known = evhttp_find_header(
		evhttp_request_get_input_headers(request->wire), "If-None-Match");
	if (known == NULL || (strcmp(known, "*") != 0 && strstr(known, tag) == NULL))
		return status;
	evbuffer_drain(request->state->output, evbuffer_get_length(request->state->output));
	return 304;
}

static void send_answer(struct request *request, int status, const char *type)
{
	struct evhttp_request *wire = request->wire;
	struct evbuffer *output = request->state->output;
	status = spare_known(request, status);
	add_headers(request, status, type);
	if (evhttp_request_get_command(wire) == EVHTTP_REQ_HEAD && status != 304) {
		/* evhttp 2.1.12 would send the body after all, without its length. */
		char *length = talloc_asprintf(request, "%zu", evbuffer_get_length(output));
		request_header(request, "Content-Length", length);
		evbuffer_drain(output, evbuffer_get_length(output));
	}
	end_act(request, status);
	if (request->state->key != NULL)
		idempotency_end(request, request->state->key, status);
	request->wire = NULL;
	evhttp_send_reply(wire, status, problem_title(status), output);
	talloc_free(request);
}

struct evhttp_request *request_take_over(struct request *request, const char *type)
{
	struct evhttp_request *wire = request->wire;
	if (evhttp_request_get_connection(wire) != NULL) {
		add_headers(request, 200, type);
		request->wire = NULL;
	} else {
		wire = NULL;
	}
	talloc_free(request);
	return wire;
}

void request_answer(struct request *request, int status, const char *text)
{
	if (text != NULL)
		evbuffer_add(request->state->output, text, strlen(text));
	send_answer(request, status, "application/json");
}

void request_answer_as(struct request *request, const char *type)
{
	send_answer(request, 200, type);
}

void request_refuse(struct request *request, struct problem *problem)
{
	struct evbuffer *output = request->state->output;
	const char *text = problem_text(problem);
	evbuffer_drain(output, evbuffer_get_length(output));
	evbuffer_add(output, text, strlen(text));
	send_answer(request, problem_status(problem), "application/problem+json");
}

void request_fail(struct request *request, int status, const char *detail, ...)
{
	va_list args;
	va_start(args, detail);
	char *text = talloc_vasprintf(request, detail, args);
	va_end(args);
	request_refuse(request, problem_new(request, status, "%s", text));
}

static void refuse_failure(struct request *request, const struct err *err)
{
	if (err->kind == ERR_EXISTS && request->conflict != NULL) {
		request_fail(request, 409, "%s", request->conflict);
	} else if (err->kind == ERR_DATABASE_GONE) {
		request_fail(request, 503,
			"the database is not reached; whether a change took effect is not known");
	} else {
		log_error("api", "%s: %s", request->route->path, err->text);
		request_fail(request, 500, "the database refused the request; the log says why");
	}
}

static void hear_rows(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct request *request = cookie;
	request->state->batch = NULL;
	if (rows == NULL)
		refuse_failure(request, err);
	else
		request->state->then(request, rows);
}

void request_query(struct request *request, enum query query, const char *const *parameters,
	request_rows *next)
{
	struct db_batch *batch = db_batch_new(request->db);
	db_add(batch, query, parameters);
	request_send(request, batch, next);
}

void request_send(struct request *request, struct db_batch *batch, request_rows *next)
{
	struct request_state *state = request->state;
	/* Last, so that the others keep their places. */
	if (state->acts && state->record == NULL)
		state->record = audit_add(request, batch, state->said);
	state->then = next;
	state->batch = batch;
	db_send(batch, hear_rows, request);
}

struct json_object *request_body(struct request *request, const struct body_field *fields)
{
	struct evbuffer *input = evhttp_request_get_input_buffer(request->wire);
	size_t n = evbuffer_get_length(input);
	const char *bytes = n == 0 ? "" : (const char *)evbuffer_pullup(input, -1);
	struct problem *fault = NULL;
	struct json_object *body = body_parse(request, bytes, n, &fault);
	if (body != NULL && fields != NULL) {
		fault = problem_new(request, 400, "the body can't be taken");
		if (!body_check(body, fields, fault))
			body = NULL;
	}
	if (body == NULL)
		request_refuse(request, fault);
	else
		request->state->said = audit_body(request, body);
	return body;
}

const char *request_parameter(const struct request *request, const char *name)
{
	return http_parameter(&request->target, name);
}

const char *request_id(struct request *request)
{
	const char *id = request->parameters[0];
	if (list_is_id(id))
		return id;
	request_fail(request, 404, "there is nothing with the id \"%.40s\" here", id);
	return NULL;
}

static void handle_with_key(struct request *request)
{
	request->state->key = idempotency_key(request);
	request->route->handle(request);
}

/* Refuses what the route does not take; then it is the handler's. */
static void handle(struct request *request)
{
	const struct http_target *target = &request->target;
	struct problem *fault = problem_new(request, 400, "the query can't be taken");
	for (unsigned i = 0; i < target->parameter_count; i++) {
		const char *name = target->parameters[i].name;
		if (!route_takes(request->route, name))
			problem_field(fault, name, "is not known");
		else if (http_parameter(target, name) != target->parameters[i].value)
			problem_field(fault, name, "comes twice");
	}
	if (problem_has_fields(fault)) {
		request_refuse(request, fault);
		return;
	}
	const struct route *route = request->route;
	request->state->acts = route->role == ROLE_ADMIN && route->method != EVHTTP_REQ_GET;
	const char *key = idempotency_key(request);
	if (key != NULL)
		idempotency_begin(request, key, handle_with_key);
	else
		route->handle(request);
}

static void check_role(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[0]) == 0) {
		request_header(request, "WWW-Authenticate", "Bearer error=\"invalid_token\"");
		request_fail(
			request, 401, "the token is not known (revoked, or of another service)");
		return;
	}
	request->caller.id = talloc_strdup(request, db_text(rows[0], 0, 0));
	request->caller.name = talloc_strdup(request, db_text(rows[0], 0, 1));
	request->caller.role = talloc_strdup(request, db_text(rows[0], 0, 2));
	request->caller.expires_at = db_integer(rows[0], 0, 3);
	if (request->route->role == ROLE_ADMIN && strcmp(request->caller.role, "admin") != 0)
		request_fail(request, 403, "this takes the role \"admin\"; the token has \"%s\"",
			request->caller.role);
	else
		handle(request);
}

static void authenticate(struct request *request)
{
	bool basic = strstr(request->route->answers, "atom") != NULL;
	const char *token =
		http_token(request, evhttp_request_get_input_headers(request->wire), basic);
	if (token == NULL) {
		request_header(request, "WWW-Authenticate", "Bearer");
		if (basic)
			request_header(request, "WWW-Authenticate", "Basic realm=\"bugwatch\"");
		request_fail(request, 401, "this takes a token: Authorization: Bearer TOKEN");
		return;
	}
	request_query(
		request, QUERY_api_token, (const char *[]){token_hash(request, token)}, check_role);
}

static void follow_route(struct request *request)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request->wire);
	const char *query = evhttp_uri_get_query(uri), *fault = NULL;
	if (query != NULL)
		fault = http_parse_query(request, query, &request->target);
	if (fault != NULL)
		request_fail(request, 400, "%s", fault);
	else if (request->route->role == ROLE_ANYBODY)
		handle(request);
	else
		authenticate(request);
}

static void find_route(struct request *request)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request->wire);
	const char *allow = NULL;
	const char *fault = http_parse_path(request, evhttp_uri_get_path(uri), &request->target);
	if (fault == NULL)
		request->route = route_find(request, evhttp_request_get_command(request->wire),
			&request->target, request->parameters, &allow);
	if (request->route != NULL) {
		follow_route(request);
	} else if (allow != NULL) {
		request_header(request, "Allow", allow);
		request_fail(request, 405, "this path takes %s", allow);
	} else {
		request_fail(request, 404, "%s", fault != NULL ? fault : "there is no such route");
	}
}

/* Ends the connection after the answer: what else it carries can't be told apart. */
static void refuse_and_close(struct request *request, int status, const char *detail)
{
	request_header(request, "Connection", "close");
	request_fail(request, status, "%s", detail);
}

static void take_up(struct request *request)
{
	struct evhttp_request *wire = request->wire;
	struct http_head head = {
		.needs_host = wire->major == 1 && wire->minor >= 1,
		.takes_body = (evhttp_request_get_command(wire) & METHODS_WITH_BODY) != 0,
	};
	const char *fault = http_head_fault(evhttp_request_get_input_headers(wire), head);
	if (fault != NULL)
		refuse_and_close(request, 400, fault);
	else if (strlen(evhttp_request_get_uri(wire)) > TARGET_MAX)
		refuse_and_close(request, 414, "the request target is longer than 8192 bytes");
	else if (evbuffer_get_length(evhttp_request_get_input_buffer(wire)) > BODY_MAX)
		refuse_and_close(request, 413, "a body may have 8 MiB");
	else
		find_route(request);
}

void request_begin(struct request_list *list, const struct api *api, struct evhttp_request *wire)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct request *request = talloc_zero(NULL, struct request);
	request->state = talloc_zero(request, struct request_state);
	request->wire = wire;
	request->db = api->db;
	request->vault = api->vault;
	request->streams = api->streams;
	request->state->output = evbuffer_new();
	request->state->deadline = evtimer_new(api->base, give_up, request);
	evtimer_add(request->state->deadline, &patience);
	LIST_INSERT_HEAD(list, request, next);
	talloc_set_destructor(request, request_destroy);
	take_up(request);
}
