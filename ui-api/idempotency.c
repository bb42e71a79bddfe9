#include "ui-api/idempotency.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

enum { KEY_MAX = 255 };

/* Where the statements stand in their batch. */
enum { FORGOTTEN, TAKEN, KNOWN };

/* The columns of api_key. */
enum { PATH, STATUS, LOCATION, ANSWER };

struct taking {
	const char *path;
	void (*handle)(struct request *request);
};

const char *idempotency_key(const struct request *request)
{
	if (!request->route->starts_work)
		return NULL;
	return evhttp_find_header(
		evhttp_request_get_input_headers(request->wire), "Idempotency-Key");
}

static void answer_again(struct request *request, const struct db_rows *known)
{
	if (!db_null(known, 0, LOCATION))
		request_header(request, "Location", db_text(known, 0, LOCATION));
	request_header(request, "Idempotent-Replayed", "true");
	request_answer(request, (int)db_integer(known, 0, STATUS), db_text(known, 0, ANSWER));
}

static void hear_key(struct request *request, struct db_rows *const *rows)
{
	const struct taking *taking = request->work;
	const struct db_rows *known = rows[KNOWN];
	if (db_count(rows[TAKEN]) > 0) {
		taking->handle(request);
	} else if (db_count(known) == 0 ||
		(db_null(known, 0, STATUS) && strcmp(db_text(known, 0, PATH), taking->path) == 0)) {
		request_header(request, "Retry-After", "1");
		request_fail(request, 409,
			"the request that came first with this Idempotency-Key is not answered "
			"yet");
	} else if (strcmp(db_text(known, 0, PATH), taking->path) != 0) {
		request_fail(request, 422,
			"this Idempotency-Key was used for %s; take a new one for each request",
			db_text(known, 0, PATH));
	} else {
		answer_again(request, known);
	}
}

static bool is_key(const char *key)
{
	size_t n = strlen(key);
	for (const char *at = key; *at != '\0'; at++)
		if (*at < 0x21 || *at > 0x7e)
			return false;
	return n > 0 && n <= KEY_MAX;
}

void idempotency_begin(struct request *request, const char *key, void (*handle)(struct request *))
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request->wire);
	if (!is_key(key)) {
		request_fail(request, 400, "Idempotency-Key must have 1 to %d visible characters",
			KEY_MAX);
		return;
	}
	struct taking *taking = request->work = talloc_zero(request, struct taking);
	taking->path = evhttp_uri_get_path(uri);
	taking->handle = handle;
	const char *token = request->caller.id;
	struct db_batch *batch = db_batch_new(request->db);
	db_add(batch, QUERY_api_forget_keys, NULL);
	db_add(batch, QUERY_api_take_key, (const char *[]){token, key, taking->path});
	db_add(batch, QUERY_api_key, (const char *[]){token, key});
	request_send(request, batch, hear_key);
}

void idempotency_end(struct request *request, const char *key, int status)
{
	char number[12];
	struct evbuffer *output = request_output(request);
	const char *location =
		evhttp_find_header(evhttp_request_get_output_headers(request->wire), "Location");
	char *text = talloc_strndup(
		request, (const char *)evbuffer_pullup(output, -1), evbuffer_get_length(output));
	snprintf(number, sizeof(number), "%d", status);
	db_query(request->db, QUERY_api_answer_key,
		(const char *[]){
			request->caller.id, key, status < 300 ? number : NULL, location, text},
		NULL, NULL);
}
