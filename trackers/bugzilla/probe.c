/*
 * Which interface a server has: REST, else XML-RPC, else its pages. Only where there is a page of a
 * bug is anything posted.
 */
#include "trackers/bugzilla/answer.h"
#include "trackers/bugzilla/question.h"
#include "trackers/json.h"
#include "trackers/text.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { OLDEST_REST = 5, VERSION_LIMIT = 40 };

static void ask_rest_door(
	struct conversation *conversation, enum bugzilla_purpose purpose, const char *door)
{
	bugzilla_get(conversation, purpose,
		talloc_asprintf(NULL, "%s%sversion", conversation->base_url, door), FORMAT_JSON);
}

void bugzilla_begin_probe(struct conversation *conversation)
{
	ask_rest_door(conversation, ASK_REST_DOOR, bugzilla_rest_door);
}

/* Whether the answer did not come whole. */
static bool is_transport(const struct err *why)
{
	return why->kind != ERR_NONE && why->kind != ERR_HTTP && why->kind != ERR_AUTH &&
		why->kind != ERR_UNPARSABLE_TRACKER;
}

/* Whether the answer is the server's own trouble, which says nothing about a door. */
static bool is_trouble(const struct exchange *exchange, const struct err *why)
{
	bool broken_json = exchange->format == FORMAT_JSON && exchange->text[0] == '{' &&
		why->kind == ERR_UNPARSABLE_TRACKER;
	return exchange->status == 0 || exchange->status == 429 || exchange->status >= 500 ||
		broken_json || is_transport(why);
}

/* ---- going in ---- */

static void go_in(struct conversation *conversation, struct exchange *exchange, const char *door,
	const char *version)
{
	struct server *server = conversation->server;
	server->version = talloc_strdup(server, version);
	server->door = talloc_strdup(server, door);
	server->abilities = ABILITY_WHY | ABILITY_COMMENTS;
	/* Older ones take times of their own zone. */
	if (!bugzilla_speaks_rpc(conversation) || !bugzilla_is_older(conversation, 3, 6))
		server->abilities |= ABILITY_CHANGES;
	if (exchange->date != 0)
		server->skew_s = (exchange->date - conversation->now) / MOMENT_SECOND;
}

/* Answered only by servers that heard the key in the header (5.3, Mozilla's). */
static void ask_who(struct conversation *conversation)
{
	char *url = talloc_asprintf(
		NULL, "%s%swhoami", conversation->base_url, conversation->server->door);
	bugzilla_add_key(conversation, bugzilla_get(conversation, ASK_WHO, url, FORMAT_JSON));
}

void bugzilla_hear_who(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	enum code code = answer_code(exchange);
	bool good = exchange_good(exchange, &why);
	if (good && code == CODE_NONE && json_text_of(exchange, exchange->json, "id") != NULL)
		conversation->server->memory =
			talloc_strdup(conversation->server, bugzilla_key_in_header);
	else if (code == CODE_BAD_KEY || (!good && code == CODE_NONE && is_trouble(exchange, &why)))
		answer_fail(conversation, exchange);
}

/* ---- REST ---- */

/* A REST interface of an older one is somebody else's. */
static const char *rest_version(const struct exchange *exchange)
{
	const char *version = json_text_of(exchange, exchange->json, "version");
	return version != NULL && strtoul(version, NULL, 10) >= OLDEST_REST ? version : NULL;
}

static void ask_page_door(struct conversation *conversation)
{
	bugzilla_get(conversation, ASK_PAGE_DOOR,
		talloc_asprintf(NULL, "%s%s?ctype=xml&id=1&field=bug_id", conversation->base_url,
			bugzilla_page_door),
		FORMAT_XML);
}

