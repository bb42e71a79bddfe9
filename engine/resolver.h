/* Names to addresses, on the loop (c-ares). */
#ifndef ENGINE_RESOLVER_H
#define ENGINE_RESOLVER_H

#include "trackers/err.h"

#include <event2/event.h>
#include <sys/socket.h>

struct resolver;
struct resolver_query;

/*
 * A resolver on BASE that asks the system's name servers (resolv.conf, /etc/hosts), or only SERVERS
 * ("ADDRESS:PORT,…") where not NULL. A changed resolv.conf is noticed. NULL and ERR_USAGE if SERVERS
 * can't be understood, ERR_SYSTEM if c-ares can't start. Freed by talloc_free: outstanding queries
 * end without a call.
 */
struct resolver *resolver_new(
	const void *owner, struct event_base *base, const char *servers, struct err *err);

/*
 * Called once, never before resolver_ask returned. ADDRESSES (at most 16, the best first) hold port
 * 0, are owned by the resolver and valid during the call. On failure ERR is ERR_DNS and COUNT is 0.
 */
typedef void resolver_done(void *cookie, const struct err *err,
	const struct sockaddr_storage *addresses, unsigned count);

/*
 * Resolves HOST (a name, or an address with or without brackets, also in the odd forms of
 * inet_aton) to all its A and AAAA addresses, within 10 s. Answers are remembered for as long as
 * the name server says, at most a minute; failures for 5 s; the same name is asked once at a time.
 */
struct resolver_query *resolver_ask(
	struct resolver *resolver, const char *host, resolver_done *done, void *cookie);

/* Forgets the query: `done` will not be called. */
void resolver_cancel(struct resolver_query *query);

#endif
