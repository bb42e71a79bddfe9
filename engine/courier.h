/* Carries a conversation's questions to the fetcher and the answers back, until it is over. */
#ifndef ENGINE_COURIER_H
#define ENGINE_COURIER_H

#include "engine/fetcher.h"
#include "engine/udd.h"
#include "trackers/conversation.h"

/* Where and how politely to ask; must outlive the courier. */
struct courier_site {
	struct fetcher *fetcher;
	unsigned max_connections;
	unsigned min_delay_ms;
	struct udd *udd; /* carries the questions in SQL; NULL for none */
};

struct courier;

/* Called once, when the conversation is over, with what it took; the courier is then gone. */
typedef void courier_done(
	void *cookie, struct conversation *conversation, const struct fetch_cost *cost);

/*
 * Starts on CONVERSATION, which must outlive the courier. Owned by OWNER; talloc_free calls it off
 * and `done` is not called.
 */
struct courier *courier_start(const void *owner, struct event_base *base,
	const struct courier_site *site, struct conversation *conversation, courier_done *done,
	void *cookie);

#endif
