#include "trackers/bugzilla/question.h"

#include "trackers/bugzilla/login.h"
#include "trackers/text.h"
#include "trackers/url.h"
#include "trackers/xmlrpc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

const char bugzilla_rest_door[] = "rest/", bugzilla_rest_cgi_door[] = "rest.cgi/",
	   bugzilla_rpc_door[] = "xmlrpc.cgi", bugzilla_page_door[] = "show_bug.cgi";

const char bugzilla_key_in_header[] = "key in header";

static bool remembers_door(const struct conversation *conversation, const char *door)
{
	const char *known = conversation->server->door;
	return known != NULL && strcmp(known, door) == 0;
}

bool bugzilla_speaks_rpc(const struct conversation *conversation)
{
	return remembers_door(conversation, bugzilla_rpc_door);
}

bool bugzilla_is_older(const struct conversation *conversation, unsigned major, unsigned minor)
{
	const char *version = conversation->server->version;
	unsigned theirs = 0, their_minor = 0;
	if (version == NULL || sscanf(version, "%6u.%6u", &theirs, &their_minor) < 1)
		return false;
	return theirs < major || (theirs == major && their_minor < minor);
}

bool bugzilla_is_number(const char *id)
{
	return text_is_number(id, SIZE_MAX);
}

/* ---- signing in ---- */

/* Red Hat's own Bugzilla (5.0.4.rh103) takes keys as Bearer only, and refuses them in a URL. */
static bool is_red_hat(const struct conversation *conversation)
{
	const char *version = conversation->server->version;
	return version != NULL && strstr(version, ".rh") != NULL;
}

static bool takes_key_from_header(const struct conversation *conversation)
{
	const char *memory = conversation->server->memory;
	return is_red_hat(conversation) ||
		(memory != NULL && strcmp(memory, bugzilla_key_in_header) == 0);
}

static void add_text(struct json_object *to, const char *name, const char *text)
{
	json_object_object_add(to, name, json_object_new_string(text));
}

/*
 * What to sign in with as parameters. Versions before 5.3 do not look for a key at the header, those
 * before 4.4 want cookies, and refuse a token.
 */
static void add_login(const struct conversation *conversation, struct json_object *parameters)
{
	const struct credentials *login = conversation->credentials;
	char *token = login_token(conversation, conversation);
	if (login != NULL && login->api_key != NULL && !takes_key_from_header(conversation))
		add_text(parameters, "Bugzilla_api_key", login->api_key);
	else if (token != NULL && !bugzilla_is_older(conversation, 4, 4))
		add_text(parameters, "Bugzilla_token", token);
	talloc_free(token);
}

void bugzilla_add_cookie(struct conversation *conversation, struct exchange *exchange)
{
	unsigned place = exchange->headers[0] != NULL ? 1 : 0;
	const char *cookie = login_cookie(conversation);
	if (cookie != NULL)
		exchange->headers[place] = talloc_asprintf(exchange, "Cookie: %s", cookie);
}

/* Keys are letters and digits; the escaping keeps anything else from adding headers. */
void bugzilla_add_key(struct conversation *conversation, struct exchange *exchange)
{
	const struct credentials *login = conversation->credentials;
	if (login != NULL && login->api_key != NULL)
		exchange->headers[1] = talloc_asprintf(exchange,
			is_red_hat(conversation) ? "Authorization: Bearer %s"
						 : "X-BUGZILLA-API-KEY: %s",
			url_escape(exchange, login->api_key));
}

/* ---- a call ---- */

struct json_object *bugzilla_ids(
	const struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	struct json_object *ids = json_object_new_array();
	for (unsigned i = 0; i < count; i++) {
		const char *id = conversation->wanted[wanted[i]].remote_id;
		json_object_array_add(ids,
			bugzilla_is_number(id) ? json_object_new_int64(strtoll(id, NULL, 10))
					       : json_object_new_string(id));
	}
	return ids;
}

/* XML-RPC takes a text for a time of the server's own zone, with or without its `Z`. */
struct json_object *bugzilla_moment(const struct conversation *conversation, moment at)
{
	char text[MOMENT_TEXT];
	return bugzilla_speaks_rpc(conversation) ? xmlrpc_moment(at)
						 : json_object_new_string(moment_format(at, text));
}

struct json_object *bugzilla_words(const char *text)
{
	struct json_object *words = json_object_new_array();
	for (size_t n; *text != '\0'; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		json_object_array_add(words, json_object_new_string_len(text, (int)n));
	}
	return words;
}

/* ITEM as it stands in a URL; json-c would make a buffer for each number. */
static char *item_text(const void *owner, struct json_object *item)
{
	return json_object_is_type(item, json_type_int)
		? talloc_asprintf(owner, "%" PRId64, json_object_get_int64(item))
		: url_escape(owner, json_object_get_string(item));
}

