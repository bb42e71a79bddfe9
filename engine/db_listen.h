/* A connection that hears one channel of NOTIFY. */
#ifndef ENGINE_DB_LISTEN_H
#define ENGINE_DB_LISTEN_H

#include "engine/db_target.h"
#include "engine/resolver.h"

#include <event2/event.h>

struct db_listener;

/*
 * Listens to CHANNEL (copied) and listens again whenever the connection was made anew; HEARD as in
 * db_listen. TARGET must outlive it; talloc_free ends it, also inside of HEARD.
 */
struct db_listener *db_listener_new(const void *owner, struct event_base *base,
	struct resolver *resolver, const struct db_target *target, const char *channel,
	void (*heard)(void *cookie, const char *payload), void *cookie);

#endif
