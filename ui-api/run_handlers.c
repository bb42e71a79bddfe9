#include "ui-api/handlers.h"

#include "ui-api/list.h"

#include <string.h>

static bool is_state(const char *word)
{
	static const char *const states[] = {"queued", "running", "done", "failed", "abandoned"};
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(states[i], word) == 0)
			return true;
	return false;
}

static void answer_page(struct request *request, struct db_rows *const *rows)
{
	page_answer(request, request->work, rows[0]);
}

void handle_list_runs(struct request *request)
{
	const char *state = request_parameter(request, "state");
	struct page *page = page_read(request, LIST_KEY_ID);
	if (page == NULL)
		return;
	if (state != NULL && !is_state(state))
		page_refuse(request, "state", "must be queued, running, done, failed or abandoned");
	else
		request_query(request, QUERY_api_runs,
			(const char *[]){request_parameter(request, "tracker"), state, page->after,
				page->limit},
			answer_page);
}

static void answer_run(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[0]) == 0)
		request_fail(request, 404, "there is no such run");
	else
		request_answer(request, 200, db_text(rows[0], 0, 0));
}

void handle_show_run(struct request *request)
{
	const char *id = request_id(request);
	if (id != NULL)
		request_query(request, QUERY_api_run, (const char *[]){id}, answer_run);
}

static void answer_errors(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[0]) == 0)
		request_fail(request, 404, "there is no such run");
	else
		page_answer(request, request->work, rows[1]);
}

void handle_list_run_errors(struct request *request)
{
	const char *id = request_id(request);
	struct page *page = id == NULL ? NULL : page_read(request, LIST_KEY_ID);
	if (page == NULL)
		return;
	struct db_batch *batch = db_batch_new(request->db);
	db_add(batch, QUERY_api_run, (const char *[]){id});
	db_add(batch, QUERY_api_run_errors, (const char *[]){id, page->after, page->limit});
	request_send(request, batch, answer_errors);
}
