/* Roundup over REST (2.0 and later), or its export of lists as CSV (1.4 and later); see README.md. */
#include "trackers/json.h"
#include "trackers/roundup/export.h"
#include "trackers/roundup/fields.h"
#include "trackers/roundup/mapping.h"
#include "trackers/roundup/rest.h"
#include "trackers/silence.h"
#include "trackers/text.h"
#include "trackers/tracker.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

/*
 * Ids are 32-bit integers in Roundup's databases: PostgreSQL fails a whole request over a bigger
 * one. They are compared as texts, so there is one form of each.
 */
static bool valid_id(const char *text)
{
	return text_is_number(text, ROUNDUP_ID_DIGITS) && text[0] != '0' &&
		strtoll(text, NULL, 10) <= INT32_MAX;
}

static bool recognise(struct url *url, struct remote_bug *out)
{
	size_t end = strlen(url->path);
	if (end > 0 && url->path[end - 1] == '/')
		end--;
	const char *segment = memrchr(url->path, '/', end);
	if (segment == NULL || strncmp(segment, "/issue", 6) != 0)
		return false;
	const char *id = talloc_strndup(url, segment + 6, end - (size_t)(segment + 6 - url->path));
	if (!valid_id(id))
		return false;
	out->base_url = url_base(url, url, (size_t)(segment + 1 - url->path));
	out->remote_id = id;
	return true;
}

/* ---- questions ---- */

/* Lists carry names only from @verbose=2 on; links are asked by name. */
struct question roundup_check_question(struct conversation *conversation)
{
	const char *learnt = roundup_learnt(conversation);
	bool lists = strstr(learnt, "components") != NULL || strstr(learnt, "keyword") != NULL;
	return (struct question){
		.class_name = "issue",
		.fields = talloc_asprintf(
			conversation, "title,activity%s%s", *learnt != '\0' ? "," : "", learnt),
		.verbose = lists ? 2 : 0,
	};
}

struct exchange *roundup_ask_bugs(
	struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	struct question question = roundup_check_question(conversation);
	return roundup_ask_issues(conversation, ASK_BUGS, wanted, count, &question);
}

/* Asks for the first of WANTED by itself; the others wait for what is said of it. Copies WANTED. */
static void ask_alone(struct conversation *conversation, enum roundup_purpose purpose,
	const unsigned *wanted, unsigned count)
{
	bool page = export_is_door(conversation);
	char *url = talloc_asprintf(NULL,
		page ? "%sissue%s" : "%srest/data/issue/%s?@fields=activity&@pretty=false",
		conversation->base_url, conversation->wanted[wanted[0]].remote_id);
	struct exchange *exchange = roundup_ask(conversation, purpose, url);
	if (page)
		exchange->format = FORMAT_TEXT;
	exchange->wanted = talloc_memdup(exchange, wanted, count * sizeof(*wanted));
	exchange->wanted_count = count;
}

/* ---- answers ---- */

/* Member NAME as text into *OUT, NULL where the remote has none; false if it is no text. */
static bool read_text(
	const void *owner, struct json_object *item, const char *name, const char **out)
{
	struct json_object *value = NULL;
	if (!json_object_object_get_ex(item, name, &value) || value == NULL)
		return true;
	*out = json_text_of(owner, item, name);
	return *out != NULL;
}

/* The name of the first of a list of links, NULL for an empty list; false if it is no such list. */
static bool read_first(
	const void *owner, struct json_object *item, const char *name, const char **out)
{
	struct json_object *list = NULL;
	if (!json_object_object_get_ex(item, name, &list) || list == NULL)
		return true;
	if (!json_object_is_type(list, json_type_array))
		return false;
	if (json_object_array_length(list) == 0)
		return true;
	*out = json_text_of(owner, json_object_array_get_idx(list, 0), "name");
	return *out != NULL;
}

static bool read_item(const void *owner, struct json_object *item, struct observation *into)
{
	const char *activity = NULL, *keyword = NULL, *category = NULL;
	if (!read_text(owner, item, "title", &into->title) ||
		!read_text(owner, item, "status.name", &into->status) ||
		!read_text(owner, item, "resolution.name", &into->resolution) ||
		!read_text(owner, item, "priority.name", &into->priority) ||
		!read_text(owner, item, "severity.name", &into->severity) ||
		!read_text(owner, item, "activity", &activity) ||
		!read_first(owner, item, "components", &into->product) ||
		!read_first(owner, item, "keyword", &keyword) ||
		!read_text(owner, item, "category.name", &category))
		return false;
	if (into->product == NULL)
		into->product = category != NULL ? category : keyword;
	return activity == NULL || moment_parse(activity, &into->changed_at);
}

