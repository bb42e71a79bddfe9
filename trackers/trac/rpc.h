/* Trac's RPC plugin, as JSON-RPC or, where it is too old for that, as XML-RPC. */
#ifndef TRACKERS_TRAC_RPC_H
#define TRACKERS_TRAC_RPC_H

#include "trackers/conversation.h"

enum { RPC_FORBIDDEN = 403, RPC_NOT_FOUND = 404 };

/* Whether the remembered door speaks XML-RPC. */
bool rpc_is_xml(const struct conversation *conversation);

/*
 * A question to the remembered door that calls METHOD ("ticket.get") of each of WANTED, in one
 * request. Copies WANTED.
 */
struct exchange *rpc_ask(struct conversation *conversation, int purpose, const char *method,
	const unsigned *wanted, unsigned count);

/* The same with one call, whose parameters are the JSON list PARAMS, which it puts. */
struct exchange *rpc_ask_once(struct conversation *conversation, int purpose, const char *method,
	struct json_object *params);

/*
 * The list that the whole answer brings, owned by EXCHANGE; or NULL, and WHY says what came in its
 * place.
 */
struct json_object *rpc_list(struct exchange *exchange, struct err *why);

/* Whether the answer is an error of the plugin's own: its code, *WORDS clean and owned by EXCHANGE. */
bool rpc_refused(struct exchange *exchange, int *code, const char **words);

/* Whether WORDS, of a refused call, are about the right to use the plugin, not about one ticket. */
bool rpc_is_right_lost(const char *words);

/*
 * The results of the calls that EXCHANGE made, as many; NULL, and WHY says what came in their place.
 */
struct json_object *rpc_results(struct exchange *exchange, struct err *why);

/*
 * The result of call AT of RESULTS if it is a list, else NULL: *CODE is then the plugin's own, 0
 * where it gave none, and *WORDS its clean words, owned by EXCHANGE. ID is the ticket's.
 */
struct json_object *rpc_result(struct exchange *exchange, struct json_object *results, unsigned at,
	const char *id, int *code, const char **words);

/* A moment as the plugin writes it, in UTC; false for anything else. */
bool rpc_moment(struct json_object *value, moment *out);

#endif
