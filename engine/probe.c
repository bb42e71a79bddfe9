#include "engine/probe.h"

#include "engine/clock.h"

#include <talloc.h>

struct probe {
	const struct tools *tools;
	const struct lease *lease;
	const struct courier_site *site;
	probe_done *done;
	void *cookie;
	const struct tracker *const *next; /* NULL where the type is known */
	struct fetch_cost cost;
};

static void try(struct probe *probe, const struct tracker *driver);

static void finish(struct probe *probe, struct conversation *conversation, const struct err *err)
{
	/* The conversation outlives the probe until `done` has read it. */
	talloc_steal(NULL, conversation);
	probe_done *done = probe->done;
	void *cookie = probe->cookie;
	struct fetch_cost cost = probe->cost;
	talloc_free(probe);
	done(cookie, err, conversation->tracker, conversation->server, &cost);
	talloc_free(conversation);
}

/* Whether a failure only says that the server does not speak this driver's protocol. */
static bool not_this_kind(enum err_kind kind)
{
	return kind == ERR_UNSUPPORTED_TRACKER || kind == ERR_UNPARSABLE_TRACKER ||
		kind == ERR_HTTP || kind == ERR_AUTH;
}

static void on_over(void *cookie, struct conversation *conversation, const struct fetch_cost *cost)
{
	struct probe *probe = cookie;
	struct err err = conversation->err;
	probe->cost.requests += cost->requests;
	probe->cost.bytes += cost->bytes;
	if (err.kind == ERR_NONE) {
		finish(probe, conversation, NULL);
		return;
	}
	if (probe->next == NULL || !not_this_kind(err.kind)) {
		finish(probe, conversation, &err);
		return;
	}
	if (*probe->next != NULL) {
		talloc_free(conversation);
		try(probe, *probe->next++);
		return;
	}
	err_clear(&err);
	err_set(&err, ERR_UNSUPPORTED_TRACKER,
		"%s answers, but as none of the trackers that bugwatch knows; if it is one, set "
		"its "
		"type, and credentials if it wants a login",
		probe->lease->base_url);
	finish(probe, conversation, &err);
}

static void try(struct probe *probe, const struct tracker *driver)
{
	struct conversation *conversation = conversation_new(probe, driver, ERRAND_PROBE,
		probe->lease->base_url, NULL, probe->lease->credentials, NULL, 0, clock_now());
	courier_start(conversation, probe->tools->base, probe->site, conversation, on_over, probe);
}

struct probe *probe_start(const void *owner, const struct tools *tools, const struct lease *lease,
	const struct courier_site *site, probe_done *done, void *cookie)
{
	struct probe *probe = talloc_zero(owner, struct probe);
	probe->tools = tools;
	probe->lease = lease;
	probe->site = site;
	probe->done = done;
	probe->cookie = cookie;
	if (lease->driver != NULL) {
		try(probe, lease->driver);
	} else {
		probe->next = trackers + 1;
		try(probe, trackers[0]);
	}
	return probe;
}
