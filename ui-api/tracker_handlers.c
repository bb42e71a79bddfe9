#include "ui-api/handlers.h"

#include "engine/udd.h"
#include "trackers/tracker.h"
#include "ui-api/list.h"
#include "ui-api/watch_url.h"

#include <ctype.h>
#include <string.h>
#include <talloc.h>

static const char *const sync_choices[] = {"all", "none", "products", NULL};

static const char *const policies[] = {"sqrt", "ladder", NULL};

/* What a tracker may have instead of the service's settings; null takes it back. */
static const struct body_field schedule_fields[] = {
	{.name = "policy", .kind = BODY_CHOICE, .nullable = true, .choices = policies},
#define KNOB(knob, unit, initial, least, most, help)                                               \
	{.name = #knob, .kind = BODY_INTEGER, .nullable = true, .minimum = least, .maximum = most},
#include "engine/knobs.def"
#undef KNOB
	{.name = NULL},
};

static const struct body_field credential_fields[] = {
	{.name = "api_key", .kind = BODY_TEXT, .minimum = 1, .maximum = 1000},
	{.name = "username", .kind = BODY_TEXT, .minimum = 1, .maximum = 1000},
	{.name = "password", .kind = BODY_TEXT, .minimum = 1, .maximum = 1000},
	{.name = NULL},
};

/* clang-format off */
#define SETTINGS \
	{.name = "enabled", .kind = BODY_BOOLEAN}, \
	{.name = "title", .kind = BODY_TEXT, .nullable = true, .maximum = 1000}, \
	{.name = "batch_size", .kind = BODY_INTEGER, .nullable = true, .minimum = 1, .maximum = 10000}, \
	{.name = "max_connections", .kind = BODY_INTEGER, .minimum = 1, .maximum = 100}, \
	{.name = "min_delay_ms", .kind = BODY_INTEGER, .maximum = 3600000}, \
	{.name = "changes_interval_s", .kind = BODY_INTEGER, .nullable = true, .minimum = 1, \
		.maximum = INT32_MAX}, \
	{.name = "sync_comments", .kind = BODY_CHOICE, .choices = sync_choices}, \
	{.name = "store_private", .kind = BODY_BOOLEAN}, \
	{.name = "schedule", .kind = BODY_OBJECT, .nullable = true, .fields = schedule_fields}, \
	{.name = "mode", .kind = BODY_READ_ONLY}, \
	{.name = "warning", .kind = BODY_READ_ONLY}, \
	{.name = "credentials", .kind = BODY_OBJECT, .nullable = true, .fields = credential_fields}, \
	{.name = "udd", .kind = BODY_TEXT, .nullable = true, .minimum = 1, .maximum = 2000}, \
	{.name = "version", .kind = BODY_READ_ONLY}, \
	{.name = "abilities", .kind = BODY_READ_ONLY}, \
	{.name = "health", .kind = BODY_READ_ONLY}, \
	{.name = "error", .kind = BODY_READ_ONLY}, \
	{.name = "watches", .kind = BODY_READ_ONLY}, \
	{.name = "watches_with_errors", .kind = BODY_READ_ONLY}, \
	{.name = "last_run", .kind = BODY_READ_ONLY}, \
	{.name = "next_check_at", .kind = BODY_READ_ONLY}, \
	{.name = "has_credentials", .kind = BODY_READ_ONLY}, \
	{.name = "has_udd", .kind = BODY_READ_ONLY}

const struct body_field new_tracker_body[] = {
	{.name = "name", .kind = BODY_TEXT, .required = true, .minimum = 1, .maximum = 100},
	{.name = "type", .kind = BODY_TEXT, .required = true, .maximum = 100},
	{.name = "base_url", .kind = BODY_TEXT, .required = true, .maximum = 1900},
	SETTINGS,
	{.name = NULL},
};

const struct body_field changed_tracker_body[] = {
	{.name = "name", .kind = BODY_READ_ONLY},
	{.name = "type", .kind = BODY_READ_ONLY},
	{.name = "base_url", .kind = BODY_READ_ONLY},
	SETTINGS,
	{.name = NULL},
};
/* clang-format on */

static void answer_page(struct request *request, struct db_rows *const *rows)
{
	page_answer(request, request->work, rows[0]);
}

void handle_list_trackers(struct request *request)
{
	struct page *page = page_read(request, LIST_KEY_NAME);
	if (page != NULL)
		request_query(request, QUERY_api_trackers,
			(const char *[]){NULL, page->after, page->limit}, answer_page);
}

static void answer_tracker(struct request *request, const struct db_rows *rows)
{
	if (db_count(rows) == 0)
		request_fail(request, 404, "there is no such tracker");
	else
		request_answer(request, 200, db_text(rows, 0, 0));
}

static void answer_shown(struct request *request, struct db_rows *const *rows)
{
	answer_tracker(request, rows[0]);
}

void handle_show_tracker(struct request *request)
{
	request_query(request, QUERY_api_trackers,
		(const char *[]){request->parameters[0], NULL, NULL}, answer_shown);
}

static bool is_name(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && (p == text || strchr("._-", *p) == NULL))
			return false;
	return text[0] != '\0';
}

