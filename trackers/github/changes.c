/*
 * Which issues changed: the list since a moment, in the order of their changes. While it is read
 * issues that change again leave their place and come at the end, and those behind them move to
 * earlier pages: so no second page is asked for, but the list since the last change that is known.
 *
 * The same question is asked again and again, with the ETag of its last answer, for as long as that
 * is short: then nothing new is "304 Not Modified", which GitHub does not count.
 */
#include "trackers/github/api.h"
#include "trackers/json.h"
#include "trackers/tracker.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

enum {
	MOST_PAGES = 100,
	MOST_LINKED = 20, /* pages of one second */
	SHORT = 30, /* so many issues at most are read again and again */
	ETAG_LIMIT = 200,
};

/* What a question was, and how far the reading has come; goes from page to page. */
struct reading {
	moment since; /* as it was asked */
	moment last; /* when the last issue changed that was read */
	int64_t last_number;
	unsigned pages, linked;
	bool has_etag; /* it was asked for only where the answer is another than the one before */
};

/* ---- the bookmark ---- */

/*
 * Server memory is "SINCE ETAG": what was asked, and the mark of the answer. The mark, if the question
 * is still a good one: *SINCE is then what it asked.
 */
static const char *remembered(const struct conversation *conversation, moment *since)
{
	const char *memory = conversation->server->memory;
	const char *blank = memory != NULL ? strchr(memory, ' ') : NULL;
	if (blank == NULL)
		return NULL;
	char *text = talloc_strndup(conversation, memory, (size_t)(blank - memory));
	moment at;
	bool good = moment_parse(text, &at) && at <= conversation->since &&
		conversation->since - at < MOMENT_DAY;
	talloc_free(text);
	if (good)
		*since = at;
	return good ? blank + 1 : NULL;
}

/* Remembers a SHORT first answer, or that there is none. */
static void remember(
	struct conversation *conversation, const struct exchange *exchange, size_t count)
{
	const struct reading *reading = exchange->memo;
	struct server *server = conversation->server;
	const char *etag = exchange_header(exchange, "etag", 0);
	char since[MOMENT_TEXT];
	size_t n = etag != NULL ? strlen(etag) : 0;
	bool plain = n > 0 && n <= ETAG_LIMIT;
	for (size_t i = 0; plain && i < n; i++)
		plain = etag[i] > ' ' && etag[i] < 0x7f;
	server->memory = plain && count <= SHORT
		? talloc_asprintf(server, "%s %s", moment_format(reading->since, since), etag)
		: NULL;
}

/* ---- questions ---- */

static void add_header(struct exchange *exchange, char *header)
{
	unsigned i = 0;
	while (exchange->headers[i] != NULL)
		i++;
	exchange->headers[i] = header;
}

static struct exchange *ask(struct conversation *conversation, const struct reading *reading)
{
	char since[MOMENT_TEXT];
	char *path = talloc_asprintf(NULL,
		"/issues?state=all&sort=updated&direction=asc&per_page=100&since=%s",
		moment_format(reading->since, since));
	struct exchange *exchange = github_ask_path(conversation, ASK_CHANGES, path);
	exchange->memo = talloc_memdup(exchange, reading, sizeof(*reading));
	talloc_free(path);
	return exchange;
}

void github_begin_changes(struct conversation *conversation)
{
	struct reading reading = {.since = conversation->since > 0 ? conversation->since : 0};
	const char *etag = remembered(conversation, &reading.since);
	reading.has_etag = etag != NULL;
	struct exchange *exchange = ask(conversation, &reading);
	if (etag != NULL)
		add_header(exchange, talloc_asprintf(exchange, "If-None-Match: %s", etag));
}

/* ---- answers ---- */

static void give_up(struct conversation *conversation, const char *why)
{
	conversation->until = 0;
	conversation_fail(conversation, ERR_UNPARSABLE_TRACKER,
		"%s: asked for the issues that changed, GitHub answered %s", conversation->base_url,
		why);
}

/* What was told before, when the same question was asked, is not told again. */
static bool hear_item(
	struct conversation *conversation, struct json_object *item, struct reading *reading)
{
	char id[24], *updated = json_text_of(conversation, item, "updated_at");
	int64_t number = github_number(item);
	moment at;
	bool good = number != 0 && updated != NULL && moment_parse(updated, &at);
	talloc_free(updated);
	if (!good || at < reading->last || at + MOMENT_SECOND < reading->since) {
		give_up(conversation,
			good ? "with what is not in the order of changes, or older than asked"
			     : "with one that has no number or no updated_at");
		return false;
	}
	reading->last = at;
	reading->last_number = number;
	snprintf(id, sizeof(id), "%" PRId64, number);
	if (at + MOMENT_SECOND > conversation->since)
		conversation_change(conversation, id, at);
	return true;
}

/* The list's own next page; only where a page is full of one second. */
static void follow_link(
	struct conversation *conversation, const struct exchange *exchange, struct reading *reading)
{
	char *next = github_next_page(conversation, exchange);
	if (next == NULL || ++reading->linked > MOST_LINKED) {
		give_up(conversation, "with pages that do not end");
		return;
	}
	struct exchange *further = github_ask(conversation, ASK_CHANGES, next);
	further->memo = talloc_memdup(further, reading, sizeof(*reading));
}

/*
 * Goes on by the moment of the last change, less a second, as nobody says whether `since` takes in
 * its own. What is too much for one errand is left to the next.
 */
static void go_on(
	struct conversation *conversation, const struct exchange *exchange, struct reading *reading)
{
	moment since = reading->last - MOMENT_SECOND;
	if (since <= reading->since)
		follow_link(conversation, exchange, reading);
	else if (reading->pages >= MOST_PAGES)
		conversation->until = reading->last;
	else
		ask(conversation, &(struct reading){.since = since, .pages = reading->pages});
}

static void hear_page(
	struct conversation *conversation, struct exchange *exchange, struct json_object *items)
{
	struct reading reading = *(struct reading *)exchange->memo;
	int64_t last_number = reading.last_number;
	size_t count = json_object_array_length(items);
	for (size_t i = 0; i < count; i++)
		if (!hear_item(conversation, json_object_array_get_idx(items, i), &reading))
			return;
	bool more = github_has_next(exchange);
	if (reading.pages++ == 0)
		remember(conversation, exchange, more ? SHORT + 1 : count);
	if (more && reading.last_number == last_number)
		give_up(conversation, "with the same page again");
	else if (more)
		go_on(conversation, exchange, &reading);
}

void github_hear_changes(struct conversation *conversation, struct exchange *exchange)
{
	struct json_object *items = github_document(conversation, exchange, json_type_array);
	const struct reading *reading = exchange->memo;
	if (reading->pages == 0)
		conversation->until = exchange->date != 0
			? exchange->date
			: conversation->now + conversation->server->skew_s * MOMENT_SECOND;
	if (items != NULL)
		hear_page(conversation, exchange, items);
	else if (exchange->status != 304 || !reading->has_etag)
		github_fail(conversation, exchange);
	if (conversation->err.kind != ERR_NONE)
		conversation->until = 0;
}
