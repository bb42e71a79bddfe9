#include "engine/run.h"

#include "engine/check.h"
#include "engine/clock.h"
#include "engine/log.h"
#include "engine/news.h"
#include "engine/probe.h"
#include "engine/reckon.h"
#include "engine/schedule.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <talloc.h>

enum run_state { RUN_BEGINNING, RUN_PROBING, RUN_CHECKING, RUN_ENDING };

enum { INTEGER_TEXT = 24 };

/* A batch of the run's pass over its tracker's bugs. */
struct stretch {
	struct run *run;
	int64_t last_bug;
	bool settled; /* all its bugs were spoken of */
	STAILQ_ENTRY(stretch) link;
};

struct run {
	const struct tools *tools;
	struct lease *lease;
	run_done *done;
	void *cookie;
	enum run_state state;
	struct event
		*over; /* so that `done` comes from the loop, never from inside a call of ours */
	struct db_batch *batch; /* of the run itself: beginning, probe, claim or end */
	struct settle_frame frame;
	struct store_run stored;
	char tracker_id[INTEGER_TEXT];
	bool sweeping; /* it goes on with a forced update */
	bool walks; /* it asks about all that is due */
	bool batch_due; /* it asks about a batch of those due first */
	bool reckoned_now;
	bool first_reads; /* among the due are bugs that were never read */
	int64_t last_bug; /* claimed so far */
	STAILQ_HEAD(, stretch) stretches; /* in the order of claims, but for the settled in front */
	bool claiming, exhausted, stopped;
	unsigned checks; /* under way */
	void *work; /* owns the probe and the checks */
	struct err err; /* the tracker's failure */
	struct tally tally;
	moment started;
};

static void claim(struct run *run);
static void add_claim(struct run *run);
static void take_claimed(struct run *run, struct db_rows *const *rows);
static void end(struct run *run);

static const char *integer(char *text, int64_t value)
{
	snprintf(text, INTEGER_TEXT, "%" PRId64, value);
	return text;
}

const struct lease *run_lease(const struct run *run)
{
	return run->lease;
}

static void on_over(evutil_socket_t fd, short what, void *cookie)
{
	struct run *run = cookie;
	run->done(run->cookie, run);
	talloc_free(run);
}

/* Ends without another word to the database: what it does not know of stays due. */
static void drop(struct run *run, const struct err *err)
{
	log_warning(run->lease->name, "run given up, what is due stays due: %s", err->text);
	TALLOC_FREE(run->work);
	if (run->batch != NULL)
		db_forget(run->batch);
	run->batch = NULL;
	event_active(run->over, 0, 0);
}

/* ---- beginning ---- */

/* Of asking what is no check: the probe, and what changed. */
static void add_cost(struct run *run, const struct fetch_cost *cost)
{
	struct tally tally = {.requests = cost->requests, .bytes = cost->bytes};
	tally_add(&run->tally, &tally);
	tally_add(&run->stored.unwritten, &tally);
}

static void on_news(
	void *cookie, const struct err *err, unsigned told, const struct fetch_cost *cost)
{
	struct run *run = cookie;
	add_cost(run, cost);
	if (err != NULL && err_scope(err->kind) == ERR_SCOPE_OWN) {
		drop(run, err);
		return;
	}
	if (err != NULL)
		run->err = *err;
	run->walks = run->walks || told > 0;
	claim(run);
}

static void learn_server(struct run *run, const struct server *server)
{
	run->frame.server = server;
	run->state = RUN_CHECKING;
	if (news_due(&run->frame))
		news_start(run->work, &run->frame, on_news, run);
	else
		claim(run);
}

static void on_probe_stored(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct run *run = cookie;
	run->batch = NULL;
	if (err != NULL)
		drop(run, err);
	else
		learn_server(run, run->lease->server);
}

static void on_probed(void *cookie, const struct err *err, const struct tracker *driver,
	const struct server *server, const struct fetch_cost *cost)
{
	struct run *run = cookie;
	add_cost(run, cost);
	if (err != NULL) {
		run->err = *err;
		end(run);
		return;
	}
	char *json = server_to_json(run, server);
	run->lease->driver = driver;
	run->lease->server = server_from_json(run->lease, json);
	run->batch = db_batch_new(run->tools->db);
	lease_hold(run->lease, run->batch);
	db_add(run->batch, QUERY_work_probed,
		(const char *[]){run->tracker_id, driver->name, json,
			run->lease->has_udd ? "true" : "false"});
	db_send(run->batch, on_probe_stored, run);
	talloc_free(json);
}

