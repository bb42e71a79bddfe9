#include "engine/settle.h"

#include "engine/clock.h"
#include "engine/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <talloc.h>

enum {
	/* Bugs whose comments are asked for together: few enough to bound an answer's size. */
	GROUP = 50,
	/* So many failures, and no comment read: it is not a few bugs whose comments fail. */
	FAILURES_OF_ALL = 7,
};

/* A bug whose comments are to be read: the index of its observation, and what is stored of it. */
struct talked {
	unsigned which;
	int64_t newest_comment;
	moment newest_posted_at;
};

struct group {
	unsigned first, count; /* among the talked */
	STAILQ_ENTRY(group) link;
};

struct settle {
	const struct settle_frame *frame;
	const struct claimed *bugs;
	const struct conversation *check;
	settle_done *done;
	void *cookie;
	struct db_batch *batch; /* under way */
	struct findings findings; /* being stored */
	struct tally storing, stored;
	int64_t *prints; /* the fingerprints of the observations */
	unsigned *plain; /* indices of the observations that are written without comments */
	unsigned plain_count;
	struct talked *talked;
	unsigned talked_count;
	STAILQ_HEAD(, group) groups; /* the first is under way */
	struct conversation *comments;
	unsigned failures, read; /* of groups */
	struct err err; /* the tracker's, over comments */
};

static void next_group(struct settle *settle);

bool settle_may_be_one_bug(enum err_kind kind)
{
	return kind == ERR_HTTP || kind == ERR_UNPARSABLE_TRACKER || kind == ERR_TOO_LARGE;
}

static void finish(struct settle *settle, const struct err *err)
{
	settle_done *done = settle->done;
	void *cookie = settle->cookie;
	struct tally tally = settle->stored;
	struct err copy = *err;
	talloc_free(settle);
	done(cookie, copy.kind != ERR_NONE ? &copy : NULL, &tally);
}

/* ---- storing ---- */

static void written(struct settle *settle)
{
	tally_add(&settle->stored, &settle->storing);
	TALLOC_FREE(settle->comments);
	next_group(settle);
}

static void on_stored(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct settle *settle = cookie;
	settle->batch = NULL;
	if (err != NULL) {
		finish(settle, err);
		return;
	}
	written(settle);
}

static void write(
	struct settle *settle, const unsigned *which, unsigned count, const struct fetch_cost *cost)
{
	const struct settle_frame *frame = settle->frame;
	settle->findings = (struct findings){
		.check = settle->check,
		.prints = settle->prints,
		.which = which,
		.count = count,
		.comments = settle->comments,
		.cost = *cost,
	};
	settle->batch = store(frame->tools, frame->lease, frame->run, settle->bugs,
		&settle->findings, &settle->storing, on_stored, settle);
	if (settle->batch == NULL)
		written(settle);
}

/* ---- reading comments ---- */

static void add_group(struct settle *settle, unsigned first, unsigned count)
{
	struct group *group = talloc(settle, struct group);
	group->first = first;
	group->count = count;
	STAILQ_INSERT_TAIL(&settle->groups, group, link);
}

/* Charges the errand's failure to the comments of the bugs that it said nothing of. */
static void blame_bugs(struct conversation *comments)
{
	for (unsigned i = 0; i < comments->wanted_count; i++)
		if (!conversation_observed(comments, i))
			conversation_observe_error(
				comments, i, ERR_COMMENTS_FAILED, "%s", comments->err.text);
}

/* Moves the bugs of GROUP that the errand said nothing of to its front; returns how many they are. */
static unsigned unsaid_first(struct settle *settle, const struct group *group)
{
	struct talked *talked = &settle->talked[group->first];
	unsigned unsaid = 0;
	for (unsigned i = 0; i < group->count; i++) {
		struct talked bug = talked[i];
		if (conversation_observed(settle->comments, i))
			continue;
		talked[i] = talked[unsaid];
		talked[unsaid++] = bug;
	}
	return unsaid;
}

/*
 * What a failed errand said is true; where one bug may have spoilt it, the rest is asked for anew,
 * and halved where it said nothing. What stands alone then has an error of its own. Comments that
 * want a login are no reason to lose the rest. False where the tracker is to blame.
 */
