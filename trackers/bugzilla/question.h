/* Bugzilla's errands, and how their questions are asked. */
#ifndef TRACKERS_BUGZILLA_QUESTION_H
#define TRACKERS_BUGZILLA_QUESTION_H

#include "trackers/conversation.h"

enum bugzilla_purpose {
	ASK_REST_DOOR, /* is REST behind a rewrite rule? */
	ASK_REST_CGI_DOOR, /* is it there without one? */
	ASK_PAGE_DOOR, /* is it a Bugzilla at all, and which? */
	ASK_RPC_DOOR, /* does it speak XML-RPC? */
	ASK_LOGIN, /* a session */
	ASK_WHO, /* does it take the key from a header? */
	ASK_BUGS, /* a batch of bugs */
	ASK_WITNESS, /* one bug of a batch that was answered by nothing at all */
	ASK_BUG, /* one bug that its batch left out */
	ASK_COMMENTS, /* the comments of some bugs */
	ASK_NUMBERS, /* the numbers of all comments of bugs of which only new ones were asked for */
	ASK_CHANGES, /* a page of the bugs that changed */
};

/* Apache takes request lines up to 8,190 bytes. */
enum { BUGZILLA_BATCH_SIZE = 300, BUGZILLA_URL_LIMIT = 8000 };

/* The doors, as they are remembered. */
extern const char bugzilla_rest_door[], bugzilla_rest_cgi_door[], bugzilla_rpc_door[],
	bugzilla_page_door[];

/* What is remembered of a server that takes the key from a header. */
extern const char bugzilla_key_in_header[];

/* Whether the remembered door is XML-RPC's. */
bool bugzilla_speaks_rpc(const struct conversation *conversation);

/* Whether the server is known to be older than version MAJOR.MINOR. */
bool bugzilla_is_older(const struct conversation *conversation, unsigned major, unsigned minor);

/* Whether ID is a bug's number, not its alias. */
bool bugzilla_is_number(const char *id);

/* The ids of the COUNT bugs at WANTED, numbers as integers; the caller puts it. */
struct json_object *bugzilla_ids(
	const struct conversation *conversation, const unsigned *wanted, unsigned count);

/* AT as a parameter of a call; the caller puts it. */
struct json_object *bugzilla_moment(const struct conversation *conversation, moment at);

/* A list of the words of TEXT, apart by commas; the caller puts it. */
struct json_object *bugzilla_words(const char *text);

/*
 * A call of the web service about the COUNT bugs at WANTED (copied), signed in, with PARAMETERS
 * (taken over): over XML-RPC by its METHOD, over REST by its PATH below the door, in which a `*`
 * stands for the first of the parameter `ids`.
 */
struct exchange *bugzilla_call(struct conversation *conversation, enum bugzilla_purpose purpose,
	const char *method, const char *path, struct json_object *parameters,
	const unsigned *wanted, unsigned count);

/* Asks by GET for URL (taken over with talloc_steal), as a stranger, for an answer in FORMAT. */
struct exchange *bugzilla_get(struct conversation *conversation, enum bugzilla_purpose purpose,
	char *url, enum format format);

/* Sends what signing in brought with EXCHANGE, as a header. */
void bugzilla_add_cookie(struct conversation *conversation, struct exchange *exchange);

/* Sends the credentials' key with EXCHANGE, as a header. */
void bugzilla_add_key(struct conversation *conversation, struct exchange *exchange);

/*
 * How many of the COUNT bugs at WANTED, at most MOST but one at least, fit into one question, each
 * with EXTRA bytes beside its id and all with OTHERS.
 */
unsigned bugzilla_fitting(const struct conversation *conversation, const unsigned *wanted,
	unsigned count, unsigned most, size_t extra, size_t others);

/* Looks for the doors; hears what each says. */
void bugzilla_begin_probe(struct conversation *conversation);
void bugzilla_hear_rest_door(struct conversation *conversation, struct exchange *exchange);
void bugzilla_hear_page_door(struct conversation *conversation, struct exchange *exchange);
void bugzilla_hear_rpc_door(struct conversation *conversation, struct exchange *exchange);
void bugzilla_hear_who(struct conversation *conversation, struct exchange *exchange);

/* Asks for the wanted bugs; hears a batch, a witness, one by itself. */
void bugzilla_begin_check(struct conversation *conversation);
void bugzilla_hear_bugs(struct conversation *conversation, struct exchange *exchange);
void bugzilla_hear_witness(struct conversation *conversation, struct exchange *exchange);
void bugzilla_hear_bug(struct conversation *conversation, struct exchange *exchange);

/* Asks for the comments of the wanted bugs; hears those of some. */
void bugzilla_begin_comments(struct conversation *conversation);
void bugzilla_hear_comments(struct conversation *conversation, struct exchange *exchange);

/* Asks for the first page of the bugs that changed; hears a page, and asks for the next. */
void bugzilla_begin_changes(struct conversation *conversation);
void bugzilla_hear_changes(struct conversation *conversation, struct exchange *exchange);

#endif
