/*
 * Comments: an issue's own text is number 0, the others go by their ids, which rise. Pages are read in
 * the order of ids; one that is deleted meanwhile moves those behind it to earlier pages, so each page
 * is one shorter than the one before and begins with the end of it.
 */
#include "trackers/github/api.h"
#include "trackers/json.h"
#include "trackers/text.h"
#include "trackers/tracker.h"

#include <talloc.h>

/* GitHub takes 2,500 comments on an issue at most; 50 such pages hold 2,550. */
enum { MOST_PAGES = 50 };

/* How far the comments of one issue were read; goes from page to page. */
struct reading {
	unsigned page;
	int64_t last; /* the number of the last comment that was read */
};

/* Comments are stored by the second in which they were made, and clocks differ a little. */
static const moment overlap = 60 * MOMENT_SECOND;

/* ---- questions ---- */

static void ask_page(
	struct conversation *conversation, unsigned wanted, const struct reading *reading)
{
	const struct wanted *bug = &conversation->wanted[wanted];
	char *path = talloc_asprintf(NULL, "/comments?per_page=%u&page=%u",
		GITHUB_PAGE + 1 - reading->page, reading->page);
	char since[MOMENT_TEXT];
	if (bug->newest_comment >= 0 && bug->newest_posted_at != 0)
		path = talloc_asprintf_append(
			path, "&since=%s", moment_format(bug->newest_posted_at - overlap, since));
	struct exchange *exchange = github_ask_issue(conversation, ASK_COMMENTS, wanted, path);
	exchange->memo = talloc_memdup(exchange, reading, sizeof(*reading));
	talloc_free(path);
}

void github_begin_comments(struct conversation *conversation)
{
	static const struct reading first = {.page = 1};
	for (unsigned i = 0; i < conversation->wanted_count; i++)
		if (conversation->wanted[i].newest_comment < 0)
			github_ask_issue(conversation, ASK_TEXT, i, "");
		else
			ask_page(conversation, i, &first);
}

/* ---- answers ---- */

static void give_up(struct conversation *conversation, unsigned wanted, const char *why)
{
	conversation_observe_error(conversation, wanted, ERR_COMMENTS_FAILED, "issue %s: %s",
		conversation->wanted[wanted].remote_id, why);
}

/* An answer that is not good is of this issue alone, or of the tracker. */
static void hear_refusal(struct conversation *conversation, struct exchange *exchange)
{
	const char *why;
	if (github_says_missing(exchange, &why))
		give_up(conversation, exchange->wanted[0], why);
	else if (exchange->failure.kind == ERR_TOO_LARGE)
		give_up(conversation, exchange->wanted[0], "its comments are too large");
	else
		github_fail(conversation, exchange);
}

/* Adds ITEM as comment NUMBER; false where it is none. One without a text is left out. */
static bool add_comment(struct conversation *conversation, unsigned wanted, int64_t number,
	struct json_object *item)
{
	struct json_object *body = json_member(item, "body", json_type_string);
	char *created = json_text_of(conversation, item, "created_at");
	moment posted;
	if (created == NULL || !moment_parse(created, &posted))
		return false;
	if (body == NULL || json_object_get_string_len(body) == 0)
		return true;
	struct comment *comment = conversation_comment(conversation, wanted, number);
	comment->author =
		json_text_of(conversation, json_member(item, "user", json_type_object), "login");
	comment->posted_at = posted;
	comment->text = text_clean(conversation, json_object_get_string(body),
		(size_t)json_object_get_string_len(body), COMMENT_LIMIT);
	return true;
}

void github_hear_text(struct conversation *conversation, struct exchange *exchange)
{
	static const struct reading first = {.page = 1};
	unsigned wanted = exchange->wanted[0];
	struct json_object *item = github_document(conversation, exchange, json_type_object);
	struct json_object *count = json_member(item, "comments", json_type_int);
	if (item == NULL)
		hear_refusal(conversation, exchange);
	else if (github_number(item) != github_wanted_number(conversation, wanted))
		give_up(conversation, wanted, "it was transferred");
	else if (count == NULL || !add_comment(conversation, wanted, 0, item))
		give_up(conversation, wanted, "its text is not what GitHub sends there");
	else if (json_object_get_int64(count) > 0)
		ask_page(conversation, wanted, &first);
	else
		conversation_observe(conversation, wanted);
}

/* Adds the comments of a page; why not, or NULL. */
static const char *hear_page(struct conversation *conversation, unsigned wanted,
	struct json_object *items, struct reading *reading)
{
	size_t count = json_object_array_length(items);
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(items, i);
		struct json_object *id = json_member(item, "id", json_type_int);
		int64_t number = id != NULL ? json_object_get_int64(id) : 0;
		if (number <= 0 || number == INT64_MAX)
			return "a comment is not what GitHub sends there";
		if (i == 0 && reading->page > 1 && number > reading->last)
			return "comments went away while they were read";
		if (number <= reading->last)
			continue;
		if (!add_comment(conversation, wanted, number, item))
			return "a comment is not what GitHub sends there";
		reading->last = number;
	}
	return NULL;
}

void github_hear_comments(struct conversation *conversation, struct exchange *exchange)
{
	unsigned wanted = exchange->wanted[0];
	struct reading reading = *(struct reading *)exchange->memo;
	struct json_object *items = github_document(conversation, exchange, json_type_array);
	if (items == NULL) {
		hear_refusal(conversation, exchange);
		return;
	}
	int64_t before = reading.last;
	const char *why = hear_page(conversation, wanted, items, &reading);
	bool more = github_has_next(exchange);
	if (why == NULL && more && (reading.last == before || ++reading.page > MOST_PAGES))
		why = "its pages of comments do not end";
	if (why != NULL)
		give_up(conversation, wanted, why);
	else if (more)
		ask_page(conversation, wanted, &reading);
	else
		conversation_observe(conversation, wanted);
}