/* The columns of work_begin. */
enum { RUN_ID, REASON, HORIZON, DUE, SWEEPING, BATCH_DUE };

/* Whether the tracker's bugs are asked about in batches of those due first, one now and then. */
static bool in_batches(const struct lease *lease)
{
	return lease->reckoned && lease->rules.mode != SCHEDULE_SINGLE;
}

static void on_begun(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	enum { BEGIN = 3, CLAIM }; /* after hold, abandon and force */
	struct run *run = cookie;
	run->batch = NULL;
	if (err != NULL) {
		drop(run, err);
		return;
	}
	const struct db_rows *begun = rows[BEGIN];
	run->stored.id = db_integer(begun, 0, RUN_ID);
	run->stored.horizon = talloc_strdup(run, db_text(begun, 0, HORIZON));
	run->sweeping = *db_text(begun, 0, SWEEPING) == 't';
	run->first_reads = strcmp(db_text(begun, 0, REASON), "new") == 0;
	run->walks = run->first_reads || strcmp(db_text(begun, 0, REASON), "forced") == 0 ||
		run->sweeping || !in_batches(run->lease);
	run->batch_due = *db_text(begun, 0, BATCH_DUE) == 't';
	log_debug(run->lease->name, "run %" PRId64 " (%s): %s due", run->stored.id,
		db_text(begun, 0, REASON), db_text(begun, 0, DUE));
	if (run->claiming) {
		run->state = RUN_CHECKING;
		take_claimed(run, rows + CLAIM);
		return;
	}
	if (run->lease->server != NULL) {
		learn_server(run, run->lease->server);
		return;
	}
	run->state = RUN_PROBING;
	probe_start(run->work, run->tools, run->lease, &run->frame.site, on_probed, run);
}

static void begin(struct run *run)
{
	const char *tracker[] = {run->tracker_id, run->tools->settings->instance};
	run->batch = db_batch_new(run->tools->db);
	lease_hold(run->lease, run->batch);
	db_add(run->batch, QUERY_work_abandon, tracker);
	db_add(run->batch, QUERY_work_force, tracker);
	db_add(run->batch, QUERY_work_begin, tracker);
	run->frame.server = run->lease->server;
	run->walks = run->lease->forced || !in_batches(run->lease);
	if (run->walks && run->frame.server != NULL && !news_due(&run->frame))
		add_claim(run);
	db_send(run->batch, on_begun, run);
}

/* ---- checking ---- */

/* All bugs of STRETCH were heard of; what was claimed before it decides how far a sweep came. */
static void note_settled(struct run *run, struct stretch *stretch)
{
	stretch->settled = true;
	while ((stretch = STAILQ_FIRST(&run->stretches)) != NULL && stretch->settled) {
		if (run->sweeping)
			run->stored.swept_to = stretch->last_bug;
		STAILQ_REMOVE_HEAD(&run->stretches, link);
		talloc_free(stretch);
	}
}

static void on_checked(void *cookie, const struct err *err, const struct tally *tally)
{
	struct stretch *stretch = cookie;
	struct run *run = stretch->run;
	run->checks--;
	tally_add(&run->tally, tally);
	if (err != NULL && err_scope(err->kind) == ERR_SCOPE_OWN) {
		drop(run, err);
		return;
	}
	if (err != NULL)
		err_set(&run->err, err->kind, "%s", err->text);
	else
		note_settled(run, stretch);
	claim(run);
}

static unsigned batch_size(const struct run *run)
{
	return run->lease->batch_size > 0 ? run->lease->batch_size : run->lease->driver->batch_size;
}

static void check(struct run *run, const struct db_rows *rows, const struct db_rows *words)
{
	struct stretch *stretch = talloc_zero(run, struct stretch);
	stretch->run = run;
	stretch->last_bug = run->last_bug = db_integer(rows, db_count(rows) - 1, 0);
	STAILQ_INSERT_TAIL(&run->stretches, stretch, link);
	run->checks++;
	check_start(run->work, &run->frame, rows, words, on_checked, stretch);
}

