/* What a probe learnt of a server, remembered between runs. */
#ifndef TRACKERS_SERVER_H
#define TRACKERS_SERVER_H

#include "trackers/moment.h"

#include <stdbool.h>
#include <stdint.h>

enum ability {
	ABILITY_CHANGES = 1 << 0, /* can say what changed since a moment */
	ABILITY_COMMENTS = 1 << 1, /* gives comments */
	ABILITY_WHY = 1 << 2, /* says of a single bug why it is missing */
};

/* Texts are talloc children of the struct. */
struct server {
	const char *version; /* as the server says it, or NULL */
	const char *door; /* the driver's word for the interface to use, e.g. "rest.cgi/" */
	const char *memory; /* whatever else the driver must remember, in its own form, or NULL */
	unsigned abilities;
	int64_t skew_s; /* the server's clock less ours, whole seconds */
};

/* An empty server, owned by OWNER. */
struct server *server_new(const void *owner);

/* As one line of JSON, owned by OWNER. */
char *server_to_json(const void *owner, const struct server *server);

/* The server that JSON tells of, owned by OWNER; NULL where it can't be read. */
struct server *server_from_json(const void *owner, const char *json);

/* The word of one ability, as the API shows it, or NULL past the last; BIT counts from 0. */
const char *ability_word(unsigned bit);

#endif
