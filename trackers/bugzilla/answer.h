/* What the answers of Bugzilla's web service mean, over REST and XML-RPC alike. */
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

/*
 * An answer of XML-RPC in REST's words: a fault as its error. NULL where it is none; the caller puts
 * it.
 */
struct json_object *answer_of_rpc(const struct exchange *exchange);

/* The code of an error that Bugzilla itself answered. */
enum code answer_code(const struct exchange *exchange);

/* The words of such an error, clean and short, owned by EXCHANGE; "" where it has none. */
const char *answer_words(struct exchange *exchange);

/* The list of bugs of a good answer, or NULL. */
struct json_object *answer_bugs(const struct exchange *exchange);

/* Fails the errand over an answer that is no good, saying what is wrong with it. */
void answer_fail(struct conversation *conversation, struct exchange *exchange);

/*
 * A moment of Bugzilla's; 0 where it is one of a zone that is not told (XML-RPC before 3.6, lists, old pages).
 * False where TEXT is none.
 */
bool answer_moment(const struct conversation *conversation, const char *text, moment *at);

/* Whether BUG is for members of some groups only. */
bool answer_is_private(struct json_object *bug);

/* Whether ITEM is the bug ID, by its number or by one of its aliases. */
bool answer_is_bug(struct exchange *exchange, struct json_object *item, const char *id);

/*
 * Adds what the items of BUGS say of the bugs asked for; the first word on a bug counts. Of a bug
 * that can't be read, that is what is said.
 */
void answer_observe(
	struct conversation *conversation, struct exchange *exchange, struct json_object *bugs);

/* Adds what an answer says beside its bugs of those that it can't give. */
void answer_observe_faults(struct conversation *conversation, struct exchange *exchange);

/* Adds what an error says of the first bug asked for; false where it is not about the bug. */
bool answer_observe_why(struct conversation *conversation, struct exchange *exchange);

#endif
