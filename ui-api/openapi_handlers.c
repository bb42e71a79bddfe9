/* What the API says of itself. */
#include "ui-api/handlers.h"

#include "ui-api/openapi.h"
#include "ui-api/request.h"

void handle_openapi(struct request *request)
{
	request_answer(request, 200, openapi_text(request));
}

void handle_show_problem(struct request *request)
{
	const char *page = problem_page(request, request->parameters[0]);
	if (page == NULL) {
		request_fail(request, 404, "there is no such type of problem");
		return;
	}
	evbuffer_add_printf(request_output(request), "%s", page);
	request_answer_as(request, "text/plain; charset=utf-8");
}
