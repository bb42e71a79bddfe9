#include "engine/dispatcher.h"

#include "engine/log.h"
#include "engine/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/queue.h>
#include <talloc.h>

enum {
	LOOK_LEAST_MS = 100, /* while somebody else's work looks like ours */
	LOOK_MOST_MS = 20000, /* a lost NOTIFY costs this much at most */
	LOOK_AFTER_FAILURE_MS = 1000,
	SOON_MS = 5,
};

struct running {
	struct dispatcher *dispatcher;
	struct run *run;
	bool renewing; /* asked for in the renewal under way */
	LIST_ENTRY(running) link;
};

struct dispatcher {
	const struct tools *tools;
	struct event *look; /* for work, when it fires */
	struct event *renew; /* the leases */
	LIST_HEAD(, running) running;
	unsigned count;
	struct db_batch *taking, *renewing; /* under way */
	bool look_again;
	bool noticed; /* and the look for it is planned */
	void (*stopped)(void *cookie);
	void *cookie;
	struct event *over;
};

static void look_in(struct dispatcher *dispatcher, int64_t ms)
{
	struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	event_add(dispatcher->look, &wait);
}

/* What calls for a look comes in swarms, notices and ends of runs alike: one look is for all. */
static void look_soon(struct dispatcher *dispatcher)
{
	if (!dispatcher->noticed)
		look_in(dispatcher, SOON_MS);
	dispatcher->noticed = true;
}

/* After dispatcher_stop: goes on to the end once nothing is under way. */
static void finish_if_idle(struct dispatcher *dispatcher)
{
	if (dispatcher->count == 0 && dispatcher->taking == NULL)
		event_active(dispatcher->over, 0, 0);
}

/* ---- runs ---- */

static void on_run_done(void *cookie, struct run *run)
{
	struct running *running = cookie;
	struct dispatcher *dispatcher = running->dispatcher;
	LIST_REMOVE(running, link);
	dispatcher->count--;
	talloc_free(running);
	if (dispatcher->stopped == NULL)
		look_soon(dispatcher);
	else
		finish_if_idle(dispatcher);
}

static void start_run(struct dispatcher *dispatcher, struct lease *lease)
{
	struct running *running = talloc_zero(dispatcher, struct running);
	running->dispatcher = dispatcher;
	LIST_INSERT_HEAD(&dispatcher->running, running, link);
	dispatcher->count++;
	running->run = run_start(dispatcher, dispatcher->tools, lease, on_run_done, running);
}

/* ---- looking for work ---- */

static void on_taken(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct dispatcher *dispatcher = cookie;
	dispatcher->taking = NULL;
	if (dispatcher->stopped != NULL) {
		finish_if_idle(dispatcher);
		return;
	}
	if (err != NULL) {
		look_in(dispatcher, LOOK_AFTER_FAILURE_MS);
		return;
	}
	unsigned n = db_count(rows[0]);
	for (unsigned i = 0; i < n; i++)
		start_run(dispatcher, lease_from_row(dispatcher, dispatcher->tools, rows[0], i));
	int64_t wait = db_null(rows[1], 0, 0) ? LOOK_MOST_MS : db_integer(rows[1], 0, 0);
	if (dispatcher->look_again || dispatcher->noticed)
		wait = 0;
	else if (wait < LOOK_LEAST_MS)
		wait = LOOK_LEAST_MS;
	look_in(dispatcher, wait < LOOK_MOST_MS ? wait : LOOK_MOST_MS);
}

/*
 * Takes as many leases as runs may still be started. Leases are taken here and nowhere else, one
 * question at a time: a notice that comes meanwhile makes it ask once more.
 */
static void on_look(evutil_socket_t fd, short what, void *cookie)
{
	struct dispatcher *dispatcher = cookie;
	const struct tools *tools = dispatcher->tools;
	long room = tools->settings->max_runs - (long)dispatcher->count;
	dispatcher->noticed = false;
	dispatcher->look_again = dispatcher->taking != NULL;
	if (dispatcher->taking != NULL || dispatcher->stopped != NULL || room <= 0 ||
		!db_ready(tools->db))
		return;
	char seconds[24], limit[24];
	snprintf(seconds, sizeof(seconds), "%ld", tools->settings->lease_s);
	snprintf(limit, sizeof(limit), "%ld", room);
	dispatcher->taking = db_batch_new(tools->db);
	db_add(dispatcher->taking, QUERY_work_take, (const char *[]){tools->owner, seconds, limit});
	db_add(dispatcher->taking, QUERY_work_wait, NULL);
	db_send(dispatcher->taking, on_taken, dispatcher);
}

static void on_notice(void *cookie, const char *payload)
{
	look_soon(cookie);
}

/* ---- leases ---- */

