/* Webhooks: who is told of events by POST. */
#include "ui-api/handlers.h"

#include "engine/signature.h"
#include "engine/target.h"
#include "ui-api/list.h"

#include <string.h>
#include <talloc.h>

static const char *const kinds[] = {"status", "importance", "comment", "title", "resolved",
	"reopened", "error", "recovered", NULL};

/* clang-format off */
#define SETTINGS \
	{.name = "name", .kind = BODY_TEXT, .nullable = true, .minimum = 1, .maximum = 100}, \
	{.name = "enabled", .kind = BODY_BOOLEAN}, \
	{.name = "tracker", .kind = BODY_TEXT, .nullable = true, .minimum = 1, .maximum = 100}, \
	{.name = "kinds", .kind = BODY_CHOICES, .nullable = true, .choices = kinds}, \
	{.name = "ref", .kind = BODY_TEXT, .nullable = true, .minimum = 1, .maximum = 1000}, \
	{.name = "id", .kind = BODY_READ_ONLY}, \
	{.name = "created_at", .kind = BODY_READ_ONLY}, \
	{.name = "cursor", .kind = BODY_READ_ONLY}, \
	{.name = "delivered_at", .kind = BODY_READ_ONLY}, \
	{.name = "error", .kind = BODY_READ_ONLY}, \
	{.name = "secret", .kind = BODY_READ_ONLY}, \
	{.name = NULL}

const struct body_field new_webhook_body[] = {
	{.name = "url", .kind = BODY_TEXT, .required = true, .minimum = 1, .maximum = 2000},
	SETTINGS,
};
const struct body_field changed_webhook_body[] = {
	{.name = "url", .kind = BODY_TEXT, .minimum = 1, .maximum = 2000},
	SETTINGS,
};
/* clang-format on */
const struct body_field replay_body[] = {
	{.name = "after", .kind = BODY_INTEGER, .required = true, .maximum = INT64_C(1) << 62},
	{.name = NULL},
};

static void answer_page(struct request *request, struct db_rows *const *rows)
{
	page_answer(request, request->work, rows[0]);
}

void handle_list_webhooks(struct request *request)
{
	struct page *page = page_read(request, LIST_KEY_ID);
	if (page != NULL)
		request_query(request, QUERY_api_webhooks,
			(const char *[]){NULL, page->after, page->limit}, answer_page);
}

static void answer_webhook(struct request *request, const struct db_rows *rows)
{
	if (db_count(rows) == 0)
		request_fail(request, 404, "there is no such webhook");
	else
		request_answer(request, 200, db_text(rows, 0, 0));
}

static void answer_shown(struct request *request, struct db_rows *const *rows)
{
	answer_webhook(request, rows[0]);
}

void handle_show_webhook(struct request *request)
{
	const char *id = request_id(request);
	if (id != NULL)
		request_query(
			request, QUERY_api_webhooks, (const char *[]){id, NULL, "1"}, answer_shown);
}

/* Whether URL can be told; where it leads is judged when it is told. */
static bool is_told(struct request *request, const char *url)
{
	struct err err = {0};
	if (url == NULL || target_parse(request, url, &err) != NULL)
		return true;
	struct problem *fault = problem_new(request, 400, "the webhook can't be taken");
	problem_field(fault, "url", "%s", err.text);
	request_refuse(request, fault);
	return false;
}

enum { MADE, MADE_SETTINGS, MADE_RESULT };

/* The secret goes to the client only, this once. */
static void answer_made(struct request *request, struct db_rows *const *rows)
{
	const char *shown = db_text(rows[MADE_RESULT], 0, 0);
	request_header(request, "Location",
		talloc_asprintf(request, "/api/v1/webhooks/%s", db_text(rows[MADE], 0, 0)));
	request_answer(request, 201,
		talloc_asprintf(request, "%.*s,\"secret\":\"%s\"}", (int)strlen(shown) - 1, shown,
			(const char *)request->work));
}

void handle_make_webhook(struct request *request)
{
	struct json_object *body = request_body(request, new_webhook_body);
	if (body == NULL || !is_told(request, body_text(body, "url")))
		return;
	char *secret = request->work = signature_secret(request);
	const struct credentials plain = {.api_key = secret};
	struct db_batch *batch = db_batch_new(request->db);
	db_add(batch, QUERY_api_make_webhook,
		(const char *[]){
			body_text(body, "url"), vault_seal(request, request->vault, &plain)});
	db_add(batch, QUERY_api_change_webhook,
		(const char *[]){NULL, json_object_to_json_string(body)});
	db_add(batch, QUERY_api_newest_webhook, NULL);
	request_send(request, batch, answer_made);
}

enum { CHANGE_RESULT = 2 };

static void answer_changed(struct request *request, struct db_rows *const *rows)
{
	answer_webhook(request, rows[CHANGE_RESULT]);
}

/* Sends what changes webhook ID as QUERY with VALUE, and answers with it. */
static void change(struct request *request, enum query query, const char *id, const char *value)
{
	struct db_batch *batch = db_batch_new(request->db);
	db_add(batch, query, (const char *[]){id, value});
	db_add(batch, QUERY_api_wake_postman, NULL);
	db_add(batch, QUERY_api_webhooks, (const char *[]){id, NULL, "1"});
	request_send(request, batch, answer_changed);
}

void handle_change_webhook(struct request *request)
{
	const char *id = request_id(request);
	struct json_object *body = id == NULL ? NULL : request_body(request, changed_webhook_body);
	if (body != NULL && is_told(request, body_text(body, "url")))
		change(request, QUERY_api_change_webhook, id, json_object_to_json_string(body));
}

void handle_replay_webhook(struct request *request)
{
	const char *id = request_id(request);
	struct json_object *body = id == NULL ? NULL : request_body(request, replay_body);
	if (body != NULL)
		change(request, QUERY_api_replay_webhook, id, body_text(body, "after"));
}

static void answer_removed(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[0]) == 0)
		request_fail(request, 404, "there is no such webhook");
	else
		request_answer(request, 204, NULL);
}

void handle_remove_webhook(struct request *request)
{
	const char *id = request_id(request);
	if (id != NULL)
		request_query(
			request, QUERY_api_remove_webhook, (const char *[]){id}, answer_removed);
}