void bugzilla_hear_rest_door(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	bool first = exchange->purpose == ASK_REST_DOOR;
	bool good = exchange_good(exchange, &why) && answer_code(exchange) == CODE_NONE;
	const char *version = good ? rest_version(exchange) : NULL;
	const struct credentials *login = conversation->credentials;
	if (version != NULL) {
		go_in(conversation, exchange, first ? bugzilla_rest_door : bugzilla_rest_cgi_door,
			version);
		if (login != NULL && login->api_key != NULL)
			ask_who(conversation);
	} else if (!good && is_trouble(exchange, &why)) {
		answer_fail(conversation, exchange);
	} else if (first) {
		ask_rest_door(conversation, ASK_REST_CGI_DOOR, bugzilla_rest_cgi_door);
	} else {
		ask_page_door(conversation);
	}
}

/* ---- XML-RPC, and pages ---- */

static void ask_rpc_door(struct conversation *conversation)
{
	struct server *server = conversation->server;
	server->door = bugzilla_rpc_door;
	bugzilla_call(conversation, ASK_RPC_DOOR, "Bugzilla.version", "version",
		json_object_new_object(), NULL, 0);
	server->door = NULL;
}

/* Without a version the page of a bug was a login page. */
static void go_in_by_pages(struct conversation *conversation, struct exchange *exchange)
{
	const char *version = conversation->server->version;
	const struct credentials *login = conversation->credentials;
	if (version != NULL || (login != NULL && login->password != NULL))
		go_in(conversation, exchange, bugzilla_page_door, version);
	else
		conversation_fail(conversation, ERR_AUTH,
			"%s%s: a login page in place of an answer; set credentials",
			conversation->base_url, bugzilla_page_door);
}

void bugzilla_hear_page_door(struct conversation *conversation, struct exchange *exchange)
{
	struct server *server = conversation->server;
	struct err why = {0};
	bool good = exchange_good(exchange, &why);
	const char *version = good ? xml_attribute(exchange->xml, "version") : NULL;
	if (version != NULL && strcmp(exchange->xml->name, "bugzilla") == 0) {
		server->version = text_clean_line(server, version, strlen(version), VERSION_LIMIT);
		if (bugzilla_is_older(conversation, 3, 0))
			conversation_fail(conversation, ERR_UNSUPPORTED_TRACKER,
				"%s: Bugzilla %s; 3.0 or later is needed", conversation->base_url,
				server->version);
		else if (bugzilla_is_older(conversation, 3, 4))
			go_in_by_pages(conversation, exchange);
		else
			ask_rpc_door(conversation);
	} else if (why.kind == ERR_AUTH && exchange->status == 200) {
		ask_rpc_door(conversation);
	} else if (!good && (is_trouble(exchange, &why) || why.kind == ERR_AUTH)) {
		answer_fail(conversation, exchange);
	} else {
		conversation_fail(conversation, ERR_UNSUPPORTED_TRACKER,
			"%s: no Bugzilla found: neither its REST interface, at %s or at %s, nor "
			"%s",
			conversation->base_url, bugzilla_rest_door, bugzilla_rest_cgi_door,
			bugzilla_page_door);
	}
}

/*
 * Where it is not installed the answer is a page, perhaps with status 500; anything but that, or a
 * fault, tells nothing.
 */
static bool is_passing_trouble(const struct exchange *exchange)
{
	bool page = strcasestr(exchange->text, "<html") != NULL ||
		strcasestr(exchange->text, "<!doctype") != NULL;
	bool cut = exchange->status == 200 && exchange->xml == NULL && !page;
	return cut || exchange->status == 0 || exchange->status == 429 || exchange->status == 503;
}

void bugzilla_hear_rpc_door(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	bool good = exchange_good(exchange, &why) && answer_code(exchange) == CODE_NONE;
	const char *version = good ? json_text_of(exchange, exchange->json, "version") : NULL;
	if (version != NULL)
		go_in(conversation, exchange, bugzilla_rpc_door, version);
	else if (!good && (is_passing_trouble(exchange) || is_transport(&why)))
		answer_fail(conversation, exchange);
	else
		go_in_by_pages(conversation, exchange);
}
