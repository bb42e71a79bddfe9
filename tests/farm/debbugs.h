/* What the parts of the farm's Debbugs share. */
#ifndef TESTS_FARM_DEBBUGS_H
#define TESTS_FARM_DEBBUGS_H

#include "tests/farm/site.h"

/* Whether bug ID is there, archived perhaps; BUG is then filled in. Nothing is private. */
bool farm_debbugs_get(
	const struct site *site, const struct question *question, unsigned id, struct bug *bug);

/* Answers get_bug_log of bug ID. */
void farm_debbugs_answer_log(
	const struct site *site, struct question *question, unsigned id, struct answer *answer);

/* Answers `bugreport.cgi?bug=ID;mbox=yes`, or with `msg=RECORD` too (0: without). */
void farm_debbugs_answer_mbox(const struct site *site, struct question *question,
	const struct bug *bug, unsigned record, struct answer *answer);

#endif
