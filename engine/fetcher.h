/*
 * HTTP requests on the loop (libcurl multi), politely: each origin has its own queue, pause and
 * memory of Retry-After, over all trackers that live there.
 */
#ifndef ENGINE_FETCHER_H
#define ENGINE_FETCHER_H

#include "engine/network.h"
#include "engine/resolver.h"
#include "trackers/err.h"
#include "trackers/moment.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fetcher;
struct fetch;

/* What holds for every request; texts must outlive the fetcher. */
struct fetcher_settings {
	const char *user_agent;
	const char *ca_file; /* NULL: the system's certificates */
	size_t max_body; /* decoded bytes of one answer */
	long idle_timeout_s; /* without a byte, also while connecting */
	long total_timeout_s;
};

struct fetch_request {
	const char *method; /* "GET" or "POST" */
	const char *url; /* http or https */
	const char *const *headers; /* "Name: value", NULL-ended; may be NULL */
	const char *body; /* NULL for none */
	const char *username, *password; /* HTTP Basic; NULL for none */
	bool hear_headers; /* whether the answer brings all headers */
	bool stay; /* whether a redirect is the answer, not to be followed */
	unsigned max_connections; /* of this origin, at least 1 */
	unsigned min_delay_ms; /* from start to start */
};

/* What a finished fetch took: requests really sent (redirects too), bytes sent and received. */
struct fetch_cost {
	unsigned requests;
	uint64_t bytes;
};

struct fetch_answer {
	int status;
	const char *content_type; /* as sent, or NULL */
	moment date; /* 0 where there is none */
	const char *const *headers; /* name, value, name, ..., NULL-ended; NULL if not asked for */
};

/*
 * What becomes of a fetch. head and data only come for the final answer (not a redirect); done comes
 * once, last, never before fetch_start returned. ERR is NULL where the answer came whole, whatever
 * its status; else one of
 *   dns, connection, timeout, tls
 *   blocked-address     the policy refuses all its addresses
 *   moved               a redirect that is not followed; the text names the new address
 *   http                redirects without end, or a URL or header that can't be sent
 *   too-large           the body, decoded, or the head (256 kB)
 *   unparsable-tracker  cut short, broken compression, or not HTTP at all
 *   rate-limited        not sent at all: the origin asked to be left alone, see fetcher_retry_at
 * Any handler may start fetches and cancel any, also its own.
 */
struct fetch_handlers {
	void (*head)(void *cookie, const struct fetch_answer *answer);
	void (*data)(void *cookie, const char *bytes, size_t n);
	void (*done)(void *cookie, const struct err *err, const struct fetch_cost *cost);
};

/* A fetcher on BASE. Freed by talloc_free after all its fetches ended or were cancelled. */
struct fetcher *fetcher_new(const void *owner, struct event_base *base, struct resolver *resolver,
	const struct network_policy *policy, const struct fetcher_settings *settings,
	struct err *err);

/*
 * Queues a request; everything REQUEST points to is copied. HANDLERS must outlive the fetch.
 * Redirects are followed within the same host (http may become https), at most 5.
 */
struct fetch *fetch_start(struct fetcher *fetcher, const struct fetch_request *request,
	const struct fetch_handlers *handlers, void *cookie);

/* Ends the fetch wherever it is; no handler is called any more. */
void fetch_cancel(struct fetch *fetch);

/* Until when the origin of URL asked to be left alone (Retry-After), wall clock; 0 = not at all. */
moment fetcher_retry_at(const struct fetcher *fetcher, const char *url);

/* The same, learnt from elsewhere (the database): URL's origin is left alone until UNTIL. */
void fetcher_pause(struct fetcher *fetcher, const char *url, moment until);

#endif
