#include "engine/postman.h"

#include "engine/clock.h"
#include "engine/log.h"
#include "engine/signature.h"
#include "trackers/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <talloc.h>

enum {
	ROUNDS = 16, /* webhooks told at once */
	PAGE = 20, /* events read for one at once */
	LOOKED_THROUGH = 5000, /* events looked through for those that match */
	LEASE_S = 180, /* longer than a delivery may take */
	IDLE_S = 30, /* a notice may get lost */
	GIVEN_UP_DAYS = 5,
	ANSWER_SHOWN = 200,
};

/* An event on its way. */
struct letter {
	int64_t id;
	const char *body;
};

/* One webhook that is being told. */
struct round {
	LIST_ENTRY(round) next;
	struct postman *postman;
	char id[24];
	const char *url, *secret;
	unsigned failures;
	struct db_batch *batch; /* under way */
	struct fetch *fetch; /* under way */
	struct letter *letters;
	unsigned count, at;
	int64_t seen; /* the last event that was looked at */
	int status;
};

struct postman {
	const struct tools *tools;
	struct event *timer;
	struct db_batch *taking, *asking;
	LIST_HEAD(, round) rounds;
	unsigned round_count;
	bool again; /* something was told of while taking */
};

static void look(struct postman *postman);
static void read_events(struct round *round);
static void deliver(struct round *round);

int postman_wait_s(unsigned failures)
{
	static const int waits[] = {5, 60, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};
	unsigned last = sizeof(waits) / sizeof(waits[0]) - 1;
	unsigned before = failures > 0 ? failures - 1 : 0;
	return waits[before < last ? before : last];
}

static void look_in(struct postman *postman, long seconds)
{
	const struct timeval wait = {.tv_sec = seconds};
	event_add(postman->timer, &wait);
}

/* ---- the end of a round ---- */

static int round_destroy(struct round *round)
{
	LIST_REMOVE(round, next);
	round->postman->round_count--;
	if (round->batch != NULL)
		db_forget(round->batch);
	if (round->fetch != NULL)
		fetch_cancel(round->fetch);
	return 0;
}

/* Somebody else may have it; what came meanwhile is looked for. */
static void end(struct round *round)
{
	struct postman *postman = round->postman;
	talloc_free(round);
	look(postman);
}

static void on_released(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct round *round = cookie;
	round->batch = NULL;
	end(round);
}

static void release(struct round *round)
{
	const struct tools *tools = round->postman->tools;
	round->batch = db_query(tools->db, QUERY_hook_release,
		(const char *[]){round->id, tools->owner}, on_released, round);
}

static void on_failed(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct round *round = cookie;
	round->batch = NULL;
	if (rows == NULL)
		log_error("webhook", "webhook %s: its failure could not be noted: %s", round->id,
			err->text);
	else if (db_count(rows[0]) > 0 && *db_text(rows[0], 0, 0) != 't')
		log_warning("webhook", "webhook %s is switched off: %s", round->id, round->url);
	end(round);
}

/* It is tried again later, or never where it says that it is gone. */
static void fail(struct round *round, const char *why)
{
	enum { GONE = 410 };
	const struct tools *tools = round->postman->tools;
	char wait[12], days[12];
	snprintf(wait, sizeof(wait), "%d", postman_wait_s(round->failures + 1));
	snprintf(days, sizeof(days), "%d", GIVEN_UP_DAYS);
	log_info("webhook", "webhook %s was not told, again in %s s: %s", round->id, wait, why);
	round->batch = db_query(tools->db, QUERY_hook_failed,
		(const char *[]){round->id, tools->owner, why, wait,
			round->status == GONE ? "true" : "false", days},
		on_failed, round);
}

/* ---- a delivery ---- */

static void on_taken(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct round *round = cookie;
	round->batch = NULL;
	if (rows == NULL)
		log_error("webhook",
			"webhook %s: what it took could not be noted, it will come again: %s",
			round->id, err->text);
	if (rows == NULL || db_count(rows[0]) == 0)
		end(round); /* without the database or the lease */
	else if (round->at < round->count)
		deliver(round);
	else
		read_events(round);
}

