/*
 * A tracker's mirror in PostgreSQL: Debian's UDD, the Ultimate Debian Database, or one like it. It
 * belongs to somebody else: read only, one short query at a time, over a connection that is made
 * for the first and lasts as long as this object (a run). The network policy holds for it too.
 */
#ifndef ENGINE_UDD_H
#define ENGINE_UDD_H

#include "engine/network.h"
#include "engine/resolver.h"
#include "trackers/err.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

struct udd;

/* Whether CONNINFO can be taken as a tracker's `udd`; if not, ERR_USAGE says why. */
bool udd_understands(const char *conninfo, struct err *err);

/*
 * The mirror at CONNINFO. Nothing is done before the first question. BASE, RESOLVER and POLICY must
 * outlive it. Owned by OWNER; talloc_free ends it, without a call.
 */
struct udd *udd_new(const void *owner, struct event_base *base, struct resolver *resolver,
	const struct network_policy *policy, const char *conninfo);

struct udd_handlers {
	/* A row: N bytes, its cells separated by a TAB and ended by LF. */
	void (*row)(void *cookie, const char *line, size_t n);
	/*
	 * Called once at the end, never before udd_ask returned; ERR is NULL on success, else a kind
	 * of the tracker's in words that begin with UDD. BYTES came as rows.
	 */
	void (*done)(void *cookie, const struct err *err, size_t bytes);
};

/*
 * Asks one SELECT with text parameters for $1, $2... (NULL-ended, at most 8); nothing else may be
 * under way. It has 30 s, with the server told to give up after 20. HANDLERS must outlive it.
 */
void udd_ask(struct udd *udd, const char *sql, const char *const *parameters,
	const struct udd_handlers *handlers, void *cookie);

/* Calls the question off: no handler is called any more. */
void udd_cancel(struct udd *udd);

#endif