/* Gives back all leases but those of runs under way; DONE as in db_send. */
static void release(struct dispatcher *dispatcher, db_done *done)
{
	struct db_array *ids = db_array_new(NULL);
	struct running *running;
	LIST_FOREACH (running, &dispatcher->running, link)
		db_array_add_integer(ids, run_lease(running->run)->tracker_id);
	db_query(dispatcher->tools->db, QUERY_work_release,
		(const char *[]){dispatcher->tools->owner, db_array_text(ids)}, done, dispatcher);
	talloc_free(ids);
}

static bool is_among(const struct db_rows *held, int64_t tracker_id)
{
	for (unsigned i = 0; i < db_count(held); i++)
		if (db_integer(held, i, 0) == tracker_id)
			return true;
	return false;
}

/* A run whose lease was not renewed has lost it to another instance: it writes nothing more. */
static void on_renewed(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct dispatcher *dispatcher = cookie;
	dispatcher->renewing = NULL;
	struct running *running, *next;
	for (running = LIST_FIRST(&dispatcher->running); running != NULL; running = next) {
		next = LIST_NEXT(running, link);
		const struct lease *lease = run_lease(running->run);
		bool lost =
			err == NULL && running->renewing && !is_among(rows[0], lease->tracker_id);
		running->renewing = false;
		if (lost) {
			log_warning(lease->name, "its lease went to another instance");
			talloc_free(running->run);
			on_run_done(running, NULL);
		}
	}
}

static void on_renew(evutil_socket_t fd, short what, void *cookie)
{
	struct dispatcher *dispatcher = cookie;
	const struct tools *tools = dispatcher->tools;
	if (LIST_EMPTY(&dispatcher->running) || dispatcher->renewing != NULL ||
		!db_ready(tools->db))
		return;
	char seconds[24];
	snprintf(seconds, sizeof(seconds), "%ld", tools->settings->lease_s);
	struct db_array *ids = db_array_new(NULL), *tokens = db_array_new(NULL);
	struct running *running;
	LIST_FOREACH (running, &dispatcher->running, link) {
		db_array_add_integer(ids, run_lease(running->run)->tracker_id);
		db_array_add_integer(tokens, run_lease(running->run)->token);
		running->renewing = true;
	}
	dispatcher->renewing = db_query(tools->db, QUERY_work_renew,
		(const char *[]){db_array_text(ids), db_array_text(tokens), seconds}, on_renewed,
		dispatcher);
	talloc_free(ids);
	talloc_free(tokens);
}

/* After a lost connection: leases of runs that were given up are given back, so nobody waits. */
static void on_ready(void *cookie, bool ready)
{
	struct dispatcher *dispatcher = cookie;
	if (!ready || dispatcher->stopped != NULL)
		return;
	release(dispatcher, NULL);
	look_in(dispatcher, 0);
}

/* ---- beginning and end ---- */

static void on_released(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct dispatcher *dispatcher = cookie;
	dispatcher->stopped(dispatcher->cookie);
}

/* Leases that were taken while the last runs ended go back too. */
static void on_over(evutil_socket_t fd, short what, void *cookie)
{
	release(cookie, on_released);
}

void dispatcher_stop(struct dispatcher *dispatcher, void (*stopped)(void *cookie), void *cookie)
{
	dispatcher->stopped = stopped;
	dispatcher->cookie = cookie;
	struct running *running;
	LIST_FOREACH (running, &dispatcher->running, link)
		run_stop(running->run);
	finish_if_idle(dispatcher);
}

static int dispatcher_free(struct dispatcher *dispatcher)
{
	if (dispatcher->taking != NULL)
		db_forget(dispatcher->taking);
	if (dispatcher->renewing != NULL)
		db_forget(dispatcher->renewing);
	event_free(dispatcher->look);
	event_free(dispatcher->renew);
	event_free(dispatcher->over);
	return 0;
}

struct dispatcher *dispatcher_start(const void *owner, const struct tools *tools)
{
	struct dispatcher *dispatcher = talloc_zero(owner, struct dispatcher);
	dispatcher->tools = tools;
	LIST_INIT(&dispatcher->running);
	dispatcher->look = event_new(tools->base, -1, 0, on_look, dispatcher);
	dispatcher->renew = event_new(tools->base, -1, EV_PERSIST, on_renew, dispatcher);
	dispatcher->over = event_new(tools->base, -1, 0, on_over, dispatcher);
	talloc_set_destructor(dispatcher, dispatcher_free);
	struct timeval third = {.tv_usec = tools->settings->lease_s * 1000000 / 3 % 1000000,
		.tv_sec = tools->settings->lease_s / 3};
	event_add(dispatcher->renew, &third);
	db_watch_ready(tools->db, on_ready, dispatcher);
	db_listen(dispatcher, tools->db, "bugwatch_work", on_notice, dispatcher);
	look_in(dispatcher, 0);
	return dispatcher;
}
