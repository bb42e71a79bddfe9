#include "ui-api/handlers.h"

#include "schema/schema.h"
#include "ui-api/request.h"

void handle_health(struct request *request)
{
	request_answer(request, 200, "{\"status\":\"ok\"}");
}

static int newest_version(void)
{
	const struct migration *step = migrations;
	while (step->name != NULL && step[1].name != NULL)
		step++;
	return step->version;
}

static void answer_ready(struct request *request, struct db_rows *const *rows)
{
	int64_t version = db_integer(rows[0], 0, 0);
	if (version == newest_version())
		request_answer(request, 200, "{\"status\":\"ready\"}");
	else
		request_fail(request, 503, "the database has the schema %d, the program %d",
			(int)version, newest_version());
}

void handle_ready(struct request *request)
{
	if (db_ready(request->db))
		request_query(request, QUERY_api_ready, NULL, answer_ready);
	else
		request_fail(request, 503, "the database is not reached");
}
