#include "ui-api/openapi.h"

#include "trackers/err.h"
#include "trackers/tracker.h"
#include "ui-api/body.h"
#include "ui-api/problem.h"
#include "ui-api/route.h"

#include <assert.h>
#include <ctype.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

/* openapi.json, by embed.cmake. */
extern const char openapi_source[];

static struct json_object *text(const char *value)
{
	return json_object_new_string(value);
}

/* Adds MEMBER to OBJECT; returns it. */
static struct json_object *add(
	struct json_object *object, const char *name, struct json_object *member)
{
	json_object_object_add(object, name, member);
	return member;
}

/* The object NAME of OBJECT, made where it is not there. */
static struct json_object *sub(struct json_object *object, const char *name)
{
	struct json_object *found = NULL;
	if (json_object_object_get_ex(object, name, &found))
		return found;
	return add(object, name, json_object_new_object());
}

static struct json_object *reference(const char *kind, const char *name)
{
	struct json_object *object = json_object_new_object();
	char *path = talloc_asprintf(NULL, "#/components/%s/%s", kind, name);
	add(object, "$ref", text(path));
	talloc_free(path);
	return object;
}

/* ---- the vocabulary ---- */

static struct json_object *words_of(const char *const *words)
{
	struct json_object *list = json_object_new_array();
	for (; *words != NULL; words++)
		json_object_array_add(list, text(*words));
	return list;
}

static struct json_object *tracker_types(void)
{
	struct json_object *list = json_object_new_array();
	for (const struct tracker *const *at = trackers; *at != NULL; at++)
		json_object_array_add(list, text((*at)->name));
	json_object_array_add(list, text("auto"));
	return list;
}

