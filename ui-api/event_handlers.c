#include "ui-api/handlers.h"

#include "ui-api/list.h"
#include "ui-api/stream.h"

#include <string.h>

static void answer_events(struct request *request, struct db_rows *const *rows)
{
	page_answer(request, request->work, rows[0]);
}

static const char *header_of(const struct request *request, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(request->wire), name);
}

/* A stream is asked for by its media type. */
static bool wants_stream(const struct request *request)
{
	const char *accept = header_of(request, "Accept");
	return accept != NULL && strstr(accept, "text/event-stream") != NULL &&
		evhttp_request_get_command(request->wire) == EVHTTP_REQ_GET;
}

/* A client that comes back says by itself where it was. */
static void open_stream(struct request *request, const char *after)
{
	const char *last = header_of(request, "Last-Event-ID");
	if (last != NULL && !list_is_id(last))
		request_fail(request, 400, "Last-Event-ID must be the id of an event");
	else
		streams_open(request->streams, request, last != NULL ? last : after);
}

void handle_list_events(struct request *request)
{
	const char *after = request_parameter(request, "after");
	struct page *page = page_read(request, LIST_KEY_ID);
	if (page == NULL)
		return;
	if (after != NULL && !list_is_id(after)) {
		page_refuse(request, "after", "must be the id of an event, or 0");
	} else if (wants_stream(request)) {
		open_stream(request, after);
	} else {
		if (page->after == NULL)
			page->after = after;
		request_query(request, QUERY_api_events,
			(const char *[]){NULL, page->after, page->limit}, answer_events);
	}
}
