/*
 * Which bugs changed: a search by last_change_time, read page by page in the order of ids. While pages
 * are read bugs come into the list, which only moves the others to later pages; but one that turned
 * private leaves it, and moves one that was never seen to an earlier page. So each page begins with
 * the bug that the page before ended with.
 */
#include "trackers/bugzilla/answer.h"
#include "trackers/bugzilla/question.h"
#include "trackers/json.h"
#include "trackers/tracker.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum {
	PAGE = 500,
	MOST_PAGES = 200,
	/* A site's own limit may cut pages below ours; it is a round number (Red Hat: 1000). */
	ROUND = 10,
};

/* The database keeps local time: in the hour that comes twice a year, times are an hour off. */
static const moment tolerance = 7200 * MOMENT_SECOND;

/* ---- questions ---- */

/* "7,12" for the watched bugs where they fit into one question, else NULL. Owned by OWNER. */
static char *watched_ids(const struct conversation *conversation, const void *owner)
{
	unsigned count = conversation->wanted_count;
	unsigned *all = talloc_array(owner, unsigned, count);
	for (unsigned i = 0; i < count; i++)
		all[i] = i;
	if (count == 0 ||
		bugzilla_fitting(conversation, all, count, BUGZILLA_BATCH_SIZE, strlen(","), 128) <
			count)
		return NULL;
	char *ids = talloc_strdup(owner, "");
	for (unsigned i = 0; i < count; i++)
		ids = talloc_asprintf_append_buffer(
			ids, "%s%s", i > 0 ? "," : "", conversation->wanted[i].remote_id);
	return ids;
}

/* Asks for page NUMBER, which begins with the last bug that is known to have changed. */
static void ask_page(struct conversation *conversation, unsigned number)
{
	char since[MOMENT_TEXT], *path = talloc_strdup(NULL, "bug?");
	char *ids = watched_ids(conversation, path);
	if (ids != NULL)
		path = talloc_asprintf_append_buffer(path, "id=%s&", ids);
	path = talloc_asprintf_append_buffer(path,
		"last_change_time=%s&include_fields=id,last_change_time&order=bug_id&limit=%d",
		moment_format(conversation->since, since), PAGE);
	if (conversation->change_count > 0)
		path = talloc_asprintf_append_buffer(
			path, "&offset=%u", conversation->change_count - 1);
	struct exchange *exchange = bugzilla_ask_about(conversation, ASK_CHANGES, path, NULL, 0);
	exchange->memo = talloc_memdup(exchange, &number, sizeof(number));
	talloc_free(path);
}

void bugzilla_begin_changes(struct conversation *conversation)
{
	ask_page(conversation, 1);
}

/* ---- answers ---- */

/* What a page holds. */
struct page {
	unsigned number;
	size_t count;
	bool in_order, joined; /* it goes on where the page before ended */
	bool fresh; /* it has bugs that no page before had */
};

static void give_up(struct conversation *conversation, const char *why)
{
	conversation_fail(conversation, ERR_UNPARSABLE_TRACKER,
		"%s: asked for the bugs that changed, Bugzilla answered %s", conversation->base_url,
		why);
}

static long last_id(const struct conversation *conversation)
{
	unsigned count = conversation->change_count;
	return count > 0 ? strtol(conversation->changes[count - 1].remote_id, NULL, 10) : 0;
}

/* Adds ITEM to the changes if it comes after LAST; its id, or 0 after a failure. */
static long hear_item(struct conversation *conversation, struct json_object *item, long last)
{
	char *id = json_text_of(conversation, item, "id");
	char *time = json_text_of(conversation, item, "last_change_time");
	moment at;
	if (id == NULL || !conversation->tracker->valid_id(id) || time == NULL ||
		!moment_parse(time, &at)) {
		give_up(conversation, "with one that has no id or no last_change_time");
		return 0;
	}
	if (at + tolerance < conversation->since) {
		give_up(conversation, "with older ones: it ignores last_change_time");
		return 0;
	}
	long number = strtol(id, NULL, 10);
	if (number > last)
		conversation_change(conversation, id, at);
	talloc_free(id);
	talloc_free(time);
	return number;
}

static bool read_page(
	struct conversation *conversation, struct json_object *bugs, struct page *page)
{
	long last = last_id(conversation), before = 0;
	unsigned known = conversation->change_count;
	page->count = json_object_array_length(bugs);
	page->in_order = true;
	page->joined = last == 0;
	for (size_t i = 0; i < page->count && i <= PAGE; i++) {
		struct json_object *item = json_object_array_get_idx(bugs, i);
		long id = hear_item(conversation, item, last);
		if (id == 0)
			return false;
		if (id <= before)
			page->in_order = false;
		if (i == 0 && id <= last)
			page->joined = true;
		before = id;
	}
	page->fresh = conversation->change_count > known;
	return true;
}

/* Goes on after PAGE, the first or a later one; KNOWN bugs were there before it. */
static void go_on(struct conversation *conversation, const struct page *page, unsigned known)
{
	bool cut = page->count >= PAGE || (page->count > 0 && page->count % ROUND == 0);
	if (page->count > PAGE)
		give_up(conversation, "with more of them than a page has");
	else if (!page->in_order && (cut || known > 0))
		give_up(conversation, "with pages that are not in the order of ids");
	else if (!page->joined)
		give_up(conversation, "with pages that do not join; the list moved");
	else if (!page->fresh && page->count > 1 && page->count >= known)
		give_up(conversation, "with the same page again");
	else if (cut && page->fresh && page->number >= MOST_PAGES)
		give_up(conversation, "with pages that do not end");
	else if (cut && page->fresh)
		ask_page(conversation, page->number + 1);
}

/* The server's clock; where its answer does not say, as the probe found it. */
static moment clock_of(const struct conversation *conversation, const struct exchange *exchange)
{
	if (exchange->date != 0)
		return exchange->date;
	return conversation->now + conversation->server->skew_s * MOMENT_SECOND;
}

void bugzilla_hear_changes(struct conversation *conversation, struct exchange *exchange)
{
	struct json_object *bugs = answer_bugs(exchange);
	unsigned known = conversation->change_count;
	struct page page = {.number = *(unsigned *)exchange->memo};
	if (conversation->until == 0)
		conversation->until = clock_of(conversation, exchange);
	if (bugs == NULL)
		answer_fail(conversation, exchange);
	else if (read_page(conversation, bugs, &page))
		go_on(conversation, &page, known);
	if (conversation->err.kind != ERR_NONE)
		conversation->until = 0;
}
