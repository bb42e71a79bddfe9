/*
 * One run: a pass over the due bugs of one tracker under its lease.
 *
 *   BEGINNING --begun--> PROBING --server known--> CHECKING --no more due, or failed--> ENDING
 *        \----------- server remembered -----------^
 *   any --run_stop--> ENDING (as abandoned);   any --lease or database lost--> over at once
 *
 * CHECKING begins with the question what changed, where that is due (news.h).
 */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H

#include "engine/lease.h"

#include <stdbool.h>

struct run;

/* Called once, never before run_start returned; the run is then gone. */
typedef void run_done(void *cookie, struct run *run);

/*
 * Starts a run under LEASE, which becomes the run's own. Owned by OWNER; talloc_free drops it: it
 * writes nothing more, and what it left stays due.
 */
struct run *run_start(const void *owner, const struct tools *tools, struct lease *lease,
	run_done *done, void *cookie);

/* Gives the run up cleanly: it is recorded as abandoned and its lease given back, then `done`. */
void run_stop(struct run *run);

/* The lease that the run works under. */
const struct lease *run_lease(const struct run *run);

#endif
