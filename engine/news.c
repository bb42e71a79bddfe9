#include "engine/news.h"

#include "engine/clock.h"
#include "engine/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <talloc.h>

enum {
	OVERLAP_S = 600, /* clocks are set, and transactions are seen after their time stamps */
	NARROW_MOST = 300, /* with so many bugs at most, the question names them */
};

struct news {
	const struct settle_frame *frame;
	news_done *done;
	void *cookie;
	struct db_batch *batch; /* under way */
	struct wanted *wanted;
	unsigned wanted_count;
	struct conversation *changes;
	struct fetch_cost cost;
};

static bool can_say(const struct settle_frame *frame)
{
	return (frame->server->abilities & ABILITY_CHANGES) != 0;
}

bool news_due(const struct settle_frame *frame)
{
	const struct lease *lease = frame->lease;
	return lease->changes_due && (can_say(frame) || lease->changes_since != 0);
}

static void finish(struct news *news, const struct err *err, unsigned told)
{
	news_done *done = news->done;
	void *cookie = news->cookie;
	struct fetch_cost cost = news->cost;
	struct err copy = {0};
	if (err != NULL)
		copy = *err;
	talloc_free(news);
	done(cookie, err != NULL ? &copy : NULL, told, &cost);
}

/* ---- what was learnt ---- */

static void on_stored(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	enum { TOLD = 1 }; /* after hold */
	struct news *news = cookie;
	news->batch = NULL;
	finish(news, err, err == NULL ? (unsigned)db_integer(rows[TOLD], 0, 0) : 0);
}

/* The server's clock now, as far as it is known. */
static moment server_now(const struct news *news)
{
	return clock_now() + news->frame->server->skew_s * MOMENT_SECOND;
}

static const char *interval(const struct news *news)
{
	const struct lease *lease = news->frame->lease;
	long wait = lease->changes_interval_s > 0 ? lease->changes_interval_s : lease->changes_s;
	return talloc_asprintf(news, "%ld", wait);
}

/*
 * How many seconds the tracker's clock is ahead of ours; it may have been set since the tracker was
 * probed. How far a mirror has come is no clock.
 */
static int64_t skew(const struct news *news, const struct conversation *changes, moment until)
{
	if (changes != NULL && changes->asks_mirror)
		return news->frame->server->skew_s;
	return (until - clock_now()) / MOMENT_SECOND;
}

/*
 * Stores CHANGES (NULL where nothing was asked), which were all by the server's clock until UNTIL,
 * and the new cursor; where that is 0 the tracker is not to be asked again.
 */
static void write(
	struct news *news, const struct conversation *changes, moment until, moment cursor)
{
	const struct lease *lease = news->frame->lease;
	char tracker[24], run[24], ahead[24], at[MOMENT_TEXT];
	struct db_array *ids = db_array_new(news), *moments = db_array_new(news);
	for (unsigned i = 0; changes != NULL && i < changes->change_count; i++) {
		db_array_add_text(ids, changes->changes[i].remote_id);
		db_array_add_text(moments, moment_format(changes->changes[i].at, at));
	}
	snprintf(tracker, sizeof(tracker), "%" PRId64, lease->tracker_id);
	snprintf(run, sizeof(run), "%" PRId64, news->frame->run->id);
	snprintf(ahead, sizeof(ahead), "%" PRId64, skew(news, changes, until));
	news->batch = db_batch_new(news->frame->tools->db);
	lease_hold(lease, news->batch);
	db_add(news->batch, QUERY_work_news,
		(const char *[]){tracker, db_array_text(ids), db_array_text(moments), run,
			news->frame->run->horizon, cursor != 0 ? moment_format(cursor, at) : NULL,
			cursor == 0		 ? NULL
				: cursor < until ? "0"
						 : interval(news),
			ahead, changes != NULL ? server_to_json(news, changes->server) : NULL});
	db_send(news->batch, on_stored, news);
}

/* The tracker's error, but no reason not to check it. */
static void write_failure(struct news *news, const struct err *err)
{
	const struct lease *lease = news->frame->lease;
	char tracker[24];
	log_warning(
		lease->name, "what changed is not known: %s: %s", err_word(err->kind), err->text);
	snprintf(tracker, sizeof(tracker), "%" PRId64, lease->tracker_id);
	news->batch = db_batch_new(news->frame->tools->db);
	lease_hold(lease, news->batch);
	db_add(news->batch, QUERY_work_news_failed,
		(const char *[]){tracker, interval(news), err_word(err->kind), err->text});
	db_send(news->batch, on_stored, news);
}

