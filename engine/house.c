#include "engine/house.h"

#include "engine/log.h"

#include <stdio.h>
#include <talloc.h>

enum { EVERY_S = 600, AFTER_FAILURE_S = 10 };

struct house {
	const struct tools *tools;
	struct event *look;
	struct db_batch *batch; /* under way */
};

static void look_in(struct house *house, time_t seconds)
{
	event_add(house->look, &(struct timeval){.tv_sec = seconds});
}

static void on_kept(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct house *house = cookie;
	house->batch = NULL;
	look_in(house, err == NULL ? EVERY_S : AFTER_FAILURE_S);
	if (err != NULL && err->kind != ERR_DATABASE_GONE)
		log_warning("database", "months of events and runs: not now: %s", err->text);
}

static void on_look(evutil_socket_t fd, short what, void *cookie)
{
	struct house *house = cookie;
	const struct settings *settings = house->tools->settings;
	char events[24], runs[24];
	snprintf(events, sizeof(events), "%ld", settings->keep_events_days);
	snprintf(runs, sizeof(runs), "%ld", settings->keep_runs_days);
	house->batch = db_query(house->tools->db, QUERY_work_keep_house,
		(const char *[]){events, runs}, on_kept, house);
}

static int house_free(struct house *house)
{
	if (house->batch != NULL)
		db_forget(house->batch);
	event_free(house->look);
	return 0;
}

struct house *house_start(const void *owner, const struct tools *tools)
{
	struct house *house = talloc_zero(owner, struct house);
	house->tools = tools;
	house->look = event_new(tools->base, -1, 0, on_look, house);
	talloc_set_destructor(house, house_free);
	look_in(house, 0);
	return house;
}
