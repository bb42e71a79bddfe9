/* Compares what was learnt of some bugs with what is known, and writes the difference. */
#ifndef ENGINE_STORE_H
#define ENGINE_STORE_H

#include "engine/lease.h"
#include "engine/tools.h"
#include "trackers/conversation.h"

#include <stdbool.h>
#include <stdint.h>

/* A due bug as it was claimed. */
struct claimed {
	int64_t bug_id;
	const char *remote_id;
	int64_t fingerprint; /* 0 where it was never read */
	unsigned failures;
	bool failing; /* it has an error that its watches were told of */
};

/* What became of the bugs of one or more stores. */
struct tally {
	unsigned checked; /* a complete answer spoke of them */
	unsigned changed;
	unsigned errors;
	uint64_t requests, bytes;
};

/* The run that stores, as the database knows it. */
struct store_run {
	int64_t id;
	const char *horizon; /* what became due later than that stays due */
};

/*
 * Writes what CONVERSATION learnt of BUGS (its wanted bugs, in the same order) in one transaction
 * under LEASE, as part of RUN: each bug's next check, what changed, errors and events, and
 * what it took (COST) in the run's figures. Fills TALLY and returns the batch; DONE hears of it as
 * in db_send. Bugs that nothing was learnt of are left as they are: still due.
 */
struct db_batch *store(const struct tools *tools, const struct lease *lease,
	const struct store_run *run, const struct claimed *bugs,
	const struct conversation *conversation, const struct fetch_cost *cost, struct tally *tally,
	db_done *done, void *cookie);

#endif
