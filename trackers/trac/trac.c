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

/* Trac itself looks at a login only below login/, but the web server before it may want one. */
struct exchange *trac_ask(struct conversation *conversation, enum trac_purpose purpose, char *path)
{
	char *url = talloc_asprintf(NULL, "%s%s", conversation->base_url, path);
	struct exchange *exchange = conversation_ask(conversation, (int)purpose, url);
	talloc_free(path);
	exchange->format = FORMAT_TEXT;
	exchange->basic_login =
		conversation->credentials != NULL && conversation->credentials->username != NULL;
	return exchange;
}

void trac_fail(
	struct conversation *conversation, const struct exchange *exchange, const struct err *why)
{
	if (why->kind == ERR_AUTH && conversation->credentials == NULL)
		conversation_fail(conversation, ERR_AUTH,
			"%s: this Trac shows its tickets to nobody who is not logged in; set "
			"username "
			"and password (they work through its RPC plugin)",
			conversation->base_url);
	else
		conversation_fail(conversation, why->kind, "%s", why->text);
}

/* A web server's own error page has none of Trac's style sheets; a cut page says nothing. */
static bool is_page(const struct exchange *exchange)
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
	return exchange->status == 404 && is_page(exchange);
}

/* The name of the right is the same in every language. */
bool trac_says_private(const struct exchange *exchange)
{
	return exchange->status == 403 && is_page(exchange) &&
		strstr(exchange->text, "TICKET_VIEW") != NULL;
}

static void begin(struct conversation *conversation)
{
	static void (*const beginnings[])(struct conversation *) = {
		[ERRAND_PROBE] = trac_begin_probe,
		[ERRAND_CHECK] = trac_begin_check,
		[ERRAND_CHANGES] = trac_begin_changes,
		[ERRAND_COMMENTS] = trac_begin_comments,
	};
	beginnings[conversation->errand](conversation);
}

static void hear(struct conversation *conversation, struct exchange *exchange)
{
	static void (*const ears[])(struct conversation *, struct exchange *) = {
		[ASK_PLUGIN] = trac_hear_plugin,
		[ASK_RPC_DOOR] = trac_hear_rpc_door,
		[ASK_QUERY_DOOR] = trac_hear_query_door,
		[ASK_VERSION] = trac_hear_version,
		[ASK_TABLE] = trac_hear_table,
		[ASK_WITNESS] = trac_hear_alone,
		[ASK_BUG] = trac_hear_alone,
		[ASK_CALLS] = trac_hear_calls,
		[ASK_CHANGED_TABLE] = trac_hear_changed_table,
		[ASK_CHANGED_CALL] = trac_hear_changed_call,
		[ASK_LOGS] = trac_hear_logs,
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
