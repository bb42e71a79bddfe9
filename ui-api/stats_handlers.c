#include "ui-api/handlers.h"

#include "ui-api/list.h"

static void answer_tracker(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[0]) == 0)
		request_fail(request, 404, "there is no such tracker");
	else
		request_answer(request, 200, db_text(rows[0], 0, 0));
}

void handle_show_tracker_stats(struct request *request)
{
	request_query(request, QUERY_api_tracker_stats, request->parameters, answer_tracker);
}

static void answer_all(struct request *request, struct db_rows *const *rows)
{
	page_answer_in(request, request->work, rows[1], db_text(rows[0], 0, 0), "trackers");
}

void handle_show_stats(struct request *request)
{
	struct page *page = page_read(request, LIST_KEY_NAME);
	if (page == NULL)
		return;
	struct db_batch *batch = db_batch_new(request->db);
	db_add(batch, QUERY_api_stats, NULL);
	db_add(batch, QUERY_api_trackers_stats, (const char *[]){page->after, page->limit});
	request_send(request, batch, answer_all);
}
