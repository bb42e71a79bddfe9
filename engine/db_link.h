/*
 * One libpq connection on the loop, made again and again: names, addresses, handshake, back-off.
 * What is said over it is its owner's business.
 *
 *   DOWN --timer--> RESOLVING --addresses--> CONNECTING --ok--> UP
 *   any --failure--> DOWN (back-off 0.1 s to 5 s with jitter)
 */
#ifndef ENGINE_DB_LINK_H
#define ENGINE_DB_LINK_H

#include "engine/db_target.h"
#include "engine/resolver.h"

#include <event2/event.h>
#include <libpq-fe.h>

struct db_link;

struct db_link_events {
	/* It is connected, not blocking; the owner speaks first, and is answered within the timeout. */
	void (*up)(void *cookie);
	/* Input was read: take results. The link may be freed in this call. */
	void (*readable)(void *cookie);
	/* It failed, at whatever point. Making it anew is under way. */
	void (*down)(void *cookie, const struct err *why);
};

/* Begins to connect from the loop. EVENTS and TARGET must outlive it; talloc_free ends it. */
struct db_link *db_link_new(const void *owner, struct event_base *base, struct resolver *resolver,
	const struct db_target *target, const struct db_link_events *events, void *cookie);

/* Its connection, for sending and results only; NULL unless it is up. */
PGconn *db_link_conn(const struct db_link *link);

/* Sends what libpq holds back, now or when the socket takes it. It may fail the link. */
void db_link_flush(struct db_link *link);

/* What was to be set up is: the next failure is waited for shortly again. */
void db_link_settled(struct db_link *link);

/* Unless this is called again within SECONDS the link fails; 0 stands for no limit. */
void db_link_expect(struct db_link *link, unsigned seconds);

/* Drops the connection (`down` is called) and makes it anew. */
void db_link_fail(struct db_link *link, const struct err *why);

#endif
