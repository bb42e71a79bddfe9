/* Where a request goes: an http or https URL taken apart, and what a redirect makes of it. */
#ifndef ENGINE_TARGET_H
#define ENGINE_TARGET_H

#include "trackers/err.h"

#include <stdbool.h>

/* Owned as one piece by the talloc owner it was made for. */
struct target {
	const char
		*origin; /* scheme://host:port, the port always there: whom politeness is due to */
	const char *host; /* lower case, brackets kept on IPv6; international names in punycode */
	const char *path; /* path and query as sent, begins with '/' */
	unsigned port;
	bool secure; /* https */
};

/*
 * Takes URL apart. NULL and ERR_HTTP if it is no http or https URL, is longer than 64 kB, or holds
 * a user name, a zone, or bytes that can't stand in a request. A host in another script needs a
 * UTF-8 LC_CTYPE.
 */
struct target *target_parse(const void *owner, const char *url, struct err *err);

/*
 * Where LOCATION, sent by FROM in answer to a POST or a GET, leads. NULL and ERR_MOVED, naming the
 * new address, where it must not be followed: to another host, from https to http, to something
 * that is not HTTP.
 */
struct target *target_redirect(
	const void *owner, const struct target *from, const char *location, struct err *err);

/*
 * Whether what is secret towards FROM may be shown to TO: the same origin, or its host reached over
 * https now and over http before.
 */
bool target_trusts(const struct target *from, const struct target *to);

/* Whether the host is an address, so that no name is to be resolved. */
bool target_is_address(const struct target *target);

#endif
