#include "ui-api/handlers.h"

#include "ui-api/request.h"
#include "ui-api/watch_url.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { MANY = 1000 };

/* A watch that is asked for. */
struct wish {
	const char *url, *ref;
	struct bug_address bug;
	struct problem *problem; /* why it is not taken, or NULL */
	char *id; /* of its watch, once that is there */
	bool made; /* by this request */
	const char *watch; /* its JSON */
};

/* All that one request asks for, in the order sent. */
struct making {
	bool single; /* not an array */
	unsigned count;
	struct wish *wishes;
	unsigned result; /* which statement of the batch says what was made */
};

/* clang-format off */
const struct body_field watch_body[] = {
	{.name = "url", .kind = BODY_TEXT, .required = true, .minimum = 1, .maximum = 2000},
	{.name = "ref", .kind = BODY_TEXT, .nullable = true, .minimum = 1, .maximum = 1000},
#define READ_ONLY(field) {.name = field, .kind = BODY_READ_ONLY}
	READ_ONLY("id"), READ_ONLY("tracker"), READ_ONLY("remote_id"), READ_ONLY("title"),
	READ_ONLY("product"), READ_ONLY("remote_status"), READ_ONLY("remote_resolution"),
	READ_ONLY("remote_importance"), READ_ONLY("remote_severity"), READ_ONLY("remote_priority"),
	READ_ONLY("remote_tags"), READ_ONLY("status"), READ_ONLY("importance"),
	READ_ONLY("created_at"), READ_ONLY("last_checked_at"), READ_ONLY("last_changed_at"),
	READ_ONLY("remote_changed_at"), READ_ONLY("next_check_at"), READ_ONLY("next_check_reason"),
	READ_ONLY("comments"), READ_ONLY("error"),
#undef READ_ONLY
	{.name = NULL},
};
/* clang-format on */

static struct problem *not_recognised(struct request *request)
{
	struct problem *problem = problem_new(request, 400, "the URL is not that of a bug");
	problem_field(problem, "url",
		"is neither of a form that a tracker's bugs have nor below a tracker's base URL");
	return problem;
}

static void read_wish(struct request *request, struct json_object *object, struct wish *wish)
{
	struct problem *fault = problem_new(request, 400, "the watch can't be taken");
	if (!body_check(object, watch_body, fault)) {
		wish->problem = fault;
		return;
	}
	talloc_free(fault);
	wish->url = body_text(object, "url");
	wish->ref = body_text(object, "ref");
	if (!bug_address_read(request, wish->url, &wish->bug))
		wish->problem = not_recognised(request);
}

/* Reads what BODY asks for; NULL where it is neither an object nor an array that is taken. */
static struct making *read_making(struct request *request, struct json_object *body)
{
	bool array = json_object_is_type(body, json_type_array);
	size_t count = array ? json_object_array_length(body) : 1;
	if (count > WATCHES_MOST) {
		request_fail(request, 400, "an array may have %d watches; send the rest apart",
			WATCHES_MOST);
		return NULL;
	}
	struct making *making = talloc_zero(request, struct making);
	making->single = !array;
	making->count = (unsigned)count;
	making->wishes = talloc_zero_array(making, struct wish, count + 1);
	for (unsigned i = 0; i < count; i++)
		read_wish(request, array ? json_object_array_get_idx(body, i) : body,
			&making->wishes[i]);
	return making;
}

static void answer_single(struct request *request, const struct wish *wish)
{
	if (wish->problem != NULL) {
		request_refuse(request, wish->problem);
		return;
	}
	request_header(
		request, "Location", talloc_asprintf(request, "/api/v1/watches/%s", wish->id));
	request_answer(request, wish->made ? 201 : 200, wish->watch);
}

static void answer_all(struct request *request)
{
	const struct making *making = request->work;
	struct evbuffer *output = request_output(request);
	if (making->single) {
		answer_single(request, &making->wishes[0]);
		return;
	}
	evbuffer_add_printf(output, "{\"items\":[");
	for (unsigned i = 0; i < making->count; i++) {
		const struct wish *wish = &making->wishes[i];
		const char *comma = i > 0 ? "," : "";
		if (wish->problem != NULL)
			evbuffer_add_printf(output, "%s{\"status\":%d,\"problem\":%s}", comma,
				problem_status(wish->problem), problem_text(wish->problem));
		else
			evbuffer_add_printf(output, "%s{\"status\":%d,\"watch\":%s}", comma,
				wish->made ? 201 : 200, wish->watch);
	}
	evbuffer_add_printf(output, "]}");
	request_answer(request, 207, NULL);
}