/* Adds the kinds of error that are stored to LIST. */
static void add_kinds(struct json_object *list)
{
#define KIND(name, word, scope)                                                                    \
	if (ERR_SCOPE_##scope != ERR_SCOPE_OWN)                                                    \
		json_object_array_add(list, text(word));
#include "trackers/kinds.def"
#undef KIND
}

static void add_vocabulary(struct json_object *components)
{
	static const char *const statuses[] = {
#define STATUS(name, word, resolved) word,
#include "trackers/words.def"
#undef STATUS
		NULL};
	static const char *const importances[] = {
#define IMPORTANCE(name, word) word,
#include "trackers/words.def"
#undef IMPORTANCE
		NULL};
	struct json_object *schemas = sub(components, "schemas");
	add(sub(schemas, "Status"), "enum", words_of(statuses));
	add(sub(schemas, "Importance"), "enum", words_of(importances));
	add_kinds(add(sub(schemas, "ErrorKind"), "enum", json_object_new_array()));
	struct json_object *filter = sub(sub(sub(components, "parameters"), "error"), "schema");
	add_kinds(json_object_object_get(filter, "enum"));
	struct json_object *tracker = sub(sub(schemas, "Tracker"), "properties");
	add(sub(tracker, "type"), "enum", tracker_types());
}

/* ---- bodies ---- */

static struct json_object *body_schema(const struct body_field *fields);

static void add_number(struct json_object *schema, const char *name, int64_t value)
{
	add(schema, name, json_object_new_int64(value));
}

/* The schema of what FIELD may be, but for null. */
static struct json_object *plain_schema(const struct body_field *field)
{
	static const char *const types[] = {
		[BODY_TEXT] = "string",
		[BODY_INTEGER] = "integer",
		[BODY_BOOLEAN] = "boolean",
		[BODY_CHOICE] = "string",
	};
	if (field->kind == BODY_OBJECT)
		return body_schema(field->fields);
	struct json_object *schema = json_object_new_object();
	if (field->kind == BODY_CHOICES) {
		add(schema, "type", text("array"));
		add(sub(schema, "items"), "enum", words_of(field->choices));
		add_number(schema, "minItems", 1);
		add(schema, "uniqueItems", json_object_new_boolean(true));
		return schema;
	}
	add(schema, "type", text(types[field->kind]));
	if (field->kind == BODY_CHOICE)
		add(schema, "enum", words_of(field->choices));
	if (field->kind == BODY_TEXT || field->kind == BODY_INTEGER) {
		bool is_text = field->kind == BODY_TEXT;
		add_number(schema, is_text ? "minLength" : "minimum", field->minimum);
		add_number(schema, is_text ? "maxLength" : "maximum", field->maximum);
	}
	return schema;
}

static struct json_object *field_schema(const struct body_field *field)
{
	struct json_object *plain = plain_schema(field);
	if (!field->nullable)
		return plain;
	struct json_object *either = json_object_new_object(), *null = json_object_new_object();
	add(null, "type", text("null"));
	struct json_object *choices = add(either, "oneOf", json_object_new_array());
	json_object_array_add(choices, null);
	json_object_array_add(choices, plain);
	return either;
}

static struct json_object *body_schema(const struct body_field *fields)
{
	struct json_object *schema = json_object_new_object();
	add(schema, "type", text("object"));
	struct json_object *properties = sub(schema, "properties");
	struct json_object *required = json_object_new_array();
	for (; fields->name != NULL; fields++) {
		if (fields->kind == BODY_READ_ONLY)
			continue;
		add(properties, fields->name, field_schema(fields));
		if (fields->required)
			json_object_array_add(required, text(fields->name));
	}
	add(schema, "required", required);
	add(schema, "additionalProperties", json_object_new_boolean(false));
	return schema;
}

static void add_body(struct json_object *operation, const struct route *route)
{
	struct json_object *body = sub(operation, "requestBody");
	add(body, "required", json_object_new_boolean(true));
	struct json_object *media = sub(sub(body, "content"), "application/json");
	struct json_object *schema = body_schema(route->body);
	if (route->most > 0) {
		struct json_object *list = json_object_new_object();
		struct json_object *either = json_object_new_object();
		add(list, "type", text("array"));
		add(sub(list, "items"), "description",
			text("the same; one that is no good is refused in its own answer"));
		add_number(list, "maxItems", route->most);
		struct json_object *choices = add(either, "oneOf", json_object_new_array());
		json_object_array_add(choices, schema);
		json_object_array_add(choices, list);
		schema = either;
	}
	add(media, "schema", schema);
}

/* ---- answers ---- */

static struct json_object *list_schema(const char *item)
{
	static const char source[] =
		"{\"type\":\"object\",\"required\":[\"items\",\"next\"],\"properties\":{\"items\":"
		"{\"type\":\"array\"},\"next\":{\"type\":[\"string\",\"null\"]}},"
		"\"additionalProperties\":false}";
	struct json_object *schema = json_tokener_parse(source);
	add(sub(sub(schema, "properties"), "items"), "items", reference("schemas", item));
	return schema;
}

/* Adds HEADER, a text, to RESPONSE. */
static void add_header(struct json_object *response, const char *name)
{
	add(sub(sub(sub(response, "headers"), name), "schema"), "type", text("string"));
}

/* Adds one "STATUS SCHEMA" of a route's answers; see route.h. */
static void add_answer(struct json_object *responses, const char *status, char *schema)
{
	struct json_object *response = sub(responses, status);
	add(response, "description", text(problem_title(atoi(status))));
	if (strcmp(status, "201") == 0 || strcmp(status, "202") == 0)
		add_header(response, "Location");
	if (strcmp(schema, "-") == 0)
		return;
	struct json_object *content = sub(response, "content");
	size_t n = strlen(schema);
	if (strchr(schema, '/') != NULL) {
		add(sub(sub(content, schema), "schema"), "type", text("string"));
	} else if (schema[0] == '[') {
		schema[n - 1] = '\0';
		add(sub(content, "application/json"), "schema", list_schema(schema + 1));
	} else {
		add(sub(content, "application/json"), "schema", reference("schemas", schema));
	}
}

static void add_answers(struct json_object *operation, const struct route *route)
{
	struct json_object *responses = sub(operation, "responses");
	char *rest, *copy = talloc_strdup(NULL, route->answers);
	for (char *status = strtok_r(copy, " ", &rest); status != NULL;
		status = strtok_r(NULL, " ", &rest))
		add_answer(responses, status, strtok_r(NULL, " ", &rest));
	talloc_free(copy);
	static const char *const always[] = {"400", "405", "414", "500", "503", NULL};
	for (const char *const *status = always; *status != NULL; status++)
		if (!json_object_object_get_ex(responses, *status, NULL))
			add(responses, *status, reference("responses", "Problem"));
	if (route->method == EVHTTP_REQ_GET) {
		add_header(sub(responses, "200"), "ETag");
		add(sub(responses, "304"), "description", text("nothing new, by If-None-Match"));
	}
	if (route->role != ROLE_ANYBODY) {
		add(responses, "401", reference("responses", "Problem"));
		add(responses, "403", reference("responses", "Problem"));
	}
	if (strchr(route->path, '{') != NULL)
		add(responses, "404", reference("responses", "Problem"));
	if (route->starts_work)
		add(responses, "422", reference("responses", "Problem"));
	if (route->method != EVHTTP_REQ_GET) {
		add(responses, "409", reference("responses", "Problem"));
		add(responses, "413", reference("responses", "Problem"));
	}
}

/* ---- paths ---- */

/* Refers to the parameter that openapi.json has under PREFIX and the N bytes at NAME. */
static void add_parameter(struct json_object *list, const char *prefix, const char *name, size_t n)
{
	char *key = talloc_asprintf(NULL, "%s%.*s", prefix, (int)n, name);
	json_object_array_add(list, reference("parameters", key));
	talloc_free(key);
}

static void add_parameters(struct json_object *operation, const struct route *route)
{
	struct json_object *list = add(operation, "parameters", json_object_new_array());
	for (const char *at = strchr(route->path, '{'); at != NULL; at = strchr(at + 1, '{'))
		add_parameter(list, "path-", at + 1, strcspn(at + 1, "}"));
	for (const char *at = route->query; *at != '\0'; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");
		add_parameter(list, "", at, n);
		at += n;
	}
	if (route->starts_work)
		add_parameter(list, "", "Idempotency-Key", strlen("Idempotency-Key"));
	if (route->method == EVHTTP_REQ_GET)
		add_parameter(list, "", "If-None-Match", strlen("If-None-Match"));
	if (strstr(route->answers, "text/event-stream") != NULL)
		add_parameter(list, "", "Last-Event-ID", strlen("Last-Event-ID"));
}

static void add_security(struct json_object *operation, const struct route *route)
{
	struct json_object *list = add(operation, "security", json_object_new_array());
	if (route->role == ROLE_ANYBODY)
		return;
	struct json_object *scheme = json_object_new_object();
	add(scheme, "token", json_object_new_array());
	json_object_array_add(list, scheme);
	add(operation, "x-role", text(route->role == ROLE_ADMIN ? "admin" : "viewer"));
}

/* "get-trackers-name" of GET /api/v1/trackers/{name}. */
static char *operation_id(const void *owner, const struct route *route)
{
	const char *path = route->path;
	if (strncmp(path, "/api/v1", strlen("/api/v1")) == 0)
		path += strlen("/api/v1");
	char *id = talloc_strdup(owner, route_method(route->method));
	for (char *at = id; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	for (; *path != '\0'; path++)
		if (*path == '/' || *path == '.')
			id = talloc_strdup_append(id, "-");
		else if (*path != '{' && *path != '}')
			id = talloc_asprintf_append(id, "%c", *path);
	return id;
}

static void add_route(struct json_object *paths, const struct route *route)
{
	char *id = operation_id(NULL, route);
	char method[8] = "";
	snprintf(method, sizeof(method), "%.*s", (int)strcspn(id, "-"), id);
	struct json_object *operation = sub(sub(paths, route->path), method);
	add(operation, "operationId", text(id));
	add(operation, "summary", text(route->help));
	add_security(operation, route);
	add_parameters(operation, route);
	if (route->body != NULL)
		add_body(operation, route);
	add_answers(operation, route);
	talloc_free(id);
}

char *openapi_text(const void *owner)
{
	struct json_object *document = json_tokener_parse(openapi_source);
	assert(document != NULL);
	add(sub(document, "info"), "version", text(BUGWATCH_VERSION));
	add_vocabulary(sub(document, "components"));
	struct json_object *paths = sub(document, "paths");
	for (const struct route *route = route_table; route->path != NULL; route++)
		add_route(paths, route);
	char *copy = talloc_strdup(owner,
		json_object_to_json_string_ext(
			document, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(document);
	return copy;
}
