#include "engine/store.h"

#include "engine/clock.h"
#include "engine/fingerprint.h"
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
	const struct tools *tools;
	struct table recovered, failed, unchanged, checked, changed, comments, comments_read;
	unsigned first_reads, heard; /* bugs that an answer spoke of */
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

static struct plan *plan_new(const struct tools *tools)
{
	struct plan *plan = talloc_zero(NULL, struct plan);
	plan->tools = tools;
	plan->draw = (double)randombytes_random() / ((double)UINT32_MAX + 1);
	table_init(plan, &plan->recovered, QUERY_work_recovered, 1);
	table_init(plan, &plan->failed, QUERY_work_failed, 5);
	table_init(plan, &plan->unchanged, QUERY_work_unchanged, 1);
	table_init(plan, &plan->checked, QUERY_work_checked, 3);
	table_init(plan, &plan->changed, QUERY_work_changed, 13);
	table_init(plan, &plan->comments, QUERY_work_comments, 5);
	table_init(plan, &plan->comments_read, QUERY_work_comments_read, 3);
	return plan;
}

static int64_t next_check(const struct plan *plan, unsigned failures)
{
	struct schedule_rules rules = {
		SCHEDULE_DAILY, SCHEDULE_SINGLE, &plan->tools->settings->knobs};
	struct schedule_bug bug = {.failures = failures};
	return schedule_bug(&rules, &bug, plan->draw);
}

static const char *moment_text(char *text, moment at)
{
	return at != 0 ? moment_format(at, text) : NULL;
}

/* ---- bugs ---- */

/* FINGERPRINT is 0 where nothing of the bug was read. */
static void plan_failed(struct plan *plan, const struct claimed *bug, const struct err *err,
	int64_t print, unsigned failures)
{
	char text[INTEGER_TEXT];
	struct db_array **column = plan->failed.column;
	plan->failed.rows++;
	snprintf(text, sizeof(text), "%" PRId64, print);
	db_array_add_integer(column[0], bug->bug_id);
	db_array_add_text(column[1], err_word(err->kind));
	db_array_add_text(column[2], err->text);
	db_array_add_integer(column[3], next_check(plan, failures));
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
static bool just_changed(const struct conversation *check, const struct observation *o)
{
	moment there = check->now + check->server->skew_s * MOMENT_SECOND;
	return o->changed_at != 0 && o->changed_at >= there - SKEW_ERROR_S * MOMENT_SECOND;
}

static void plan_checked(struct plan *plan, const struct claimed *bug, int64_t print)
{
	if (print == bug->fingerprint && !bug->failing) {
		if (!bug->due)
			return;
		bool none = plan->unchanged.rows++ == 0;
		plan->lowest = none || bug->bug_id < plan->lowest ? bug->bug_id : plan->lowest;
		plan->highest = none || bug->bug_id > plan->highest ? bug->bug_id : plan->highest;
		db_array_add_integer(plan->unchanged.column[0], bug->bug_id);
		return;
	}
	if (bug->failing) {
		plan->recovered.rows++;
		db_array_add_integer(plan->recovered.column[0], bug->bug_id);
	}
	plan->checked.rows++;
	db_array_add_integer(plan->checked.column[0], bug->bug_id);
	db_array_add_integer(plan->checked.column[1], print);
	db_array_add_integer(plan->checked.column[2], next_check(plan, 0));
}

/* TALK is what was learnt of the bug's comments, NULL where they were not asked for. */
static void plan_read(struct plan *plan, const struct conversation *check,
	const struct claimed *bug, const struct observation *o, const struct observation *talk)
{
	int64_t print = fingerprint(o);
	bool changed = print != bug->fingerprint;
	bool failed = talk != NULL && talk->err.kind != ERR_NONE, heard = talk != NULL && !failed;
	if (changed)
		plan_changed(plan, bug->bug_id, o);
	if (bug->fingerprint == 0)
		plan->first_reads++;
	if (failed)
		plan_failed(plan, bug, &talk->err, print, 0);
	else
		plan_checked(plan, bug, print);
	bool wanted = heard ? just_changed(check, o) : failed || changed || bug->comments_wanted;
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
		if (talks[place] != NULL && talks[place]->err.kind == ERR_NONE)
			plan_comment(plan, bugs[o->wanted].bug_id, &talk->comments[i]);
	}
}

static struct plan *plan_findings(
	const struct tools *tools, const struct claimed *bugs, const struct findings *findings)
{
	struct plan *plan = plan_new(tools);
	const struct observation **talks =
		findings->comments != NULL ? by_bug(plan, findings->comments) : NULL;
	for (unsigned i = 0; i < findings->count; i++) {
		const struct observation *o = &findings->check->observations[findings->which[i]];
		const struct claimed *bug = &bugs[o->wanted];
		if (talks != NULL && talks[i] == NULL)
			continue;
		plan->heard++;
		if (o->err.kind != ERR_NONE)
			plan_failed(plan, bug, &o->err, 0, bug->failures + 1);
		else
			plan_read(plan, findings->check, bug, o, talks != NULL ? talks[i] : NULL);
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
	char wait[INTEGER_TEXT], lowest[INTEGER_TEXT], highest[INTEGER_TEXT];
	if (plan->unchanged.rows == 0)
		return;
	snprintf(wait, sizeof(wait), "%" PRId64, next_check(plan, 0));
	snprintf(lowest, sizeof(lowest), "%" PRId64, plan->lowest);
	snprintf(highest, sizeof(highest), "%" PRId64, plan->highest);
	db_add(batch, QUERY_work_unchanged,
		(const char *[]){tracker, db_array_text(plan->unchanged.column[0]), wait, horizon,
			lowest, highest});
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

void store_progress(struct db_batch *batch, const struct lease *lease, struct store_run *run)
{
	const struct tally *tally = &run->unwritten;
	uint64_t figures[] = {(uint64_t)run->id, tally->checked, tally->changed, tally->errors,
		tally->requests, tally->bytes};
	const char *parameters[6];
	char texts[6][INTEGER_TEXT];
	for (int i = 0; i < 6; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%" PRIu64, figures[i]);
		parameters[i] = texts[i];
	}
	db_add(batch, QUERY_work_count, parameters);
	add_swept(batch, lease, run);
	run->unwritten = (struct tally){0};
	run->written_at = clock_now();
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
	struct plan *plan = plan_findings(tools, bugs, findings);
	*tally = (struct tally){
		.checked = plan->heard,
		.changed = plan->changed.rows - plan->first_reads,
		.errors = plan->failed.rows,
		.requests = findings->cost.requests,
		.bytes = findings->cost.bytes,
	};
	tally_add(&run->unwritten, tally);
	if (can_wait(plan, run)) {
		talloc_free(plan);
		return NULL;
	}
	snprintf(tracker, sizeof(tracker), "%" PRId64, lease->tracker_id);
	snprintf(run_id, sizeof(run_id), "%" PRId64, run->id);
	struct db_batch *batch = db_batch_new(tools->db);
	lease_hold(lease, batch);
	store_progress(batch, lease, run);
	add_statements(batch, plan, tracker, run_id, run->horizon);
	talloc_free(plan);
	db_send(batch, done, cookie);
	return batch;
}
