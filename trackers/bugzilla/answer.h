/* What Bugzilla's REST answers mean. */
#ifndef TRACKERS_BUGZILLA_ANSWER_H
#define TRACKERS_BUGZILLA_ANSWER_H

#include "trackers/conversation.h"

/* Bugzilla's own error codes, as far as they matter. */
enum code {
	CODE_NONE = 0, /* the answer is no error of Bugzilla's */
	CODE_INVALID_ID = 100,
	CODE_NO_BUG = 101,
	CODE_NO_ACCESS = 102,
	CODE_BAD_LOGIN = 300,
	CODE_ACCOUNT_DISABLED = 301,
	CODE_BAD_KEY = 306,
	CODE_LOGIN_REQUIRED = 410,
	CODE_STALE_TOKEN = 32000,
	CODE_OTHER = -1,
};

/* The code of an error that Bugzilla itself answered. */
enum code answer_code(const struct exchange *exchange);

/* The words of such an error, clean and short, owned by EXCHANGE; "" where it has none. */
const char *answer_words(struct exchange *exchange);

/* The list of bugs of a good answer, or NULL. */
struct json_object *answer_bugs(const struct exchange *exchange);

/* Fails the errand over an answer that is no good, saying what is wrong with it. */
void answer_fail(struct conversation *conversation, struct exchange *exchange);

/*
 * Adds what the items of BUGS say of the bugs asked for; the first word on a bug counts. Of a bug
 * that can't be read, that is what is said.
 */
void answer_observe(
	struct conversation *conversation, struct exchange *exchange, struct json_object *bugs);

#endif