static bool go_on_without(struct settle *settle, const struct group *group)
{
	struct conversation *comments = settle->comments;
	bool login = comments->err.kind == ERR_AUTH;
	settle->failures++;
	if (!login && !settle_may_be_one_bug(comments->err.kind))
		return false;
	if (login || group->count == 1 ||
		(settle->read == 0 && settle->failures > FAILURES_OF_ALL)) {
		blame_bugs(comments);
		return true;
	}
	unsigned unsaid = unsaid_first(settle, group);
	unsigned part = unsaid < group->count ? 0 : unsaid / 2;
	if (part > 0)
		add_group(settle, group->first, part);
	if (unsaid > part)
		add_group(settle, group->first + part, unsaid - part);
	return true;
}

/* The server gives no comments at all: its bugs are written without, and it is asked next time. */
static void do_without(struct settle *settle, const struct fetch_cost *cost)
{
	struct group *group;
	settle->plain_count = 0;
	while ((group = STAILQ_FIRST(&settle->groups)) != NULL) {
		for (unsigned i = 0; i < group->count; i++)
			settle->plain[settle->plain_count++] =
				settle->talked[group->first + i].which;
		STAILQ_REMOVE_HEAD(&settle->groups, link);
		talloc_free(group);
	}
	TALLOC_FREE(settle->comments);
	write(settle, settle->plain, settle->plain_count, cost);
}

static void on_comments(void *cookie, struct conversation *comments, const struct fetch_cost *cost)
{
	struct settle *settle = cookie;
	struct err err = comments->err;
	if (err.kind == ERR_UNSUPPORTED_TRACKER) {
		do_without(settle, cost);
		return;
	}
	struct group *group = STAILQ_FIRST(&settle->groups);
	STAILQ_REMOVE_HEAD(&settle->groups, link);
	if (err.kind == ERR_NONE)
		err_set(&comments->err, ERR_COMMENTS_FAILED,
			"%s said nothing of this bug's comments", comments->base_url);
	unsigned *which = talloc_array(comments, unsigned, group->count);
	for (unsigned i = 0; i < group->count; i++)
		which[i] = settle->talked[group->first + i].which;
	if (err.kind == ERR_NONE) {
		settle->read++;
		blame_bugs(comments);
	} else if (!go_on_without(settle, group)) {
		settle->err = err;
	}
	unsigned count = group->count;
	talloc_free(group);
	write(settle, which, count, cost);
}

static struct wanted *wanted_of(struct settle *settle, const struct group *group)
{
	struct wanted *wanted = talloc_zero_array(settle, struct wanted, group->count);
	for (unsigned i = 0; i < group->count; i++) {
		const struct talked *talked = &settle->talked[group->first + i];
		const struct observation *o = &settle->check->observations[talked->which];
		wanted[i] = (struct wanted){
			.remote_id = settle->bugs[o->wanted].remote_id,
			.known = true,
			.newest_comment = talked->newest_comment,
			.newest_posted_at = talked->newest_posted_at,
		};
	}
	return wanted;
}

/* Asks for the first group's comments, or ends. */
static void next_group(struct settle *settle)
{
	const struct settle_frame *frame = settle->frame;
	const struct group *group = STAILQ_FIRST(&settle->groups);
	if (group == NULL || settle->err.kind != ERR_NONE) {
		finish(settle, &settle->err);
		return;
	}
	struct wanted *wanted = wanted_of(settle, group);
	settle->comments = conversation_new(settle, frame->lease->driver, ERRAND_COMMENTS,
		frame->lease->base_url, frame->server, frame->lease->credentials, wanted,
		group->count, clock_now());
	talloc_steal(settle->comments, wanted);
	courier_start(settle->comments, frame->tools->base, &frame->site, settle->comments,
		on_comments, settle);
}

/* ---- which bugs want comments ---- */

static int64_t bug_id(const struct settle *settle, unsigned which)
{
	return settle->bugs[settle->check->observations[which].wanted].bug_id;
}

