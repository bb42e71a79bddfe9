/*
 * Settles what a check learnt of a batch: reads the comments of those bugs that want it, and
 * stores. A bug is written together with its comments, or not at all; bugs without are written at
 * once, those with comments in groups, each in a transaction of its own.
 */
#ifndef ENGINE_SETTLE_H
#define ENGINE_SETTLE_H

#include "engine/courier.h"
#include "engine/store.h"

struct settle;

/* What every batch of a run shares; must outlive it. */
struct settle_frame {
	const struct tools *tools;
	const struct lease *lease;
	const struct server *server;
	struct courier_site site;
	struct store_run *run;
};

/*
 * Called once, at the end, maybe before settle_start returned; the settling is then gone. ERR is
 * NULL, the tracker's failure over the comments (bugs not written stay due), or our own. TALLY
 * counts what was committed or needed no writing.
 */
typedef void settle_done(void *cookie, const struct err *err, const struct tally *tally);

/*
 * Starts on CHECK, an errand that is over and took COST, about BUGS; both must outlive it. Owned by
 * OWNER; talloc_free calls it off, without `done`.
 */
void settle_start(const void *owner, const struct settle_frame *frame, const struct claimed *bugs,
	const struct conversation *check, const struct fetch_cost *cost, settle_done *done,
	void *cookie);

/* Whether a failure of this kind of a whole batch may be the work of one bug in it. */
bool settle_may_be_one_bug(enum err_kind kind);

#endif