/* The JSON of the watch ID among ROWS, which are in the order of their ids; NULL if it is gone. */
static const char *find_watch(const struct db_rows *rows, const char *id)
{
	int64_t wanted = strtoll(id, NULL, 10);
	unsigned low = 0, high = db_count(rows);
	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		int64_t found = db_integer(rows, middle, 1);
		if (found == wanted)
			return db_text(rows, middle, 0);
		if (found < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void show_made(struct request *request, struct db_rows *const *rows)
{
	struct making *making = request->work;
	for (unsigned i = 0; i < making->count; i++) {
		struct wish *wish = &making->wishes[i];
		if (wish->problem != NULL)
			continue;
		wish->watch = find_watch(rows[0], wish->id);
		if (wish->watch == NULL)
			wish->problem = problem_new(request, 409,
				"the watch was removed by somebody at the same moment");
	}
	answer_all(request);
}

static struct problem *not_made(struct request *request, const struct wish *wish)
{
	if (wish->bug.type == NULL)
		return not_recognised(request);
	return problem_new(request, 409,
		"somebody changed the tracker at the same moment; send the watch again");
}

static void hear_made(struct request *request, struct db_rows *const *rows)
{
	struct making *making = request->work;
	const struct db_rows *found = rows[making->result];
	struct db_array *ids = db_array_new(request);
	unsigned row = 0;
	for (unsigned i = 0; i < making->count; i++) {
		struct wish *wish = &making->wishes[i];
		if (wish->problem != NULL)
			continue;
		if (db_null(found, row, 0)) {
			wish->problem = not_made(request, wish);
		} else {
			wish->id = talloc_strdup(request, db_text(found, row, 0));
			wish->made = db_text(found, row, 1)[0] == 't';
			db_array_add_text(ids, wish->id);
		}
		row++;
	}
	request_query(request, QUERY_api_watches,
		(const char *[]){
			db_array_text(ids), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
		show_made);
}

/* One array a column; returns how many wishes are in them. */
static unsigned gather(struct request *request, const char *columns[6])
{
	const struct making *making = request->work;
	struct db_array *arrays[6];
	unsigned count = 0;
	for (int i = 0; i < 6; i++)
		arrays[i] = db_array_new(request);
	for (unsigned i = 0; i < making->count; i++) {
		const struct wish *wish = &making->wishes[i];
		const char *cells[6] = {wish->bug.base_url, wish->bug.remote_id, wish->url,
			wish->ref, wish->bug.type, wish->bug.name};
		if (wish->problem != NULL)
			continue;
		for (int k = 0; k < 6; k++)
			db_array_add_text(arrays[k], cells[k]);
		count++;
	}
	for (int i = 0; i < 6; i++)
		columns[i] = db_array_text(arrays[i]);
	return count;
}

/* Sends what makes trackers, bugs and watches, in a number of statements that is always the same. */
static void make(struct request *request, const char *const of[6], bool many)
{
	enum { BASE_URL, REMOTE_ID, URL, REF, TYPE, NAME };
	struct db_batch *batch = db_batch_new(request->db);
	struct making *making = request->work;
	db_add(batch, QUERY_api_lock_new_trackers, (const char *[]){of[BASE_URL]});
	db_add(batch, QUERY_api_make_trackers, (const char *[]){of[BASE_URL], of[TYPE], of[NAME]});
	db_add(batch, QUERY_api_hold_trackers, (const char *[]){of[BASE_URL]});
	db_add(batch, QUERY_api_make_bugs, (const char *[]){of[BASE_URL], of[REMOTE_ID]});
	if (many)
		db_add(batch, QUERY_api_learn_bugs, NULL);
	db_add(batch, QUERY_api_make_watches,
		(const char *[]){of[BASE_URL], of[REMOTE_ID], of[URL], of[REF]});
	if (many)
		db_add(batch, QUERY_api_learn_watches, NULL);
	db_add(batch, QUERY_api_made_watches,
		(const char *[]){of[BASE_URL], of[REMOTE_ID], of[REF]});
	making->result = many ? 7 : 5;
	request_send(request, batch, hear_made);
}

void handle_make_watches(struct request *request)
{
	struct json_object *body = request_body(request, NULL);
	struct making *making = body == NULL ? NULL : read_making(request, body);
	if (making == NULL)
		return;
	request->work = making;
	const char *of[6];
	unsigned count = gather(request, of);
	if (count == 0)
		answer_all(request);
	else
		make(request, of, count >= MANY);
}
