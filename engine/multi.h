/* libcurl's multi interface on the loop: sockets and one timer, nothing of HTTP. */
#ifndef ENGINE_MULTI_H
#define ENGINE_MULTI_H

#include "trackers/err.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <stdbool.h>

struct multi;

/*
 * Makes a multi handle on BASE. ENDED is called for each transfer that ended by itself, with its
 * CURLOPT_PRIVATE; the handle has been taken out by then. SETTLED is called after each time that
 * libcurl did some work, before ENDED: the place to give up what could not be given up within its
 * callbacks. Both are called from the loop, outside of libcurl. NULL and ERR_SYSTEM on failure.
 * Owned by OWNER; freed after all handles were removed.
 */
struct multi *multi_new(const void *owner, struct event_base *base,
	void (*ended)(void *transfer, CURLcode result), void (*settled)(void *cookie), void *cookie,
	struct err *err);

/* Starts the transfer; false where libcurl refuses it. */
bool multi_add(struct multi *multi, CURL *easy);

/* Takes the transfer out. Not while multi_is_inside. */
void multi_remove(struct multi *multi, CURL *easy);

/* Whether libcurl is at work now, so that we are in one of its callbacks. */
bool multi_is_inside(const struct multi *multi);

#endif
