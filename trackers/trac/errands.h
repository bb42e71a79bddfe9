/* Trac's errands, and the questions that they ask. */
#ifndef TRACKERS_TRAC_ERRANDS_H
#define TRACKERS_TRAC_ERRANDS_H

#include "trackers/conversation.h"

enum trac_purpose {
	ASK_LOGIN, /* what signing in takes: a cookie by HTTP Basic, or a form */
	ASK_FORM, /* the form, sent */
	ASK_PLUGIN, /* is the RPC plugin there? */
	ASK_OLD_PLUGIN, /* or one from before it had more than XML-RPC? */
	ASK_RPC_DOOR, /* may we use it? */
	ASK_QUERY_DOOR, /* does the query give CSV? */
	ASK_VERSION, /* a feed, for the version that it names */
	ASK_TABLE, /* a batch of tickets, as CSV */
	ASK_WITNESS, /* one ticket of a batch that was answered by nothing at all */
	ASK_BUG, /* one ticket that its batch left out */
	ASK_LISTED, /* which tickets of a batch we may view, over XML-RPC */
	ASK_CALLS, /* a batch of tickets, over RPC */
	ASK_CALL, /* one ticket that its batch left out, over RPC */
	ASK_CHANGED_TABLE, /* which tickets changed, as CSV */
	ASK_CHANGED_CALL, /* the same over RPC */
	ASK_LOGS, /* the histories of some tickets, over RPC */
	ASK_LOG, /* the history of one ticket, over RPC */
	ASK_FEED, /* the history of one ticket, as a feed */
};

/* How many tickets a question is about at most, and how long its URL may be. */
enum { TRAC_BATCH_SIZE = 250, TRAC_LOGS = 50, TRAC_URL_LIMIT = 6000 };

/*
 * The door of the query page, as it is remembered; the others are "rpc", "login/rpc", "xmlrpc" and
 * "login/xmlrpc".
 */
extern const char trac_query_door[];

/*
 * What is remembered beside the door: that it speaks XML-RPC, and that signing in brings a cookie,
 * by HTTP Basic or by a form.
 */
extern const char trac_xml_word[], trac_cookie_word[], trac_form_word[];

/* Whether WORD is remembered of the server. */
bool trac_remembers(const struct conversation *conversation, const char *word);

/* The remembered door of RPC, NULL where the query page is to be used. */
const char *trac_rpc_door(const struct conversation *conversation);

/* Asks PATH below the base URL (taken over with talloc_steal), as text. */
struct exchange *trac_ask(struct conversation *conversation, enum trac_purpose purpose, char *path);

/* Adds a header to a question; TEXT is copied. */
void trac_add_header(struct exchange *exchange, const char *text);

/* Whether the answer is about the server's state, not about which doors it has. */
bool trac_is_trouble(const struct exchange *exchange, const struct err *why);

/* Whether the answer is a whole page of Trac's own. */
bool trac_is_page(const struct exchange *exchange);

/* Adds an observation of the ticket at index WANTED of READ, with its words mapped. */
void trac_observe(struct conversation *conversation, struct observation read);

/* Fails the errand over what WHY says of EXCHANGE. */
void trac_fail(
	struct conversation *conversation, const struct exchange *exchange, const struct err *why);

/* Whether the answer is a page of Trac's own that says that there is no such ticket. */
bool trac_says_missing(const struct exchange *exchange);

/* The same for a ticket that this login may not view. */
bool trac_says_private(const struct exchange *exchange);

/* Whether nobody has signed in yet where that is remembered to be needed. */
bool trac_must_sign_in(const struct conversation *conversation);

/* Asks how to sign in; trac_signed_in is called when that is done. */
void trac_sign_in(struct conversation *conversation);

/* What the login answers; sends the form where it is one. */
void trac_hear_login(struct conversation *conversation, struct exchange *exchange);

/* What the login's form answers. */
void trac_hear_form(struct conversation *conversation, struct exchange *exchange);

/* Goes on with the errand, signed in by WORD; NULL where there is no cookie to be had. */
void trac_signed_in(struct conversation *conversation, const char *word);

/* Goes on with the probe; the same. */
void trac_probe_signed_in(struct conversation *conversation, const char *word);

/* Looks for the RPC plugin. The hearers of this and the other errands are named by what answers. */
void trac_begin_probe(struct conversation *conversation);

/* Whether the plugin is there; asks whether we may use it, or for the query page. */
void trac_hear_plugin(struct conversation *conversation, struct exchange *exchange);

/* Whether an old plugin is there, where no other is. */
void trac_hear_old_plugin(struct conversation *conversation, struct exchange *exchange);

/* Whether we may use the plugin. */
void trac_hear_rpc_door(struct conversation *conversation, struct exchange *exchange);

/* Whether the query page gives CSV, where there is no plugin for us. */
void trac_hear_query_door(struct conversation *conversation, struct exchange *exchange);

/* A feed, which names the version: the probe's last. */
void trac_hear_version(struct conversation *conversation, struct exchange *exchange);

/* Asks for all wanted tickets, in batches. */
void trac_begin_check(struct conversation *conversation);

/* A batch of tickets as CSV; asks singly for those that it left out. */
void trac_hear_table(struct conversation *conversation, struct exchange *exchange);

/* One ticket's own address: a witness, or one that its batch left out. */
void trac_hear_alone(struct conversation *conversation, struct exchange *exchange);

/* Asks for a batch of tickets over RPC. */
void trac_ask_calls(struct conversation *conversation, const unsigned *wanted, unsigned count);

/* Which tickets of a batch we may view, over XML-RPC; asks for those, and singly for the others. */
void trac_hear_listed(struct conversation *conversation, struct exchange *exchange);

/* A batch of tickets over RPC. */
void trac_hear_calls(struct conversation *conversation, struct exchange *exchange);

/* One ticket over RPC: a witness, or one that its batch left out. */
void trac_hear_call(struct conversation *conversation, struct exchange *exchange);

/* Asks which tickets changed. */
void trac_begin_changes(struct conversation *conversation);

/* Those that changed, as CSV. */
void trac_hear_changed_table(struct conversation *conversation, struct exchange *exchange);

/* Those that changed, over RPC. */
void trac_hear_changed_call(struct conversation *conversation, struct exchange *exchange);

/* Asks for the histories of the wanted tickets. */
void trac_begin_comments(struct conversation *conversation);

/* The histories of some tickets, over RPC. */
void trac_hear_logs(struct conversation *conversation, struct exchange *exchange);

/* The history of one ticket, over RPC. */
void trac_hear_log(struct conversation *conversation, struct exchange *exchange);

/* The history of one ticket, as a feed. */
void trac_hear_feed(struct conversation *conversation, struct exchange *exchange);

#endif
