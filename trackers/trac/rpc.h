/* JSON-RPC as Trac's RPC plugin speaks it. */
#ifndef TRACKERS_TRAC_RPC_H
#define TRACKERS_TRAC_RPC_H

#include "trackers/conversation.h"

enum { RPC_FORBIDDEN = 403, RPC_NOT_FOUND = 404 };

/*
 * A question to door DOOR that calls METHOD ("ticket.get") of each of WANTED, in one request. Copies
 * WANTED.
 */
struct exchange *rpc_ask(struct conversation *conversation, int purpose, const char *door,
	const char *method, const unsigned *wanted, unsigned count);

/* The same with one call, whose parameters PARAMS are JSON. */
struct exchange *rpc_ask_once(struct conversation *conversation, int purpose, const char *door,
	const char *method, const char *params);

/* The result of the whole answer, always a list, or NULL, and WHY says what came in its place. */
struct json_object *rpc_results(struct exchange *exchange, struct err *why);

/* Whether the answer is an error of the plugin's own: it is there, but not for us. */
bool rpc_refused(const struct exchange *exchange);

/*
 * The result of call AT of RESULTS if it is a list, else NULL: *CODE is then the plugin's own, 0
 * where it gave none, and *WORDS its clean words, owned by EXCHANGE. ID is the ticket's.
 */
struct json_object *rpc_result(struct exchange *exchange, struct json_object *results, unsigned at,
	const char *id, int *code, const char **words);

/* A moment as the plugin writes it, in UTC; false for anything else. */
bool rpc_moment(struct json_object *value, moment *out);

#endif