static void note_taken(struct round *round, int64_t id, bool delivered)
{
	const struct tools *tools = round->postman->tools;
	char cursor[24], lease[12];
	snprintf(cursor, sizeof(cursor), "%" PRId64, id);
	snprintf(lease, sizeof(lease), "%d", LEASE_S);
	round->failures = 0;
	round->batch = db_query(tools->db, QUERY_hook_taken,
		(const char *[]){
			round->id, tools->owner, cursor, delivered ? "true" : "false", lease},
		on_taken, round);
}

static void on_head(void *cookie, const struct fetch_answer *answer)
{
	struct round *round = cookie;
	round->status = answer->status;
}

/* What a receiver says beside the status is nobody's business. */
static void on_data(void *cookie, const char *bytes, size_t n)
{
}

static void on_answered(void *cookie, const struct err *err, const struct fetch_cost *cost)
{
	struct round *round = cookie;
	round->fetch = NULL;
	if (err != NULL)
		fail(round, err->text);
	else if (round->status < 200 || round->status > 299)
		fail(round,
			talloc_asprintf(
				round, "%s: HTTP %d in place of 200", round->url, round->status));
	else
		note_taken(round, round->letters[round->at++].id, true);
}

static const struct fetch_handlers handlers = {on_head, on_data, on_answered};

static void deliver(struct round *round)
{
	const struct tools *tools = round->postman->tools;
	const struct letter *letter = &round->letters[round->at];
	int64_t now = clock_now() / MOMENT_SECOND;
	void *memory = talloc_new(round);
	char *id = talloc_asprintf(memory, "event_%" PRId64, letter->id);
	char *signature = signature_of(memory, round->secret, id, now, letter->body);
	const char *headers[] = {"Content-Type: application/json",
		talloc_asprintf(memory, "webhook-id: %s", id),
		talloc_asprintf(memory, "webhook-timestamp: %" PRId64, now),
		talloc_asprintf(memory, "webhook-signature: %s", signature), NULL};
	struct fetch_request request = {
		.method = "POST",
		.url = round->url,
		.headers = headers,
		.body = letter->body,
		.stay = true, /* a redirect is no receipt */
		.max_connections = ROUNDS,
	};
	round->status = 0;
	round->fetch = fetch_start(tools->fetcher, &request, &handlers, round);
	talloc_free(memory);
}

/* ---- what to deliver ---- */

/* The columns of hook_events. */
enum { EVENT_ID, KIND, AT, EVENT, SEEN };

static void read_letters(struct round *round, const struct db_rows *rows)
{
	TALLOC_FREE(round->letters);
	round->count = round->at = 0;
	round->letters = talloc_zero_array(round, struct letter, db_count(rows));
	for (unsigned i = 0; i < db_count(rows); i++) {
		round->seen = db_integer(rows, i, SEEN);
		if (db_null(rows, i, EVENT_ID))
			continue;
		struct letter *letter = &round->letters[round->count++];
		letter->id = db_integer(rows, i, EVENT_ID);
		letter->body = talloc_asprintf(round->letters,
			"{\"type\":\"bug.%s\",\"timestamp\":\"%s\",\"data\":%s}",
			db_text(rows, i, KIND), db_text(rows, i, AT), db_text(rows, i, EVENT));
	}
}

static void on_events(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct round *round = cookie;
	round->batch = NULL;
	round->seen = 0;
	if (rows == NULL) {
		log_error("webhook", "webhook %s: its events could not be read: %s", round->id,
			err->text);
		end(round);
		return;
	}
	read_letters(round, rows[0]);
	if (round->count > 0)
		deliver(round);
	else if (round->seen > 0)
		note_taken(round, round->seen, false);
	else
		release(round);
}

