#include "ui-api/handlers.h"

#include "ui-api/list.h"

#include <string.h>

static void answer_events(struct request *request, struct db_rows *const *rows)
{
	page_answer(request, request->work, rows[0]);
}

/* A stream of events is asked for by its media type; it is no list. */
static bool wants_list(struct request *request)
{
	const char *accept =
		evhttp_find_header(evhttp_request_get_input_headers(request->wire), "Accept");
	return accept == NULL || strstr(accept, "text/event-stream") == NULL;
}

void handle_list_events(struct request *request)
{
	const char *after = request_parameter(request, "after");
	struct page *page = page_read(request, LIST_KEY_ID);
	if (page == NULL)
		return;
	if (!wants_list(request)) {
		request_fail(request, 406, "events come as application/json only");
	} else if (after != NULL && !list_is_id(after)) {
		page_refuse(request, "after", "must be the id of an event, or 0");
	} else {
		if (page->after == NULL)
			page->after = after;
		request_query(request, QUERY_api_events,
			(const char *[]){NULL, page->after, page->limit}, answer_events);
	}
}
