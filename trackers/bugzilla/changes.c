/*
 * Which bugs changed: a search by last_change_time, read page by page in the order of ids. While pages
 * are read bugs come into the list, which only moves the others to later pages; but one that turned
 * private leaves it, and moves one that was never seen to an earlier page. So each page begins with
 * the bug that the page before ended with.
 */
#include "trackers/bugzilla/answer.h"
#include "trackers/bugzilla/pages.h"
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
	/* Sites that cut blindly cut at 10,000, less those that are not for us. */
	BLIND_PAGE = 100000,
	BLIND_CUT = 1000,
};

/* The database keeps local time: in the hour that comes twice a year, times are an hour off. */
static const moment tolerance = 7200 * MOMENT_SECOND;

#define HOUR (3600 * MOMENT_SECOND)

/* Where all watched bugs are asked for by their numbers, the aliases of others do not matter. */
static const char fields[] = "id,alias,last_change_time",
		  fields_of_numbers[] = "id,last_change_time";

/* How far the pages were read. */
struct reading {
	unsigned pages, seen; /* bugs, without those that came twice */
	long last; /* id */
};

/* ---- questions ---- */

/* The watched bugs where they fit into one question, else NULL. An alias does not. */
static struct json_object *watched_ids(const struct conversation *conversation)
{
	unsigned count = conversation->wanted_count, *all = talloc_array(NULL, unsigned, count);
	bool fit = count > 0;
	for (unsigned i = 0; i < count; i++) {
		all[i] = i;
		fit = fit && bugzilla_is_number(conversation->wanted[i].remote_id);
	}
	fit = fit &&
		bugzilla_fitting(conversation, all, count, BUGZILLA_BATCH_SIZE, strlen(","), 128) ==
			count;
	struct json_object *ids = fit ? bugzilla_ids(conversation, all, count) : NULL;
	talloc_free(all);
	return ids;
}

/*
 * Up to 4.4 a search takes no order (it is that of ids), and cuts before it leaves out what is not
 * for us: there it is asked for without a limit.
 */
static bool cuts_blindly(const struct conversation *conversation)
{
	return bugzilla_is_older(conversation, 5, 0);
}

/* Asks for the page that begins with the last bug that is known to have changed. */
static void ask_page(struct conversation *conversation, const struct reading *reading)
{
	struct json_object *parameters = json_object_new_object();
	struct json_object *ids = watched_ids(conversation);
	if (ids != NULL)
		json_object_object_add(parameters, "id", ids);
	json_object_object_add(
		parameters, "last_change_time", bugzilla_moment(conversation, conversation->since));
	json_object_object_add(parameters, "include_fields",
		bugzilla_words(ids != NULL ? fields_of_numbers : fields));
	if (!cuts_blindly(conversation)) {
		json_object_object_add(parameters, "order", json_object_new_string("bug_id"));
		json_object_object_add(parameters, "limit", json_object_new_int64(PAGE));
	} else if (reading->seen > 0) {
		json_object_object_add(parameters, "limit", json_object_new_int64(BLIND_PAGE));
	}
	if (reading->seen > 0)
		json_object_object_add(
			parameters, "offset", json_object_new_int64(reading->seen - 1));
	struct exchange *exchange =
		bugzilla_call(conversation, ASK_CHANGES, "Bug.search", "bug", parameters, NULL, 0);
	exchange->memo = talloc_memdup(exchange, reading, sizeof(*reading));
}

/*
 * The same of lists. Their clock is the server's, and the zones that it may have been in since then
 * differ by two hours at most.
 */
static void ask_list(struct conversation *conversation, const struct reading *reading)
{
	int64_t skew = conversation->server->skew_s * MOMENT_SECOND;
	int64_t ago = conversation->now + skew - conversation->since + tolerance;
	struct json_object *ids = watched_ids(conversation);
	struct exchange *exchange = pages_ask_changed(
		conversation, ids, ago > HOUR ? (ago + HOUR - 1) / HOUR : 1, reading->last);
	json_object_put(ids);
	exchange->memo = talloc_memdup(exchange, reading, sizeof(*reading));
}

void bugzilla_begin_changes(struct conversation *conversation)
{
	struct reading first = {.pages = 1};
	if (pages_are_door(conversation))
		ask_list(conversation, &first);
	else
		ask_page(conversation, &first);
}

/* ---- answers ---- */

/* What a page holds. */
struct page {
	size_t count, most;
	bool in_order, joined; /* it goes on where the page before ended */
	unsigned fresh; /* bugs that no page before had */
};

static void give_up(struct conversation *conversation, const char *why)
{
	conversation_fail(conversation, ERR_UNPARSABLE_TRACKER,
		"%s: asked for the bugs that changed, Bugzilla answered %s", conversation->base_url,
		why);
}

/* Adds each of the aliases in TEXT, apart by commas and blanks. */
static void add_aliases(struct conversation *conversation, const char *text, moment at)
{
	char *rest, *copy = talloc_strdup(NULL, text != NULL ? text : "");
	for (char *alias = strtok_r(copy, ", ", &rest); alias != NULL;
		alias = strtok_r(NULL, ", ", &rest))
		if (conversation->tracker->valid_id(alias))
			conversation_change(conversation, alias, at);
	talloc_free(copy);
}

