/* Roundup's errands, how their questions are asked, and what the answers mean. */
#ifndef TRACKERS_ROUNDUP_REST_H
#define TRACKERS_ROUNDUP_REST_H

#include "trackers/conversation.h"

enum roundup_purpose {
	ASK_DOOR, /* is there REST, and may we enter? */
	ASK_CLASSES, /* which classes may we view? */
	ASK_SCHEMA, /* do issues have all of these fields? */
	ASK_BUGS, /* a batch of bugs */
	ASK_WITNESS, /* one bug of a batch that was answered by nothing at all */
	ASK_BUG, /* one bug that its batch left out */
	ASK_MESSAGE_IDS, /* which messages some bugs have */
	ASK_MESSAGES, /* some messages */
	ASK_CHANGES, /* which bugs changed */
};

enum { ROUNDUP_BATCH_SIZE = 250, ROUNDUP_ID_DIGITS = 10 };

/* Asks URL (taken over with talloc_steal), signed in. */
struct exchange *roundup_ask(
	struct conversation *conversation, enum roundup_purpose purpose, char *url);

/* Asks for the issues WANTED (copied), with the rest of the query from QUERY on. */
void roundup_ask_issues(struct conversation *conversation, enum roundup_purpose purpose,
	const unsigned *wanted, unsigned count, const char *query);

/* Asks so for all bugs that are wanted, in batches. */
void roundup_ask_all(
	struct conversation *conversation, enum roundup_purpose purpose, const char *query);

/* What Roundup says in `{"error": {"status": N, "msg": ...}}`, made clean; NULL for no such answer. */
const char *roundup_refusal(struct exchange *exchange);

/* Fails the errand over an answer that is not good. */
void roundup_fail(struct conversation *conversation, struct exchange *exchange);

/* Member NAME of a good answer's data, if it is of that type, else NULL. */
struct json_object *roundup_data(struct exchange *exchange, const char *name, json_type type);

/* Whether the administrator's limit of rows cut a good answer short. */
bool roundup_was_cut(struct exchange *exchange);

/* Asks which messages the wanted bugs have. */
void roundup_begin_comments(struct conversation *conversation);

/* Hears that, and asks for those that are newer than the stored ones. */
void roundup_hear_message_ids(struct conversation *conversation, struct exchange *exchange);

/* Hears some messages. */
void roundup_hear_messages(struct conversation *conversation, struct exchange *exchange);

/* Asks which bugs changed. */
void roundup_begin_changes(struct conversation *conversation);

/* Hears which bugs changed. */
void roundup_hear_changes(struct conversation *conversation, struct exchange *exchange);

#endif
