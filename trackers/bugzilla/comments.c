/* Bugzilla's comments: of several bugs in one question, from a moment on. */
#include "trackers/bugzilla/answer.h"
#include "trackers/bugzilla/pages.h"
#include "trackers/bugzilla/question.h"
#include "trackers/json.h"
#include "trackers/text.h"

#include <string.h>
#include <talloc.h>

/*
 * What is known of a bug's comments says how many bugs may share a question. Servers take about 3 ms a
 * bug.
 */
enum talk { TALK_LONG, TALK_SHORT, TALK_UNKNOWN };

static const unsigned batches[] = {[TALK_LONG] = 100, [TALK_SHORT] = 50, [TALK_UNKNOWN] = 20};

/* So many comments are read anew with every change, which shows as well what is no longer there. */
enum { SHORT_TALK = 20 };

/*
 * What is stored is asked for again where it is this new: `new_since` leaves out what was said in its
 * own second, and the database keeps local time, in which an hour comes twice a year.
 */
static const moment overlap = 7200 * MOMENT_SECOND;

/* Before 4.4 comments have no `count`, before 4.0 they have an `author`. */
static const char fields[] = "count,creator,time,text,is_private",
		  old_fields[] = "id,creator,author,time,text,is_private";
static const char numbers[] = "count,is_private", old_numbers[] = "id,is_private";

static const char page_fields[] = "bug_id,long_desc,group";

/* ---- questions ---- */

/* Pages always bring all. Before 3.6 `new_since` is taken as a time of the server's own zone. */
static enum talk talk_of(const struct conversation *conversation, const struct wanted *wanted)
{
	if (wanted->newest_comment < 0 || wanted->newest_posted_at == 0 ||
		pages_are_door(conversation) || bugzilla_is_older(conversation, 3, 6))
		return TALK_UNKNOWN;
	return wanted->newest_comment < SHORT_TALK ? TALK_SHORT : TALK_LONG;
}

/* From when on the comments of all these bugs are wanted; 0 for all that was ever said. */
static moment since(const struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	moment oldest = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct wanted *bug = &conversation->wanted[wanted[i]];
		if (talk_of(conversation, bug) != TALK_LONG)
			return 0;
		if (i == 0 || bug->newest_posted_at < oldest)
			oldest = bug->newest_posted_at;
	}
	return oldest - overlap;
}

static void ask_service(struct conversation *conversation, enum bugzilla_purpose purpose,
	const char *words, moment from, const unsigned *wanted, unsigned count)
{
	struct json_object *parameters = json_object_new_object();
	json_object_object_add(parameters, "ids", bugzilla_ids(conversation, wanted, count));
	json_object_object_add(parameters, "include_fields", bugzilla_words(words));
	if (from != 0)
		json_object_object_add(
			parameters, "new_since", bugzilla_moment(conversation, from));
	bugzilla_call(
		conversation, purpose, "Bug.comments", "bug/*/comment", parameters, wanted, count);
}

static void ask_comments(struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	bool old = bugzilla_is_older(conversation, 4, 4);
	if (pages_are_door(conversation))
		pages_ask_bugs(conversation, ASK_COMMENTS, page_fields, wanted, count);
	else
		ask_service(conversation, ASK_COMMENTS, old ? old_fields : fields,
			since(conversation, wanted, count), wanted, count);
}

/* What is new of a long talk does not say what is no longer there: the numbers of all do. */
static void ask_numbers(struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	bool old = bugzilla_is_older(conversation, 4, 4);
	if (count > 0)
		ask_service(
			conversation, ASK_NUMBERS, old ? old_numbers : numbers, 0, wanted, count);
}

static void ask(
	struct conversation *conversation, int purpose, const unsigned *wanted, unsigned count)
{
	if (purpose == ASK_NUMBERS)
		ask_numbers(conversation, wanted, count);
	else
		ask_comments(conversation, wanted, count);
}

static void ask_halves(struct conversation *conversation, const struct exchange *exchange)
{
	unsigned count = exchange->wanted_count, *wanted = exchange->wanted;
	ask(conversation, exchange->purpose, wanted, count / 2);
	ask(conversation, exchange->purpose, wanted + count / 2, count - count / 2);
}

/* An answer names bugs by their numbers: one that is known by its alias is asked for alone. */
static void ask_batches(struct conversation *conversation, enum talk talk)
{
	unsigned *bugs = talloc_array(NULL, unsigned, conversation->wanted_count), total = 0;
	for (unsigned i = 0; i < conversation->wanted_count; i++) {
		const struct wanted *bug = &conversation->wanted[i];
		if (conversation_observed(conversation, i) || talk_of(conversation, bug) != talk)
			continue;
		if (bugzilla_is_number(bug->remote_id))
			bugs[total++] = i;
		else
			ask_comments(conversation, &i, 1);
	}
	for (unsigned from = 0, count; from < total; from += count) {
		count = bugzilla_fitting(conversation, bugs + from, total - from, batches[talk],
			strlen("ids=&"), sizeof(fields));
		ask_comments(conversation, bugs + from, count);
	}
	talloc_free(bugs);
}

