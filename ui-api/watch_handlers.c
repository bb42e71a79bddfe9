#include "ui-api/handlers.h"

#include "trackers/err.h"
#include "ui-api/list.h"
#include "ui-api/watch_url.h"

#include <string.h>

static bool is_status(const char *word)
{
	static const char *const statuses[] = {
#define STATUS(name, word, resolved) word,
#include "trackers/words.def"
#undef STATUS
	};
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (strcmp(statuses[i], word) == 0)
			return true;
	return false;
}

static bool is_error(const char *word)
{
	return strcmp(word, "any") == 0 || strcmp(word, "none") == 0 ||
		err_scope(err_of_word(word)) != ERR_SCOPE_OWN;
}

static void answer_page(struct request *request, struct db_rows *const *rows)
{
	page_answer(request, request->work, rows[0]);
}

static void query_page(struct request *request, const struct page *page)
{
	const char *url = request_parameter(request, "url");
	/* A URL that means no bug has no watches. */
	struct bug_address bug = {0};
	if (url != NULL && !bug_address_read(request, url, &bug))
		bug = (struct bug_address){.base_url = "", .remote_id = ""};
	request_query(request, QUERY_api_watches,
		(const char *[]){NULL, request_parameter(request, "tracker"),
			request_parameter(request, "status"), request_parameter(request, "error"),
			request_parameter(request, "ref"), bug.base_url, bug.remote_id, page->after,
			page->limit},
		answer_page);
}

void handle_list_watches(struct request *request)
{
	const char *status = request_parameter(request, "status");
	const char *error = request_parameter(request, "error");
	struct page *page = page_read(request, LIST_KEY_ID);
	if (page == NULL)
		return;
	if (status != NULL && !is_status(status))
		page_refuse(request, "status", "is no status");
	else if (error != NULL && !is_error(error))
		page_refuse(request, "error", "must be any, none, or a kind of error");
	else
		query_page(request, page);
}

static void answer_watch(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[0]) == 0)
		request_fail(request, 404, "there is no such watch");
	else
		request_answer(request, 200, db_text(rows[0], 0, 0));
}

void handle_show_watch(struct request *request)
{
	const char *id = request_id(request);
	if (id == NULL)
		return;
	struct db_array *ids = db_array_new(request);
	db_array_add_text(ids, id);
	request_query(request, QUERY_api_watches,
		(const char *[]){
			db_array_text(ids), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
		answer_watch);
}

static void answer_removed(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[1]) == 0)
		request_fail(request, 404, "there is no such watch");
	else
		request_answer(request, 204, NULL);
}

void handle_remove_watch(struct request *request)
{
	const char *id = request_id(request);
	if (id == NULL)
		return;
	struct db_batch *batch = db_batch_new(request->db);
	db_add(batch, QUERY_api_hold_watch, (const char *[]){id});
	db_add(batch, QUERY_api_remove_watch, (const char *[]){id});
	request_send(request, batch, answer_removed);
}

static void answer_list(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[0]) == 0)
		request_fail(request, 404, "there is no such watch");
	else
		page_answer(request, request->work, rows[1]);
}

/* Lists by QUERY what one watch has. */
static void list_of_watch(struct request *request, enum query query)
{
	const char *id = request_id(request);
	struct page *page = id == NULL ? NULL : page_read(request, LIST_KEY_ID);
	if (page == NULL)
		return;
	struct db_batch *batch = db_batch_new(request->db);
	db_add(batch, QUERY_api_watch_tracker, (const char *[]){id});
	db_add(batch, query, (const char *[]){id, page->after, page->limit});
	request_send(request, batch, answer_list);
}

void handle_list_watch_comments(struct request *request)
{
	list_of_watch(request, QUERY_api_comments);
}

void handle_list_watch_events(struct request *request)
{
	list_of_watch(request, QUERY_api_events);
}
