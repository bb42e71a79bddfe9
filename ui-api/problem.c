#include "ui-api/problem.h"

#include "trackers/text.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <string.h>
#include <talloc.h>

/* A client chooses how many fields are wrong, their names, and what is quoted of them. */
enum { ERRORS_MAX = 50, FIELD_MAX = 200, DETAIL_MAX = 2000 };

struct problem {
	int status;
	char *detail;
	struct json_object *errors; /* NULL until a field is at fault */
};

/* The path of the type is a stable name for programs, and of a page for people. */
struct problem_title {
	int status;
	const char *type, *title;
	const char *meaning, *remedy;
};

static const struct problem_title statuses[] = {
	{400, "bad-request", "Bad Request",
		"The request can't be understood: its JSON is broken, or a field or parameter is "
		"unknown, missing, read-only, of the wrong type or out of range. Nothing of it "
		"was done.",
		"`errors` names the fields and what they may be; correct them and send it again."},
	{401, "unauthorized", "Unauthorized",
		"The request brings no token, or one that this service does not know: revoked, "
		"expired, or of another service.",
		"Send `Authorization: Bearer TOKEN`; an admin makes tokens with `bugwatch token "
		"create`."},
	{403, "forbidden", "Forbidden", "The token's role may read, not change.",
		"Use a token with the role `admin`."},
	{404, "not-found", "Not Found",
		"There is no such route, or nothing of that name or id (any more).",
		"Look at the path; lists tell which names and ids there are."},
	{405, "method-not-allowed", "Method Not Allowed",
		"The path is there, but does not take this method.", "`Allow` says what it takes."},
	{406, "not-acceptable", "Not Acceptable",
		"The answer can't have the media type that is asked for.",
		"Ask for application/json."},
	{409, "conflict", "Conflict",
		"What is there stands against it: a name is taken, a tracker is switched off.",
		"`detail` says what; change that first, or choose another name."},
	{413, "content-too-large", "Content Too Large", "The body is larger than 8 MiB.",
		"Send it in parts."},
	{414, "uri-too-long", "URI Too Long", "The request target is longer than 8192 bytes.",
		"Ask for less at once."},
	{422, "key-reused", "Unprocessable Content",
		"The Idempotency-Key was used for another path within the last day.",
		"Take a new key for each request that is not a repetition."},
	{500, "internal", "Internal Server Error",
		"The database refused what the service asked of it. Nothing was done.",
		"The service's log says why; this is worth a report."},
	{503, "unavailable", "Service Unavailable",
		"The database is not reached or does not answer in time, or too many streams are "
		"open. What became of a change is not known.",
		"Ask again after a while (`Retry-After`, where it is sent); look at `/readyz` and "
		"the log."},
	/* not problems, but answers need their phrase as well */
	{200, NULL, "OK"},
	{201, NULL, "Created"},
	{202, NULL, "Accepted"},
	{204, NULL, "No Content"},
	{207, NULL, "Multi-Status"},
	{304, NULL, "Not Modified"},
};

enum { STATUSES = sizeof(statuses) / sizeof(statuses[0]) };

static const char *type_of(int status)
{
	for (int i = 0; i < STATUSES; i++)
		if (statuses[i].status == status && statuses[i].type != NULL)
			return statuses[i].type;
	return "internal";
}

const char *problem_title(int status)
{
	for (int i = 0; i < STATUSES; i++)
		if (statuses[i].status == status)
			return statuses[i].title;
	return "Internal Server Error";
}

char *problem_page(const void *owner, const char *type)
{
	for (int i = 0; i < STATUSES; i++)
		if (statuses[i].type != NULL && strcmp(statuses[i].type, type) == 0)
			return talloc_asprintf(owner,
				"%s (HTTP %d)\n\nWhat happened\n%s\n\nWhat to do\n%s\n",
				statuses[i].title, statuses[i].status, statuses[i].meaning,
				statuses[i].remedy);
	return NULL;
}

static int problem_destroy(struct problem *problem)
{
	json_object_put(problem->errors);
	return 0;
}

struct problem *problem_new(const void *owner, int status, const char *detail, ...)
{
	struct problem *problem = talloc_zero(owner, struct problem);
	talloc_set_destructor(problem, problem_destroy);
	problem->status = status;
	va_list args;
	va_start(args, detail);
	char *text = talloc_vasprintf(problem, detail, args);
	va_end(args);
	problem->detail = text_clean(problem, text, strlen(text), DETAIL_MAX);
	talloc_free(text);
	return problem;
}

void problem_field(struct problem *problem, const char *field, const char *message, ...)
{
	if (problem->errors == NULL)
		problem->errors = json_object_new_array();
	if (json_object_array_length(problem->errors) == ERRORS_MAX)
		return;
	va_list args;
	va_start(args, message);
	char *text = talloc_vasprintf(problem, message, args);
	va_end(args);
	char *name = text_clean(problem, field, strlen(field), FIELD_MAX);
	struct json_object *error = json_object_new_object();
	json_object_object_add(error, "field", json_object_new_string(name));
	json_object_object_add(error, "message", json_object_new_string(text));
	json_object_array_add(problem->errors, error);
}

bool problem_has_fields(const struct problem *problem)
{
	return problem->errors != NULL;
}

int problem_status(const struct problem *problem)
{
	return problem->status;
}

const char *problem_text(struct problem *problem)
{
	struct json_object *document = json_object_new_object();
	char *type = talloc_asprintf(problem, "/problems/%s", type_of(problem->status));
	json_object_object_add(document, "type", json_object_new_string(type));
	json_object_object_add(
		document, "title", json_object_new_string(problem_title(problem->status)));
	json_object_object_add(document, "status", json_object_new_int(problem->status));
	json_object_object_add(document, "detail", json_object_new_string(problem->detail));
	if (problem->errors != NULL)
		json_object_object_add(document, "errors", json_object_get(problem->errors));
	const char *text = json_object_to_json_string_ext(
		document, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	char *copy = talloc_strdup(problem, text);
	json_object_put(document);
	return copy;
}
