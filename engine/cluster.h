/*
 * The embedded database: a private PostgreSQL in the state folder, reached over a Unix socket only.
 * Made once by initdb, never again; started with the service and stopped with it. Under root it
 * runs as an unprivileged user (PostgreSQL refuses root).
 */
#ifndef ENGINE_CLUSTER_H
#define ENGINE_CLUSTER_H

#include "trackers/err.h"

#include <event2/event.h>

struct cluster;

/*
 * Prepares and starts the server of STATE_DIR, which the caller holds locked (state_lock). Blocks
 * until it takes connections: at most a minute, the first time with initdb. A server that an
 * earlier, killed service left behind is stopped first. From then on it is watched on BASE, and
 * started again when it ends by itself. NULL and ERR_SYSTEM with what to do. talloc_free stops it
 * (fast shutdown, waits at most 5 s, then kills).
 */
struct cluster *cluster_start(
	const void *owner, struct event_base *base, const char *state_dir, struct err *err);

/* A libpq connection string for it; owned by the cluster. */
const char *cluster_conninfo(const struct cluster *cluster);

#endif
