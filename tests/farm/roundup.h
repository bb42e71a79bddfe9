/* What the parts of the farm's Roundup share. */
#ifndef TESTS_FARM_ROUNDUP_H
#define TESTS_FARM_ROUNDUP_H

#include "tests/farm/site.h"

/* Makes ANSWER an error of Roundup's REST interface. */
void farm_roundup_refuse(struct answer *answer, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds AT as a JSON string: in UTC, whole seconds. */
void farm_roundup_write_time(struct evbuffer *out, double at);

/* Adds `"id": "ID", "link": "..."` of an item of CLASS_NAME. */
void farm_roundup_write_link(
	const struct site *site, struct evbuffer *out, const char *class_name, const char *id);

/* Adds the list of BUG's messages as a JSON array; LINKS: with where they are, else their ids alone. */
void farm_roundup_write_messages(
	const struct site *site, struct evbuffer *out, const struct bug *bug, bool links);

/* Answers `rest/data/msg?id=1&id=2`. */
void farm_roundup_answer_messages(
	const struct site *site, struct question *question, struct answer *answer);

#endif
