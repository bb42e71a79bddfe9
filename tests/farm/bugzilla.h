/* What the parts of the farm's Bugzilla share. */
#ifndef TESTS_FARM_BUGZILLA_H
#define TESTS_FARM_BUGZILLA_H

#include "tests/farm/site.h"

/* Makes ANSWER an error of Bugzilla's: the HTTP status, Bugzilla's own code and words. */
void farm_bugzilla_refuse(struct answer *answer, int status, int code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Reads the bug's number that the N bytes at WORD are; false, and refused, where they are none. */
bool farm_bugzilla_read_id(const char *word, size_t n, unsigned *id, struct answer *answer);

/* Tells what bug ID is like; false, and refused as a whole, where it can't be had. */
bool farm_bugzilla_get(const struct site *site, const struct question *question, unsigned id,
	struct bug *bug, struct answer *answer);

/* Adds AT as a JSON string: in UTC, whole seconds. */
void farm_bugzilla_write_time(struct evbuffer *out, double at);

/* Answers `rest/bug/FIRST/comment?ids=SECOND`; FIRST is the N bytes there. */
void farm_bugzilla_answer_comments(const struct site *site, struct question *question,
	const char *first, size_t n, struct answer *answer);

/* Answers `rest/CALL`. */
void farm_bugzilla_answer_rest(const struct site *site, struct question *question, const char *call,
	struct answer *answer);

/* Answers `xmlrpc.cgi`. */
void farm_bugzilla_answer_rpc(
	const struct site *site, struct question *question, struct answer *answer);

#endif
