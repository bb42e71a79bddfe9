/* A batch as the pool (db.c) and its connections (db_pipe.c) hand it to each other. */
#ifndef ENGINE_DB_BATCH_H
#define ENGINE_DB_BATCH_H

#include "engine/db.h"

#include <sys/queue.h>
#include <time.h>

struct db_statement {
	enum query query;
	const char **parameters; /* query_texts[query].parameters of them */
};

struct db_batch {
	struct db *db;
	TAILQ_ENTRY(db_batch) entry; /* of the pool's waiting or finished, or of a pipe's sent */
	struct db_statement *statements;
	struct db_rows **rows; /* one a statement, as far as answered; NULL where it failed */
	unsigned count, answered;
	struct err err;
	time_t waiting_since; /* CLOCK_MONOTONIC */
	db_done *done;
	void *cookie;
};

TAILQ_HEAD(db_batches, db_batch);

#endif
