/* Comments: from the plugin's change log as they were written, else from the ticket's feed. */
#include "trackers/json.h"
#include "trackers/text.h"
#include "trackers/trac/errands.h"
#include "trackers/trac/feed.h"
#include "trackers/trac/rpc.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { NAME_LIMIT = 200, NUMBER_DIGITS = 9 };

/* A row of a change log. */
enum { ROW_TIME, ROW_AUTHOR, ROW_FIELD, ROW_OLD, ROW_NEW };

/*
 * Copies WANTED. One is called by itself: over XML-RPC the plugin fails a whole request (500) over a
 * ticket among several that we may not view.
 */
static void ask_logs(struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	static const char method[] = "ticket.changeLog";
	if (count > 1) {
		rpc_ask(conversation, ASK_LOGS, method, wanted, count);
		return;
	}
	const char *id = conversation->wanted[*wanted].remote_id;
	struct json_object *params = json_object_new_array();
	json_object_array_add(params, json_object_new_int((int)strtol(id, NULL, 10)));
	struct exchange *exchange = rpc_ask_once(conversation, ASK_LOG, method, params);
	exchange->wanted = talloc_memdup(exchange, wanted, sizeof(*wanted));
	exchange->wanted_count = 1;
}

void trac_begin_comments(struct conversation *conversation)
{
	const char *door = trac_rpc_door(conversation);
	unsigned count, *all = talloc_array(NULL, unsigned, conversation->wanted_count);
	for (unsigned i = 0; i < conversation->wanted_count; i++)
		all[i] = i;
	for (unsigned from = 0; from < conversation->wanted_count; from += count) {
		unsigned left = conversation->wanted_count - from;
		count = door == NULL ? 1 : left < TRAC_LOGS ? left : TRAC_LOGS;
		if (door != NULL) {
			ask_logs(conversation, all + from, count);
			continue;
		}
		struct exchange *exchange = trac_ask(conversation, ASK_FEED,
			talloc_asprintf(NULL, "ticket/%s?format=rss",
				conversation->wanted[from].remote_id));
		exchange->wanted = talloc_memdup(exchange, all + from, sizeof(*all));
		exchange->wanted_count = 1;
	}
	talloc_free(all);
}

static bool is_new(const struct conversation *conversation, unsigned wanted, int64_t number)
{
	return number > conversation->wanted[wanted].newest_comment;
}

/* ---- over RPC ---- */

static const char *text_at(struct json_object *row, size_t at)
{
	struct json_object *text = json_object_array_get_idx(row, at);
	return json_object_is_type(text, json_type_string) ? json_object_get_string(text) : NULL;
}

/* `7`, or `3.7` for an answer to the third; -1 for anything else. */
static int64_t number_of(const char *text)
{
	const char *dot = text != NULL ? strrchr(text, '.') : NULL;
	const char *digits = dot != NULL ? dot + 1 : text;
	if (digits == NULL || !text_is_number(digits, NUMBER_DIGITS))
		return -1;
	return strtoll(digits, NULL, 10);
}

/*
 * Each change has a row for its comment, empty where nothing was said; earlier texts of an edited
 * comment have fields `_comment0` and so on. False where the row is none of a change log.
 */
static bool read_row(struct conversation *conversation, unsigned wanted, struct json_object *row)
{
	if (!json_object_is_type(row, json_type_array) || json_object_array_length(row) <= ROW_NEW)
		return false;
	const char *field = text_at(row, ROW_FIELD), *author = text_at(row, ROW_AUTHOR);
	moment at;
	if (field == NULL || !rpc_moment(json_object_array_get_idx(row, ROW_TIME), &at))
		return false;
	if (strcmp(field, "comment") != 0)
		return true;
	struct json_object *text = json_object_array_get_idx(row, ROW_NEW);
	int64_t number = number_of(text_at(row, ROW_OLD));
	if (!json_object_is_type(text, json_type_string))
		return false;
	size_t size = (size_t)json_object_get_string_len(text);
	if (number < 0 || size == 0 || !is_new(conversation, wanted, number))
		return true;
	struct comment *comment = conversation_comment(conversation, wanted, number);
	comment->posted_at = at;
	comment->text = text_clean(conversation, json_object_get_string(text), size, COMMENT_LIMIT);
	if (author != NULL)
		comment->author = text_clean_line(conversation, author, strlen(author), NAME_LIMIT);
	return true;
}

