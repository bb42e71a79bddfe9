/* Roundup's errands, how their questions are asked, and what the answers mean. */
#ifndef TRACKERS_ROUNDUP_REST_H
#define TRACKERS_ROUNDUP_REST_H

#include "trackers/conversation.h"

enum roundup_purpose {
	ASK_LOGIN, /* a cookie, by the form of every page */
	ASK_DOOR, /* is there REST, and may we enter? */
	ASK_CLASSES, /* which classes may we view? */
	ASK_SCHEMA, /* do issues have all of these fields? */
	ASK_EXPORT, /* the same of the export as CSV, where REST is not there for us */
	ASK_NAMES, /* the names of a class, as CSV */
	ASK_BUGS, /* a batch of bugs */
	ASK_WITNESS, /* one bug of a batch that was answered by nothing at all */
	ASK_BUG, /* one bug that its batch left out */
	ASK_MESSAGE_IDS, /* which messages some bugs have */
	ASK_MESSAGES, /* some messages */
	ASK_AUTHORS, /* the names of their authors, where the messages don't have them */
	ASK_CHANGES, /* which bugs changed */
};

enum { ROUNDUP_BATCH_SIZE = 250, ROUNDUP_ID_DIGITS = 10 };

/* What is asked of items of a class, through whichever door. */
struct question {
	const char *class_name;
	const char *fields; /* as REST names them, comma-separated */
	int verbose; /* how much REST tells of what is linked */
	const char
		*since; /* only what had activity from then on, in Roundup's form; NULL for all */
};

/* Asks URL (taken over with talloc_steal), signed in. */
struct exchange *roundup_ask(
	struct conversation *conversation, enum roundup_purpose purpose, char *url);

/* Adds a header to a question; TEXT is copied. */
void roundup_add_header(struct exchange *exchange, const char *text);

/* Asks QUESTION about COUNT items with IDS; about all where that is 0. */
struct exchange *roundup_ask_items(struct conversation *conversation, enum roundup_purpose purpose,
	const struct question *question, const char *const *ids, unsigned count);

/* Asks it about the issues WANTED (copied). */
struct exchange *roundup_ask_issues(struct conversation *conversation, enum roundup_purpose purpose,
	const unsigned *wanted, unsigned count, const struct question *question);

/* Asks it about all bugs that are wanted, in batches. */
void roundup_ask_all(struct conversation *conversation, enum roundup_purpose purpose,
	const struct question *question);

/* What Roundup says in `{"error": {"status": N, "msg": ...}}`, made clean; NULL for no such answer. */
const char *roundup_refusal(struct exchange *exchange);

/* Fails the errand over an answer that is not good. */
void roundup_fail(struct conversation *conversation, struct exchange *exchange);

/* Member NAME of a good answer's data, if it is of that type, else NULL. */
struct json_object *roundup_data(struct exchange *exchange, const char *name, json_type type);

/*
 * The items that a good answer lists, by the names of REST's fields and owned by EXCHANGE; NULL for
 * anything else (see roundup_fail).
 */
struct json_object *roundup_items(
	const struct conversation *conversation, struct exchange *exchange);

/* Whether the answer is a page for people, of Roundup's or any other's, that was not cut. */
bool roundup_is_page(const struct exchange *exchange);

/* Whether the administrator's limit of rows cut a good answer short. */
bool roundup_was_cut(struct exchange *exchange);

/* Whether there is a username, and nobody has signed in with it yet. */
bool roundup_can_sign_in(const struct conversation *conversation);

/* Asks for a cookie; roundup_signed_in is called when it came. */
void roundup_sign_in(struct conversation *conversation);

/* Whether we are signed in, or have failed. */
void roundup_hear_login(struct conversation *conversation, struct exchange *exchange);

/* Goes on with the errand. */
void roundup_signed_in(struct conversation *conversation);

/* Goes on with the probe. */
void roundup_probe_signed_in(struct conversation *conversation);

/* Looks for a door. The hearers of what it asks follow. */
void roundup_begin_probe(struct conversation *conversation);
void roundup_hear_door(struct conversation *conversation, struct exchange *exchange);
void roundup_hear_classes(struct conversation *conversation, struct exchange *exchange);
void roundup_hear_schema(struct conversation *conversation, struct exchange *exchange);
void roundup_hear_export(struct conversation *conversation, struct exchange *exchange);
void roundup_hear_names(struct conversation *conversation, struct exchange *exchange);

/* Asks for what a check wants to know of the issues WANTED (copied). */
struct exchange *roundup_ask_bugs(
	struct conversation *conversation, const unsigned *wanted, unsigned count);

/*
 * Asks for the names of a class again, and then EXCHANGE's question, where its answer as CSV links to
 * something without a name: one made since the probe. False where there is nothing to ask.
 */
bool roundup_asks_names(struct conversation *conversation, struct exchange *exchange);

/* The question for what a check wants to know, owned by CONVERSATION. */
struct question roundup_check_question(struct conversation *conversation);

/* Asks which messages the wanted bugs have. */
void roundup_begin_comments(struct conversation *conversation);

/* Hears that, and asks for those that are newer than the stored ones. */
void roundup_hear_message_ids(struct conversation *conversation, struct exchange *exchange);

/* Hears some messages. */
void roundup_hear_messages(struct conversation *conversation, struct exchange *exchange);

/* Hears what the authors are called. */
void roundup_hear_authors(struct conversation *conversation, struct exchange *exchange);

/* Asks which bugs changed. */
void roundup_begin_changes(struct conversation *conversation);

/* Hears which bugs changed. */
void roundup_hear_changes(struct conversation *conversation, struct exchange *exchange);

#endif
