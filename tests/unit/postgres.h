/* A PostgreSQL of one test program's own: the embedded one, in a folder that goes with it. */
#ifndef TESTS_UNIT_POSTGRES_H
#define TESTS_UNIT_POSTGRES_H

#include "engine/cluster.h"
#include "engine/resolver.h"

#include <event2/event.h>
#include <libpq-fe.h>
#include <stdbool.h>

struct postgres {
	char dir[32];
	struct event_base *base;
	struct resolver *resolver;
	struct cluster *cluster;
	PGconn *conn; /* to the database bugwatch, beside what is tested */
};

/* cmocka's group fixtures: *STATE is a struct postgres. */
int postgres_setup(void **state);
int postgres_teardown(void **state);

/* Runs SQL beside what is tested; returns the first cell, valid until the next call. */
const char *postgres_sql(struct postgres *postgres, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The process of the server whose state folder is DIR; 0 where none is noted. */
int postgres_pid(const char *dir);

/* Runs the loop until HOLDS says so; false after SECONDS. */
bool postgres_loop(struct event_base *base, int seconds, bool (*holds)(void *cookie), void *cookie);

/* Removes a folder with all that is in it. */
void postgres_remove(const char *dir);

#endif