/* Priority is Roundup's word for weight; severity stands in where a tracker has no priority. */
static void map_weight(const struct conversation *conversation, struct observation *read)
{
	read->priority_decides = strstr(roundup_learnt(conversation), "priority.name") != NULL;
	read->mapped_importance = map_importance(
		roundup_importance_rows, read->priority_decides ? read->priority : read->severity);
}

static void observe(struct conversation *conversation, unsigned wanted, struct json_object *item)
{
	struct observation read = {.wanted = wanted};
	if (!read_item(conversation, item, &read)) {
		conversation_observe_error(conversation, wanted, ERR_UNPARSABLE_BUG,
			"issue%s: the answer has a field that is not what Roundup sends there",
			conversation->wanted[wanted].remote_id);
		return;
	}
	read.mapped_status = map_status(roundup_status_rows, read.status, read.resolution);
	map_weight(conversation, &read);
	*conversation_observe(conversation, wanted) = read;
}

/* Observes the bug of ITEM if it is one of those asked for; false where ITEM has no id at all. */
static bool hear_item(
	struct conversation *conversation, struct exchange *exchange, struct json_object *item)
{
	const char *id = json_text_of(exchange, item, "id");
	for (unsigned i = 0; id != NULL && i < exchange->wanted_count; i++)
		if (strcmp(conversation->wanted[exchange->wanted[i]].remote_id, id) == 0)
			observe(conversation, exchange->wanted[i], item);
	return id != NULL;
}

/*
 * Missing, private and retired bugs are left out of a batch without a word, and so is everything
 * when a login lost its rights: silence about all of several bugs needs a witness.
 */
static void ask_about_silence(struct conversation *conversation, struct exchange *exchange,
	unsigned *silent, unsigned count)
{
	if (silence_is_suspicious(conversation, exchange, silent, count)) {
		ask_alone(conversation, ASK_WITNESS, silent, count);
		return;
	}
	for (unsigned i = 0; i < count; i++)
		ask_alone(conversation, ASK_BUG, silent + i, 1);
}

static void hear_bugs(struct conversation *conversation, struct exchange *exchange)
{
	struct json_object *items = roundup_items(conversation, exchange);
	if (items == NULL) {
		roundup_fail(conversation, exchange);
		return;
	}
	if (roundup_asks_names(conversation, exchange))
		return;
	bool nameless = false;
	for (size_t i = 0; i < json_object_array_length(items); i++)
		if (!hear_item(conversation, exchange, json_object_array_get_idx(items, i)))
			nameless = true;
	unsigned count;
	unsigned *silent = silent_bugs(conversation, exchange, &count);
	if (nameless)
		for (unsigned i = 0; i < count; i++)
			conversation_observe_error(conversation, silent[i], ERR_UNPARSABLE_BUG,
				"issue%s: left out of an answer that has an item without an id",
				conversation->wanted[silent[i]].remote_id);
	else if (roundup_was_cut(exchange) && count > 0 && count < exchange->wanted_count)
		roundup_ask_bugs(conversation, silent, count);
	else
		ask_about_silence(conversation, exchange, silent, count);
}

/* Whether PAGE's title hides that of the issue, as it does before those who may not view it. */
static bool is_hidden(const char *page)
{
	const char *title = strstr(page, "<title"), *hidden = strstr(page, "[hidden]");
	const char *end = title != NULL ? strstr(title, "</title") : NULL;
	return end != NULL && hidden != NULL && hidden > title && hidden < end;
}

/*
 * What a bug's own page says: 404, 403 or a hidden title, or for a retired issue its history. A page
 * that was cut says nothing.
 */
static void observe_page(
	struct conversation *conversation, struct exchange *exchange, unsigned wanted)
{
	const char *id = conversation->wanted[wanted].remote_id;
	if (!roundup_is_page(exchange))
		return;
	if (exchange->status == 404)
		conversation_observe_error(conversation, wanted, ERR_BUG_NOT_FOUND,
			"issue%s: there is no such issue (any more)", id);
	else if (exchange->status == 403 || (exchange->status == 200 && is_hidden(exchange->text)))
		conversation_observe_error(conversation, wanted, ERR_PRIVATE_BUG,
			"issue%s: a login that may view it is needed", id);
	else if (exchange->status == 200 && strstr(exchange->text, ">retired<") != NULL)
		conversation_observe_error(conversation, wanted, ERR_BUG_NOT_FOUND,
			"issue%s: retired (taken out of the tracker's lists)", id);
}

/* Whether the answer is a whole page about an issue that is there. */
static bool is_issue_page(const struct exchange *exchange)
{
	return exchange->format == FORMAT_TEXT && exchange->status == 200 &&
		roundup_is_page(exchange);
}

