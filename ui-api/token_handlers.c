#include "ui-api/handlers.h"

#include "ui-api/body.h"
#include "ui-api/list.h"
#include "ui-api/token.h"

#include <talloc.h>

static const char *const roles[] = {"viewer", "admin", NULL};

const struct body_field token_body[] = {
	{.name = "name", .kind = BODY_TEXT, .required = true, .minimum = 1, .maximum = 100},
	{.name = "role", .kind = BODY_CHOICE, .required = true, .choices = roles},
	{.name = "days", .kind = BODY_INTEGER, .nullable = true, .minimum = 1, .maximum = 3650},
	{.name = "expires_at", .kind = BODY_READ_ONLY},
	{.name = "used_at", .kind = BODY_READ_ONLY},
	{.name = "id", .kind = BODY_READ_ONLY},
	{.name = "created_at", .kind = BODY_READ_ONLY},
	{.name = "token", .kind = BODY_READ_ONLY},
	{.name = NULL},
};

/* A token to be made. */
struct making {
	const char *name, *role;
	char *secret;
};

static struct json_object *who(const char *id, const char *name, const char *role)
{
	struct json_object *object = json_object_new_object();
	json_object_object_add(object, "id", json_object_new_string(id));
	json_object_object_add(object, "name", json_object_new_string(name));
	json_object_object_add(object, "role", json_object_new_string(role));
	return object;
}

static void answer_object(struct request *request, int status, struct json_object *object)
{
	char *text = talloc_strdup(request,
		json_object_to_json_string_ext(
			object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
	request_answer(request, status, text);
}

void handle_who_am_i(struct request *request)
{
	const struct caller *caller = &request->caller;
	answer_object(request, 200, who(caller->id, caller->name, caller->role));
}

static void answer_page(struct request *request, struct db_rows *const *rows)
{
	page_answer(request, request->work, rows[0]);
}

void handle_list_tokens(struct request *request)
{
	struct page *page = page_read(request, LIST_KEY_ID);
	if (page != NULL)
		request_query(request, QUERY_api_tokens, (const char *[]){page->after, page->limit},
			answer_page);
}

/* The secret goes to the client only, never to the database. */
static void answer_made(struct request *request, struct db_rows *const *rows)
{
	const struct making *making = request->work;
	const char *id = db_text(rows[0], 0, 0);
	struct json_object *object = who(id, making->name, making->role);
	json_object_object_add(
		object, "created_at", json_object_new_string(db_text(rows[0], 0, 1)));
	const char *expires = db_null(rows[0], 0, 2) ? NULL : db_text(rows[0], 0, 2);
	json_object_object_add(
		object, "expires_at", expires != NULL ? json_object_new_string(expires) : NULL);
	json_object_object_add(object, "token", json_object_new_string(making->secret));
	request_header(request, "Location", talloc_asprintf(request, "/api/v1/tokens/%s", id));
	answer_object(request, 201, object);
}

void handle_make_token(struct request *request)
{
	struct json_object *body = request_body(request, token_body);
	if (body == NULL)
		return;
	struct making *making = request->work = talloc_zero(request, struct making);
	making->name = body_text(body, "name");
	making->role = body_text(body, "role");
	making->secret = token_new(making);
	request_query(request, QUERY_api_make_token,
		(const char *[]){making->name, making->role, token_hash(making, making->secret),
			body_text(body, "days")},
		answer_made);
}

void handle_list_audit(struct request *request)
{
	struct page *page = page_read(request, LIST_KEY_ID);
	if (page != NULL)
		request_query(request, QUERY_api_audits, (const char *[]){page->after, page->limit},
			answer_page);
}

static void answer_removed(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[0]) == 0)
		request_fail(request, 404, "there is no such token");
	else
		request_answer(request, 204, NULL);
}

void handle_remove_token(struct request *request)
{
	const char *id = request_id(request);
	if (id != NULL)
		request_query(
			request, QUERY_api_remove_token, (const char *[]){id}, answer_removed);
}
