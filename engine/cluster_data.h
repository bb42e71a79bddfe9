/* The embedded database's folders on disk: made once, owned by its user. */
#ifndef ENGINE_CLUSTER_DATA_H
#define ENGINE_CLUSTER_DATA_H

#include "engine/cluster_process.h"
#include "trackers/err.h"

#include <stdbool.h>

enum { CLUSTER_WORDS = 256 };

struct cluster_data {
	const char *folder; /* STATE_DIR/postgres, absolute */
	const char *data; /* FOLDER/data */
	const char *log; /* FOLDER/log */
	const char *programs;
	struct cluster_user user;
};

/*
 * Makes what is missing below STATE_DIR, with initdb the first time, and stops the server that an
 * earlier, killed service left there. Blocks, at most a minute each. NULL and ERR_SYSTEM.
 */
struct cluster_data *cluster_data_open(const void *owner, const char *state_dir, struct err *err);

/* The log to append to (close-on-exec), emptied where it has grown too long; -1 and ERR_SYSTEM. */
int cluster_data_log(const struct cluster_data *data, struct err *err);

/* The end of the last line that was logged in WORDS of CLUSTER_WORDS bytes, and returned. */
const char *cluster_data_last_words(const struct cluster_data *data, char *words);

#endif
