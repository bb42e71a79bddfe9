/* What simulations showed, for people and for programs. */
#ifndef TESTS_SIMULATE_REPORT_H
#define TESTS_SIMULATE_REPORT_H

#include "tests/simulate/simulate.h"

#include <stdbool.h>

struct report;

/* An empty report, owned by OWNER. */
struct report *report_new(const void *owner);

/* Adds what PLAN came to with TRACKER; sorts the delays. */
void report_add(struct report *report, const char *tracker, const struct plan *plan,
	struct outcome *outcome);

/* Writes it to standard output, as JSON or as a table. */
void report_write(const struct report *report, bool json);

#endif