/* Adds ITEM to the changes, by its number and its aliases: a list from 5.0 on, before that a text. */
static void add(
	struct conversation *conversation, const char *id, struct json_object *item, moment at)
{
	struct json_object *list = json_member(item, "alias", json_type_array);
	char *text = json_text_of(conversation, item, "alias");
	conversation_change(conversation, id, at);
	add_aliases(conversation, text, at);
	for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++)
		add_aliases(conversation,
			json_object_get_string(json_object_array_get_idx(list, i)), at);
	talloc_free(text);
}

/* Adds ITEM to the changes if it comes after LAST; its id, or 0 after a failure. */
static long hear_item(struct conversation *conversation, struct json_object *item, long last)
{
	char *id = json_text_of(conversation, item, "id");
	char *time = json_text_of(conversation, item, "last_change_time");
	moment at;
	if (id == NULL || !bugzilla_is_number(id) || !conversation->tracker->valid_id(id) ||
		time == NULL || !moment_parse(time, &at)) {
		give_up(conversation, "with one that has no id or no last_change_time");
		return 0;
	}
	if (at + tolerance < conversation->since) {
		give_up(conversation, "with older ones: it ignores last_change_time");
		return 0;
	}
	long number = strtol(id, NULL, 10);
	if (number > last)
		add(conversation, id, item, at);
	talloc_free(id);
	talloc_free(time);
	return number;
}

/* Reads a page into PAGE and READING, which then goes up to its end. */
static bool read_page(struct conversation *conversation, struct json_object *bugs,
	struct page *page, struct reading *reading)
{
	long before = 0, last = reading->last;
	page->count = json_object_array_length(bugs);
	page->in_order = true;
	page->joined = last == 0;
	for (size_t i = 0; i < page->count && i <= page->most; i++) {
		struct json_object *item = json_object_array_get_idx(bugs, i);
		long id = hear_item(conversation, item, last);
		if (id == 0)
			return false;
		if (id <= before)
			page->in_order = false;
		if (i == 0 && id <= last)
			page->joined = true;
		if (id > last) {
			page->fresh++;
			reading->last = id > reading->last ? id : reading->last;
		}
		before = id;
	}
	return true;
}

/* Whether PAGE may have been cut. */
static bool is_cut(const struct conversation *conversation, const struct page *page)
{
	if (cuts_blindly(conversation))
		return page->count >= BLIND_CUT;
	return page->count >= PAGE || (page->count > 0 && page->count % ROUND == 0);
}

/* Goes on after PAGE, the first or a later one; READING goes up to its end. */
static void go_on(
	struct conversation *conversation, const struct page *page, struct reading *reading)
{
	bool cut = is_cut(conversation, page);
	unsigned known = reading->seen;
	reading->seen += page->fresh;
	if (page->count > page->most)
		give_up(conversation, "with more of them than a page has");
	else if (!page->in_order && (cut || known > 0))
		give_up(conversation, "with pages that are not in the order of ids");
	else if (!page->joined)
		give_up(conversation, "with pages that do not join; the list moved");
	else if (page->fresh == 0 && page->count > 1 && page->count >= known)
		give_up(conversation, "with the same page again");
	else if (cut && page->fresh > 0 && reading->pages >= MOST_PAGES)
		give_up(conversation, "with pages that do not end");
	else if (cut && page->fresh > 0) {
		reading->pages++;
		ask_page(conversation, reading);
	}
}

/* The server's clock; where its answer does not say, as the probe found it. */
static moment clock_of(const struct conversation *conversation, const struct exchange *exchange)
{
	if (exchange->date != 0)
		return exchange->date;
	return conversation->now + conversation->server->skew_s * MOMENT_SECOND;
}

/* The list has no times that mean anything; what comes after it begins after its last bug. */
static void hear_list(
	struct conversation *conversation, struct json_object *bugs, struct reading *reading)
{
	size_t count = json_object_array_length(bugs);
	long before = reading->last;
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(bugs, i);
		char *id = json_text_of(conversation, item, "id");
		if (id == NULL || !bugzilla_is_number(id) || !conversation->tracker->valid_id(id)) {
			give_up(conversation, "with one that has no id");
			return;
		}
		reading->last = strtol(id, NULL, 10);
		if (reading->last <= before) {
			give_up(conversation, "with a list that is not in the order of ids");
			return;
		}
		add(conversation, id, item, 0);
		before = reading->last;
		talloc_free(id);
	}
	if (count >= BLIND_CUT && reading->pages++ >= MOST_PAGES)
		give_up(conversation, "with lists that do not end");
	else if (count >= BLIND_CUT)
		ask_list(conversation, reading);
}

void bugzilla_hear_changes(struct conversation *conversation, struct exchange *exchange)
{
	struct json_object *bugs = answer_bugs(exchange);
	struct reading reading = *(struct reading *)exchange->memo;
	struct page page = {.most = cuts_blindly(conversation) ? BLIND_PAGE : PAGE};
	if (conversation->until == 0)
		conversation->until = clock_of(conversation, exchange);
	if (bugs == NULL)
		answer_fail(conversation, exchange);
	else if (pages_are_door(conversation))
		hear_list(conversation, bugs, &reading);
	else if (read_page(conversation, bugs, &page, &reading))
		go_on(conversation, &page, &reading);
	if (conversation->err.kind != ERR_NONE)
		conversation->until = 0;
}
