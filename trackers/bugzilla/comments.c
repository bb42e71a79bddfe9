/* Bugzilla's comments: of several bugs in one question, from a moment on. */
#include "trackers/bugzilla/answer.h"
#include "trackers/bugzilla/pages.h"
#include "trackers/bugzilla/question.h"
#include "trackers/json.h"
#include "trackers/text.h"

#include <string.h>
#include <talloc.h>

/*
 * Servers take about 3 ms a bug for comments. Bugs of which none is stored come with all they have.
 */
enum { BATCH = 100, WHOLE_BATCH = 20 };

/*
 * What is stored is asked for again where it is this new: `new_since` leaves out what was said in its
 * own second, and the database keeps local time, in which an hour comes twice a year.
 */
static const moment overlap = 7200 * MOMENT_SECOND;

/* Before 4.4 comments have no `count`, before 4.0 they have an `author`. */
static const char fields[] = "count,creator,time,text,is_private",
		  old_fields[] = "id,creator,author,time,text,is_private";

static const char page_fields[] = "bug_id,long_desc,group";

/* ---- questions ---- */

static bool has_none(const struct wanted *wanted)
{
	return wanted->newest_comment < 0 || wanted->newest_posted_at == 0;
}

/* From when on the comments of all these bugs are wanted; 0 for all that was ever said. */
static moment since(const struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	moment oldest = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct wanted *bug = &conversation->wanted[wanted[i]];
		if (has_none(bug))
			return 0;
		if (i == 0 || bug->newest_posted_at < oldest)
			oldest = bug->newest_posted_at;
	}
	return oldest - overlap;
}

/* Pages always bring all. Before 3.6 `new_since` is taken as a time of the server's own zone. */
static void ask_comments(struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	char text[MOMENT_TEXT];
	moment from = since(conversation, wanted, count);
	if (pages_are_door(conversation)) {
		pages_ask_bugs(conversation, ASK_COMMENTS, page_fields, wanted, count);
		return;
	}
	struct json_object *parameters = json_object_new_object();
	json_object_object_add(parameters, "ids", bugzilla_ids(conversation, wanted, count));
	json_object_object_add(parameters, "include_fields",
		bugzilla_words(bugzilla_is_older(conversation, 4, 4) ? old_fields : fields));
	if (from != 0 && !bugzilla_is_older(conversation, 3, 6))
		json_object_object_add(
			parameters, "new_since", json_object_new_string(moment_format(from, text)));
	bugzilla_call(conversation, ASK_COMMENTS, "Bug.comments", "bug/*/comment", parameters,
		wanted, count);
}

static void ask_halves(struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	ask_comments(conversation, wanted, count / 2);
	ask_comments(conversation, wanted + count / 2, count - count / 2);
}

/* Asks for the bugs that have comments stored, or for those that have none. */
static void ask_batches(struct conversation *conversation, bool none, unsigned most)
{
	unsigned *bugs = talloc_array(NULL, unsigned, conversation->wanted_count), total = 0;
	for (unsigned i = 0; i < conversation->wanted_count; i++)
		if (has_none(&conversation->wanted[i]) == none)
			bugs[total++] = i;
	for (unsigned from = 0, count; from < total; from += count) {
		count = bugzilla_fitting(conversation, bugs + from, total - from, most,
			strlen("ids=&"), sizeof(fields));
		ask_comments(conversation, bugs + from, count);
	}
	talloc_free(bugs);
}

void bugzilla_begin_comments(struct conversation *conversation)
{
	ask_batches(conversation, false, pages_are_door(conversation) ? WHOLE_BATCH : BATCH);
	ask_batches(conversation, true, WHOLE_BATCH);
}

/* ---- answers ---- */

/* Adds the comment that ITEM is, unless it is private; false where it is no comment. */
static bool add_comment(
	struct conversation *conversation, unsigned wanted, struct json_object *item)
{
	struct json_object *number = json_member(item, "count", json_type_int);
	struct json_object *text = json_member(item, "text", json_type_string);
	char *time = json_text_of(conversation, item, "time");
	moment posted = 0;
	if (number == NULL)
		number = json_member(item, "id", json_type_int);
	if (number == NULL || json_object_get_int64(number) < 0 || text == NULL || time == NULL ||
		!answer_moment(conversation, time, &posted))
		return false;
	if (json_object_get_boolean(json_member(item, "is_private", json_type_boolean)))
		return true;
	struct comment *comment =
		conversation_comment(conversation, wanted, json_object_get_int64(number));
	comment->author = json_text_of(conversation, item, "creator");
	if (comment->author == NULL)
		comment->author = json_text_of(conversation, item, "author");
	comment->posted_at = posted;
	comment->text = text_clean(conversation, json_object_get_string(text),
		(size_t)json_object_get_string_len(text), COMMENT_LIMIT);
	return true;
}

