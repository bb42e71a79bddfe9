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
	bool due; /* by itself, not only for a forced update */
	bool comments_wanted; /* even if the bug did not change */
	int64_t quiet_s, steady_s; /* since it, and its status, last changed, as far as is known */
};

/* What became of the bugs of one or more stores. */
struct tally {
	unsigned checked; /* a complete answer spoke of them */
	unsigned changed;
	unsigned errors;
	uint64_t requests, bytes;
};

/* Adds MORE to TALLY. */
void tally_add(struct tally *tally, const struct tally *more);

/* The run that stores. */
struct store_run {
	int64_t id;
	const char *horizon; /* what became due later than that stays due */
	unsigned swept,
		missed; /* bugs heard of, and those whose change the tracker should have told */
	int64_t swept_to; /* it goes on with a forced update, and all bugs up to this one were heard of */
	/* What the database does not know yet, and when it was last told. */
	struct tally unwritten;
	int64_t swept_written;
	moment written_at;
};

/* What is to be written together. */
struct findings {
	const struct conversation *check; /* of the bugs */
	const int64_t *prints; /* the fingerprints of its observations; of errors: 0 */
	const unsigned *which; /* indices of the observations to write; other ones wait */
	unsigned count;
	/* About those bugs' comments, in that order; NULL where comments were not asked for. */
	const struct conversation *comments;
	struct fetch_cost cost;
};

/*
 * Writes FINDINGS about BUGS (the check's wanted bugs, in its order) in one transaction under
 * LEASE, as part of RUN: each bug's next check, what changed, comments, errors and events, and what
 * it took in the run's figures. Fills TALLY and returns the batch; DONE hears of it as in db_send.
 * Of bugs with comments only those are written whose comments were read or have an error of their
 * own. What is not written is left as it is: still due.
 *
 * Bugs that are as they were and not due by themselves need nothing written: that they were checked
 * told by `swept_to`, once they were all heard of. Where all are such, returns NULL, and DONE is not
 * called: RUN's progress is left for the next writing, unless the last is a second ago.
 */
struct db_batch *store(const struct tools *tools, const struct lease *lease, struct store_run *run,
	const struct claimed *bugs, const struct findings *findings, struct tally *tally,
	db_done *done, void *cookie);

/*
 * Adds to BATCH what is not written of RUN's progress, and its end in STATE ("done"…), with ERR
 * where that is a failure.
 */
void store_end(struct db_batch *batch, const struct lease *lease, struct store_run *run,
	const char *state, const struct err *err);

#endif
