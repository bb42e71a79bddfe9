/* Where a connection string leads: its parameters with our defaults, its hosts and addresses. */
#ifndef ENGINE_DB_TARGET_H
#define ENGINE_DB_TARGET_H

#include "engine/network.h"
#include "engine/resolver.h"
#include "trackers/err.h"

#include <stdbool.h>

struct db_target;
struct db_lookup;

/* What PQconnectdbParams takes: two arrays of equal length, NULL-ended. */
struct db_parameters {
	const char **keywords, **values;
};

/* Reads CONNINFO (string or URL). NULL and ERR_USAGE if it can't be understood. */
struct db_target *db_target_new(const void *owner, const char *conninfo, struct err *err);

/*
 * The same for a server that is not ours (it may be a standby), named by somebody who is no
 * administrator of this machine: only addresses that POLICY allows are connected to, a Unix socket
 * counting as 127.0.0.1; parameters that name files, or that lead past that, are refused, as is a
 * string without a host. Nothing of our own environment's password goes there. POLICY must outlive
 * it; NULL where it is only to be seen whether CONNINFO will do.
 */
struct db_target *db_target_new_foreign(const void *owner, const char *conninfo,
	const struct network_policy *policy, struct err *err);

/* How long making a connection may take, in seconds. */
unsigned db_target_timeout_s(const struct db_target *target);

/* The parameters with host names as they are, for who may block; owned by OWNER. */
struct db_parameters db_target_parameters(const void *owner, const struct db_target *target);

/*
 * Looks the host names of TARGET up. DONE is called once when all answered, unless that is so at
 * once (db_lookup_over), never before this returned. talloc_free ends it without a call.
 */
struct db_lookup *db_lookup_new(const void *owner, const struct db_target *target,
	struct resolver *resolver, void (*done)(void *cookie), void *cookie);

/* Whether no name is being asked for. */
bool db_lookup_over(const struct db_lookup *lookup);

/*
 * The parameters with every address, owned by LOOKUP. FIRST turns the list: the address with this
 * number (modulo their count) comes first. False and ERR_DATABASE_GONE if no host has an address; of
 * a foreign target ERR_DNS, or ERR_BLOCKED_ADDRESS where it has none that is allowed.
 */
bool db_lookup_parameters(
	struct db_lookup *lookup, unsigned first, struct db_parameters *out, struct err *err);

#endif
