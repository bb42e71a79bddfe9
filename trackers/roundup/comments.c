/* Comments: first which messages the issues have, then the messages that are new. */
#include "trackers/json.h"
#include "trackers/roundup/rest.h"
#include "trackers/text.h"
#include "trackers/tracker.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

/* How many messages are asked for at once; and how many items a bug or message asked for is worth. */
enum { STEP = 100, ITEMS_EACH = 10 };

/* A message of a bug. */
struct message {
	int64_t number;
	unsigned wanted;
};

/* The messages that are yet to be read, those of a bug side by side; goes from question to question. */
struct reading {
	struct message *messages;
	unsigned count, next, step;
};

static const char ids_query[] = "@fields=messages&@verbose=0&@pretty=false";

void roundup_begin_comments(struct conversation *conversation)
{
	roundup_ask_all(conversation, ASK_MESSAGE_IDS, ids_query);
}

/* The item of ITEMS with this id, or NULL. A server that sends far too many must not hold the loop. */
static struct json_object *find(struct json_object *items, const char *id, size_t asked)
{
	size_t count = json_object_array_length(items);
	for (size_t i = 0; i < count && i < ITEMS_EACH * asked; i++) {
		struct json_object *item = json_object_array_get_idx(items, i);
		char *text = json_text_of(NULL, item, "id");
		bool found = text != NULL && strcmp(text, id) == 0;
		talloc_free(text);
		if (found)
			return item;
	}
	return NULL;
}

/* How many messages the next question is for. */
static unsigned step_of(const struct reading *reading)
{
	unsigned left = reading->count - reading->next;
	return left < reading->step ? left : reading->step;
}

/* Asks for the next messages, if there are more; READING then belongs to the question. */
static void ask_messages(struct conversation *conversation, struct reading *reading)
{
	unsigned count = step_of(reading);
	if (count == 0) {
		talloc_free(reading);
		return;
	}
	char *url = talloc_asprintf(NULL, "%srest/data/msg?", conversation->base_url);
	for (unsigned i = 0; i < count; i++)
		url = talloc_asprintf_append_buffer(
			url, "id=%lld&", (long long)reading->messages[reading->next + i].number);
	url = talloc_asprintf_append_buffer(
		url, "@fields=author.username,date,content&@verbose=3&@pretty=false");
	struct exchange *exchange = roundup_ask(conversation, ASK_MESSAGES, url);
	exchange->memo = talloc_steal(exchange, reading);
}

/* ---- which messages ---- */

static int compare_numbers(const void *a, const void *b)
{
	const struct message *left = a, *right = b;
	return (left->number > right->number) - (left->number < right->number);
}

/* The number of a message in an issue's list; 0 for what is none. */
static int64_t number_of(const struct conversation *conversation, struct json_object *item)
{
	bool plain = json_object_is_type(item, json_type_string) ||
		json_object_is_type(item, json_type_int);
	const char *text = plain ? json_object_get_string(item) : "";
	return conversation->tracker->valid_id(text) ? strtoll(text, NULL, 10) : 0;
}

/* Adds the messages in LIST that are newer than what is stored; false where LIST has something else. */
static bool add_messages(const struct conversation *conversation, struct reading *reading,
	unsigned wanted, struct json_object *list)
{
	size_t listed = json_object_array_length(list);
	unsigned first = reading->count;
	reading->messages = talloc_realloc(
		reading, reading->messages, struct message, first + (unsigned)listed + 1);
	for (size_t i = 0; i < listed; i++) {
		int64_t number = number_of(conversation, json_object_array_get_idx(list, i));
		if (number == 0) {
			reading->count = first;
			return false;
		}
		if (number > conversation->wanted[wanted].newest_comment)
			reading->messages[reading->count++] = (struct message){number, wanted};
	}
	/* They come sorted as texts: 100 before 99. */
	qsort(reading->messages + first, reading->count - first, sizeof(struct message),
		compare_numbers);
	return true;
}

static void hear_issue(struct conversation *conversation, struct reading *reading, unsigned wanted,
	struct json_object *item)
{
	struct json_object *list = json_member(item, "messages", json_type_array);
	unsigned before = reading->count;
	/* A list that the login may not view is not mentioned: there are no comments for us. */
	if (!json_object_object_get_ex(item, "messages", NULL))
		conversation_observe(conversation, wanted);
	else if (list == NULL || !add_messages(conversation, reading, wanted, list))
		conversation_observe_error(conversation, wanted, ERR_COMMENTS_FAILED,
			"issue%s: its list of messages is not what Roundup sends there",
			conversation->wanted[wanted].remote_id);
	else if (reading->count == before)
		conversation_observe(conversation, wanted);
}

