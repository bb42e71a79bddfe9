/* Finds out what a tracker's server is, trying every driver where its type is not known. */
#ifndef ENGINE_PROBE_H
#define ENGINE_PROBE_H

#include "engine/courier.h"
#include "engine/lease.h"

struct probe;

/*
 * Called once, at the end; the probe is then gone. ERR is NULL where DRIVER answered with SERVER
 * (valid during the call), else the tracker's failure. COST is of all that was tried.
 */
typedef void probe_done(void *cookie, const struct err *err, const struct tracker *driver,
	const struct server *server, const struct fetch_cost *cost);

/* Starts to probe LEASE's tracker. Owned by OWNER; talloc_free calls it off, without `done`. */
struct probe *probe_start(const void *owner, const struct tools *tools, const struct lease *lease,
	const struct courier_site *site, probe_done *done, void *cookie);

#endif
