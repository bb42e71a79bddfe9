/* Answers on their way: at once, late, a byte a second, cut, or never. */
#ifndef TESTS_FARM_DELIVERY_H
#define TESTS_FARM_DELIVERY_H

#include "tests/farm/site.h"

/*
 * Sends ANSWER when SITE's latency has passed, and then counts the question as done; the body is
 * taken out of it. The other, for the control door, sends it at once and counts nothing.
 */
void deliver(struct site *site, const struct question *question, struct answer *answer);
void deliver_now(struct site *site, const struct question *question, struct answer *answer);

#endif
