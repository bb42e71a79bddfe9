/* What the errands at a Debbugs share; each has a file of its own. */
#ifndef TRACKERS_DEBBUGS_ERRANDS_H
#define TRACKERS_DEBBUGS_ERRANDS_H

#include "trackers/conversation.h"

/* What is asked, and so who hears the answer. */
enum debbugs_purpose {
	ASK_DOOR, /* is SOAP where Debian has it? */
	ASK_OTHER_DOOR, /* is it where GNU has it? */
	ASK_BUGS, /* a batch of bugs */
	ASK_AGAIN, /* once more those that were left out */
	ASK_NEWEST, /* the newest numbers, when all that was asked for was answered by nothing */
	ASK_SIGN, /* whether any of these is known */
	ASK_LOG, /* the mails of one bug */
	ASK_MBOX, /* the same, where SOAP fails */
	ASK_MAIL, /* one record of a log, to learn its number */
	ASK_CHANGES, /* a page of what changed */
};

/* Queues a call of METHOD with ARGUMENTS (markup) to the SOAP interface at WHERE. */
struct exchange *debbugs_call(struct conversation *conversation, enum debbugs_purpose purpose,
	const char *where, const char *method, const char *arguments);

/* Where the SOAP interface is, below the base URL; ends in "soap.cgi". */
const char *debbugs_door(const struct conversation *conversation);

/* Fails the errand over an answer that is not good, or not one to METHOD. */
void debbugs_fail(struct conversation *conversation, struct exchange *exchange, const char *method);

/* What changed, as a mirror of UDD says: asked, and each page of the answer heard. */
void debbugs_begin_changes(struct conversation *conversation);
void debbugs_hear_changes(struct conversation *conversation, struct exchange *exchange);

/* Comments: the log of each bug, and the ways round where SOAP does not give it. */
void debbugs_begin_comments(struct conversation *conversation);
void debbugs_hear_log(struct conversation *conversation, struct exchange *exchange);
void debbugs_hear_mbox(struct conversation *conversation, struct exchange *exchange);
void debbugs_hear_mail(struct conversation *conversation, struct exchange *exchange);

#endif
