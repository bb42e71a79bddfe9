#include "trackers/bugzilla/answer.h"

#include "trackers/bugzilla/mapping.h"
#include "trackers/bugzilla/pages.h"
#include "trackers/bugzilla/question.h"
#include "trackers/json.h"
#include "trackers/text.h"
#include "trackers/xmlrpc.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

/* Questions have a limit; a server that sends far more must not hold the loop. */
enum { REMOTE_WORDS = 110, MORE_THAN_ASKED = 10 };

static void move(struct json_object *from, const char *old, struct json_object *to, const char *new)
{
	struct json_object *member = NULL;
	if (json_object_object_get_ex(from, old, &member))
		json_object_object_add(to, new, json_object_get(member));
}

struct json_object *answer_of_rpc(const struct exchange *exchange)
{
	bool fault = false;
	struct json_object *answer = xmlrpc_answer(exchange->xml, &fault);
	if (answer == NULL || !fault)
		return answer;
	struct json_object *error = json_object_new_object();
	json_object_object_add(error, "error", json_object_new_boolean(true));
	move(answer, "faultCode", error, "code");
	move(answer, "faultString", error, "message");
	json_object_put(answer);
	return error;
}

/* ---- errors ---- */

/* The code in member NAME; 5.3 writes it as a string. */
static enum code code_of(const void *owner, struct json_object *object, const char *name)
{
	static const enum code codes[] = {CODE_INVALID_ID, CODE_NO_BUG, CODE_NO_ACCESS,
		CODE_BAD_LOGIN, CODE_ACCOUNT_DISABLED, CODE_BAD_KEY, CODE_LOGIN_REQUIRED,
		CODE_STALE_TOKEN};
	char *text = json_text_of(owner, object, name);
	long value = text != NULL && text_is_number(text, 6) ? strtol(text, NULL, 10) : -1;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (value == (long)codes[i])
			return codes[i];
	return CODE_OTHER;
}

static const char *words_of(const void *owner, struct json_object *object, const char *name)
{
	struct json_object *words = json_member(object, name, json_type_string);
	if (words == NULL)
		return "";
	return text_clean_line(owner, json_object_get_string(words),
		(size_t)json_object_get_string_len(words), REMOTE_WORDS);
}

/* An internal failure may come with status 200. */
enum code answer_code(const struct exchange *exchange)
{
	struct json_object *error = json_member(exchange->json, "error", json_type_boolean);
	return json_object_get_boolean(error) ? code_of(exchange, exchange->json, "code")
					      : CODE_NONE;
}

const char *answer_words(struct exchange *exchange)
{
	return words_of(exchange, exchange->json, "message");
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
		conversation_fail(conversation, ERR_UNPARSABLE_TRACKER, "%s: %s", base,
			exchange->failure.kind != ERR_NONE
				? exchange->failure.text
				: "an answer, but not what Bugzilla gives there");
	else if (good)
		conversation_fail(conversation, ERR_UNPARSABLE_TRACKER,
			"%s: Bugzilla failed inside: %s", base, words);
	else if (code != CODE_NONE)
		conversation_fail(
			conversation, why.kind, "%s: HTTP %d: %s", base, exchange->status, words);
	else
		conversation_fail(conversation, why.kind, "%s", why.text);
}

/* Adds what CODE and WORDS say of a bug; REFUSED tells that any other code is the bug's own, too. */
static void observe_fault(struct conversation *conversation, unsigned wanted, enum code code,
	const char *words, bool refused)
{
	const char *id = conversation->wanted[wanted].remote_id;
	if (code == CODE_NO_BUG || (code == CODE_INVALID_ID && !bugzilla_is_number(id)))
		conversation_observe_error(
			conversation, wanted, ERR_BUG_NOT_FOUND, "bug %s: %s", id, words);
	else if (code == CODE_NO_ACCESS)
		conversation_observe_error(conversation, wanted, ERR_PRIVATE_BUG,
			"bug %s: %s Set credentials that may see it", id, words);
	else if (code == CODE_INVALID_ID || (code == CODE_OTHER && refused))
		conversation_observe_error(
			conversation, wanted, ERR_INVALID_BUG_ID, "bug %s: %s", id, words);
}

bool answer_observe_why(struct conversation *conversation, struct exchange *exchange)
{
	unsigned wanted = exchange->wanted[0];
	bool refused = exchange->status == 400 || exchange->status == 404;
	observe_fault(conversation, wanted, answer_code(exchange), answer_words(exchange), refused);
	return conversation_observed(conversation, wanted);
}