/* ROWS are the answers to what add_claim added. */
static void take_claimed(struct run *run, struct db_rows *const *rows)
{
	unsigned n = db_count(rows[0]);
	run->claiming = false;
	run->exhausted = !run->walks || n < batch_size(run);
	if (n > 0)
		check(run, rows[0], rows[1]);
	claim(run);
}

static void on_claimed(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct run *run = cookie;
	run->batch = NULL;
	if (err != NULL)
		drop(run, err);
	else
		take_claimed(run, rows);
}

static void add_claim(struct run *run)
{
	char last[INTEGER_TEXT], limit[INTEGER_TEXT];
	integer(limit, batch_size(run));
	run->claiming = true;
	if (run->walks)
		db_add(run->batch, QUERY_work_claim,
			(const char *[]){run->tracker_id, integer(last, run->last_bug),
				run->stored.horizon, limit});
	else
		db_add(run->batch, QUERY_work_claim_first,
			(const char *[]){run->tracker_id, limit});
	db_add(run->batch, QUERY_work_own_words, (const char *[]){run->tracker_id});
}

/*
 * How many batches may be under way: one more than the tracker may be asked at once, so that the
 * next question is ready while an answer is being stored. A tracker that failed before shows first
 * with one batch that it is well again.
 */
static unsigned most_checks(const struct run *run)
{
	bool doubtful = run->lease->failures > 0 && run->tally.checked == 0;
	return doubtful ? 1 : run->frame.site.max_connections + 1;
}

/* Claims the next batch as long as the tracker answers. */
static void claim(struct run *run)
{
	bool enough =
		run->exhausted || run->err.kind != ERR_NONE || !(run->walks || run->batch_due);
	if (!enough && !run->claiming && run->checks < most_checks(run)) {
		run->batch = db_batch_new(run->tools->db);
		add_claim(run);
		db_send(run->batch, on_claimed, run);
	} else if (enough && !run->claiming && run->checks == 0) {
		if (run->sweeping && run->err.kind == ERR_NONE)
			run->stored.swept_to = INT64_MAX;
		end(run);
	}
}

/* ---- ending ---- */

static void tell(const struct run *run)
{
	const struct tally *t = &run->tally;
	if (run->stored.missed > 0)
		log_warning(run->lease->name,
			"%u bugs had changed without a word, though it can say what changed",
			run->stored.missed);
	double seconds = (double)(clock_now() - run->started) / MOMENT_SECOND;
	if (run->err.kind != ERR_NONE)
		log_warning(run->lease->name, "run %" PRId64 " failed after %u bugs: %s: %s",
			run->stored.id, t->checked, err_word(run->err.kind), run->err.text);
	else
		log_info(run->lease->name,
			"run %" PRId64 " %s: %u checked, %u changed, %u in error, %" PRIu64
			" requests, %.1f s",
			run->stored.id, run->stopped ? "abandoned" : "done", t->checked, t->changed,
			t->errors, t->requests, seconds);
}

static void on_ended(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct run *run = cookie;
	run->batch = NULL;
	if (err != NULL) {
		drop(run, err);
		return;
	}
	tell(run);
	event_active(run->over, 0, 0);
}

static double draw(void)
{
	return (double)randombytes_random() / ((double)UINT32_MAX + 1);
}