/* They go into headers and URLs of requests. */
static bool has_control(const char *text)
{
	for (const char *p = text; p != NULL && *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return true;
	return false;
}

/* The credentials in BODY, NULL members where there are none; adds to FAULT what is wrong. */
static struct credentials read_credentials(struct json_object *body, struct problem *fault)
{
	struct json_object *object = NULL;
	struct credentials plain = {0};
	if (!json_object_object_get_ex(body, "credentials", &object) || object == NULL)
		return plain;
	plain.api_key = body_text(object, "api_key");
	plain.username = body_text(object, "username");
	plain.password = body_text(object, "password");
	bool key = plain.api_key != NULL;
	bool user = plain.username != NULL, password = plain.password != NULL;
	if (user != password || key == user)
		problem_field(
			fault, "credentials", "must have either api_key, or username and password");
	else if (has_control(plain.api_key) || has_control(plain.username) ||
		has_control(plain.password))
		problem_field(fault, "credentials", "must not have control characters");
	return plain;
}

/* Adds to FAULT what is wrong with the mirror in BODY. */
static void check_udd(struct json_object *body, struct problem *fault)
{
	struct err err = {0};
	const char *udd = body_text(body, "udd");
	if (udd != NULL && !udd_understands(udd, &err))
		problem_field(fault, "udd", "can't be taken: %s", err.text);
}

/* Adds to BATCH the settings of BODY for tracker NAME; the secrets go sealed. */
static void add_settings(struct request *request, struct db_batch *batch, const char *name,
	struct json_object *body, const struct credentials *plain)
{
	bool given = json_object_object_get_ex(body, "credentials", NULL);
	bool udd_given = json_object_object_get_ex(body, "udd", NULL);
	const char *udd = body_text(body, "udd"), *sealed = NULL, *sealed_udd = NULL;
	if (plain->api_key != NULL || plain->username != NULL)
		sealed = vault_seal(request, request->vault, plain);
	if (udd != NULL)
		sealed_udd = vault_seal_text(request, request->vault, udd);
	json_object_object_del(body, "credentials");
	json_object_object_del(body, "udd");
	db_add(batch, QUERY_api_change_tracker,
		(const char *[]){name, json_object_to_json_string(body), given ? "true" : "false",
			sealed, udd_given ? "true" : "false", sealed_udd});
}

enum { MAKE_RESULT = 4, CHANGE_RESULT = 3, REMOVE_RESULT = 2 };

static void answer_made(struct request *request, struct db_rows *const *rows)
{
	request_header(request, "Location",
		talloc_asprintf(request, "/api/v1/trackers/%s", db_text(rows[MAKE_RESULT], 0, 1)));
	request_answer(request, 201, db_text(rows[MAKE_RESULT], 0, 0));
}

static void make(struct request *request, struct json_object *body, const char *base_url,
	const struct credentials *plain)
{
	const char *name = talloc_strdup(request, body_text(body, "name"));
	struct db_batch *batch = db_batch_new(request->db);
	db_add(batch, QUERY_api_lock_trackers, NULL);
	db_add(batch, QUERY_api_make_tracker,
		(const char *[]){name, body_text(body, "type"), base_url});
	add_settings(request, batch, name, body, plain);
	db_add(batch, QUERY_api_wake, (const char *[]){""});
	db_add(batch, QUERY_api_trackers, (const char *[]){name, NULL, NULL});
	request->conflict = talloc_asprintf(request,
		"there is a tracker \"%s\" already, or one with the base URL %s", name, base_url);
	request_send(request, batch, answer_made);
}

void handle_make_tracker(struct request *request)
{
	struct json_object *body = request_body(request, new_tracker_body);
	if (body == NULL)
		return;
	struct problem *fault = problem_new(request, 400, "the tracker can't be taken");
	struct credentials plain = read_credentials(body, fault);
	check_udd(body, fault);
	const char *type = body_text(body, "type");
	char *base_url = base_url_read(request, body_text(body, "base_url"));
	if (!is_name(body_text(body, "name")))
		problem_field(fault, "name",
			"must have letters, digits, '.', '_' and '-', the first a letter or digit");
	if (strcmp(type, "auto") != 0 && tracker_by_name(type) == NULL)
		problem_field(fault, "type", "is no type of tracker; \"auto\" finds it out");
	if (base_url == NULL)
		problem_field(fault, "base_url", "must be an http or https URL without a query");
	if (problem_has_fields(fault))
		request_refuse(request, fault);
	else
		make(request, body, base_url, &plain);
}

static void answer_changed(struct request *request, struct db_rows *const *rows)
{
	answer_tracker(request, rows[CHANGE_RESULT]);
}

void handle_change_tracker(struct request *request)
{
	const char *name = request->parameters[0];
	struct json_object *body = request_body(request, changed_tracker_body);
	if (body == NULL)
		return;
	struct problem *fault = problem_new(request, 400, "the settings can't be taken");
	struct credentials plain = read_credentials(body, fault);
	check_udd(body, fault);
	if (problem_has_fields(fault)) {
		request_refuse(request, fault);
		return;
	}
	struct db_batch *batch = db_batch_new(request->db);
	add_settings(request, batch, name, body, &plain);
	db_add(batch, QUERY_api_due_tracker, (const char *[]){name});
	db_add(batch, QUERY_api_wake, (const char *[]){name});
	db_add(batch, QUERY_api_trackers, (const char *[]){name, NULL, NULL});
	request_send(request, batch, answer_changed);
}

static void answer_removed(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[REMOVE_RESULT]) == 0)
		request_fail(request, 404, "there is no such tracker");
	else
		request_answer(request, 204, NULL);
}

void handle_remove_tracker(struct request *request)
{
	const char *const name[] = {request->parameters[0]};
	struct db_batch *batch = db_batch_new(request->db);
	db_add(batch, QUERY_api_hold_tracker, name);
	db_add(batch, QUERY_api_hold_tracker_state, name);
	db_add(batch, QUERY_api_remove_tracker, name);
	request_send(request, batch, answer_removed);
}
