/* Brings a database to this program's schema. Blocks: for start-up and the `migrate` command. */
#ifndef ENGINE_MIGRATE_H
#define ENGINE_MIGRATE_H

#include "trackers/err.h"

/*
 * Applies the migrations that CONNINFO's database lacks, one transaction each, under an advisory
 * lock that other instances wait for. Calls STEP (may be NULL) after each. Returns how many were
 * applied, or -1: ERR_DATABASE_GONE if it can't be reached, ERR_DATABASE where a step failed, an
 * applied step was edited since (checksum), or the schema is newer than the program ("newer").
 * Never drops anything but what it made in the failed transaction.
 */
int migrate(const char *conninfo, void (*step)(void *cookie, int version, const char *name),
	void *cookie, struct err *err);

/* The version of the newest migration that the program brings. */
int migrate_newest(void);

#endif
