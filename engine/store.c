#include "engine/store.h"

#include "engine/clock.h"
#include "engine/schedule.h"
#include "trackers/own_words.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <talloc.h>

enum {
	COLUMNS = 13,
	INTEGER_TEXT = 24,
	PROGRESS_S = 1, /* a run's progress is written so often */
	MISSED_S = 3600, /* what changed later may still be told of */
	SKEW_ERROR_S = 5, /* what is thought of a server's clock may be off by its slowness */
};

/* The arrays of one statement, column by column. */
struct table {
	enum query query;
	unsigned columns, rows;
	struct db_array *column[COLUMNS];
};

/* All that one transaction writes, filled bug by bug. */
struct plan {
	const struct lease *lease;
	const struct conversation *check;
	struct table recovered, failed, unchanged, checked, changed, hidden, comments,
		comments_read;
	unsigned first_reads, missed, heard; /* bugs that an answer spoke of */
	int64_t lowest, highest; /* unchanged bugs */
	double draw; /* one for all: bugs of a batch stay together */
};

void tally_add(struct tally *tally, const struct tally *more)
{
	tally->checked += more->checked;
	tally->changed += more->changed;
	tally->errors += more->errors;
	tally->requests += more->requests;
	tally->bytes += more->bytes;
}

static void table_init(struct plan *plan, struct table *table, enum query query, unsigned columns)
{
	table->query = query;
	table->columns = columns;
	for (unsigned i = 0; i < columns; i++)
		table->column[i] = db_array_new(plan);
}

static struct plan *plan_new(const struct lease *lease, const struct conversation *check)
{
	struct plan *plan = talloc_zero(NULL, struct plan);
	plan->lease = lease;
	plan->check = check;
	plan->draw = (double)randombytes_random() / ((double)UINT32_MAX + 1);
	table_init(plan, &plan->recovered, QUERY_work_recovered, 1);
	table_init(plan, &plan->failed, QUERY_work_failed, 5);
	table_init(plan, &plan->unchanged, QUERY_work_unchanged, 2);
	table_init(plan, &plan->checked, QUERY_work_checked, 3);
	table_init(plan, &plan->changed, QUERY_work_changed, 13);
	table_init(plan, &plan->hidden, QUERY_work_comments_hidden, 3);
	table_init(plan, &plan->comments, QUERY_work_comments, 5);
	table_init(plan, &plan->comments_read, QUERY_work_comments_read, 3);
	return plan;
}

/* The server's clock when the bugs were asked for. */
static moment there(const struct plan *plan)
{
	return plan->check->now + plan->check->server->skew_s * MOMENT_SECOND;
}

/* Seconds until BUG, of which O was read, is to be checked again. */
static int64_t next_check(const struct plan *plan, const struct claimed *bug,
	const struct observation *o, bool changed)
{
	double quiet = o->changed_at != 0 ? (double)(there(plan) - o->changed_at) / MOMENT_SECOND
		: changed		  ? 0
					  : (double)bug->quiet_s;
	struct schedule_bug state = {
		.quiet_s = quiet,
		.steady_s = changed ? quiet : (double)bug->steady_s,
		.resolved = status_resolved(o->mapped_status),
		.first = bug->fingerprint == 0,
	};
	return schedule_bug(&plan->lease->rules, &state, plan->draw);
}

static int64_t next_try(const struct plan *plan, enum err_kind kind, unsigned failures)
{
	struct schedule_bug state = {
		.failures = failures,
		.gone = kind == ERR_BUG_NOT_FOUND || kind == ERR_PRIVATE_BUG,
	};
	return schedule_bug(&plan->lease->rules, &state, plan->draw);
}

static const char *moment_text(char *text, moment at)
{
	return at != 0 ? moment_format(at, text) : NULL;
}

/* ---- bugs ---- */

/* PRINT is 0 where nothing of the bug was read; it is tried again in WAIT seconds. */
static void plan_failed(struct plan *plan, const struct claimed *bug, const struct err *err,
	int64_t print, int64_t wait)
{
	char text[INTEGER_TEXT];
	struct db_array **column = plan->failed.column;
	plan->failed.rows++;
	snprintf(text, sizeof(text), "%" PRId64, print);
	db_array_add_integer(column[0], bug->bug_id);
	db_array_add_text(column[1], err_word(err->kind));
	db_array_add_text(column[2], err->text);
	db_array_add_integer(column[3], wait);
	db_array_add_text(column[4], print != 0 ? text : NULL);
}

