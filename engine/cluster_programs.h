/* Where this machine has PostgreSQL's server programs. */
#ifndef ENGINE_CLUSTER_PROGRAMS_H
#define ENGINE_CLUSTER_PROGRAMS_H

#include "trackers/err.h"

/*
 * The folder, owned by OWNER, that has `postgres` and `initdb` of the major version WANTED, or of
 * the newest where WANTED is 0. NULL and ERR_SYSTEM with what to install.
 */
char *cluster_programs_find(const void *owner, int wanted, struct err *err);

#endif
