/* Trac over its RPC plugin, or its query page and feeds (1.0 to 1.6); see README.md. */
#include "trackers/trac/errands.h"

#include "trackers/text.h"
#include "trackers/tracker.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { ID_DIGITS = 10 };

const char trac_query_door[] = "query";
const char trac_xml_word[] = "xml", trac_cookie_word[] = "cookie", trac_form_word[] = "form";

/*
 * Ids are 32-bit integers in Trac's databases: PostgreSQL fails a whole request over a bigger one.
 * They are compared as texts, so there is one form of each.
 */
static bool valid_id(const char *text)
{
	return text_is_number(text, ID_DIGITS) && text[0] != '0' &&
		strtoll(text, NULL, 10) <= INT32_MAX;
}

/* `attachment/ticket/N` lists a ticket's files: its base is not that of a Trac. */
static bool is_attachment(const char *path, size_t base)
{
	static const char word[] = "attachment/";
	size_t n = sizeof(word) - 1;
	return base >= n && strncmp(path + base - n, word, n) == 0;
}

static bool recognise(struct url *url, struct remote_bug *out)
{
	static const char word[] = "/ticket";
	size_t end = strlen(url->path), n = sizeof(word) - 1;
	if (end > 0 && url->path[end - 1] == '/')
		end--;
	const char *segment = memrchr(url->path, '/', end);
	size_t before = segment != NULL ? (size_t)(segment - url->path) : 0;
	if (before < n || strncmp(segment - n, word, n) != 0)
		return false;
	const char *id = talloc_strndup(url, segment + 1, end - before - 1);
	size_t base = before - n + 1;
	if (!valid_id(id) || is_attachment(url->path, base))
		return false;
	out->base_url = url_base(url, url, base);
	out->remote_id = id;
	return true;
}

const char *trac_rpc_door(const struct conversation *conversation)
{
	const char *door = conversation->server->door;
	return door != NULL && strcmp(door, trac_query_door) != 0 ? door : NULL;
}

bool trac_remembers(const struct conversation *conversation, const char *word)
{
	const char *memory = conversation->server->memory;
	return memory != NULL && strstr(memory, word) != NULL;
}

void trac_add_header(struct exchange *exchange, const char *text)
{
	unsigned i = 0;
	while (exchange->headers[i] != NULL)
		i++;
	exchange->headers[i] = talloc_strdup(exchange, text);
}

/*
 * Trac itself looks at HTTP Basic only below login/, but the web server before it may want it
 * everywhere; a site with a form has no use for it.
 */
struct exchange *trac_ask(struct conversation *conversation, enum trac_purpose purpose, char *path)
{
	char *url = talloc_asprintf(NULL, "%s%s", conversation->base_url, path);
	struct exchange *exchange = conversation_ask(conversation, (int)purpose, url);
	const struct credentials *login = conversation->credentials;
	talloc_free(path);
	exchange->format = FORMAT_TEXT;
	if (login == NULL || login->username == NULL)
		return exchange;
	exchange->basic_login = !trac_remembers(conversation, trac_form_word);
	if (login->session != NULL && login->session->cookie != NULL)
		trac_add_header(
			exchange, talloc_asprintf(exchange, "Cookie: %s", login->session->cookie));
	return exchange;
}

void trac_fail(
	struct conversation *conversation, const struct exchange *exchange, const struct err *why)
{
	if (why->kind == ERR_AUTH && conversation->credentials == NULL)
		conversation_fail(conversation, ERR_AUTH,
			"%s: this Trac shows its tickets to nobody who is not logged in; set "
			"username "
			"and password",
			conversation->base_url);
	else
		conversation_fail(conversation, why->kind, "%s", why->text);
}

bool trac_is_trouble(const struct exchange *exchange, const struct err *why)
{
	bool broken = why->kind == ERR_UNPARSABLE_TRACKER &&
		!text_is_markup(exchange->text, exchange->text_size);
	return exchange->status == 0 || exchange->status == 429 || exchange->status >= 500 ||
		broken ||
		(why->kind != ERR_HTTP && why->kind != ERR_AUTH &&
			why->kind != ERR_UNPARSABLE_TRACKER);
}

/* A web server's own error page has none of Trac's style sheets; a cut page says nothing. */
bool trac_is_page(const struct exchange *exchange)
{
	const char *end = exchange->text + exchange->text_size;
	while (end > exchange->text && strchr(" \t\r\n", end[-1]) != NULL)
		end--;
	bool whole = end - exchange->text >= 7 && strncmp(end - 7, "</html>", 7) == 0;
	return whole && exchange->failure.kind == ERR_NONE &&
		(strstr(exchange->text, "/trac.css") != NULL ||
			strstr(exchange->text, "/trac.js") != NULL);
}

bool trac_says_missing(const struct exchange *exchange)
{
	return exchange->status == 404 && trac_is_page(exchange);
}

/* The name of the right is the same in every language. */
bool trac_says_private(const struct exchange *exchange)
{
	return exchange->status == 403 && trac_is_page(exchange) &&
		strstr(exchange->text, "TICKET_VIEW") != NULL;
}

static void begin_errand(struct conversation *conversation)
{
	static void (*const beginnings[])(struct conversation *) = {
		[ERRAND_PROBE] = trac_begin_probe,
		[ERRAND_CHECK] = trac_begin_check,
		[ERRAND_CHANGES] = trac_begin_changes,
		[ERRAND_COMMENTS] = trac_begin_comments,
	};
	beginnings[conversation->errand](conversation);
}

static void begin(struct conversation *conversation)
{
	if (trac_must_sign_in(conversation))
		trac_sign_in(conversation);
	else
		begin_errand(conversation);
}

void trac_signed_in(struct conversation *conversation, const char *word)
{
	if (conversation->errand == ERRAND_PROBE)
		trac_probe_signed_in(conversation, word);
	else
		begin_errand(conversation);
}

static void hear(struct conversation *conversation, struct exchange *exchange)
{
	static void (*const ears[])(struct conversation *, struct exchange *) = {
		[ASK_LOGIN] = trac_hear_login,
		[ASK_FORM] = trac_hear_form,
		[ASK_PLUGIN] = trac_hear_plugin,
		[ASK_OLD_PLUGIN] = trac_hear_old_plugin,
		[ASK_RPC_DOOR] = trac_hear_rpc_door,
		[ASK_QUERY_DOOR] = trac_hear_query_door,
		[ASK_VERSION] = trac_hear_version,
		[ASK_TABLE] = trac_hear_table,
		[ASK_WITNESS] = trac_hear_alone,
		[ASK_BUG] = trac_hear_alone,
		[ASK_LISTED] = trac_hear_listed,
		[ASK_CALLS] = trac_hear_calls,
		[ASK_CALL] = trac_hear_call,
		[ASK_CHANGED_TABLE] = trac_hear_changed_table,
		[ASK_CHANGED_CALL] = trac_hear_changed_call,
		[ASK_LOGS] = trac_hear_logs,
		[ASK_LOG] = trac_hear_log,
		[ASK_FEED] = trac_hear_feed,
	};
	ears[exchange->purpose](conversation, exchange);
}

const struct tracker trac_tracker = {
	.name = "trac",
	.title = "Trac",
	.batch_size = TRAC_BATCH_SIZE,
	.recognise = recognise,
	.valid_id = valid_id,
	.begin = begin,
	.hear = hear,
};
