#include "ui-api/handlers.h"

#include "trackers/mapping.h"
#include "ui-api/list.h"

#include <string.h>

enum { VALUE_MAX_CHARACTERS = 500 };
#define ROWS_MOST "1000" /* every check reads them all */

/* The first of both is "unknown", which is what a word is without a mapping. */
static const char *const statuses[] = {
#define STATUS(name, word, resolved) word,
#include "trackers/words.def"
#undef STATUS
	NULL,
};
static const char *const importances[] = {
#define IMPORTANCE(name, word) word,
#include "trackers/words.def"
#undef IMPORTANCE
	NULL,
};

/* clang-format off */
#define FIELDS(words) { \
	{.name = "field", .kind = BODY_READ_ONLY}, \
	{.name = "value", .kind = BODY_READ_ONLY}, \
	{.name = "means", .kind = BODY_CHOICE, .required = true, .choices = (words) + 1}, \
	{.name = NULL}, \
}
/* clang-format on */
/* For the API's description: which words it takes depends on the path's field. */
const struct body_field mapping_body[] = {
	{.name = "field", .kind = BODY_READ_ONLY},
	{.name = "value", .kind = BODY_READ_ONLY},
	{.name = "means", .kind = BODY_TEXT, .required = true, .minimum = 1, .maximum = 100},
	{.name = NULL},
};
static const struct body_field status_fields[] = FIELDS(statuses);
static const struct body_field importance_fields[] = FIELDS(importances);

static void answer_page(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[0]) == 0)
		request_fail(request, 404, "there is no such tracker");
	else
		page_answer(request, request->work, rows[1]);
}

void handle_list_mappings(struct request *request)
{
	const char *tracker = request->parameters[0];
	struct page *page = page_read(request, LIST_KEY_NAME);
	if (page == NULL)
		return;
	struct db_batch *batch = db_batch_new(request->db);
	db_add(batch, QUERY_api_find_tracker, (const char *[]){tracker});
	db_add(batch, QUERY_api_mappings,
		(const char *[]){tracker, NULL, NULL, page->after, page->limit});
	request_send(request, batch, answer_page);
}

static void refuse_missing(struct request *request)
{
	request_fail(request, 404, "this tracker has no mapping of that word");
}

static void answer_mapping(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[0]) == 0)
		refuse_missing(request);
	else
		request_answer(request, 200, db_text(rows[0], 0, 0));
}

void handle_show_mapping(struct request *request)
{
	const char *const *names = request->parameters;
	request_query(request, QUERY_api_mappings,
		(const char *[]){names[0], names[1], names[2], NULL, NULL}, answer_mapping);
}

/*
 * Sends CHANGE to a mapping, after which the bugs that it may be about are due. The tracker's state
 * is held, so that a run that read the old rows is stored before, and what it claimed stays due.
 */
static void change(struct request *request, enum query query, const char *const *parameters,
	request_rows *answer)
{
	const char *const *names = request->parameters;
	struct db_batch *batch = db_batch_new(request->db);
	db_add(batch, QUERY_api_hold_tracker_state, names);
	db_add(batch, query, parameters);
	db_add(batch, QUERY_api_due_mapped, names);
	db_add(batch, QUERY_api_wake, names);
	request_send(request, batch, answer);
}

enum { HELD, CHANGED };

static void answer_set(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[HELD]) == 0)
		request_fail(request, 404, "there is no such tracker");
	else if (db_count(rows[CHANGED]) == 0)
		request_fail(request, 409, "a tracker has " ROWS_MOST " mappings at most");
	else
		request_answer(request, *db_text(rows[CHANGED], 0, 1) == 't' ? 201 : 200,
			db_text(rows[CHANGED], 0, 0));
}

void handle_set_mapping(struct request *request)
{
	const char *const *names = request->parameters;
	bool status = strcmp(names[1], "status") == 0;
	if (!status && strcmp(names[1], "importance") != 0) {
		request_fail(request, 404, "only \"status\" and \"importance\" have mappings");
		return;
	}
	struct json_object *body =
		request_body(request, status ? status_fields : importance_fields);
	if (body == NULL)
		return;
	int64_t length = body_count_characters(names[2]);
	if (length < 1 || length > VALUE_MAX_CHARACTERS)
		request_fail(request, 400, "a tracker's word has 1 to %d characters",
			VALUE_MAX_CHARACTERS);
	else
		change(request, QUERY_api_set_mapping,
			(const char *[]){
				names[0], names[1], names[2], body_text(body, "means"), ROWS_MOST},
			answer_set);
}

static void answer_removed(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[CHANGED]) == 0)
		refuse_missing(request);
	else
		request_answer(request, 204, NULL);
}

void handle_remove_mapping(struct request *request)
{
	change(request, QUERY_api_remove_mapping, request->parameters, answer_removed);
}
