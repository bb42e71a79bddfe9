#include "ui-api/audit.h"

#include "trackers/text.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

enum { BODY_KEPT = 4096 };

/* What holds a secret, wherever it stands in a body. */
static bool is_secret(const char *field)
{
	static const char *const secrets[] = {"credentials", "udd", "secret", "token"};
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (strcmp(secrets[i], field) == 0)
			return true;
	return false;
}

/* A secret that is taken away is told as such. */
static struct json_object *harmless(struct json_object *body)
{
	if (!json_object_is_type(body, json_type_object))
		return json_object_get(body);
	struct json_object *copy = json_object_new_object();
	json_object_object_foreach (body, field, value) {
		bool hidden = value != NULL && is_secret(field);
		json_object_object_add(copy, field,
			hidden ? json_object_new_string("(secret)") : json_object_get(value));
	}
	return copy;
}

char *audit_body(const void *owner, struct json_object *body)
{
	struct json_object *copy = harmless(body);
	const char *text = json_object_to_json_string_ext(
		copy, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	char *kept = text_clean(owner, text, strlen(text), BODY_KEPT);
	json_object_put(copy);
	return kept;
}

static const char *address_of(const struct request *request)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(request->wire);
	char *address = NULL;
	ev_uint16_t port = 0;
	if (connection != NULL)
		evhttp_connection_get_peer(connection, &address, &port);
	return address != NULL ? address : "";
}

const char *audit_add(struct request *request, struct db_batch *batch, const char *body)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request->wire);
	const struct caller *caller = &request->caller;
	char *name = talloc_asprintf(request, "%08" PRIx32 "%08" PRIx32 "%08" PRIx32,
		randombytes_random(), randombytes_random(), randombytes_random());
	db_add(batch, QUERY_api_audit,
		(const char *[]){name, caller->id, caller->name, address_of(request),
			route_method(request->route->method), evhttp_uri_get_path(uri), body});
	return name;
}

void audit_answered(struct db *db, const char *name, int status)
{
	char number[12];
	snprintf(number, sizeof(number), "%d", status);
	db_query(db, QUERY_api_audit_status, (const char *[]){name, number}, NULL, NULL);
}
