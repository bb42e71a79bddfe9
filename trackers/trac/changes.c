/* Which tickets changed since a moment of the server's clock. */
#include "trackers/trac/errands.h"
#include "trackers/trac/rpc.h"
#include "trackers/trac/table.h"
#include "trackers/tracker.h"
#include "trackers/xmlrpc.h"

#include <string.h>
#include <talloc.h>

/* All wanted ids as a constraint, where they fit into one question; else "" asks for all tickets. */
static char *narrowed(const struct conversation *conversation, const void *owner)
{
	char *ids = talloc_strdup(owner, "");
	size_t size = 0;
	for (unsigned i = 0; i < conversation->wanted_count; i++) {
		const char *id = conversation->wanted[i].remote_id;
		size += strlen(id) + 1;
		if (size > TRAC_URL_LIMIT)
			return talloc_strdup(owner, "");
		ids = talloc_asprintf_append_buffer(ids, "%s%s", i > 0 ? "," : "&id=", id);
	}
	return ids;
}

/* The same over RPC, where QUERY is NULL for all tickets. */
static void ask_call(struct conversation *conversation, const char *query)
{
	struct json_object *params = json_object_new_array();
	char *whole = talloc_asprintf(NULL, "%s&order=id&max=0", query != NULL ? query : "");
	json_object_array_add(params,
		query != NULL ? json_object_new_string(whole) : xmlrpc_moment(conversation->since));
	rpc_ask_once(conversation, ASK_CHANGED_CALL,
		query != NULL ? "ticket.query" : "ticket.getRecentChanges", params);
	talloc_free(whole);
}

/*
 * With its zone, a moment means the same in every zone and language. The query takes it inclusive,
 * and there must be one: without any constraint it gives all open tickets.
 */
void trac_begin_changes(struct conversation *conversation)
{
	char from[MOMENT_TEXT], *question = talloc_strdup(NULL, "changetime=");
	const char *ids = narrowed(conversation, question);
	moment_format(conversation->since, from);
	question = talloc_asprintf_append_buffer(question, "%s..%s", from, ids);
	if (trac_rpc_door(conversation) != NULL)
		ask_call(conversation, *ids != '\0' ? question : NULL);
	else
		trac_ask(conversation, ASK_CHANGED_TABLE,
			talloc_asprintf(NULL,
				"query?%s&col=id&col=changetime&order=id&format=csv&max=0",
				question));
	talloc_free(question);
}

/* Trac writes no page of a longer answer: it is whole, and as old as its Date. */
static void finish(struct conversation *conversation, const struct exchange *exchange)
{
	int64_t skew = conversation->server->skew_s * MOMENT_SECOND;
	conversation->until = exchange->date != 0 ? exchange->date : conversation->now + skew;
}

static void add(struct conversation *conversation, const char *id)
{
	if (id != NULL && conversation->tracker->valid_id(id))
		conversation_change(conversation, id, 0);
}

/* The times beside are in the site's zone and language: see check.c. */
void trac_hear_changed_table(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0}, wrong = {0};
	struct csv *table = NULL;
	if (exchange_good(exchange, &why))
		table = table_read(exchange, exchange->text, exchange->text_size, &wrong);
	if (wrong.kind != ERR_NONE)
		err_set(&why, wrong.kind, "%squery: %s", conversation->base_url, wrong.text);
	if (table == NULL) {
		trac_fail(conversation, exchange, &why);
		return;
	}
	for (unsigned i = 0; i < table->count; i++)
		add(conversation, csv_cell(table, i, COLUMN_ID));
	finish(conversation, exchange);
}

void trac_hear_changed_call(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	struct json_object *ids = rpc_list(exchange, &why);
	if (ids == NULL) {
		trac_fail(conversation, exchange, &why);
		return;
	}
	for (size_t i = 0; i < json_object_array_length(ids); i++) {
		struct json_object *id = json_object_array_get_idx(ids, i);
		if (json_object_is_type(id, json_type_int))
			add(conversation, json_object_get_string(id));
	}
	finish(conversation, exchange);
}