/* Words that no row knows are counted, never silent. */
static void plan_changed(struct plan *plan, int64_t bug_id, const struct observation *o)
{
	char at[MOMENT_TEXT];
	bool odd_status = o->mapped_status == STATUS_UNKNOWN;
	bool odd_importance = o->mapped_importance == IMPORTANCE_UNKNOWN;
	const char *texts[] = {o->title, o->product, o->status, o->resolution, o->severity,
		o->priority, o->tags, status_word(o->mapped_status),
		importance_word(o->mapped_importance), moment_text(at, o->changed_at),
		odd_status ? own_words_status(plan, o) : NULL,
		odd_importance ? own_words_importance(o) : NULL};
	plan->changed.rows++;
	db_array_add_integer(plan->changed.column[0], bug_id);
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		db_array_add_text(plan->changed.column[i + 1], texts[i]);
}

static void plan_comments_read(struct plan *plan, int64_t bug_id, bool wanted, bool heard)
{
	plan->comments_read.rows++;
	db_array_add_integer(plan->comments_read.column[0], bug_id);
	db_array_add_text(plan->comments_read.column[1], wanted ? "t" : "f");
	db_array_add_text(plan->comments_read.column[2], heard ? "t" : "f");
}

/*
 * Whether the bug changed in the second in which it was read, as far as clocks can tell. A comment
 * that comes later in that second does not move the last change.
 */
static bool just_changed(const struct plan *plan, const struct observation *o)
{
	return o->changed_at != 0 && o->changed_at >= there(plan) - SKEW_ERROR_S * MOMENT_SECOND;
}

/* Whether the tracker should have told of the change of O before, when it was asked what changed. */
static bool was_missed(const struct plan *plan, const struct observation *o)
{
	const struct lease *lease = plan->lease;
	return lease->rules.mode == SCHEDULE_CHANGES && lease->changes_since != 0 &&
		o->changed_at != 0 &&
		o->changed_at < lease->changes_since - MISSED_S * MOMENT_SECOND;
}

static void plan_checked(struct plan *plan, const struct claimed *bug, int64_t print, int64_t wait)
{
	if (print == bug->fingerprint && !bug->failing) {
		if (!bug->due)
			return;
		bool none = plan->unchanged.rows++ == 0;
		plan->lowest = none || bug->bug_id < plan->lowest ? bug->bug_id : plan->lowest;
		plan->highest = none || bug->bug_id > plan->highest ? bug->bug_id : plan->highest;
		db_array_add_integer(plan->unchanged.column[0], bug->bug_id);
		db_array_add_integer(plan->unchanged.column[1], wait);
		return;
	}
	if (bug->failing) {
		plan->recovered.rows++;
		db_array_add_integer(plan->recovered.column[0], bug->bug_id);
	}
	plan->checked.rows++;
	db_array_add_integer(plan->checked.column[0], bug->bug_id);
	db_array_add_integer(plan->checked.column[1], print);
	db_array_add_integer(plan->checked.column[2], wait);
}

/* All comments of this bug are known: those that plan_shown names. */
static void plan_whole(struct plan *plan, int64_t bug_id)
{
	plan->hidden.rows++;
	db_array_add_integer(plan->hidden.column[0], bug_id);
}

static void plan_shown(struct plan *plan, int64_t bug_id, int64_t number)
{
	db_array_add_integer(plan->hidden.column[1], bug_id);
	db_array_add_integer(plan->hidden.column[2], number);
}

/*
 * PRINT is the observation's; TALK is what was learnt of the bug's comments, NULL where they were
 * not asked for.
 */
static void plan_read(struct plan *plan, const struct claimed *bug, const struct observation *o,
	int64_t print, const struct observation *talk)
{
	bool changed = print != bug->fingerprint;
	int64_t wait = next_check(plan, bug, o, changed);
	bool failed = talk != NULL && talk->err.kind != ERR_NONE, heard = talk != NULL && !failed;
	if (changed)
		plan_changed(plan, bug->bug_id, o);
	if (bug->fingerprint == 0)
		plan->first_reads++;
	else if (changed && was_missed(plan, o))
		plan->missed++;
	bool closed = o->is_private && !conversation_stores_private(plan->check);
	if ((closed && (changed || bug->comments_wanted)) || (heard && talk->whole))
		plan_whole(plan, bug->bug_id);
	if (failed)
		plan_failed(plan, bug, &talk->err, print, wait);
	else
		plan_checked(plan, bug, print, wait);
	bool wanted = heard ? just_changed(plan, o) : failed || changed || bug->comments_wanted;
	if (heard || wanted != bug->comments_wanted)
		plan_comments_read(plan, bug->bug_id, wanted, heard);
}

