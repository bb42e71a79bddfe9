/* What the parts of the farm's Trac share. */
#ifndef TESTS_FARM_TRAC_H
#define TESTS_FARM_TRAC_H

#include "tests/farm/site.h"

/* Makes ANSWER a page of Trac's own that says WHY not. */
void farm_trac_refuse(struct answer *answer, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Tells what ticket ID is like; false, and refused with a page, where it can't be had. */
bool farm_trac_get(const struct site *site, const struct question *question, unsigned id,
	struct bug *bug, struct answer *answer);

/*
 * The tickets that QUERY's constraints (`id`, `changetime`) leave, rising, at most as many as its
 * `max` says (MOST where it says nothing; 0: all). Owned by QUERY; NULL where a date is none.
 */
unsigned *farm_trac_select(
	const struct site *site, struct question *query, unsigned most, unsigned *count);

/* Answers `query?...&format=csv`. */
void farm_trac_answer_query(
	const struct site *site, struct question *question, struct answer *answer);

/* Answers `ticket/ID?format=csv`. */
void farm_trac_answer_table(
	const struct site *site, struct question *question, unsigned id, struct answer *answer);

/* Answers `ticket/ID?format=rss`; ID 0: a query without any ticket. */
void farm_trac_answer_feed(
	const struct site *site, struct question *question, unsigned id, struct answer *answer);

/* Answers `rpc` and `login/rpc`. */
void farm_trac_answer_rpc(
	const struct site *site, struct question *question, struct answer *answer);

#endif
