/* What tickets are like now, over the RPC plugin. */
#include "trackers/json.h"
#include "trackers/silence.h"
#include "trackers/trac/errands.h"
#include "trackers/trac/rpc.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

static const char get[] = "ticket.get";

/* ---- questions ---- */

/* Copies WANTED. */
static void ask_about(struct conversation *conversation, enum trac_purpose purpose,
	const char *method, struct json_object *param, const unsigned *wanted, unsigned count)
{
	struct json_object *params = json_object_new_array();
	json_object_array_add(params, param);
	struct exchange *exchange = rpc_ask_once(conversation, (int)purpose, method, params);
	exchange->wanted = talloc_memdup(exchange, wanted, count * sizeof(*wanted));
	exchange->wanted_count = count;
}

/* Asks for the first of WANTED by itself; the others wait for what is said of it. */
static void ask_alone(struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	const char *id = conversation->wanted[*wanted].remote_id;
	ask_about(conversation, ASK_CALL, get, json_object_new_int((int)strtol(id, NULL, 10)),
		wanted, count);
}

/*
 * Over XML-RPC the plugin fails a whole request (500) over one ticket that we may not view, so that
 * it is first asked which of them we may.
 */
void trac_ask_calls(struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	if (!rpc_is_xml(conversation)) {
		rpc_ask(conversation, ASK_CALLS, get, wanted, count);
		return;
	}
	char *query = talloc_strdup(NULL, "id=");
	for (unsigned i = 0; i < count; i++)
		query = talloc_asprintf_append_buffer(
			query, "%s%s", i > 0 ? "," : "", conversation->wanted[wanted[i]].remote_id);
	query = talloc_strdup_append_buffer(query, "&order=id&max=0");
	ask_about(conversation, ASK_LISTED, "ticket.query", json_object_new_string(query), wanted,
		count);
	talloc_free(query);
}

/* ---- answers ---- */

/* Whether IDS has this one. */
static bool has_id(struct json_object *ids, const char *id)
{
	int64_t number = strtoll(id, NULL, 10);
	for (size_t i = 0; i < json_object_array_length(ids); i++) {
		struct json_object *at = json_object_array_get_idx(ids, i);
		if (json_object_is_type(at, json_type_int) && json_object_get_int64(at) == number)
			return true;
	}
	return false;
}

void trac_hear_listed(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	struct json_object *ids = rpc_list(exchange, &why);
	unsigned total = exchange->wanted_count, listed = 0, silent = 0;
	if (ids != NULL && json_object_array_length(ids) > total)
		err_set(&why, ERR_UNPARSABLE_TRACKER, "%s: asked for %u tickets, it lists %zu",
			exchange->url, total, json_object_array_length(ids));
	if (why.kind != ERR_NONE) {
		trac_fail(conversation, exchange, &why);
		return;
	}
	unsigned *found = talloc_array(exchange, unsigned, total);
	unsigned *others = talloc_array(exchange, unsigned, total);
	for (unsigned i = 0; i < total; i++)
		if (has_id(ids, conversation->wanted[exchange->wanted[i]].remote_id))
			found[listed++] = exchange->wanted[i];
		else
			others[silent++] = exchange->wanted[i];
	if (listed > 0)
		rpc_ask(conversation, ASK_CALLS, get, found, listed);
	if (silence_is_suspicious(conversation, exchange, others, silent)) {
		ask_alone(conversation, others, silent);
		return;
	}
	for (unsigned i = 0; i < silent; i++)
		ask_alone(conversation, others + i, 1);
}

/* Member NAME as text into *OUT, NULL where it is empty or not there; false where it is no text. */
static bool read_text(
	const void *owner, struct json_object *fields, const char *name, const char **out)
{
	struct json_object *member = NULL;
	*out = NULL;
	if (!json_object_object_get_ex(fields, name, &member) || member == NULL)
		return true;
	char *text = json_text_of(owner, fields, name);
	if (text != NULL && *text != '\0')
		*out = text;
	return text != NULL;
}

/* [id, created, changed, {field: value}] */
static bool read_ticket(
	struct conversation *conversation, struct json_object *ticket, struct observation *read)
{
	struct json_object *fields = json_object_array_get_idx(ticket, 3);
	struct json_object *changed = json_object_array_get_idx(ticket, 2);
	struct json_object *id = json_object_array_get_idx(ticket, 0);
	const char *wanted = conversation->wanted[read->wanted].remote_id;
	if (!json_object_is_type(id, json_type_int) ||
		strcmp(json_object_get_string(id), wanted) != 0 ||
		!json_object_is_type(fields, json_type_object) ||
		!rpc_moment(changed, &read->changed_at))
		return false;
	return read_text(conversation, fields, "summary", &read->title) &&
		read_text(conversation, fields, "component", &read->product) &&
		read_text(conversation, fields, "status", &read->status) && read->status != NULL &&
		read_text(conversation, fields, "resolution", &read->resolution) &&
		read_text(conversation, fields, "severity", &read->severity) &&
		read_text(conversation, fields, "priority", &read->priority);
}

static void observe_call(struct conversation *conversation, unsigned wanted,
	struct json_object *ticket, int code, const char *words)
{
	const char *id = conversation->wanted[wanted].remote_id;
	struct observation read = {.wanted = wanted};
	if (code == RPC_NOT_FOUND)
		conversation_observe_error(
			conversation, wanted, ERR_BUG_NOT_FOUND, "ticket %s: %s", id, words);
	else if (code == RPC_FORBIDDEN)
		conversation_observe_error(
			conversation, wanted, ERR_PRIVATE_BUG, "ticket %s: %s", id, words);
	else if (ticket != NULL && read_ticket(conversation, ticket, &read))
		trac_observe(conversation, read);
	else
		conversation_observe_error(conversation, wanted, ERR_UNPARSABLE_BUG,
			"ticket %s: not what ticket.get answers%s%s", id,
			*words != '\0' ? ": " : "", words);
}

/* Over XML-RPC a bad ticket among several has no code of its error: its own call has. */
void trac_hear_calls(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	struct json_object *results = rpc_results(exchange, &why);
	if (results == NULL) {
		trac_fail(conversation, exchange, &why);
		return;
	}
	for (unsigned i = 0; i < exchange->wanted_count; i++) {
		unsigned wanted = exchange->wanted[i];
		const char *words;
		int code;
		struct json_object *ticket = rpc_result(exchange, results, i,
			conversation->wanted[wanted].remote_id, &code, &words);
		if (ticket == NULL && code == 0 && rpc_is_xml(conversation))
			ask_alone(conversation, &wanted, 1);
		else
			observe_call(conversation, wanted, ticket, code, words);
	}
}

void trac_hear_call(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	const char *words = "";
	int code = 0;
	struct json_object *ticket = rpc_list(exchange, &why);
	bool refused = ticket == NULL && rpc_refused(exchange, &code, &words);
	if (ticket == NULL && (!refused || rpc_is_right_lost(words))) {
		trac_fail(conversation, exchange, &why);
		return;
	}
	if (ticket != NULL && exchange->wanted_count > 1) {
		conversation_fail(conversation, ERR_UNPARSABLE_TRACKER,
			"%s: ticket.query answered none of the %u tickets asked for, and one of "
			"them is there",
			exchange->url, exchange->wanted_count);
		return;
	}
	observe_call(conversation, exchange->wanted[0], ticket, code, words);
	for (unsigned i = 1; i < exchange->wanted_count; i++)
		ask_alone(conversation, exchange->wanted + i, 1);
}
