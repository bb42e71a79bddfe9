#include "ui-api/problem.h"

#include "trackers/text.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <string.h>
#include <talloc.h>

/* A client chooses how many fields are wrong, and their names. */
enum { ERRORS_MAX = 50, FIELD_MAX = 200 };

struct problem {
	int status;
	char *detail;
	struct json_object *errors; /* NULL until a field is at fault */
};

/* The path of the type is a stable name for programs; nothing need be there to be read. */
struct problem_title {
	int status;
	const char *type, *title;
};

static const struct problem_title statuses[] = {
	{400, "bad-request", "Bad Request"},
	{401, "unauthorized", "Unauthorized"},
	{403, "forbidden", "Forbidden"},
	{404, "not-found", "Not Found"},
	{405, "method-not-allowed", "Method Not Allowed"},
	{406, "not-acceptable", "Not Acceptable"},
	{409, "conflict", "Conflict"},
	{413, "content-too-large", "Content Too Large"},
	{414, "uri-too-long", "URI Too Long"},
	{500, "internal", "Internal Server Error"},
	{503, "unavailable", "Service Unavailable"},
	/* not problems, but answers need their phrase as well */
	{200, NULL, "OK"},
	{201, NULL, "Created"},
	{202, NULL, "Accepted"},
	{204, NULL, "No Content"},
	{207, NULL, "Multi-Status"},
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
	problem->detail = talloc_vasprintf(problem, detail, args);
	va_end(args);
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