/* Hears of the issues in ITEMS; the others, *COUNT, are moved to the front of the question's. */
static void hear_issues(struct conversation *conversation, struct exchange *exchange,
	struct reading *reading, struct json_object *items, unsigned *count)
{
	*count = 0;
	for (unsigned i = 0; i < exchange->wanted_count; i++) {
		unsigned wanted = exchange->wanted[i];
		struct json_object *item =
			find(items, conversation->wanted[wanted].remote_id, exchange->wanted_count);
		if (item != NULL)
			hear_issue(conversation, reading, wanted, item);
		else
			exchange->wanted[(*count)++] = wanted;
	}
}

void roundup_hear_message_ids(struct conversation *conversation, struct exchange *exchange)
{
	struct json_object *items = roundup_data(exchange, "collection", json_type_array);
	if (items == NULL) {
		roundup_fail(conversation, exchange);
		return;
	}
	struct reading *reading = talloc_zero(conversation, struct reading);
	unsigned silent;
	reading->step = STEP;
	hear_issues(conversation, exchange, reading, items, &silent);
	if (roundup_was_cut(exchange) && silent < exchange->wanted_count && silent > 0)
		roundup_ask_issues(
			conversation, ASK_MESSAGE_IDS, exchange->wanted, silent, ids_query);
	else
		for (unsigned i = 0; i < silent; i++)
			conversation_observe_error(conversation, exchange->wanted[i],
				ERR_COMMENTS_FAILED, "issue%s: the tracker does not list it",
				conversation->wanted[exchange->wanted[i]].remote_id);
	ask_messages(conversation, reading);
}

/* ---- messages ---- */

/* Adds the comment that ITEM is; false where it is none. */
static bool add_comment(
	struct conversation *conversation, const struct message *message, struct json_object *item)
{
	struct json_object *content = json_member(item, "content", json_type_string);
	char *date = json_text_of(conversation, item, "date");
	moment posted = 0;
	if (content == NULL || (date != NULL && !moment_parse(date, &posted)))
		return false;
	struct comment *comment =
		conversation_comment(conversation, message->wanted, message->number);
	comment->author = json_text_of(conversation, item, "author.username");
	comment->posted_at = posted;
	comment->text = text_clean(conversation, json_object_get_string(content),
		(size_t)json_object_get_string_len(content), COMMENT_LIMIT);
	return true;
}

/* Messages that are gone or forbidden are left out, and are no comments of ours. */
static void hear_message(struct conversation *conversation, const struct message *message,
	struct json_object *items, size_t asked)
{
	char *id = talloc_asprintf(NULL, "%lld", (long long)message->number);
	struct json_object *item = find(items, id, asked);
	if (item != NULL && !add_comment(conversation, message, item))
		conversation_observe_error(conversation, message->wanted, ERR_COMMENTS_FAILED,
			"issue%s: msg%s is not what Roundup sends there",
			conversation->wanted[message->wanted].remote_id, id);
	talloc_free(id);
}

/* Hears COUNT messages, in ITEMS or, where that is NULL, too large to be read. */
static void hear_step(struct conversation *conversation, struct reading *reading,
	struct json_object *items, unsigned count)
{
	for (unsigned i = 0; i < count; i++, reading->next++) {
		const struct message *message = &reading->messages[reading->next];
		bool last =
			reading->next + 1 == reading->count || message[1].wanted != message->wanted;
		if (items == NULL)
			conversation_observe_error(conversation, message->wanted,
				ERR_COMMENTS_FAILED, "issue%s: msg%lld is too large",
				conversation->wanted[message->wanted].remote_id,
				(long long)message->number);
		else
			hear_message(conversation, message, items, count);
		if (last)
			conversation_observe(conversation, message->wanted);
	}
}

void roundup_hear_messages(struct conversation *conversation, struct exchange *exchange)
{
	struct reading *reading = talloc_steal(conversation, exchange->memo);
	struct json_object *items = roundup_data(exchange, "collection", json_type_array);
	bool too_large = exchange->failure.kind == ERR_TOO_LARGE;
	unsigned count = step_of(reading);
	if (items == NULL && !too_large) {
		roundup_fail(conversation, exchange);
		return;
	}
	if ((too_large || roundup_was_cut(exchange)) && count > 1)
		reading->step = count / 2;
	else
		hear_step(conversation, reading, items, count);
	ask_messages(conversation, reading);
}