/* When the tracker is due again; see work_settle. */
static void add_settle(struct run *run)
{
	const struct err *err = &run->err;
	const struct lease *lease = run->lease;
	const struct schedule_rules *rules = &lease->rules;
	char wait[INTEGER_TEXT], pause[INTEGER_TEXT], batch[INTEGER_TEXT], changes[INTEGER_TEXT],
		skew[INTEGER_TEXT], size[INTEGER_TEXT], swept[INTEGER_TEXT], missed[INTEGER_TEXT];
	moment retry_at = fetcher_retry_at(run->tools->fetcher, lease->base_url);
	bool failed = err->kind != ERR_NONE, counts = lease->failures == 0;
	const char *charged =
		!outage_note(run->tools->outage, lease->tracker_id, err->kind, clock_now()) ? "t"
											    : "f";
	const char *asked = !failed && (run->walks || run->batch_due) ? "t" : "f";
	int64_t length = schedule_jittered(rules, lease->batch_s, draw());
	db_add(run->batch, QUERY_work_settle,
		(const char *[]){run->tracker_id, failed ? err_word(err->kind) : NULL,
			failed ? err->text : NULL,
			integer(wait,
				schedule_tracker(&lease->knobs, lease->failures + 1,
					lease->failing_s, draw())),
			retry_at != 0 ? integer(pause, (retry_at - clock_now()) / MOMENT_SECOND + 1)
				      : NULL,
			lease->reckoned ? schedule_mode_word(rules->mode) : NULL,
			talloc_asprintf(run->work, "%.17g", rules->stretch_s),
			integer(batch, length), integer(changes, lease->changes_s),
			run->reckoned_now ? "t" : "f", asked,
			integer(skew, lease->server != NULL ? lease->server->skew_s : 0),
			integer(size, lease->driver != NULL ? (int64_t)batch_size(run) : 0),
			integer(swept, counts ? run->stored.swept : 0),
			integer(missed, counts ? run->stored.missed : 0), charged});
}

static void write_end(struct run *run)
{
	bool failed = run->err.kind != ERR_NONE;
	run->batch = db_batch_new(run->tools->db);
	lease_hold(run->lease, run->batch);
	store_end(run->batch, run->lease, &run->stored,
		run->stopped	 ? "abandoned"
			: failed ? "failed"
				 : "done",
		&run->err);
	if (run->stopped)
		db_add(run->batch, QUERY_work_leave, (const char *[]){run->tracker_id});
	else
		add_settle(run);
	db_send(run->batch, on_ended, run);
}

static void on_reckoned(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct run *run = cookie;
	run->batch = NULL;
	if (err != NULL) {
		drop(run, err);
		return;
	}
	reckon(run->lease, batch_size(run), rows[0]);
	run->reckoned_now = true;
	write_end(run);
}

/* What the schedule goes by is reckoned now and then, and when new bugs were read. */
static void end(struct run *run)
{
	const struct lease *lease = run->lease;
	bool wanted = lease->reckon_due || run->first_reads;
	run->state = RUN_ENDING;
	if (run->stopped || run->err.kind != ERR_NONE || !wanted) {
		write_end(run);
		return;
	}
	char skew[INTEGER_TEXT];
	run->batch = db_query(run->tools->db, QUERY_work_reckon,
		(const char *[]){run->tracker_id, integer(skew, lease->server->skew_s)},
		on_reckoned, run);
}

void run_stop(struct run *run)
{
	if (run->state == RUN_ENDING || run->stopped)
		return;
	run->stopped = true;
	TALLOC_FREE(run->work);
	if (run->batch != NULL)
		db_forget(run->batch);
	end(run);
}

static int run_free(struct run *run)
{
	if (run->batch != NULL)
		db_forget(run->batch);
	event_free(run->over);
	TALLOC_FREE(run->work); /* it may be asking the mirror, which goes after it */
	return 0;
}

static struct udd *mirror(const struct run *run)
{
	const struct tools *tools = run->tools;
	const char *conninfo = run->lease->udd;
	if (conninfo == NULL)
		return NULL;
	return udd_new(run, tools->base, tools->resolver, tools->policy, conninfo);
}

struct run *run_start(const void *owner, const struct tools *tools, struct lease *lease,
	run_done *done, void *cookie)
{
	struct run *run = talloc_zero(owner, struct run);
	run->tools = tools;
	run->lease = talloc_steal(run, lease);
	run->done = done;
	run->cookie = cookie;
	run->work = talloc_new(run);
	run->over = event_new(tools->base, -1, 0, on_over, run);
	run->started = clock_now();
	STAILQ_INIT(&run->stretches);
	run->stored.written_at = run->started;
	integer(run->tracker_id, lease->tracker_id);
	run->frame = (struct settle_frame){
		.tools = tools,
		.lease = lease,
		.site = {tools->fetcher, lease->max_connections, lease->min_delay_ms, mirror(run)},
		.run = &run->stored,
	};
	talloc_set_destructor(run, run_free);
	begin(run);
	return run;
}
