/* Forced updates: of a whole tracker, or of one watch. */
#include "ui-api/handlers.h"

#include "ui-api/request.h"

#include <talloc.h>

/* Where the statements of a forced update stand in their batch. */
enum { FORCED, QUEUED, RUN };

static void answer_run(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[FORCED]) == 0) {
		request_fail(request, 404, "there is no such tracker");
	} else if (db_count(rows[RUN]) == 0) {
		request_fail(request, 409,
			"the tracker is switched off; switch it on first (\"enabled\": true)");
	} else {
		const char *id = db_text(rows[RUN], 0, 1);
		request_header(
			request, "Location", talloc_asprintf(request, "/api/v1/runs/%s", id));
		evbuffer_add_printf(
			request_output(request), "{\"run\":%s}", db_text(rows[RUN], 0, 0));
		request_answer(request, 202, NULL);
	}
}

/* Forces TRACKER, or only the bug of WATCH where it is not NULL. */
static void force(struct request *request, const char *tracker, const char *watch)
{
	struct db_batch *batch = db_batch_new(request->db);
	db_add(batch, QUERY_api_force_tracker, (const char *[]){tracker, watch});
	db_add(batch, QUERY_api_queue_run, (const char *[]){tracker});
	db_add(batch, QUERY_api_queued_run, (const char *[]){tracker});
	if (watch != NULL)
		db_add(batch, QUERY_api_force_watch, (const char *[]){watch});
	db_add(batch, QUERY_api_wake, (const char *[]){tracker});
	request_send(request, batch, answer_run);
}

void handle_check_tracker(struct request *request)
{
	force(request, request->parameters[0], NULL);
}

static void force_watch(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[0]) == 0)
		request_fail(request, 404, "there is no such watch");
	else
		force(request, db_text(rows[0], 0, 0), request->parameters[0]);
}

void handle_check_watch(struct request *request)
{
	const char *id = request_id(request);
	if (id != NULL)
		request_query(request, QUERY_api_watch_tracker, (const char *[]){id}, force_watch);
}
