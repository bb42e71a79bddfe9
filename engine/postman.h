/*
 * Tells webhooks of events: each in the order of the events, one after the other, the next when the
 * one before was taken. A webhook's cursor moves with each event that was taken; what comes twice
 * after a crash has the same id.
 */
#ifndef ENGINE_POSTMAN_H
#define ENGINE_POSTMAN_H

#include "engine/tools.h"

struct postman;

/* Starts on TOOLS, which must outlive it; owned by OWNER, ends with talloc_free at any time. */
struct postman *postman_start(const void *owner, const struct tools *tools);

/* How many seconds after its FAILURES-th failure in a row (from 1 on) a webhook is tried again. */
int postman_wait_s(unsigned failures);

#endif