void bugzilla_begin_comments(struct conversation *conversation)
{
	ask_batches(conversation, TALK_LONG);
	ask_batches(conversation, TALK_SHORT);
	ask_batches(conversation, TALK_UNKNOWN);
}

/* ---- answers ---- */

static int64_t number_of(struct json_object *item)
{
	struct json_object *number = json_member(item, "count", json_type_int);
	if (number == NULL)
		number = json_member(item, "id", json_type_int);
	return number != NULL ? json_object_get_int64(number) : -1;
}

static bool is_for_all(const struct conversation *conversation, struct json_object *item)
{
	struct json_object *private = json_member(item, "is_private", json_type_boolean);
	return !json_object_get_boolean(private) || conversation_stores_private(conversation);
}

/* Adds the number of the comment that ITEM is; false where it is no comment. */
static bool add_number(struct conversation *conversation, unsigned wanted, struct json_object *item)
{
	int64_t number = number_of(item);
	if (number >= 0 && is_for_all(conversation, item))
		conversation_comment(conversation, wanted, number);
	return number >= 0;
}

/* Adds the comment that ITEM is, unless it is private; false where it is no comment. */
static bool add_comment(
	struct conversation *conversation, unsigned wanted, struct json_object *item)
{
	struct json_object *text = json_member(item, "text", json_type_string);
	char *time = json_text_of(conversation, item, "time");
	moment posted = 0;
	if (number_of(item) < 0 || text == NULL || time == NULL ||
		!answer_moment(conversation, time, &posted))
		return false;
	if (!is_for_all(conversation, item))
		return true;
	struct comment *comment = conversation_comment(conversation, wanted, number_of(item));
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

/* Adds what LIST holds by ADD; false where that is not what Bugzilla sends there. */
static bool add_list(struct conversation *conversation, unsigned wanted, struct json_object *list,
	bool (*add)(struct conversation *, unsigned, struct json_object *))
{
	bool good = true;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		good = add(conversation, wanted, json_object_array_get_idx(list, i)) && good;
	return good;
}

/*
 * A comment that turned public has an old number: all that came are added. False where the numbers of
 * all that there are must still be asked for.
 */
static bool add_comments(struct conversation *conversation, const struct exchange *exchange,
	unsigned wanted, struct json_object *bugs)
{
	const char *id = conversation->wanted[wanted].remote_id;
	struct json_object *bug = bug_of(bugs, id);
	struct json_object *list = json_member(bug, "comments", json_type_array);
	bool closed = answer_is_private(bug) && !conversation_stores_private(conversation);
	bool told = exchange->purpose == ASK_NUMBERS ||
		since(conversation, exchange->wanted, exchange->wanted_count) == 0;
	if (list == NULL)
		conversation_observe_error(conversation, wanted, ERR_COMMENTS_FAILED,
			"bug %s: the answer has no list of its comments", id);
	else if (!closed &&
		!add_list(conversation, wanted, list,
			exchange->purpose == ASK_NUMBERS ? add_number : add_comment))
		conversation_observe_error(conversation, wanted, ERR_COMMENTS_FAILED,
			"bug %s: a comment is not what Bugzilla sends there", id);
	else if (told)
		conversation_observe(conversation, wanted)->whole = true;
	return conversation_observed(conversation, wanted);
}

/* Adds what came of the bugs of EXCHANGE, and asks for the numbers of those that need it. */
static void add_all(
	struct conversation *conversation, struct exchange *exchange, struct json_object *bugs)
{
	unsigned *wanted = exchange->wanted, count = exchange->wanted_count, left = 0;
	unsigned *untold = talloc_array(exchange, unsigned, count);
	for (unsigned i = 0; i < count; i++)
		if (!add_comments(conversation, exchange, wanted[i], bugs))
			untold[left++] = wanted[i];
	ask_numbers(conversation, untold, left);
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
		ask_halves(conversation, exchange);
		return;
	}
	conversation_observe_error(conversation, wanted[bad], ERR_COMMENTS_FAILED, "bug %s: %s",
		conversation->wanted[wanted[bad]].remote_id, words);
	memmove(wanted + bad, wanted + bad + 1, (count - bad - 1) * sizeof(*wanted));
	if (count > 1)
		ask(conversation, exchange->purpose, wanted, count - 1);
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
		ask_halves(conversation, exchange);
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
		add_all(conversation, exchange, bugs);
}