/* Bugs in ROWS (of work_newest_comments) are read with comments, the other candidates without. */
static void sort_out(struct settle *settle, const struct db_rows *rows)
{
	unsigned n = db_count(rows), candidates = settle->talked_count;
	settle->talked_count = 0;
	for (unsigned i = 0; i < candidates; i++) {
		unsigned which = settle->talked[i].which, at = settle->talked_count;
		/* Both are in the order of the bugs' ids. */
		if (at < n && db_integer(rows, at, 0) == bug_id(settle, which))
			settle->talked[settle->talked_count++] = (struct talked){
				which, db_integer(rows, at, 1), db_integer(rows, at, 2)};
		else
			settle->plain[settle->plain_count++] = which;
	}
	for (unsigned first = 0; first < settle->talked_count; first += GROUP) {
		unsigned left = settle->talked_count - first;
		add_group(settle, first, left < GROUP ? left : GROUP);
	}
}

static void on_newest(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct settle *settle = cookie;
	settle->batch = NULL;
	if (err != NULL) {
		finish(settle, err);
		return;
	}
	sort_out(settle, rows[0]);
	write(settle, settle->plain, settle->plain_count, &settle->findings.cost);
}

static int by_bug_id(const void *a, const void *b, void *cookie)
{
	int64_t left = bug_id(cookie, ((const struct talked *)a)->which);
	int64_t right = bug_id(cookie, ((const struct talked *)b)->which);
	return left < right ? -1 : left > right;
}

static void ask_newest(struct settle *settle)
{
	char tracker[24];
	struct db_array *ids = db_array_new(settle), *products = db_array_new(settle);
	qsort_r(settle->talked, settle->talked_count, sizeof(struct talked), by_bug_id, settle);
	for (unsigned i = 0; i < settle->talked_count; i++) {
		unsigned which = settle->talked[i].which;
		db_array_add_integer(ids, bug_id(settle, which));
		db_array_add_text(products, settle->check->observations[which].product);
	}
	snprintf(tracker, sizeof(tracker), "%" PRId64, settle->frame->lease->tracker_id);
	settle->batch = db_query(settle->frame->tools->db, QUERY_work_newest_comments,
		(const char *[]){tracker, db_array_text(ids), db_array_text(products)}, on_newest,
		settle);
}

/*
 * A bug that did not change has no new comments: its last change moves with them. Where the tracker
 * does not tell of it (Trac's query page), only asking for them tells.
 */
static bool wants_comments(const struct settle *settle, unsigned which)
{
	const struct observation *o = &settle->check->observations[which];
	const struct claimed *bug = &settle->bugs[o->wanted];
	bool told = o->changed_at != 0 || o->mark != NULL;
	bool changed = !told || settle->prints[which] != bug->fingerprint;
	bool closed = o->is_private && !conversation_stores_private(settle->check);
	return o->err.kind == ERR_NONE && !closed && (bug->comments_wanted || changed);
}

static bool can_have_comments(const struct settle_frame *frame)
{
	return frame->lease->keeps_comments && (frame->server->abilities & ABILITY_COMMENTS) != 0;
}

static int settle_free(struct settle *settle)
{
	if (settle->batch != NULL)
		db_forget(settle->batch);
	return 0;
}

void settle_start(const void *owner, const struct settle_frame *frame, const struct claimed *bugs,
	const struct conversation *check, const struct fetch_cost *cost, settle_done *done,
	void *cookie)
{
	struct settle *settle = talloc_zero(owner, struct settle);
	settle->frame = frame;
	settle->bugs = bugs;
	settle->check = check;
	settle->done = done;
	settle->cookie = cookie;
	STAILQ_INIT(&settle->groups);
	talloc_set_destructor(settle, settle_free);
	settle->plain = talloc_array(settle, unsigned, check->observation_count);
	settle->talked = talloc_array(settle, struct talked, check->observation_count);
	settle->prints = talloc_zero_array(settle, int64_t, check->observation_count);
	for (unsigned i = 0; i < check->observation_count; i++) {
		if (check->observations[i].err.kind == ERR_NONE)
			settle->prints[i] = fingerprint(&check->observations[i]);
		if (can_have_comments(frame) && wants_comments(settle, i))
			settle->talked[settle->talked_count++].which = i;
		else
			settle->plain[settle->plain_count++] = i;
	}
	settle->findings.cost = *cost;
	if (settle->talked_count > 0)
		ask_newest(settle);
	else
		write(settle, settle->plain, settle->plain_count, cost);
}
