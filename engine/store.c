#include "engine/store.h"

#include "engine/fingerprint.h"
#include "engine/schedule.h"

#include <inttypes.h>
#include <sodium.h>
#include <talloc.h>

enum { CHANGED_COLUMNS = 11, FAILED_COLUMNS = 4 };

/* The arrays of one transaction's statements, filled bug by bug. */
struct plan {
	const struct tools *tools;
	struct db_array *checked[3];
	struct db_array *changed[CHANGED_COLUMNS];
	struct db_array *failed[FAILED_COLUMNS];
	struct db_array *recovered;
	unsigned read, first_reads, rewritten, bad, better;
};

static struct plan *plan_new(const struct tools *tools)
{
	struct plan *plan = talloc_zero(NULL, struct plan);
	plan->tools = tools;
	for (int i = 0; i < 3; i++)
		plan->checked[i] = db_array_new(plan);
	for (int i = 0; i < CHANGED_COLUMNS; i++)
		plan->changed[i] = db_array_new(plan);
	for (int i = 0; i < FAILED_COLUMNS; i++)
		plan->failed[i] = db_array_new(plan);
	plan->recovered = db_array_new(plan);
	return plan;
}

static int64_t next_check(const struct plan *plan, unsigned failures)
{
	double draw = (double)randombytes_random() / ((double)UINT32_MAX + 1);
	return schedule_bug(plan->tools->settings->check_interval_s, failures, draw);
}

static void plan_failed(struct plan *plan, const struct claimed *bug, const struct err *err)
{
	plan->bad++;
	db_array_add_integer(plan->failed[0], bug->bug_id);
	db_array_add_text(plan->failed[1], err_word(err->kind));
	db_array_add_text(plan->failed[2], err->text);
	db_array_add_integer(plan->failed[3], next_check(plan, bug->failures + 1));
}

static void plan_changed(struct plan *plan, int64_t bug_id, const struct observation *o)
{
	char at[MOMENT_TEXT];
	const char *texts[CHANGED_COLUMNS - 1] = {o->title, o->product, o->status, o->resolution,
		o->severity, o->priority, o->tags, status_word(o->mapped_status),
		importance_word(o->mapped_importance),
		o->changed_at != 0 ? moment_format(o->changed_at, at) : NULL};
	db_array_add_integer(plan->changed[0], bug_id);
	for (int i = 1; i < CHANGED_COLUMNS; i++)
		db_array_add_text(plan->changed[i], texts[i - 1]);
	plan->rewritten++;
}

static void plan_read(struct plan *plan, const struct claimed *bug, const struct observation *o)
{
	int64_t print = fingerprint(o);
	if (print != bug->fingerprint)
		plan_changed(plan, bug->bug_id, o);
	if (bug->fingerprint == 0)
		plan->first_reads++;
	if (bug->failing) {
		plan->better++;
		db_array_add_integer(plan->recovered, bug->bug_id);
	}
	plan->read++;
	db_array_add_integer(plan->checked[0], bug->bug_id);
	db_array_add_integer(plan->checked[1], print);
	db_array_add_integer(plan->checked[2], next_check(plan, 0));
}

static void plan_observations(
	struct plan *plan, const struct claimed *bugs, const struct conversation *conversation)
{
	for (unsigned i = 0; i < conversation->observation_count; i++) {
		const struct observation *o = &conversation->observations[i];
		if (o->err.kind != ERR_NONE)
			plan_failed(plan, &bugs[o->wanted], &o->err);
		else
			plan_read(plan, &bugs[o->wanted], o);
	}
}

/* Adds QUERY with TRACKER before the N arrays, and what else it takes after them. */
static void add(struct db_batch *batch, enum query query, const char *tracker,
	struct db_array *const *arrays, unsigned n, const char *more, const char *last)
{
	const char *parameters[CHANGED_COLUMNS + 3] = {tracker};
	for (unsigned i = 0; i < n; i++)
		parameters[i + 1] = db_array_text(arrays[i]);
	parameters[n + 1] = more;
	parameters[n + 2] = last;
	db_add(batch, query, parameters);
}

/* Events come last and together: the lock that orders them is held until the commit. */
static void add_statements(struct db_batch *batch, struct plan *plan, const char *tracker,
	const char *run, const char *horizon)
{
	if (plan->better + plan->rewritten + plan->bad > 0)
		db_add(batch, QUERY_work_event_order, NULL);
	if (plan->better > 0)
		add(batch, QUERY_work_recovered, tracker, &plan->recovered, 1, NULL, NULL);
	if (plan->read > 0)
		add(batch, QUERY_work_checked, tracker, plan->checked, 3, horizon, NULL);
	if (plan->rewritten > 0)
		add(batch, QUERY_work_changed, tracker, plan->changed, CHANGED_COLUMNS, NULL, NULL);
	if (plan->bad > 0)
		add(batch, QUERY_work_failed, tracker, plan->failed, FAILED_COLUMNS, run, horizon);
}

static void add_count(struct db_batch *batch, const char *run, const struct tally *tally)
{
	const char *parameters[6] = {run};
	uint64_t figures[] = {
		tally->checked, tally->changed, tally->errors, tally->requests, tally->bytes};
	char texts[5][24];
	for (int i = 0; i < 5; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%" PRIu64, figures[i]);
		parameters[i + 1] = texts[i];
	}
	db_add(batch, QUERY_work_count, parameters);
}

struct db_batch *store(const struct tools *tools, const struct lease *lease,
	const struct store_run *run, const struct claimed *bugs,
	const struct conversation *conversation, const struct fetch_cost *cost, struct tally *tally,
	db_done *done, void *cookie)
{
	char tracker[24], run_id[24];
	snprintf(tracker, sizeof(tracker), "%" PRId64, lease->tracker_id);
	snprintf(run_id, sizeof(run_id), "%" PRId64, run->id);
	struct plan *plan = plan_new(tools);
	plan_observations(plan, bugs, conversation);
	*tally = (struct tally){
		.checked = plan->read + plan->bad,
		.changed = plan->rewritten - plan->first_reads,
		.errors = plan->bad,
		.requests = cost->requests,
		.bytes = cost->bytes,
	};
	struct db_batch *batch = db_batch_new(tools->db);
	lease_hold(lease, batch);
	add_count(batch, run_id, tally);
	add_statements(batch, plan, tracker, run_id, run->horizon);
	talloc_free(plan);
	db_send(batch, done, cookie);
	return batch;
}