void answer_observe_faults(struct conversation *conversation, struct exchange *exchange)
{
	struct json_object *faults = json_member(exchange->json, "faults", json_type_array);
	size_t count = faults != NULL ? json_object_array_length(faults) : 0;
	for (size_t i = 0; i < count && i < MORE_THAN_ASKED * exchange->wanted_count; i++) {
		struct json_object *fault = json_object_array_get_idx(faults, i);
		for (unsigned k = 0; k < exchange->wanted_count; k++)
			if (answer_is_bug(exchange, fault,
				    conversation->wanted[exchange->wanted[k]].remote_id))
				observe_fault(conversation, exchange->wanted[k],
					code_of(exchange, fault, "faultCode"),
					words_of(exchange, fault, "faultString"), true);
	}
}

/* ---- bugs ---- */

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

/* Lists have no zone, old pages its name. */
static bool has_offset(const char *text)
{
	size_t n = strlen(text);
	return n > 5 && (text[n - 5] == '+' || text[n - 5] == '-') && text[n - 6] == ' ';
}

bool answer_moment(const struct conversation *conversation, const char *text, moment *at)
{
	bool pages = pages_are_door(conversation);
	bool local = pages
		? !has_offset(text)
		: bugzilla_speaks_rpc(conversation) && bugzilla_is_older(conversation, 3, 6);
	bool good = moment_parse(text, at) || (pages && local);
	if (local)
		*at = 0;
	return good;
}

/*
 * A resolution that is left out is not an empty one, which means "fixed" in a resolved bug; what
 * else is left out is only not known.
 */
static const char *read_bug(
	const struct conversation *conversation, struct json_object *item, struct observation *read)
{
	const char *changed;
	if (!read_text(conversation, item, "status", &read->status) || read->status == NULL)
		return "status";
	if (!json_object_object_get_ex(item, "resolution", NULL) ||
		!read_text(conversation, item, "resolution", &read->resolution))
		return "resolution";
	if (!read_text(conversation, item, "severity", &read->severity))
		return "severity";
	if (!read_text(conversation, item, "priority", &read->priority))
		return "priority";
	if (!read_text(conversation, item, "summary", &read->title))
		return "summary";
	if (!read_text(conversation, item, "product", &read->product))
		return "product";
	if (!read_text(conversation, item, "last_change_time", &changed) ||
		(changed != NULL && !answer_moment(conversation, changed, &read->changed_at)))
		return "last_change_time";
	if (read->changed_at == 0)
		read->mark = changed;
	return NULL;
}

/* Who sees it without signing in is everybody, and is not told of groups. */
bool answer_is_private(struct json_object *bug)
{
	struct json_object *groups = json_member(bug, "groups", json_type_array);
	return groups != NULL && json_object_array_length(groups) > 0;
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
	read.is_private = answer_is_private(item);
	read.mapped_status = map_status(bugzilla_status_rows, read.status, read.resolution);
	read.mapped_importance = bugzilla_importance(read.severity, read.priority);
	read.priority_decides = bugzilla_priority_decides(read.severity);
	*conversation_observe(conversation, wanted) = read;
}

/* Up to 4.4 a bug has one alias, a text; from 5.0 on a list of them. MySQL takes either case. */
static bool has_alias(const void *owner, struct json_object *item, const char *id)
{
	const char *one = json_text_of(owner, item, "alias");
	struct json_object *list = json_member(item, "alias", json_type_array);
	for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
		struct json_object *alias = json_object_array_get_idx(list, i);
		if (json_object_is_type(alias, json_type_string) &&
			strcasecmp(json_object_get_string(alias), id) == 0)
			return true;
	}
	return one != NULL && strcasecmp(one, id) == 0;
}

bool answer_is_bug(struct exchange *exchange, struct json_object *item, const char *id)
{
	const char *number = json_text_of(exchange, item, "id");
	return (number != NULL && strcasecmp(number, id) == 0) || has_alias(exchange, item, id);
}

/*
 * Answers mostly come in the order asked: the search begins at the item's own PLACE. One that has
 * an alias may have been asked for twice.
 */
static void observe_item(struct conversation *conversation, struct exchange *exchange,
	struct json_object *item, size_t place)
{
	bool once = !json_object_is_type(item, json_type_object) ||
		!json_object_object_get_ex(item, "alias", NULL);
	for (unsigned i = 0; i < exchange->wanted_count; i++) {
		unsigned wanted = exchange->wanted[(place + i) % exchange->wanted_count];
		if (!answer_is_bug(exchange, item, conversation->wanted[wanted].remote_id))
			continue;
		observe(conversation, wanted, item);
		if (once)
			return;
	}
}

void answer_observe(
	struct conversation *conversation, struct exchange *exchange, struct json_object *bugs)
{
	size_t count = json_object_array_length(bugs),
	       most = MORE_THAN_ASKED * (size_t)exchange->wanted_count;
	for (size_t i = 0; i < count && i < most; i++)
		observe_item(conversation, exchange, json_object_array_get_idx(bugs, i), i);
}
