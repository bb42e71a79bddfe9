/* Which addresses may be connected to: none that is special, unless the administrator lists it. */
#ifndef ENGINE_NETWORK_H
#define ENGINE_NETWORK_H

#include "trackers/err.h"

#include <stdbool.h>
#include <sys/socket.h>

struct network_policy;

/*
 * A policy that allows public addresses and those in ALLOWED (CIDR list, comma-separated, may be
 * empty). NULL and ERR_USAGE naming the entry that is no network. Owned by OWNER.
 */
struct network_policy *network_policy_new(const void *owner, const char *allowed, struct err *err);

/*
 * Whether ADDRESS may be connected to. Loopback, private, link-local, shared, documentation,
 * multicast, reserved and unspecified addresses may not (RFC 6890 and its registries), nor IPv4
 * ones wrapped in IPv6 (mapped, compatible, NAT64, 6to4, Teredo) whose inner address may not. An
 * allowed network of IPv4 also admits its mapped form, no other wrapping.
 */
bool network_allows(const struct network_policy *policy, const struct sockaddr *address);

#endif