static void read_events(struct round *round)
{
	const struct tools *tools = round->postman->tools;
	char page[12], looked[12];
	snprintf(page, sizeof(page), "%d", PAGE);
	snprintf(looked, sizeof(looked), "%d", LOOKED_THROUGH);
	round->batch = db_query(tools->db, QUERY_hook_events,
		(const char *[]){round->id, page, tools->owner, looked}, on_events, round);
}

/* ---- whom to tell ---- */

/* The columns of hook_take. */
enum { HOOK_ID, URL, SECRET, FAILURES };

static void begin(struct postman *postman, const struct db_rows *rows, unsigned row)
{
	struct round *round = talloc_zero(postman, struct round);
	round->postman = postman;
	snprintf(round->id, sizeof(round->id), "%s", db_text(rows, row, HOOK_ID));
	round->url = talloc_strdup(round, db_text(rows, row, URL));
	round->failures = (unsigned)db_integer(rows, row, FAILURES);
	LIST_INSERT_HEAD(&postman->rounds, round, next);
	postman->round_count++;
	talloc_set_destructor(round, round_destroy);
	struct credentials *opened =
		vault_unseal(round, postman->tools->vault, db_text(rows, row, SECRET));
	if (opened == NULL || opened->api_key == NULL) {
		fail(round,
			"its secret can't be opened with this service's secret-key: make the "
			"webhook anew");
		return;
	}
	round->secret = opened->api_key;
	read_events(round);
}

static void on_next_try(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct postman *postman = cookie;
	postman->asking = NULL;
	long wait = IDLE_S;
	if (rows != NULL && !db_null(rows[0], 0, 0) && db_integer(rows[0], 0, 0) < wait)
		wait = (long)db_integer(rows[0], 0, 0) + 1;
	look_in(postman, wait);
}

static void on_hooks(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct postman *postman = cookie;
	postman->taking = NULL;
	for (unsigned i = 0; rows != NULL && i < db_count(rows[0]); i++)
		begin(postman, rows[0], i);
	if (postman->again)
		look(postman);
	else if (postman->asking == NULL)
		postman->asking = db_query(
			postman->tools->db, QUERY_hook_next_try, NULL, on_next_try, postman);
}

static void look(struct postman *postman)
{
	const struct tools *tools = postman->tools;
	char limit[12], lease[12];
	postman->again = postman->taking != NULL;
	if (postman->taking != NULL || postman->round_count >= ROUNDS)
		return;
	snprintf(limit, sizeof(limit), "%u", ROUNDS - postman->round_count);
	snprintf(lease, sizeof(lease), "%d", LEASE_S);
	postman->taking = db_query(tools->db, QUERY_hook_take,
		(const char *[]){tools->owner, limit, lease}, on_hooks, postman);
}

static void on_timer(evutil_socket_t fd, short what, void *cookie)
{
	look(cookie);
}

static void on_notice(void *cookie, const char *payload)
{
	look(cookie);
}

/* Leases of ours lapse where the database does not hear of it. */
static int postman_destroy(struct postman *postman)
{
	const struct tools *tools = postman->tools;
	while (!LIST_EMPTY(&postman->rounds))
		talloc_free(LIST_FIRST(&postman->rounds));
	if (postman->taking != NULL)
		db_forget(postman->taking);
	if (postman->asking != NULL)
		db_forget(postman->asking);
	event_free(postman->timer);
	db_query(tools->db, QUERY_hook_release, (const char *[]){NULL, tools->owner}, NULL, NULL);
	return 0;
}

struct postman *postman_start(const void *owner, const struct tools *tools)
{
	struct postman *postman = talloc_zero(owner, struct postman);
	postman->tools = tools;
	LIST_INIT(&postman->rounds);
	postman->timer = event_new(tools->base, -1, 0, on_timer, postman);
	talloc_set_destructor(postman, postman_destroy);
	db_listen(postman, tools->db, "bugwatch_events", on_notice, postman);
	db_listen(postman, tools->db, "bugwatch_webhooks", on_notice, postman);
	look_in(postman, 0);
	return postman;
}