/* ---- comments ---- */

/* What CONVERSATION learnt of each of its bugs, NULL for nothing; owned by PLAN. */
static const struct observation **by_bug(struct plan *plan, const struct conversation *conversation)
{
	const struct observation **found =
		talloc_zero_array(plan, const struct observation *, conversation->wanted_count);
	for (unsigned i = 0; i < conversation->observation_count; i++)
		found[conversation->observations[i].wanted] = &conversation->observations[i];
	return found;
}

static void plan_comment(struct plan *plan, int64_t bug_id, const struct comment *comment)
{
	char at[MOMENT_TEXT];
	struct db_array **column = plan->comments.column;
	plan->comments.rows++;
	db_array_add_integer(column[0], bug_id);
	db_array_add_integer(column[1], comment->number);
	db_array_add_text(column[2], comment->author);
	db_array_add_text(column[3], moment_text(at, comment->posted_at));
	db_array_add_text(column[4], comment->text);
}

/* Comments of bugs that were not heard of to the end are left for the next time. */
static void plan_comments(struct plan *plan, const struct claimed *bugs,
	const struct findings *findings, const struct observation **talks)
{
	const struct conversation *talk = findings->comments;
	for (unsigned i = 0; i < talk->comment_count; i++) {
		unsigned place = talk->comments[i].wanted;
		const struct observation *o =
			&findings->check->observations[findings->which[place]];
		const struct comment *comment = &talk->comments[i];
		int64_t bug_id = bugs[o->wanted].bug_id;
		if (talks[place] == NULL || talks[place]->err.kind != ERR_NONE)
			continue;
		if (talks[place]->whole)
			plan_shown(plan, bug_id, comment->number);
		if (comment->text != NULL)
			plan_comment(plan, bug_id, comment);
	}
}

static struct plan *plan_findings(
	const struct lease *lease, const struct claimed *bugs, const struct findings *findings)
{
	struct plan *plan = plan_new(lease, findings->check);
	const struct observation **talks =
		findings->comments != NULL ? by_bug(plan, findings->comments) : NULL;
	for (unsigned i = 0; i < findings->count; i++) {
		const struct observation *o = &findings->check->observations[findings->which[i]];
		const struct claimed *bug = &bugs[o->wanted];
		if (talks != NULL && talks[i] == NULL)
			continue;
		plan->heard++;
		if (o->err.kind != ERR_NONE)
			plan_failed(plan, bug, &o->err, 0,
				next_try(plan, o->err.kind, bug->failures + 1));
		else
			plan_read(plan, bug, o, findings->prints[findings->which[i]],
				talks != NULL ? talks[i] : NULL);
	}
	if (talks != NULL)
		plan_comments(plan, bugs, findings, talks);
	return plan;
}

/* ---- statements ---- */

/* Adds TABLE's statement with TRACKER before the arrays, and what else it takes after them. */
static void add(struct db_batch *batch, const struct table *table, const char *tracker,
	const char *more, const char *last)
{
	const char *parameters[COLUMNS + 3] = {tracker};
	if (table->rows == 0)
		return;
	for (unsigned i = 0; i < table->columns; i++)
		parameters[i + 1] = db_array_text(table->column[i]);
	parameters[table->columns + 1] = more;
	parameters[table->columns + 2] = last;
	db_add(batch, table->query, parameters);
}

static void add_unchanged(
	struct db_batch *batch, const struct plan *plan, const char *tracker, const char *horizon)
{
	char lowest[INTEGER_TEXT], highest[INTEGER_TEXT];
	if (plan->unchanged.rows == 0)
		return;
	snprintf(lowest, sizeof(lowest), "%" PRId64, plan->lowest);
	snprintf(highest, sizeof(highest), "%" PRId64, plan->highest);
	db_add(batch, QUERY_work_unchanged,
		(const char *[]){tracker, db_array_text(plan->unchanged.column[0]),
			db_array_text(plan->unchanged.column[1]), horizon, lowest, highest});
}

