/* Bugzilla's errands, and how their questions are asked. */
#ifndef TRACKERS_BUGZILLA_QUESTION_H
#define TRACKERS_BUGZILLA_QUESTION_H

#include "trackers/conversation.h"

enum bugzilla_purpose {
	ASK_DOOR, /* is REST behind a rewrite rule? */
	ASK_CGI_DOOR, /* is it there without one? */
	ASK_BUGS, /* a batch of bugs */
	ASK_WITNESS, /* one bug of a batch that was answered by nothing at all */
	ASK_BUG, /* one bug that its batch left out */
	ASK_COMMENTS, /* the comments of some bugs */
	ASK_CHANGES, /* a page of the bugs that changed */
};

/* Apache takes request lines up to 8,190 bytes. */
enum { BUGZILLA_BATCH_SIZE = 300, BUGZILLA_URL_LIMIT = 8000 };

/* The usual door, behind a rewrite rule. */
extern const char bugzilla_door[];

/* Asks URL (taken over with talloc_steal). */
struct exchange *bugzilla_ask(
	struct conversation *conversation, enum bugzilla_purpose purpose, char *url);

/*
 * Asks PATH below the remembered door about COUNT bugs, signed in. PATH has a query already; it and
 * WANTED are copied.
 */
struct exchange *bugzilla_ask_about(struct conversation *conversation,
	enum bugzilla_purpose purpose, const char *path, const unsigned *wanted, unsigned count);

/*
 * How many of the COUNT bugs at WANTED, at most MOST but one at least, fit into one question, each
 * with EXTRA bytes beside its id and all with OTHERS.
 */
unsigned bugzilla_fitting(const struct conversation *conversation, const unsigned *wanted,
	unsigned count, unsigned most, size_t extra, size_t others);

/* Asks for the comments of the wanted bugs. */
void bugzilla_begin_comments(struct conversation *conversation);

/* Hears the comments of some bugs. */
void bugzilla_hear_comments(struct conversation *conversation, struct exchange *exchange);

/* Asks for the first page of the bugs that changed. */
void bugzilla_begin_changes(struct conversation *conversation);

/* Hears a page of the bugs that changed, and asks for the next. */
void bugzilla_hear_changes(struct conversation *conversation, struct exchange *exchange);

#endif
