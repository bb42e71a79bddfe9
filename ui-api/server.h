/* The REST API's server: evhttp on the loop, hardened. */
#ifndef UI_API_SERVER_H
#define UI_API_SERVER_H

#include "engine/db.h"
#include "engine/vault.h"
#include "trackers/err.h"

#include <event2/event.h>

struct api_server;

/*
 * Serves the API on LISTEN ("ADDRESS:PORT", IPv6 in brackets; port 0 picks a free one) until
 * talloc_free; requests under way then end without an answer. DB and VAULT must outlive it. NULL
 * and ERR_USAGE if LISTEN can't be understood, ERR_SYSTEM if it can't be bound.
 */
struct api_server *api_server_new(const void *owner, struct event_base *base, struct db *db,
	const struct vault *vault, const char *listen, struct err *err);

/* Where it is reached from this machine, "http://127.0.0.1:PORT"; owned by the server. */
const char *api_server_url(const struct api_server *server);

#endif
