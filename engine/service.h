/*
 * The service without its faces: database (embedded or not), schema, fetcher, dispatcher, held
 * together over one event loop.
 */
#ifndef ENGINE_SERVICE_H
#define ENGINE_SERVICE_H

#include "engine/db.h"
#include "engine/settings.h"
#include "engine/state.h"
#include "engine/vault.h"

#include <event2/event.h>

struct service;

/*
 * Prepares everything on BASE: locks the state folder, starts the embedded PostgreSQL where the
 * settings name no database, migrates. Blocks meanwhile. NULL and ERR where one of them can't be
 * had. SETTINGS and BASE must outlive it. Owned by OWNER; talloc_free ends it.
 */
struct service *service_new(const void *owner, struct event_base *base,
	const struct settings *settings, struct err *err);

/* Begins to watch: from now on due bugs are checked as the loop turns. */
void service_start(struct service *service);

/*
 * Ends cleanly: runs are given up, leases given back; then STOPPED is called, from the loop, after
 * 5 s at the latest.
 */
void service_stop(struct service *service, void (*stopped)(void *cookie), void *cookie);

/* Its database; like all its parts it lives as long as the service. */
struct db *service_db(const struct service *service);

/* Its vault for credentials. */
struct vault *service_vault(const struct service *service);

/* Its state folder. */
const struct state *service_state(const struct service *service);

#endif