/*
 * What a bug's own address answers: 404 and 403 say why it is missing. Retired issues still answer
 * 200 without a sign of it: only that no list has them shows it. A bare "Forbidden." is about the
 * whole interface, never about one issue.
 */
static bool observe_why(struct conversation *conversation, struct exchange *exchange)
{
	unsigned wanted = exchange->wanted[0];
	const char *id = conversation->wanted[wanted].remote_id;
	const char *words = roundup_refusal(exchange);
	if (exchange->format == FORMAT_TEXT)
		observe_page(conversation, exchange, wanted);
	else if (words != NULL && exchange->status == 404)
		conversation_observe_error(
			conversation, wanted, ERR_BUG_NOT_FOUND, "issue%s: %s", id, words);
	else if (words != NULL && exchange->status == 403 && strcmp(words, "Forbidden.") != 0)
		conversation_observe_error(conversation, wanted, ERR_PRIVATE_BUG,
			"issue%s: %s; a login that may view it is needed", id, words);
	return conversation_observed(conversation, wanted);
}

static void hear_bug(struct conversation *conversation, struct exchange *exchange)
{
	if (observe_why(conversation, exchange))
		return;
	const char *id = conversation->wanted[exchange->wanted[0]].remote_id;
	struct json_object *said = roundup_data(exchange, "id", json_type_string);
	if (is_issue_page(exchange))
		conversation_observe_error(conversation, exchange->wanted[0], ERR_UNPARSABLE_BUG,
			"issue%s: it has a page, but no list has it", id);
	else if (said != NULL && strcmp(json_object_get_string(said), id) == 0)
		conversation_observe_error(conversation, exchange->wanted[0], ERR_BUG_NOT_FOUND,
			"issue%s: retired (taken out of the tracker's lists)", id);
	else
		roundup_fail(conversation, exchange);
}

static void hear_witness(struct conversation *conversation, struct exchange *exchange)
{
	if (observe_why(conversation, exchange))
		for (unsigned i = 1; i < exchange->wanted_count; i++)
			ask_alone(conversation, ASK_BUG, exchange->wanted + i, 1);
	else if (exchange_good(exchange, NULL) || is_issue_page(exchange))
		conversation_fail(conversation, ERR_UNPARSABLE_TRACKER,
			"%s: it answered none of the %u bugs asked for", conversation->base_url,
			exchange->wanted_count);
	else
		roundup_fail(conversation, exchange);
}

static void begin_check(struct conversation *conversation)
{
	struct question question = roundup_check_question(conversation);
	roundup_ask_all(conversation, ASK_BUGS, &question);
}

static void begin_errand(struct conversation *conversation)
{
	static void (*const beginnings[])(struct conversation *) = {
		[ERRAND_PROBE] = roundup_begin_probe,
		[ERRAND_CHECK] = begin_check,
		[ERRAND_CHANGES] = roundup_begin_changes,
		[ERRAND_COMMENTS] = roundup_begin_comments,
	};
	beginnings[conversation->errand](conversation);
}

static void begin(struct conversation *conversation)
{
	if (export_wants_form(conversation) && roundup_can_sign_in(conversation))
		roundup_sign_in(conversation);
	else
		begin_errand(conversation);
}

void roundup_signed_in(struct conversation *conversation)
{
	if (conversation->errand == ERRAND_PROBE)
		roundup_probe_signed_in(conversation);
	else
		begin_errand(conversation);
}

static void hear(struct conversation *conversation, struct exchange *exchange)
{
	static void (*const ears[])(struct conversation *, struct exchange *) = {
		[ASK_LOGIN] = roundup_hear_login,
		[ASK_DOOR] = roundup_hear_door,
		[ASK_CLASSES] = roundup_hear_classes,
		[ASK_SCHEMA] = roundup_hear_schema,
		[ASK_EXPORT] = roundup_hear_export,
		[ASK_NAMES] = roundup_hear_names,
		[ASK_BUGS] = hear_bugs,
		[ASK_WITNESS] = hear_witness,
		[ASK_BUG] = hear_bug,
		[ASK_MESSAGE_IDS] = roundup_hear_message_ids,
		[ASK_MESSAGES] = roundup_hear_messages,
		[ASK_AUTHORS] = roundup_hear_authors,
		[ASK_CHANGES] = roundup_hear_changes,
	};
	ears[exchange->purpose](conversation, exchange);
}

const struct tracker roundup_tracker = {
	.name = "roundup",
	.title = "Roundup",
	.batch_size = ROUNDUP_BATCH_SIZE,
	.recognise = recognise,
	.valid_id = valid_id,
	.begin = begin,
	.hear = hear,
};
