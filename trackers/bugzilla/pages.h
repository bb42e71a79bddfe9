/*
 * Bugzilla's pages for programs: lists of bugs as CSV, bugs as XML. They are asked for by GET, and
 * read into what REST would have answered.
 */
#ifndef TRACKERS_BUGZILLA_PAGES_H
#define TRACKERS_BUGZILLA_PAGES_H

#include "trackers/bugzilla/question.h"

/* How many bugs are asked for at once as XML: they take the server some 10 ms each. */
enum { PAGES_BATCH_SIZE = 50 };

/* Whether the remembered door is the pages. */
bool pages_are_door(const struct conversation *conversation);

/* Asks for the COUNT bugs at WANTED (copied) as CSV, which leaves out what is missing or private. */
void pages_ask_list(struct conversation *conversation, const unsigned *wanted, unsigned count);

/* The same as XML, which says why; with their FIELDS (words apart by commas). */
void pages_ask_bugs(struct conversation *conversation, enum bugzilla_purpose purpose,
	const char *fields, const unsigned *wanted, unsigned count);

/* The COUNT bugs at WANTED one after the other in parts that go into an URL. */
void pages_ask_bugs_in_parts(struct conversation *conversation, enum bugzilla_purpose purpose,
	const char *fields, const unsigned *wanted, unsigned count);

/*
 * Asks for the numbers above AFTER of those of the bugs IDS (a list; NULL for all) that changed in the
 * last HOURS, by the server's own clock, in their order.
 */
struct exchange *pages_ask_changed(
	struct conversation *conversation, struct json_object *ids, int64_t hours, long after);

/*
 * What REST would have answered in the place of a list; NULL where the answer is none, and
 * EXCHANGE's failure says why. The caller puts it.
 */
struct json_object *pages_read_list(struct exchange *exchange);

/* The same in the place of bugs as XML, with `faults` for those that can't be had. */
struct json_object *pages_read_bugs(const struct exchange *exchange);

/* The same for the comments of bugs as XML. */
struct json_object *pages_read_comments(const struct exchange *exchange);

#endif
