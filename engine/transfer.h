/* One HTTP request on the wire and its answer: libcurl's options, bounds and errors. */
#ifndef ENGINE_TRANSFER_H
#define ENGINE_TRANSFER_H

#include "engine/multi.h"
#include "engine/network.h"
#include "engine/target.h"

#include <stddef.h>
#include <stdint.h>

struct transfer;
struct transfer_pool;

/* What holds for all transfers. Texts are copied. */
struct transfer_rules {
	const struct network_policy *policy;
	const char *user_agent;
	const char *ca_file; /* NULL: the system's certificates */
	size_t max_body; /* decoded bytes */
	long idle_timeout_s, total_timeout_s;
};

/* What to send. All of it must outlive the transfer. */
struct transfer_order {
	const struct target *target;
	const struct sockaddr_storage *addresses; /* what to connect to; only read by the call */
	unsigned address_count;
	const char *const *headers; /* "Name: value", NULL-ended; may be NULL */
	const char *body; /* NULL: a GET without one; else a POST */
	const char *username, *password; /* NULL for none */
	bool hear_headers; /* whether the head brings all headers */
};

/* The final head of an answer; texts are valid during the call, NULL where not sent. */
struct transfer_head {
	int status;
	const char *content_type, *date, *location, *retry_after;
	const char *const *headers; /* name, value, name, ..., NULL-ended; NULL if not asked for */
};

/* Called within libcurl; a false answer ends the transfer (its result then means nothing). */
struct transfer_heard {
	bool (*head)(void *cookie, const struct transfer_head *head);
	bool (*data)(void *cookie, const char *bytes, size_t n);
	/* Outside of libcurl, once, last: transfer_judge and transfer_cost say what it came to. */
	void (*ended)(void *cookie, CURLcode result);
};

/* Handles for transfers on MULTI, kept for reuse. Owned by OWNER; freed after all transfers. */
struct transfer_pool *transfer_pool_new(
	const void *owner, struct multi *multi, const struct transfer_rules *rules);

/*
 * Sends ORDER. Owned by OWNER; talloc_free gives it up, but not while multi_is_inside. NULL if
 * libcurl refuses.
 */
struct transfer *transfer_new(const void *owner, struct transfer_pool *pool,
	const struct transfer_order *order, const struct transfer_heard *heard, void *cookie);

/* For `ended`, given as the multi's own. */
void transfer_ended(void *transfer, CURLcode result);

/* Says in ERR what RESULT means, in the contract's kinds; nothing where all went well. */
void transfer_judge(const struct transfer *transfer, CURLcode result, struct err *err);

/*
 * Whether the request went out on a connection kept from before and was lost with it, unanswered:
 * servers close these when they like. Worth asking again.
 */
bool transfer_was_lost(const struct transfer *transfer, CURLcode result);

/* Whether the request was sent. */
bool transfer_was_sent(const struct transfer *transfer);

/* The bytes that went both ways so far. */
uint64_t transfer_bytes(const struct transfer *transfer);

#endif
