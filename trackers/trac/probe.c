/* Which door a Trac has for us. */
#include "trackers/text.h"
#include "trackers/trac/errands.h"
#include "trackers/trac/feed.h"
#include "trackers/trac/rpc.h"
#include "trackers/trac/table.h"

#include <string.h>
#include <talloc.h>

static const char door[] = "rpc", login_door[] = "login/rpc";

static bool has_login(const struct conversation *conversation)
{
	return conversation->credentials != NULL && conversation->credentials->username != NULL;
}

/*
 * A GET, as no protocol of the plugin is one: a Trac without it answers 404 and leaves the body of a
 * POST unread, and its own server then takes that body for the next request of the connection.
 */
void trac_begin_probe(struct conversation *conversation)
{
	trac_ask(conversation, ASK_PLUGIN,
		talloc_strdup(NULL, has_login(conversation) ? login_door : door));
}

/* The query gives its header also where there is no ticket 1. */
static void ask_query_door(struct conversation *conversation)
{
	trac_ask(conversation, ASK_QUERY_DOOR,
		talloc_strdup(NULL, "query?id=1&col=id&col=status&format=csv&max=0"));
}

static void go_in(struct conversation *conversation, struct exchange *exchange, const char *name)
{
	struct server *server = conversation->server;
	server->door = talloc_strdup(server, name);
	server->abilities = ABILITY_WHY | ABILITY_CHANGES | ABILITY_COMMENTS;
	if (exchange->date != 0)
		server->skew_s = (exchange->date - conversation->now) / MOMENT_SECOND;
	trac_ask(conversation, ASK_VERSION, talloc_strdup(NULL, "query?id=0&col=id&format=rss"));
}

/* Whether the answer is about the server's state, not about which doors it has. */
static bool is_trouble(const struct exchange *exchange, const struct err *why)
{
	bool broken_json = why->kind == ERR_UNPARSABLE_TRACKER &&
		!text_is_markup(exchange->text, exchange->text_size);
	return exchange->status == 0 || exchange->status == 429 || exchange->status >= 500 ||
		broken_json ||
		(why->kind != ERR_HTTP && why->kind != ERR_AUTH &&
			why->kind != ERR_UNPARSABLE_TRACKER);
}

/* With the plugin this is 415, without it 404. */
void trac_hear_plugin(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	bool good = exchange_good(exchange, &why);
	if (exchange->status == 415 && exchange->failure.kind == ERR_NONE)
		rpc_ask_once(conversation, ASK_RPC_DOOR,
			has_login(conversation) ? login_door : door, "system.getAPIVersion", "[]");
	else if (has_login(conversation) && exchange->status == 401)
		conversation_fail(conversation, ERR_AUTH,
			"%slogin/rpc: HTTP 401; the username or the password is wrong",
			conversation->base_url);
	else if (!good && is_trouble(exchange, &why))
		trac_fail(conversation, exchange, &why);
	else
		ask_query_door(conversation);
}

/* Without the right XML_RPC this is an error of the plugin's own. */
void trac_hear_rpc_door(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	if (rpc_results(exchange, &why) != NULL)
		go_in(conversation, exchange, has_login(conversation) ? login_door : door);
	else if (rpc_refused(exchange))
		ask_query_door(conversation);
	else if (is_trouble(exchange, &why))
		trac_fail(conversation, exchange, &why);
	else
		ask_query_door(conversation);
}

void trac_hear_query_door(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	bool good = exchange_good(exchange, &why);
	bool page = text_is_markup(exchange->text, exchange->text_size);
	if ((good && page) || exchange->status == 404) {
		conversation_fail(conversation, ERR_UNSUPPORTED_TRACKER,
			"%squery: no ticket query of a Trac here (HTTP %d); is this the address of "
			"a "
			"Trac 1.0 or later?",
			conversation->base_url, exchange->status);
		return;
	}
	struct err wrong = {0};
	struct csv *table =
		good ? table_read(exchange, exchange->text, exchange->text_size, &wrong) : NULL;
	if (table != NULL && !table->has[COLUMN_STATUS])
		err_set(&wrong, ERR_UNPARSABLE_TRACKER, "CSV without a column of statuses");
	if (wrong.kind != ERR_NONE)
		err_set(&why, wrong.kind, "%squery: %s", conversation->base_url, wrong.text);
	if (why.kind == ERR_NONE)
		go_in(conversation, exchange, trac_query_door);
	else if (why.kind == ERR_AUTH && has_login(conversation))
		conversation_fail(conversation, ERR_AUTH,
			"%squery: HTTP %d; a login needs the RPC plugin here (right XML_RPC), it "
			"is "
			"not there for this user, and without a login no ticket is shown",
			conversation->base_url, exchange->status);
	else
		trac_fail(conversation, exchange, &why);
}

/* Feeds alone say which Trac this is. Those who may use RPC only go without. */
void trac_hear_version(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	if (exchange_good(exchange, &why)) {
		struct err wrong = {0};
		conversation->server->version = feed_version(
			conversation->server, exchange->text, exchange->text_size, &wrong);
		if (wrong.kind != ERR_NONE)
			conversation_fail(conversation, ERR_UNPARSABLE_TRACKER, "%squery: %s",
				conversation->base_url, wrong.text);
	} else if (is_trouble(exchange, &why)) {
		trac_fail(conversation, exchange, &why);
	}
}
