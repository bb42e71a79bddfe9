#include "trackers/bugzilla/answer.h"

#include "trackers/bugzilla/mapping.h"
#include "trackers/json.h"
#include "trackers/text.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { REMOTE_WORDS = 110 };

/* An internal failure may come with status 200; 5.3 writes the code as a string. */
enum code answer_code(const struct exchange *exchange)
{
	static const enum code codes[] = {CODE_INVALID_ID, CODE_NO_BUG, CODE_NO_ACCESS,
		CODE_BAD_LOGIN, CODE_ACCOUNT_DISABLED, CODE_BAD_KEY, CODE_LOGIN_REQUIRED,
		CODE_STALE_TOKEN};
	struct json_object *error = json_member(exchange->json, "error", json_type_boolean);
	if (!json_object_get_boolean(error))
		return CODE_NONE;
	char *text = json_text_of(exchange, exchange->json, "code");
	long value = text != NULL && text_is_number(text, 6) ? strtol(text, NULL, 10) : -1;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (value == (long)codes[i])
			return codes[i];
	return CODE_OTHER;
}

const char *answer_words(struct exchange *exchange)
{
	struct json_object *message = json_member(exchange->json, "message", json_type_string);
	if (message == NULL)
		return "";
	return text_clean_line(exchange, json_object_get_string(message),
		(size_t)json_object_get_string_len(message), REMOTE_WORDS);
}

struct json_object *answer_bugs(const struct exchange *exchange)
{
	if (!exchange_good(exchange, NULL) || answer_code(exchange) != CODE_NONE)
		return NULL;
	return json_member(exchange->json, "bugs", json_type_array);
}

static bool wants_login(enum code code)
{
	return code == CODE_BAD_LOGIN || code == CODE_ACCOUNT_DISABLED || code == CODE_BAD_KEY ||
		code == CODE_LOGIN_REQUIRED || code == CODE_STALE_TOKEN || code == CODE_NO_ACCESS;
}

void answer_fail(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	enum code code = answer_code(exchange);
	const char *base = conversation->base_url, *words = answer_words(exchange);
	bool good = exchange_good(exchange, &why);
	if (wants_login(code))
		conversation_fail(conversation, ERR_AUTH, "%s: %s %s credentials (api_key)", base,
			words, conversation->credentials == NULL ? "Set" : "Set other");
	else if (good && code == CODE_NONE)
		conversation_fail(conversation, ERR_UNPARSABLE_TRACKER,
			"%s: JSON, but not what Bugzilla's REST interface answers", base);
	else if (good)
		conversation_fail(conversation, ERR_UNPARSABLE_TRACKER,
			"%s: Bugzilla failed inside: %s", base, words);
	else if (code != CODE_NONE)
		conversation_fail(
			conversation, why.kind, "%s: HTTP %d: %s", base, exchange->status, words);
	else
		conversation_fail(conversation, why.kind, "%s", why.text);
}

/*
 * Member NAME as text into *OUT, NULL where it is null, empty or not there; false where it is
 * something else than a text.
 */
static bool read_text(
	const void *owner, struct json_object *item, const char *name, const char **out)
{
	struct json_object *member = NULL;
	*out = NULL;
	if (!json_object_object_get_ex(item, name, &member) || member == NULL)
		return true;
	char *text = json_text_of(owner, item, name);
	if (text != NULL && *text != '\0')
		*out = text;
	return text != NULL;
}

/*
 * A resolution that is left out is not an empty one, which means "fixed" in a resolved bug; what
 * else is left out is only not known.
 */
static const char *read_bug(const void *owner, struct json_object *item, struct observation *read)
{
	const char *changed;
	if (!read_text(owner, item, "status", &read->status) || read->status == NULL)
		return "status";
	if (!json_object_object_get_ex(item, "resolution", NULL) ||
		!read_text(owner, item, "resolution", &read->resolution))
		return "resolution";
	if (!read_text(owner, item, "severity", &read->severity))
		return "severity";
	if (!read_text(owner, item, "priority", &read->priority))
		return "priority";
	if (!read_text(owner, item, "summary", &read->title))
		return "summary";
	if (!read_text(owner, item, "product", &read->product))
		return "product";
	if (!read_text(owner, item, "last_change_time", &changed) ||
		(changed != NULL && !moment_parse(changed, &read->changed_at)))
		return "last_change_time";
	return NULL;
}

static void observe(struct conversation *conversation, unsigned wanted, struct json_object *item)
{
	struct observation read = {.wanted = wanted};
	const char *wrong = read_bug(conversation, item, &read);
	if (wrong != NULL) {
		conversation_observe_error(conversation, wanted, ERR_UNPARSABLE_BUG,
			"bug %s: the answer's %s is missing or not what Bugzilla sends there",
			conversation->wanted[wanted].remote_id, wrong);
		return;
	}
	read.mapped_status = map_status(bugzilla_status_rows, read.status, read.resolution);
	read.mapped_importance = bugzilla_importance(read.severity, read.priority);
	read.priority_decides = bugzilla_priority_decides(read.severity);
	*conversation_observe(conversation, wanted) = read;
}

/* Answers mostly come in the order asked: the search begins at the item's own PLACE. */
static void observe_item(struct conversation *conversation, struct exchange *exchange,
	struct json_object *item, size_t place)
{
	const char *id = json_text_of(exchange, item, "id");
	for (unsigned i = 0; id != NULL && i < exchange->wanted_count; i++) {
		unsigned wanted = exchange->wanted[(place + i) % exchange->wanted_count];
		if (strcmp(conversation->wanted[wanted].remote_id, id) == 0) {
			observe(conversation, wanted, item);
			return;
		}
	}
}

/* Questions have a limit; a server that sends far more must not hold the loop. */
void answer_observe(
	struct conversation *conversation, struct exchange *exchange, struct json_object *bugs)
{
	size_t count = json_object_array_length(bugs), most = 10 * (size_t)exchange->wanted_count;
	for (size_t i = 0; i < count && i < most; i++)
		observe_item(conversation, exchange, json_object_array_get_idx(bugs, i), i);
}
