/*
 * Whose turn is it: takes the leases of trackers with due work, starts their runs, renews the
 * leases while the runs last. Work is found by asking the database; NOTIFY only makes it sooner.
 */
#ifndef ENGINE_DISPATCHER_H
#define ENGINE_DISPATCHER_H

#include "engine/tools.h"

struct dispatcher;

/* Starts to dispatch. Owned by OWNER; talloc_free drops all runs (what they left stays due). */
struct dispatcher *dispatcher_start(const void *owner, const struct tools *tools);

/*
 * Takes no more work and gives up the runs under way cleanly; STOPPED is called once, from the
 * loop, when none is left. Runs that the database keeps waiting are left to talloc_free.
 */
void dispatcher_stop(struct dispatcher *dispatcher, void (*stopped)(void *cookie), void *cookie);

#endif