static void read_log(struct conversation *conversation, unsigned wanted, struct json_object *log,
	const char *words)
{
	const char *id = conversation->wanted[wanted].remote_id;
	bool read = log != NULL;
	for (size_t i = 0; read && i < json_object_array_length(log); i++)
		read = read_row(conversation, wanted, json_object_array_get_idx(log, i));
	if (read)
		conversation_observe(conversation, wanted);
	else
		conversation_observe_error(conversation, wanted, ERR_COMMENTS_FAILED,
			"ticket %s: not what ticket.changeLog answers%s%s", id,
			*words != '\0' ? ": " : "", words);
}

void trac_hear_logs(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	struct json_object *results = rpc_results(exchange, &why);
	unsigned half = exchange->wanted_count / 2;
	bool spoilt = rpc_is_xml(conversation) && exchange->status == 500 && half > 0;
	if (spoilt) {
		ask_logs(conversation, exchange->wanted, half);
		ask_logs(conversation, exchange->wanted + half, exchange->wanted_count - half);
		return;
	}
	if (why.kind != ERR_NONE) {
		trac_fail(conversation, exchange, &why);
		return;
	}
	for (unsigned i = 0; i < exchange->wanted_count; i++) {
		unsigned wanted = exchange->wanted[i];
		const char *words;
		int code;
		struct json_object *log = rpc_result(exchange, results, i,
			conversation->wanted[wanted].remote_id, &code, &words);
		read_log(conversation, wanted, log, words);
	}
}

void trac_hear_log(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	const char *words = "";
	int code;
	struct json_object *log = rpc_list(exchange, &why);
	if (log != NULL || (rpc_refused(exchange, &code, &words) && !rpc_is_right_lost(words)))
		read_log(conversation, exchange->wanted[0], log, words);
	else
		trac_fail(conversation, exchange, &why);
}

/* ---- from a feed ---- */

static const char *kept(const struct conversation *conversation, const char *text)
{
	return text != NULL ? talloc_strdup(conversation, text) : NULL;
}

static void take_feed(struct conversation *conversation, unsigned wanted, const struct feed *feed)
{
	for (unsigned i = 0; i < feed->count; i++) {
		const struct entry *entry = &feed->entries[i];
		if (*entry->text == '\0' || !is_new(conversation, wanted, entry->number))
			continue;
		struct comment *comment = conversation_comment(conversation, wanted, entry->number);
		comment->author = kept(conversation, entry->author);
		comment->posted_at = entry->posted_at;
		comment->text = kept(conversation, entry->text);
	}
	conversation_observe(conversation, wanted);
}

/* Whether the answer is about this ticket only; Trac fails (500) on a text it can't render. */
static bool is_its_own(const struct exchange *exchange)
{
	return trac_says_missing(exchange) || trac_says_private(exchange) ||
		(exchange->failure.kind == ERR_NONE && exchange->status == 500);
}

void trac_hear_feed(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0}, wrong = {0};
	unsigned wanted = exchange->wanted[0];
	const char *id = conversation->wanted[wanted].remote_id;
	struct feed *feed = NULL;
	if (exchange_good(exchange, &why))
		feed = feed_read(exchange, exchange->text, exchange->text_size, &wrong);
	if (wrong.kind != ERR_NONE)
		err_set(&why, wrong.kind, "ticket %s: %s", id, wrong.text);
	if (feed != NULL)
		take_feed(conversation, wanted, feed);
	else if (why.kind == ERR_COMMENTS_FAILED || is_its_own(exchange))
		conversation_observe_error(
			conversation, wanted, ERR_COMMENTS_FAILED, "%s", why.text);
	else
		trac_fail(conversation, exchange, &why);
}
