#include "engine/origin.h"

#include <string.h>
#include <talloc.h>
#include <time.h>

struct origin {
	LIST_ENTRY(origin) entry;
	const char *name;
	struct event *event; /* looks at the queue: made active, or when a delay or pause ends */
	TAILQ_HEAD(, place) waiting;
	unsigned turns; /* under way */
	unsigned delay_ms; /* what the last turn asked for after it */
	/* Milliseconds on the monotonic clock, which nobody sets: */
	int64_t last_turn;
	int64_t pause_end;
};

struct origins {
	struct event_base *base;
	LIST_HEAD(, origin) list;
};

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static int origin_destructor(struct origin *origin)
{
	LIST_REMOVE(origin, entry);
	event_free(origin->event);
	return 0;
}

static struct origin *find(const struct origins *origins, const char *name)
{
	struct origin *origin;
	LIST_FOREACH (origin, &origins->list, entry) {
		if (strcmp(origin->name, name) == 0)
			return origin;
	}
	return NULL;
}

/* Looks at the queue again in MS milliseconds. */
static void look_in(struct origin *origin, int64_t ms)
{
	struct timeval wait = {ms / 1000, ms % 1000 * 1000};
	event_add(origin->event, &wait);
}

static void look_soon(struct origin *origin)
{
	event_active(origin->event, EV_TIMEOUT, 1);
}

/* Takes the first in the queue off it and tells it. */
static void tell_first(struct origin *origin, bool paused)
{
	struct place *place = TAILQ_FIRST(&origin->waiting);
	TAILQ_REMOVE(&origin->waiting, place, entry);
	if (paused) {
		place->origin = NULL;
	} else {
		place->has_turn = true;
		origin->turns++;
		origin->last_turn = now_ms();
		origin->delay_ms = place->min_delay_ms;
	}
	place->turn(place->cookie, paused);
}

/* Tells those who wait now that there is no turn; who comes in meanwhile is told the next time. */
static void tell_paused(struct origin *origin)
{
	unsigned n = 0;
	struct place *place;
	TAILQ_FOREACH (place, &origin->waiting, entry) {
		n++;
	}
	for (; n > 0 && !TAILQ_EMPTY(&origin->waiting); n--)
		tell_first(origin, true);
	if (!TAILQ_EMPTY(&origin->waiting))
		look_soon(origin);
}

/* When the delay after the last turn ends, for PLACE or (NULL) for nobody in particular. */
static int64_t delay_end(const struct origin *origin, const struct place *place)
{
	unsigned delay = origin->delay_ms;
	if (place != NULL && place->min_delay_ms > delay)
		delay = place->min_delay_ms;
	return origin->last_turn + delay;
}

/* Gives turns to those at the front of the queue who may have one now. */
static void give_turns(struct origin *origin)
{
	struct place *first;
	while ((first = TAILQ_FIRST(&origin->waiting)) != NULL &&
		origin->turns < first->max_connections) {
		int64_t wait = delay_end(origin, first) - now_ms();
		if (wait > 0) {
			look_in(origin, wait);
			return;
		}
		tell_first(origin, false);
	}
}

/* Forgets the origin, or looks again when there is nothing left to remember of it. */
static void settle(struct origin *origin)
{
	if (!TAILQ_EMPTY(&origin->waiting) || origin->turns > 0)
		return;
	int64_t delay = delay_end(origin, NULL);
	int64_t end = delay > origin->pause_end ? delay : origin->pause_end;
	int64_t left = end - now_ms();
	if (left > 0)
		look_in(origin, left);
	else
		talloc_free(origin);
}

static void look(evutil_socket_t fd, short what, void *cookie)
{
	struct origin *origin = cookie;
	if (origin->pause_end > now_ms())
		tell_paused(origin);
	else
		give_turns(origin);
	settle(origin);
}

static struct origin *find_or_make(struct origins *origins, const char *name)
{
	struct origin *origin = find(origins, name);
	if (origin != NULL)
		return origin;
	origin = talloc_zero(origins, struct origin);
	origin->name = talloc_strdup(origin, name);
	origin->event = evtimer_new(origins->base, look, origin);
	origin->last_turn = INT64_MIN / 2;
	TAILQ_INIT(&origin->waiting);
	LIST_INSERT_HEAD(&origins->list, origin, entry);
	talloc_set_destructor(origin, origin_destructor);
	return origin;
}

struct origins *origins_new(const void *owner, struct event_base *base)
{
	struct origins *origins = talloc_zero(owner, struct origins);
	origins->base = base;
	LIST_INIT(&origins->list);
	return origins;
}

void origins_join(struct origins *origins, const char *name, struct place *place)
{
	struct origin *origin = find_or_make(origins, name);
	place->origin = origin;
	place->has_turn = false;
	TAILQ_INSERT_TAIL(&origin->waiting, place, entry);
	look_soon(origin);
}

void origins_leave(struct place *place)
{
	struct origin *origin = place->origin;
	if (origin == NULL)
		return;
	if (place->has_turn)
		origin->turns--;
	else
		TAILQ_REMOVE(&origin->waiting, place, entry);
	place->has_turn = false;
	place->origin = NULL;
	look_soon(origin);
}

void origins_pause(struct origins *origins, const char *name, int64_t ms)
{
	struct origin *origin = find_or_make(origins, name);
	if (now_ms() + ms > origin->pause_end)
		origin->pause_end = now_ms() + ms;
	look_soon(origin);
}

int64_t origins_paused_ms(const struct origins *origins, const char *name)
{
	const struct origin *origin = find(origins, name);
	int64_t left = origin != NULL ? origin->pause_end - now_ms() : 0;
	return left > 0 ? left : 0;
}
