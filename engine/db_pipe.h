/*
 * A connection in pipeline mode that knows every query, and carries several batches at once, each
 * a transaction of its own.
 */
#ifndef ENGINE_DB_PIPE_H
#define ENGINE_DB_PIPE_H

#include "engine/db_batch.h"
#include "engine/db_link.h"

enum { DB_PIPE_DEPTH = 8 }; /* batches on one connection at once */

/* How the server plans a connection's statements. */
enum db_plans {
	DB_PLANS_ANEW, /* each time: answers vary much in size */
	/*
	 * Once, and by index alone, so that they do not depend on how large the tables were then: for
	 * many small statements, whose planning would cost several times their work.
	 */
	DB_PLANS_KEPT,
	DB_PLANS
};

struct db_pipe;

struct db_pipe_events {
	/* It became ready for batches. */
	void (*ready)(void *cookie);
	/* It is (still) not ready. */
	void (*down)(void *cookie, const struct err *why);
	/* The batch is answered, or failed: its err says. There is room for another. */
	void (*finished)(void *cookie, struct db_batch *batch);
};

/* Connects by itself for ever, for batches of PLANS. EVENTS and TARGET must outlive it; talloc_free ends it. */
struct db_pipe *db_pipe_new(const void *owner, struct event_base *base, struct resolver *resolver,
	const struct db_target *target, enum db_plans plans, const struct db_pipe_events *events,
	void *cookie);

/* Whether it takes batches now. */
bool db_pipe_ready(const struct db_pipe *pipe);

/* How many batches are under way on it. */
unsigned db_pipe_load(const struct db_pipe *pipe);

/* Sends BATCH over a ready pipe. `finished` may be called before this returns. */
void db_pipe_send(struct db_pipe *pipe, struct db_batch *batch);

#endif