/* What an answer says of the bug ID. One that was asked for by its alias comes by its number, alone. */
static struct json_object *bug_of(struct json_object *bugs, const char *id)
{
	struct json_object_iterator first = json_object_iter_begin(bugs);
	if (!bugzilla_is_number(id) && json_object_object_length(bugs) == 1)
		id = json_object_iter_peek_name(&first);
	return json_member(bugs, id, json_type_object);
}

/* A comment that turned public has an old number: all that came are added. */
static void add_comments(
	struct conversation *conversation, unsigned wanted, struct json_object *bugs)
{
	const char *id = conversation->wanted[wanted].remote_id;
	struct json_object *bug = bug_of(bugs, id);
	struct json_object *list = json_member(bug, "comments", json_type_array);
	if (list == NULL) {
		conversation_observe_error(conversation, wanted, ERR_COMMENTS_FAILED,
			"bug %s: the answer has no list of its comments", id);
		return;
	}
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (!add_comment(conversation, wanted, json_object_array_get_idx(list, i)))
			conversation_observe_error(conversation, wanted, ERR_COMMENTS_FAILED,
				"bug %s: a comment is not what Bugzilla sends there", id);
	conversation_observe(conversation, wanted);
}

/* The bug that "Bug #7 does not exist." names, an index in WANTED; COUNT where it names none. */
static unsigned named_bug(const struct conversation *conversation, const char *words,
	const unsigned *wanted, unsigned count)
{
	const char *name = strchr(words, '#');
	size_t digits = name != NULL ? strspn(name + 1, "0123456789") : 0;
	for (unsigned i = 0; digits > 0 && i < count; i++) {
		const char *id = conversation->wanted[wanted[i]].remote_id;
		if (strlen(id) == digits && strncmp(name + 1, id, digits) == 0)
			return i;
	}
	return count;
}

/* One bug that is missing or private fails the whole question: the others are asked for anew. */
static void drop_bug(struct conversation *conversation, struct exchange *exchange)
{
	const char *words = answer_words(exchange);
	unsigned *wanted = exchange->wanted, count = exchange->wanted_count;
	unsigned bad = count > 1 ? named_bug(conversation, words, wanted, count) : 0;
	if (bad == count) {
		ask_halves(conversation, wanted, count);
		return;
	}
	conversation_observe_error(conversation, wanted[bad], ERR_COMMENTS_FAILED, "bug %s: %s",
		conversation->wanted[wanted[bad]].remote_id, words);
	memmove(wanted + bad, wanted + bad + 1, (count - bad - 1) * sizeof(*wanted));
	if (count > 1)
		ask_comments(conversation, wanted, count - 1);
}

static bool is_about_one_bug(const struct exchange *exchange)
{
	enum code code = answer_code(exchange);
	return code == CODE_NO_BUG || code == CODE_NO_ACCESS || code == CODE_INVALID_ID;
}

static struct json_object *bugs_of(const struct exchange *exchange)
{
	if (!exchange_good(exchange, NULL) || answer_code(exchange) != CODE_NONE)
		return NULL;
	return json_member(exchange->json, "bugs", json_type_object);
}

/*
 * Whether there is no such door: it is missing, without a word of Bugzilla's own, or whatever stands
 * in for Bugzilla answers every question below it as a search.
 */
static bool gives_none(const struct exchange *exchange)
{
	int status = exchange->status;
	if (answer_code(exchange) != CODE_NONE)
		return false;
	return status == 404 || status == 405 || status == 410 || status == 501 ||
		(exchange_good(exchange, NULL) &&
			json_member(exchange->json, "bugs", json_type_array) != NULL);
}

void bugzilla_hear_comments(struct conversation *conversation, struct exchange *exchange)
{
	bool too_large = exchange->failure.kind == ERR_TOO_LARGE;
	struct json_object *bugs = bugs_of(exchange);
	unsigned count = exchange->wanted_count;
	if ((exchange->status == 414 || too_large) && count > 1)
		ask_halves(conversation, exchange->wanted, count);
	else if (too_large)
		conversation_observe_error(conversation, exchange->wanted[0], ERR_COMMENTS_FAILED,
			"bug %s: its comments are too many for one answer",
			conversation->wanted[exchange->wanted[0]].remote_id);
	else if (is_about_one_bug(exchange))
		drop_bug(conversation, exchange);
	else if (gives_none(exchange))
		conversation_fail(conversation, ERR_UNSUPPORTED_TRACKER, "%s gives no comments",
			conversation->base_url);
	else if (bugs == NULL)
		answer_fail(conversation, exchange);
	else
		for (unsigned i = 0; i < count; i++)
			add_comments(conversation, exchange->wanted[i], bugs);
}
