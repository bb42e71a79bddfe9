/* Comments: first which messages the issues have, then the messages that are new. */
#include "trackers/json.h"
#include "trackers/roundup/export.h"
#include "trackers/text.h"
#include "trackers/tracker.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

/* How many messages are asked for at once; and how many items a bug or message asked for is worth. */
enum { STEP = 100, ITEMS_EACH = 10, AUTHORS = 500 };

/* A message of a bug. */
struct message {
	int64_t number;
	unsigned wanted;
};

/* The messages that are yet to be read, those of a bug side by side; goes from question to question. */
struct reading {
	struct message *messages;
	unsigned count, next, step;
	bool names_wanted; /* the authors' names are read after all messages; these wait for them */
	struct comment *kept;
	unsigned kept_count;
};

static const struct question ids_question = {.class_name = "issue", .fields = "messages"};

void roundup_begin_comments(struct conversation *conversation)
{
	roundup_ask_all(conversation, ASK_MESSAGE_IDS, &ids_question);
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

/* The id of the author of COMMENT whose name is not known, or NULL. */
static const char *nameless(const struct conversation *conversation, const struct comment *comment)
{
	size_t n = strlen(roundup_user);
	bool is_user = comment->author != NULL && strncmp(comment->author, roundup_user, n) == 0;
	const char *id = is_user ? comment->author + n : "";
	return conversation->tracker->valid_id(id) ? id : NULL;
}

static bool has_text(const char *const *texts, unsigned count, const char *text)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(texts[i], text) == 0)
			return true;
	return false;
}

static void add(struct conversation *conversation, const struct comment *comment)
{
	*conversation_comment(conversation, comment->wanted, comment->number) = *comment;
}

/* Adds what was kept. */
static void observe_all(struct conversation *conversation, const struct reading *reading)
{
	for (unsigned i = 0; i < reading->kept_count; i++)
		add(conversation, &reading->kept[i]);
	for (unsigned i = 0; i < reading->count; i++)
		conversation_observe(conversation, reading->messages[i].wanted);
}

/* READING then belongs to the question. */
static void ask_authors(struct conversation *conversation, struct reading *reading)
{
	static const struct question question = {.class_name = "user", .fields = "username"};
	const char *ids[AUTHORS];
	unsigned count = 0;
	for (unsigned i = 0; i < reading->kept_count && count < AUTHORS; i++) {
		const char *id = nameless(conversation, &reading->kept[i]);
		if (id != NULL && !has_text(ids, count, id))
			ids[count++] = id;
	}
	if (count == 0) {
		observe_all(conversation, reading);
		talloc_free(reading);
		return;
	}
	struct exchange *exchange =
		roundup_ask_items(conversation, ASK_AUTHORS, &question, ids, count);
	exchange->memo = talloc_steal(exchange, reading);
}

/* Asks for the next messages, if there are more; READING then belongs to the question. */
static void ask_messages(struct conversation *conversation, struct reading *reading)
{
	unsigned count = step_of(reading);
	if (count == 0 && reading->count > 0 && reading->names_wanted)
		ask_authors(conversation, reading);
	else if (count == 0)
		talloc_free(reading);
	if (count == 0)
		return;
	static const struct question question = {
		.class_name = "msg", .fields = "author.username,date,content", .verbose = 3};
	const char **ids = talloc_array(NULL, const char *, count);
	for (unsigned i = 0; i < count; i++)
		ids[i] = talloc_asprintf(
			ids, "%lld", (long long)reading->messages[reading->next + i].number);
	struct exchange *exchange =
		roundup_ask_items(conversation, ASK_MESSAGES, &question, ids, count);
	talloc_free(ids);
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
	struct json_object *items = roundup_items(conversation, exchange);
	if (items == NULL) {
		roundup_fail(conversation, exchange);
		return;
	}
	struct reading *reading = talloc_zero(conversation, struct reading);
	unsigned silent;
	reading->step = STEP;
	reading->names_wanted =
		export_is_door(conversation) && export_has_names(conversation, "user");
	hear_issues(conversation, exchange, reading, items, &silent);
	if (roundup_was_cut(exchange) && silent < exchange->wanted_count && silent > 0)
		roundup_ask_issues(
			conversation, ASK_MESSAGE_IDS, exchange->wanted, silent, &ids_question);
	else
		for (unsigned i = 0; i < silent; i++)
			conversation_observe_error(conversation, exchange->wanted[i],
				ERR_COMMENTS_FAILED, "issue%s: the tracker does not list it",
				conversation->wanted[exchange->wanted[i]].remote_id);
	ask_messages(conversation, reading);
}

/* ---- messages ---- */

static void keep(struct reading *reading, const struct comment *comment)
{
	if (reading->kept == NULL)
		reading->kept = talloc_array(reading, struct comment, reading->count);
	reading->kept[reading->kept_count++] = *comment;
}

/* Adds or keeps the comment that ITEM is; false where it is none. */
static bool take_comment(struct conversation *conversation, struct reading *reading,
	const struct message *message, struct json_object *item)
{
	struct json_object *content = json_member(item, "content", json_type_string);
	char *date = json_text_of(conversation, item, "date");
	struct comment comment = {.wanted = message->wanted, .number = message->number};
	if (content == NULL || (date != NULL && !moment_parse(date, &comment.posted_at)))
		return false;
	comment.author = json_text_of(conversation, item, "author.username");
	comment.text = text_clean(conversation, json_object_get_string(content),
		(size_t)json_object_get_string_len(content), COMMENT_LIMIT);
	if (reading->names_wanted)
		keep(reading, &comment);
	else
		add(conversation, &comment);
	return true;
}

/* Messages that are gone or forbidden are left out, and are no comments of ours. */
static void hear_message(struct conversation *conversation, struct reading *reading,
	const struct message *message, struct json_object *items, size_t asked)
{
	char *id = talloc_asprintf(NULL, "%lld", (long long)message->number);
	struct json_object *item = find(items, id, asked);
	if (item != NULL && !take_comment(conversation, reading, message, item))
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
			hear_message(conversation, reading, message, items, count);
		if (last && !reading->names_wanted)
			conversation_observe(conversation, message->wanted);
	}
}

void roundup_hear_messages(struct conversation *conversation, struct exchange *exchange)
{
	struct reading *reading = talloc_steal(conversation, exchange->memo);
	struct json_object *items = roundup_items(conversation, exchange);
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

/* ---- authors ---- */

static void name_authors(
	struct conversation *conversation, struct reading *reading, struct json_object *items)
{
	size_t most = json_object_array_length(items);
	for (unsigned i = 0; i < reading->kept_count; i++) {
		struct comment *comment = &reading->kept[i];
		const char *id = nameless(conversation, comment);
		struct json_object *item = id != NULL ? find(items, id, most) : NULL;
		char *name = json_text_of(conversation, item, "name");
		if (name != NULL && *name != '\0')
			comment->author = name;
	}
}

/* Those who may not be viewed, or are gone, stay without a name. */
void roundup_hear_authors(struct conversation *conversation, struct exchange *exchange)
{
	struct json_object *items = roundup_items(conversation, exchange);
	bool refused = exchange->status == 403 && roundup_is_page(exchange);
	if (items == NULL && !refused) {
		roundup_fail(conversation, exchange);
		return;
	}
	if (items != NULL)
		name_authors(conversation, exchange->memo, items);
	observe_all(conversation, exchange->memo);
}
