#include "tests/simulate/simulate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { DAY = 86400, WARM_UP = 90 * DAY, ROOM = 1024 };

/* A watch, as far as its bug was looked at. */
struct watch {
	const struct bug *bug;
	unsigned seen; /* of its events */
	int64_t changed, settled; /* when it last changed, and its status */
	bool resolved;
};

struct simulation {
	const struct plan *plan;
	struct schedule_rules rules;
	struct watch *watches; /* by when they begin */
	size_t count, begun;
	struct outcome outcome;
	uint64_t random;
};

/* A number in [0, 1), the same ones each time (splitmix64). */
static double draw(struct simulation *simulation)
{
	uint64_t z = simulation->random += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static bool counts(const struct simulation *simulation, int64_t at)
{
	return at >= simulation->plan->from && at < simulation->plan->until;
}

static void note(const void *owner, struct delays *delays, double late)
{
	if (delays->count % ROOM == 0)
		delays->late = talloc_realloc(owner, delays->late, double, delays->count + ROOM);
	delays->late[delays->count++] = late;
}

/* Looks at the bug of WATCH at NOW; what is new counts unless it is the FIRST look. */
static void look(struct simulation *simulation, struct watch *watch, int64_t now, bool first)
{
	struct outcome *outcome = &simulation->outcome;
	for (; watch->seen < watch->bug->event_count; watch->seen++) {
		const struct event *event = &watch->bug->events[watch->seen];
		if (event->at > now)
			return;
		watch->changed = event->at;
		watch->resolved = event->resolved;
		if (event->kind == EVENT_STATUS)
			watch->settled = event->at;
		if (!first && event->kind != EVENT_OTHER && counts(simulation, event->at))
			note(simulation->watches,
				event->kind == EVENT_STATUS ? &outcome->status : &outcome->comments,
				(double)(now - event->at));
	}
}

static struct schedule_bug state_of(const struct watch *watch, int64_t now)
{
	return (struct schedule_bug){
		.quiet_s = (double)(now - watch->changed),
		.steady_s = (double)(now - watch->settled),
		.resolved = watch->resolved,
	};
}

static int64_t next_check(
	struct simulation *simulation, const struct watch *watch, int64_t now, double number)
{
	struct schedule_bug bug = state_of(watch, now);
	return schedule_bug(&simulation->rules, &bug, number);
}

/* Whether nothing that counts is still to be seen at NOW. */
static bool is_over(const struct simulation *simulation, const struct watch *watch, int64_t now)
{
	return now >= simulation->plan->until &&
		(watch->seen == watch->bug->event_count ||
			watch->bug->events[watch->seen].at >= simulation->plan->until);
}

/* ---- each bug by itself ---- */

static void run_single(struct simulation *simulation)
{
	for (size_t i = 0; i < simulation->count; i++) {
		struct watch *watch = &simulation->watches[i];
		int64_t now = watch->bug->watched;
		while (!is_over(simulation, watch, now)) {
			now += next_check(simulation, watch, now, draw(simulation));
			look(simulation, watch, now, false);
			simulation->outcome.checks += counts(simulation, now);
		}
	}
	simulation->outcome.requests = simulation->outcome.checks;
}

/* ---- batches ---- */

/* Whose turn it is. */
struct turns {
	float *due; /* of each watch, seconds since the beginning */
	size_t *order; /* room for all */
	float latest; /* chosen the last time */
};

/* Begins the watches whose time has come; they are due at once. */
static void begin(struct simulation *simulation, struct turns *turns, int64_t now)
{
	while (simulation->begun < simulation->count &&
		simulation->watches[simulation->begun].bug->watched <= now)
		turns->due[simulation->begun++] = -INFINITY;
}

/* Those of the first N watches that are due until LATEST go to the order; how many. */
static size_t collect(const struct turns *turns, size_t n, float latest)
{
	size_t found = 0;
	for (size_t i = 0; i < n; i++) {
		turns->order[found] = i;
		found += turns->due[i] <= latest;
	}
	return found;
}

/* Orders the N watches in ORDER so that the WANTED due first come first (Hoare's selection). */
static void select_first(size_t *order, ptrdiff_t n, ptrdiff_t wanted, const float *due)
{
	ptrdiff_t low = 0, high = n - 1, last = wanted - 1;
	while (low < high) {
		float pivot = due[order[last]];
		ptrdiff_t i = low, j = high;
		while (i <= j) {
			while (due[order[i]] < pivot)
				i++;
			while (due[order[j]] > pivot)
				j--;
			if (i <= j) {
				size_t swapped = order[i];
				order[i++] = order[j];
				order[j--] = swapped;
			}
		}
		if (j < last)
			low = i;
		if (last < i)
			high = j;
	}
}

/*
 * Those due first, at most a batch, at the beginning of the order; how many. Not all have to be
 * sorted: those chosen now are not due much later than those chosen the last time.
 */
static size_t choose(const struct simulation *simulation, struct turns *turns, int64_t every)
{
	size_t n = simulation->begun, wanted = simulation->plan->batch;
	size_t found = collect(turns, n, turns->latest + 2 * (float)every);
	if (found < wanted)
		found = collect(turns, n, INFINITY);
	if (wanted > found)
		wanted = found;
	select_first(turns->order, (ptrdiff_t)found, (ptrdiff_t)wanted, turns->due);
	turns->latest = wanted > 0 ? turns->due[turns->order[wanted - 1]] : 0;
	return wanted;
}

/* A batch, the first at START; the one before was EVERY ago. */
static void ask_batch(struct simulation *simulation, struct turns *turns, int64_t start,
	int64_t now, int64_t every)
{
	size_t n = choose(simulation, turns, every);
	double number = draw(simulation);
	for (size_t i = 0; i < n; i++) {
		size_t which = turns->order[i];
		struct watch *watch = &simulation->watches[which];
		look(simulation, watch, now, false);
		turns->due[which] =
			(float)(now - start + next_check(simulation, watch, now, number));
	}
	if (n > 0 && counts(simulation, now)) {
		simulation->outcome.requests++;
		simulation->outcome.checks += (double)n;
	}
}

/* The load and the pull of the watches that have begun. */
static double sum(const struct simulation *simulation, int64_t now, bool pull)
{
	double all = 0;
	for (size_t i = 0; i < simulation->begun; i++) {
		struct schedule_bug bug = state_of(&simulation->watches[i], now);
		all += pull ? schedule_pull(simulation->rules.knobs, &bug) : schedule_load(&bug);
	}
	return all;
}

static int64_t start_of(const struct simulation *simulation)
{
	int64_t first = simulation->watches[0].bug->watched;
	int64_t warm = simulation->plan->from - WARM_UP;
	return first > warm ? first : warm;
}

/* Reckons anew what the rules take from all bugs; returns the seconds between batches. */
static int64_t reckon_batch(struct simulation *simulation, int64_t now)
{
	const struct plan *plan = simulation->plan;
	int64_t every = plan->every_s > 0
		? plan->every_s
		: schedule_batch(simulation->rules.knobs, plan->batch, sum(simulation, now, false));
	simulation->rules.stretch_s =
		schedule_stretch(sum(simulation, now, true), plan->batch, every);
	return every;
}

static void run_batch(struct simulation *simulation)
{
	int64_t start = start_of(simulation), reckoned = 0, every = 0;
	int64_t last = simulation->plan->until + simulation->plan->knobs.check_interval_s * 2;
	size_t n = simulation->count;
	struct turns turns = {
		.due = talloc_array(simulation->watches, float, n),
		.order = talloc_array(simulation->watches, size_t, n + 1),
	};
	for (int64_t now = start; now < last; now += every) {
		begin(simulation, &turns, now);
		if (now - reckoned >= DAY || every == 0) {
			every = reckon_batch(simulation, now);
			reckoned = now;
		}
		ask_batch(simulation, &turns, start, now, every);
	}
}

/* ---- what changed ---- */

/* Something to be told of, in the order of time. */
struct change {
	int64_t at;
	size_t watch;
};

static int by_time(const void *a, const void *b)
{
	const struct change *one = a, *other = b;
	return (one->at > other->at) - (one->at < other->at);
}

/* All changes of watched bugs that count, in the order of time. */
static struct change *changes_of(const struct simulation *simulation, size_t *count)
{
	size_t n = 0, room = 0;
	for (size_t i = 0; i < simulation->count; i++)
		room += simulation->watches[i].bug->event_count;
	struct change *changes = talloc_array(simulation->watches, struct change, room);
	for (size_t i = 0; i < simulation->count; i++) {
		const struct bug *bug = simulation->watches[i].bug;
		for (unsigned j = 0; j < bug->event_count; j++)
			if (bug->events[j].at > bug->watched)
				changes[n++] = (struct change){bug->events[j].at, i};
	}
	qsort(changes, n, sizeof(*changes), by_time);
	*count = n;
	return changes;
}

static int64_t question_interval(struct simulation *simulation, int64_t now)
{
	while (simulation->begun < simulation->count &&
		simulation->watches[simulation->begun].bug->watched <= now)
		simulation->begun++;
	return simulation->plan->every_s > 0
		? simulation->plan->every_s
		: schedule_changes(simulation->rules.knobs, sum(simulation, now, false));
}

/* Every bug is swept besides; batches are full. */
static void sweep(struct simulation *simulation)
{
	for (size_t i = 0; i < simulation->count; i++) {
		struct watch watch = simulation->watches[i];
		int64_t now = watch.bug->watched;
		while (now < simulation->plan->until) {
			now += next_check(simulation, &watch, now, draw(simulation));
			simulation->outcome.checks += counts(simulation, now);
		}
	}
	simulation->outcome.requests = simulation->outcome.checks / simulation->plan->batch;
}

static void run_changes(struct simulation *simulation)
{
	size_t count, next = 0;
	struct change *changes = changes_of(simulation, &count);
	int64_t reckoned = 0, every = 0, until = simulation->plan->until;
	for (int64_t now = simulation->watches[0].bug->watched; now < until + DAY; now += every) {
		if (now - reckoned >= DAY || every == 0) {
			every = question_interval(simulation, now);
			reckoned = now;
		}
		size_t told = next;
		for (; next < count && changes[next].at <= now; next++)
			look(simulation, &simulation->watches[changes[next].watch], now, false);
		if (counts(simulation, now)) {
			simulation->outcome.questions++;
			simulation->outcome.fetches +=
				ceil((double)(next - told) / simulation->plan->batch);
		}
	}
	sweep(simulation);
}

/* ---- all of it ---- */

static int by_beginning(const void *a, const void *b)
{
	const struct watch *one = a, *other = b;
	return (one->bug->watched > other->bug->watched) -
		(one->bug->watched < other->bug->watched);
}

static void make_watches(
	const void *owner, struct simulation *simulation, const struct history *history)
{
	simulation->count = history->count;
	simulation->watches = talloc_zero_array(owner, struct watch, history->count);
	for (size_t i = 0; i < history->count; i++) {
		struct watch *watch = &simulation->watches[i];
		watch->bug = &history->bugs[i];
		watch->changed = watch->settled = watch->bug->created;
		look(simulation, watch, watch->bug->watched, true);
	}
	qsort(simulation->watches, history->count, sizeof(struct watch), by_beginning);
}

/* How many watches there are in the window, on average. */
static double average(const struct simulation *simulation)
{
	const struct plan *plan = simulation->plan;
	double seconds = 0;
	for (size_t i = 0; i < simulation->count; i++) {
		int64_t from = simulation->watches[i].bug->watched;
		if (from < plan->until)
			seconds += (double)(plan->until - (from > plan->from ? from : plan->from));
	}
	return seconds / (double)(plan->until - plan->from);
}

struct outcome simulate(const void *owner, const struct history *history, const struct plan *plan)
{
	static void (*const runs[])(struct simulation *) = {
		[SCHEDULE_SINGLE] = run_single,
		[SCHEDULE_BATCH] = run_batch,
		[SCHEDULE_CHANGES] = run_changes,
	};
	struct simulation simulation = {
		.plan = plan,
		.rules = {.policy = plan->policy, .mode = plan->mode, .knobs = &plan->knobs},
	};
	make_watches(owner, &simulation, history);
	runs[plan->mode](&simulation);
	struct outcome *outcome = &simulation.outcome;
	double days = (double)(plan->until - plan->from) / DAY;
	outcome->watches = average(&simulation);
	outcome->checks /= days;
	outcome->requests /= days;
	outcome->questions /= days;
	outcome->fetches /= days;
	return *outcome;
}