/*
 * The lock that orders events is held from here until the commit. What tells of an error's end or
 * beginning reads the error that was there before, so it comes first.
 */
static void add_statements(struct db_batch *batch, const struct plan *plan, const char *tracker,
	const char *run, const char *horizon)
{
	if (plan->recovered.rows + plan->changed.rows + plan->failed.rows + plan->comments.rows > 0)
		db_add(batch, QUERY_work_event_order, NULL);
	add(batch, &plan->recovered, tracker, NULL, NULL);
	add(batch, &plan->failed, tracker, run, horizon);
	add_unchanged(batch, plan, tracker, horizon);
	add(batch, &plan->checked, tracker, horizon, NULL);
	add(batch, &plan->changed, tracker, NULL, NULL);
	add(batch, &plan->hidden, tracker, NULL, NULL);
	add(batch, &plan->comments, tracker, run, NULL);
	add(batch, &plan->comments_read, tracker, NULL, NULL);
}

static void add_swept(struct db_batch *batch, const struct lease *lease, struct store_run *run)
{
	char tracker[INTEGER_TEXT], swept_to[INTEGER_TEXT];
	if (run->swept_to == run->swept_written)
		return;
	snprintf(tracker, sizeof(tracker), "%" PRId64, lease->tracker_id);
	snprintf(swept_to, sizeof(swept_to), "%" PRId64, run->swept_to);
	db_add(batch, QUERY_work_swept, (const char *[]){tracker, swept_to});
	run->swept_written = run->swept_to;
}

/* ENDING is the run's state, error's kind and error's words, where it is over; NULL before. */
static void add_progress(struct db_batch *batch, const struct lease *lease, struct store_run *run,
	const char *const *ending)
{
	const struct tally *tally = &run->unwritten;
	uint64_t figures[] = {(uint64_t)run->id, tally->checked, tally->changed, tally->errors,
		tally->requests, tally->bytes};
	const char *parameters[9];
	char texts[6][INTEGER_TEXT];
	for (int i = 0; i < 6; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%" PRIu64, figures[i]);
		parameters[i] = texts[i];
	}
	for (int i = 0; ending != NULL && i < 3; i++)
		parameters[6 + i] = ending[i];
	db_add(batch, ending != NULL ? QUERY_work_end : QUERY_work_count, parameters);
	add_swept(batch, lease, run);
	run->unwritten = (struct tally){0};
	run->written_at = clock_now();
}

void store_end(struct db_batch *batch, const struct lease *lease, struct store_run *run,
	const char *state, const struct err *err)
{
	bool failed = err->kind != ERR_NONE;
	add_progress(batch, lease, run,
		(const char *[]){
			state, failed ? err_word(err->kind) : NULL, failed ? err->text : NULL});
}

/* Nothing of PLAN has to be written, and RUN's progress was written lately. */
static bool can_wait(const struct plan *plan, const struct store_run *run)
{
	return plan->unchanged.rows + plan->checked.rows + plan->failed.rows +
			plan->comments_read.rows ==
		0 &&
		clock_now() - run->written_at < PROGRESS_S * MOMENT_SECOND;
}

struct db_batch *store(const struct tools *tools, const struct lease *lease, struct store_run *run,
	const struct claimed *bugs, const struct findings *findings, struct tally *tally,
	db_done *done, void *cookie)
{
	char tracker[INTEGER_TEXT], run_id[INTEGER_TEXT];
	struct plan *plan = plan_findings(lease, bugs, findings);
	*tally = (struct tally){
		.checked = plan->heard,
		.changed = plan->changed.rows - plan->first_reads,
		.errors = plan->failed.rows,
		.requests = findings->cost.requests,
		.bytes = findings->cost.bytes,
	};
	tally_add(&run->unwritten, tally);
	run->swept += plan->heard;
	run->missed += plan->missed;
	if (can_wait(plan, run)) {
		talloc_free(plan);
		return NULL;
	}
	snprintf(tracker, sizeof(tracker), "%" PRId64, lease->tracker_id);
	snprintf(run_id, sizeof(run_id), "%" PRId64, run->id);
	struct db_batch *batch = db_batch_new(tools->db);
	lease_hold(lease, batch);
	add_progress(batch, lease, run, NULL);
	add_statements(batch, plan, tracker, run_id, run->horizon);
	talloc_free(plan);
	db_send(batch, done, cookie);
	return batch;
}