/* URL with ITEMS of the parameter NAME from the one at FIRST on: `ids` by repetition. */
static char *write_items(char *url, const char *name, struct json_object *items, size_t first)
{
	const char *before = strcmp(name, "ids") == 0 ? "&ids=" : ",";
	for (size_t i = first; i < json_object_array_length(items); i++) {
		struct json_object *item = json_object_array_get_idx(items, i);
		char *text = item_text(NULL, item);
		if (i == first)
			url = talloc_asprintf_append_buffer(url, "&%s=", name);
		url = talloc_asprintf_append_buffer(url, "%s%s", i > first ? before : "", text);
		talloc_free(text);
	}
	return url;
}

/* URL with PARAMETERS as its query, without the first of `ids` where that stands in its path. */
static char *write_query(char *url, struct json_object *parameters, bool first_in_path)
{
	size_t path = strlen(url);
	json_object_object_foreach (parameters, name, value) {
		bool in_path = first_in_path && strcmp(name, "ids") == 0;
		if (json_object_is_type(value, json_type_array))
			url = write_items(url, name, value, in_path ? 1 : 0);
		else
			url = talloc_asprintf_append_buffer(url, "&%s=%s", name,
				url_escape(url, json_object_get_string(value)));
	}
	if (url[path] == '&')
		url[path] = '?';
	return url;
}

static char *rest_url(
	const struct conversation *conversation, const char *path, struct json_object *parameters)
{
	const char *door = conversation->server->door, *star = strchr(path, '*');
	char *url = talloc_asprintf(NULL, "%s%s%.*s", conversation->base_url,
		door != NULL ? door : bugzilla_rest_door,
		(int)(star != NULL ? (size_t)(star - path) : strlen(path)), path);
	if (star != NULL) {
		struct json_object *ids = json_object_object_get(parameters, "ids");
		const char *id = json_object_get_string(json_object_array_get_idx(ids, 0));
		url = talloc_asprintf_append_buffer(url, "%s%s", url_escape(url, id), star + 1);
	}
	return write_query(url, parameters, star != NULL);
}

static struct exchange *call_rpc(struct conversation *conversation, enum bugzilla_purpose purpose,
	const char *method, struct json_object *parameters)
{
	struct exchange *exchange = conversation_ask(conversation, (int)purpose,
		talloc_asprintf(NULL, "%s%s", conversation->base_url, bugzilla_rpc_door));
	struct json_object *list = json_object_new_array();
	login_asked(conversation);
	json_object_array_add(list, json_object_get(parameters));
	exchange->method = "POST";
	exchange->format = FORMAT_XML;
	exchange->headers[0] = "Content-Type: text/xml";
	exchange->body = xmlrpc_call(exchange, method, list);
	json_object_put(list);
	if (bugzilla_is_older(conversation, 4, 4))
		bugzilla_add_cookie(conversation, exchange);
	return exchange;
}

/* Without the header Bugzilla takes some clients for browsers and answers HTML. */
struct exchange *bugzilla_get(struct conversation *conversation, enum bugzilla_purpose purpose,
	char *url, enum format format)
{
	struct exchange *exchange = conversation_ask(conversation, (int)purpose, url);
	login_asked(conversation);
	exchange->format = format;
	if (format == FORMAT_JSON)
		exchange->headers[0] = "Accept: application/json";
	return exchange;
}

struct exchange *bugzilla_call(struct conversation *conversation, enum bugzilla_purpose purpose,
	const char *method, const char *path, struct json_object *parameters,
	const unsigned *wanted, unsigned count)
{
	add_login(conversation, parameters);
	struct exchange *exchange = bugzilla_speaks_rpc(conversation)
		? call_rpc(conversation, purpose, method, parameters)
		: bugzilla_get(conversation, purpose, rest_url(conversation, path, parameters),
			  FORMAT_JSON);
	if (!bugzilla_speaks_rpc(conversation))
		bugzilla_add_key(conversation, exchange);
	json_object_put(parameters);
	exchange->wanted = talloc_memdup(exchange, wanted, count * sizeof(*wanted));
	exchange->wanted_count = count;
	return exchange;
}

/* A call over XML-RPC is a body, and has no such limit. */
unsigned bugzilla_fitting(const struct conversation *conversation, const unsigned *wanted,
	unsigned count, unsigned most, size_t extra, size_t others)
{
	const struct credentials *login = conversation->credentials;
	size_t used = strlen(conversation->base_url) + others + 64;
	if (login != NULL && login->api_key != NULL)
		used += strlen("&Bugzilla_api_key=") + strlen(login->api_key);
	unsigned fit = 0;
	while (fit < count && fit < most) {
		used += strlen(conversation->wanted[wanted[fit]].remote_id) + extra;
		if (used > BUGZILLA_URL_LIMIT && fit > 0 && !bugzilla_speaks_rpc(conversation))
			break;
		fit++;
	}
	return fit;
}
