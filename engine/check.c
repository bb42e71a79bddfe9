#include "engine/check.h"

#include "engine/clock.h"
#include "trackers/own_words.h"

#include <sys/queue.h>
#include <talloc.h>

enum {
	/* The whole, its halves and all its quarters: it is not a few bugs that fail. */
	FAILURES_OF_A_TRACKER = 7,
	/* So many bad answers are enough, even where others are good. */
	FAILURES_MOST = 40,
};

/* Some of the batch's bugs, asked for in one conversation. */
struct portion {
	unsigned first, count;
	STAILQ_ENTRY(portion) link;
};

struct check {
	const struct settle_frame *frame;
	check_done *done;
	void *cookie;
	struct claimed *bugs;
	struct wanted *wanted;
	struct own_words *words;
	STAILQ_HEAD(, portion) portions; /* the first is under way */
	struct conversation *conversation;
	struct tally stored; /* by all portions so far */
	unsigned read, failures;
};

static void ask(struct check *check);

static void finish(struct check *check, const struct err *err)
{
	check_done *done = check->done;
	void *cookie = check->cookie;
	struct tally tally = check->stored;
	struct err copy = {0};
	if (err != NULL)
		copy = *err;
	talloc_free(check);
	done(cookie, err != NULL ? &copy : NULL, &tally);
}

static void add_portion(struct check *check, unsigned first, unsigned count)
{
	struct portion *portion = talloc(check, struct portion);
	portion->first = first;
	portion->count = count;
	STAILQ_INSERT_TAIL(&check->portions, portion, link);
}

/* Puts the failed PORTION back in smaller pieces; false if it is the tracker that fails. */
static bool split(struct check *check, const struct portion *portion, const struct err *err)
{
	check->failures++;
	if (!settle_may_be_one_bug(err->kind) || check->failures > FAILURES_MOST)
		return false;
	if (check->read == 0 && check->failures >= FAILURES_OF_A_TRACKER)
		return false;
	if (portion->count == 1) {
		bool alone = STAILQ_EMPTY(&check->portions);
		if (!alone)
			add_portion(check, portion->first, 1);
		return !alone;
	}
	unsigned half = portion->count / 2;
	add_portion(check, portion->first, half);
	add_portion(check, portion->first + half, portion->count - half);
	return true;
}

/* A failed errand that said something all the same: what it said is true, the rest is asked anew. */
static bool partly_read(const struct conversation *conversation)
{
	return conversation->observation_count > 0;
}

/* After a portion was stored: what is to be asked next, or the end. */
static void go_on(struct check *check)
{
	struct portion *portion = STAILQ_FIRST(&check->portions);
	struct err err = check->conversation->err;
	STAILQ_REMOVE_HEAD(&check->portions, link);
	bool failed = err.kind != ERR_NONE;
	if (failed && (partly_read(check->conversation) || !split(check, portion, &err))) {
		finish(check, &err);
		return;
	}
	talloc_free(portion);
	TALLOC_FREE(check->conversation);
	if (STAILQ_EMPTY(&check->portions))
		finish(check, NULL);
	else
		ask(check);
}

static void on_settled(void *cookie, const struct err *err, const struct tally *tally)
{
	struct check *check = cookie;
	tally_add(&check->stored, tally);
	check->read += tally->checked - tally->errors;
	if (err != NULL)
		finish(check, err);
	else
		go_on(check);
}

/*
 * A driver that says nothing of a bug and does not say why would leave it due for ever, without a
 * pause: that is a failure of the tracker.
 */
static void expect_all(struct conversation *conversation)
{
	unsigned unsaid = conversation->wanted_count - conversation->observation_count;
	if (unsaid > 0)
		err_set(&conversation->err, ERR_UNPARSABLE_TRACKER,
			"%s said nothing of %u of the %u bugs it was asked for",
			conversation->base_url, unsaid, conversation->wanted_count);
}

/* A bug that fails alone while others of its batch were read is a bad bug, not a bad tracker. */
static void blame_bug(struct check *check, struct conversation *conversation)
{
	struct err err = conversation->err;
	if (conversation->wanted_count != 1 || conversation->observation_count > 0 ||
		check->read == 0 || !settle_may_be_one_bug(err.kind))
		return;
	conversation_observe_error(conversation, 0, ERR_UNPARSABLE_BUG, "%s", err.text);
	err_clear(&conversation->err);
}

static void on_over(void *cookie, struct conversation *conversation, const struct fetch_cost *cost)
{
	struct check *check = cookie;
	const struct portion *portion = STAILQ_FIRST(&check->portions);
	expect_all(conversation);
	blame_bug(check, conversation);
	for (unsigned i = 0; i < conversation->observation_count; i++)
		own_words_apply(check->words, &conversation->observations[i]);
	settle_start(check, check->frame, &check->bugs[portion->first], conversation, cost,
		on_settled, check);
}

/* Asks for the first portion. */
static void ask(struct check *check)
{
	const struct settle_frame *frame = check->frame;
	const struct portion *portion = STAILQ_FIRST(&check->portions);
	check->conversation = conversation_new(check, frame->lease->driver, ERRAND_CHECK,
		frame->lease->base_url, frame->server, frame->lease->credentials,
		&check->wanted[portion->first], portion->count, clock_now());
	courier_start(check->conversation, frame->tools->base, &frame->site, check->conversation,
		on_over, check);
}

/* The columns of work_claim. */
enum {
	BUG_ID,
	REMOTE_ID,
	FINGERPRINT,
	FAILURES,
	ERROR_KIND,
	COMMENTS_WANTED,
	DUE,
	QUIET_S,
	STEADY_S
};

static void read_rows(struct check *check, const struct db_rows *rows)
{
	unsigned n = db_count(rows);
	check->bugs = talloc_array(check, struct claimed, n);
	check->wanted = talloc_array(check, struct wanted, n);
	for (unsigned i = 0; i < n; i++) {
		check->bugs[i] = (struct claimed){
			.bug_id = db_integer(rows, i, BUG_ID),
			.remote_id = talloc_strdup(check, db_text(rows, i, REMOTE_ID)),
			.fingerprint = db_integer(rows, i, FINGERPRINT),
			.failures = (unsigned)db_integer(rows, i, FAILURES),
			.failing = !db_null(rows, i, ERROR_KIND),
			.due = *db_text(rows, i, DUE) == 't',
			.comments_wanted = *db_text(rows, i, COMMENTS_WANTED) == 't',
			.quiet_s = db_integer(rows, i, QUIET_S),
			.steady_s = db_integer(rows, i, STEADY_S),
		};
		check->wanted[i] = (struct wanted){
			.remote_id = check->bugs[i].remote_id,
			.known = check->bugs[i].fingerprint != 0,
		};
	}
}

/* Words that this program does not know were written by a newer one, and decide nothing here. */
static void read_words(struct check *check, const struct db_rows *rows)
{
	check->words = own_words_new(check);
	for (unsigned i = 0; i < db_count(rows); i++)
		own_words_add(check->words, db_text(rows, i, 0), db_text(rows, i, 1),
			db_text(rows, i, 2));
}

struct check *check_start(const void *owner, const struct settle_frame *frame,
	const struct db_rows *rows, const struct db_rows *words, check_done *done, void *cookie)
{
	struct check *check = talloc_zero(owner, struct check);
	check->frame = frame;
	check->done = done;
	check->cookie = cookie;
	STAILQ_INIT(&check->portions);
	read_rows(check, rows);
	read_words(check, words);
	add_portion(check, 0, db_count(rows));
	ask(check);
	return check;
}