/*
 * From when on to ask the next time. A server whose clock was set back dates changes before the last
 * cursor: it is asked once more for as long as it was not asked, by its new clock.
 */
static moment next_cursor(const struct news *news, const struct conversation *changes, moment until)
{
	const struct lease *lease = news->frame->lease;
	if (until >= lease->changes_since || changes->asks_mirror)
		return until;
	moment away = server_now(news) - lease->changes_since;
	log_warning(lease->name, "its clock was set back: asked once more what changed");
	return until - (away > 0 ? away : 0);
}

static void on_over(void *cookie, struct conversation *changes, const struct fetch_cost *cost)
{
	struct news *news = cookie;
	news->cost = *cost;
	if (changes->err.kind != ERR_NONE && changes->asks_mirror) {
		write_failure(news, &changes->err);
		return;
	}
	if (changes->err.kind != ERR_NONE) {
		finish(news, &changes->err, 0);
		return;
	}
	moment until = changes->until != 0 ? changes->until : server_now(news);
	write(news, changes, until, next_cursor(news, changes, until));
}

/* ---- the question ---- */

static void ask(struct news *news)
{
	const struct settle_frame *frame = news->frame;
	const struct lease *lease = frame->lease;
	bool narrow = news->wanted_count <= NARROW_MOST;
	moment since = lease->changes_since - OVERLAP_S * MOMENT_SECOND;
	news->changes = conversation_new_changes(news, lease->driver, lease->base_url,
		frame->server, lease->credentials, narrow ? news->wanted : NULL,
		narrow ? news->wanted_count : 0, since, clock_now());
	courier_start(
		news->changes, frame->tools->base, &frame->site, news->changes, on_over, news);
}

/* Whether the tracker is worth a question, with so many watched bugs as were counted. */
static bool is_worth_it(const struct news *news)
{
	const struct lease *lease = news->frame->lease;
	bool wanted = lease->changes_interval_s > 0 || lease->udd != NULL ||
		(lease->reckoned && lease->rules.mode == SCHEDULE_CHANGES);
	return can_say(news->frame) && news->wanted_count > 0 && wanted;
}

/*
 * Before the first question everything is read anyway: it only has to know from when on to ask. A
 * tracker that is not worth it any more would be due for ever if that was not written down.
 */
static void on_watched(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct news *news = cookie;
	const struct lease *lease = news->frame->lease;
	news->batch = NULL;
	if (err != NULL) {
		finish(news, err, 0);
		return;
	}
	news->wanted_count = db_count(rows[0]);
	news->wanted = talloc_zero_array(news, struct wanted, news->wanted_count);
	for (unsigned i = 0; i < news->wanted_count; i++)
		news->wanted[i].remote_id = talloc_strdup(news, db_text(rows[0], i, 0));
	if (!is_worth_it(news) && lease->changes_since == 0)
		finish(news, NULL, 0);
	else if (!is_worth_it(news))
		write(news, NULL, 0, 0);
	else if (lease->changes_since == 0)
		write(news, NULL, server_now(news), server_now(news));
	else
		ask(news);
}

static int news_free(struct news *news)
{
	if (news->batch != NULL)
		db_forget(news->batch);
	return 0;
}

struct news *news_start(
	const void *owner, const struct settle_frame *frame, news_done *done, void *cookie)
{
	struct news *news = talloc_zero(owner, struct news);
	char tracker[24], limit[24];
	unsigned batch = frame->lease->driver->batch_size;
	news->frame = frame;
	news->done = done;
	news->cookie = cookie;
	talloc_set_destructor(news, news_free);
	snprintf(tracker, sizeof(tracker), "%" PRId64, frame->lease->tracker_id);
	snprintf(limit, sizeof(limit), "%u", (batch > NARROW_MOST ? batch : NARROW_MOST) + 1);
	news->batch = db_query(frame->tools->db, QUERY_work_watched,
		(const char *[]){tracker, limit}, on_watched, news);
	return news;
}
