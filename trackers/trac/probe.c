/* Which door a Trac has for us. */
#include "trackers/text.h"
#include "trackers/trac/errands.h"
#include "trackers/trac/feed.h"
#include "trackers/trac/rpc.h"
#include "trackers/trac/table.h"

#include <string.h>
#include <talloc.h>

static bool has_login(const struct conversation *conversation)
{
	return conversation->credentials != NULL && conversation->credentials->username != NULL;
}

/* Where Trac takes HTTP Basic; one with a form knows us by the cookie everywhere. */
static const char *below_login(const struct conversation *conversation)
{
	bool basic = has_login(conversation) && !trac_remembers(conversation, trac_form_word);
	return basic ? "login/" : "";
}

/*
 * A GET, as no protocol of the plugin is one: a Trac without it answers 404 and leaves the body of a
 * POST unread, and its own server then takes that body for the next request of the connection.
 */
static void ask_plugin(
	struct conversation *conversation, enum trac_purpose purpose, const char *name)
{
	trac_ask(conversation, purpose,
		talloc_asprintf(NULL, "%s%s", below_login(conversation), name));
}

void trac_begin_probe(struct conversation *conversation)
{
	ask_plugin(conversation, ASK_PLUGIN, "rpc");
}

static void remember(struct conversation *conversation, const char *word)
{
	struct server *server = conversation->server;
	server->memory = server->memory != NULL
		? talloc_asprintf(server, "%s %s", server->memory, word)
		: talloc_strdup(server, word);
}

/* Tries to go in by NAME. */
static void ask_rpc_door(struct conversation *conversation, const char *name)
{
	struct server *server = conversation->server;
	server->door = talloc_asprintf(server, "%s%s", below_login(conversation), name);
	rpc_ask_once(conversation, ASK_RPC_DOOR, "system.getAPIVersion", json_object_new_array());
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
	server->door = name;
	server->abilities = ABILITY_WHY | ABILITY_CHANGES | ABILITY_COMMENTS;
	if (exchange->date != 0)
		server->skew_s = (exchange->date - conversation->now) / MOMENT_SECOND;
	trac_ask(conversation, ASK_VERSION, talloc_strdup(NULL, "query?id=0&col=id&format=rss"));
}

/* The plugin is not there, or not for us: what a cookie opens is left, then the query page. */
static void ask_without_plugin(struct conversation *conversation)
{
	const struct credentials *login = conversation->credentials;
	conversation->server->door = NULL;
	conversation->server->memory = trac_remembers(conversation, trac_form_word)
		? talloc_strdup(conversation->server, trac_form_word)
		: NULL;
	if (has_login(conversation) && login->session != NULL && login->session->cookie == NULL)
		trac_sign_in(conversation);
	else
		ask_query_door(conversation);
}

/* Who signed in by HTTP Basic was known to the plugin before; by a form, only now. */
void trac_probe_signed_in(struct conversation *conversation, const char *word)
{
	if (word != NULL)
		remember(conversation, word);
	if (word == trac_form_word)
		ask_plugin(conversation, ASK_PLUGIN, "rpc");
	else
		ask_query_door(conversation);
}

/* A plugin answers 415, or with a page about itself to those who may use it. */
static bool has_plugin(const struct exchange *exchange)
{
	return exchange->failure.kind == ERR_NONE &&
		(exchange->status == 415 || (exchange->status == 200 && trac_is_page(exchange)));
}

/* Whether the answer about a plugin is of no use for the choice of a door: the probe has failed. */
static bool fails(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	bool good = exchange_good(exchange, &why);
	if (has_login(conversation) && exchange->status == 401)
		conversation_fail(conversation, ERR_AUTH,
			"%slogin: HTTP 401; the username or the password is wrong",
			conversation->base_url);
	else if (!good && trac_is_trouble(exchange, &why))
		trac_fail(conversation, exchange, &why);
	return conversation->err.kind != ERR_NONE;
}

void trac_hear_plugin(struct conversation *conversation, struct exchange *exchange)
{
	if (has_plugin(exchange))
		ask_rpc_door(conversation, "rpc");
	else if (!fails(conversation, exchange)) {
		if (exchange->status == 404)
			ask_plugin(conversation, ASK_OLD_PLUGIN, "xmlrpc");
		else
			ask_without_plugin(conversation);
	}
}

void trac_hear_old_plugin(struct conversation *conversation, struct exchange *exchange)
{
	if (has_plugin(exchange)) {
		remember(conversation, trac_xml_word);
		ask_rpc_door(conversation, "xmlrpc");
	} else if (!fails(conversation, exchange)) {
		ask_without_plugin(conversation);
	}
}

/*
 * Without the right XML_RPC this is an error of the plugin's own. One on a Python without JSON speaks
 * XML only (415).
 */
void trac_hear_rpc_door(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	const char *words;
	int code;
	if (rpc_list(exchange, &why) != NULL) {
		go_in(conversation, exchange, conversation->server->door);
	} else if (rpc_refused(exchange, &code, &words)) {
		ask_without_plugin(conversation);
	} else if (trac_is_trouble(exchange, &why) && exchange->status != 415) {
		trac_fail(conversation, exchange, &why);
	} else if (!rpc_is_xml(conversation)) {
		remember(conversation, trac_xml_word);
		ask_rpc_door(conversation, "rpc");
	} else {
		ask_without_plugin(conversation);
	}
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
			"%squery: HTTP %d; this username may view no ticket (right TICKET_VIEW)",
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
	} else if (trac_is_trouble(exchange, &why)) {
		trac_fail(conversation, exchange, &why);
	}
}
