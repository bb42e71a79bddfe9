/* Trac's errands, and the questions that they ask. */
#ifndef TRACKERS_TRAC_ERRANDS_H
#define TRACKERS_TRAC_ERRANDS_H

#include "trackers/conversation.h"

enum trac_purpose {
	ASK_PLUGIN, /* is the RPC plugin there? */
	ASK_RPC_DOOR, /* may we use it? */
	ASK_QUERY_DOOR, /* does the query give CSV? */
	ASK_VERSION, /* a feed, for the version that it names */
	ASK_TABLE, /* a batch of tickets, as CSV */
	ASK_WITNESS, /* one ticket of a batch that was answered by nothing at all */
	ASK_BUG, /* one ticket that its batch left out */
	ASK_CALLS, /* a batch of tickets, over RPC */
	ASK_CHANGED_TABLE, /* which tickets changed, as CSV */
	ASK_CHANGED_CALL, /* the same over RPC */
	ASK_LOGS, /* the histories of some tickets, over RPC */
	ASK_FEED, /* the history of one ticket, as a feed */
};

/* How many tickets a question is about at most, and how long its URL may be. */
enum { TRAC_BATCH_SIZE = 250, TRAC_LOGS = 50, TRAC_URL_LIMIT = 6000 };

/* The door of the query page, as it is remembered; the others are "rpc" and "login/rpc". */
extern const char trac_query_door[];

/* The remembered door of RPC, NULL where the query page is to be used. */
const char *trac_rpc_door(const struct conversation *conversation);

/* Asks PATH below the base URL (taken over with talloc_steal), as text. */
struct exchange *trac_ask(struct conversation *conversation, enum trac_purpose purpose, char *path);

/* Fails the errand over what WHY says of EXCHANGE. */
void trac_fail(
	struct conversation *conversation, const struct exchange *exchange, const struct err *why);

/* Whether the answer is a page of Trac's own that says that there is no such ticket. */
bool trac_says_missing(const struct exchange *exchange);

/* The same for a ticket that this login may not view. */
bool trac_says_private(const struct exchange *exchange);

/* Looks for the RPC plugin. The hearers of this and the other errands are named by what answers. */
void trac_begin_probe(struct conversation *conversation);

/* Whether the plugin is there; asks whether we may use it, or for the query page. */
void trac_hear_plugin(struct conversation *conversation, struct exchange *exchange);

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

/* A batch of tickets over RPC. */
void trac_hear_calls(struct conversation *conversation, struct exchange *exchange);

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

/* The history of one ticket, as a feed. */
void trac_hear_feed(struct conversation *conversation, struct exchange *exchange);

#endif
