/* Roundup over its REST interface (2.0 and later); see README.md. */
#include "trackers/json.h"
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
 * What we want of an issue, as it is asked for. Only title and activity are certain; a field whose
 * class the tracker lacks is not worth a question.
 */
struct field {
	const char *asked, *property, *class_name;
};

static const struct field fields[] = {
	{"status.name", "status", NULL},
	{"priority.name", "priority", NULL},
	{"resolution.name", "resolution", "resolution"},
	{"severity.name", "severity", "severity"},
	{"components", "components", "component"},
	{"keyword", "keyword", "keyword"},
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

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

/* The fields learnt by the probe; a server that was never probed is asked for the usual two. */
static const char *learnt_fields(const struct conversation *conversation)
{
	const struct server *server = conversation->server;
	return server != NULL && server->memory != NULL ? server->memory
							: "status.name,priority.name";
}

/* Lists (components, keyword) carry names only from @verbose=2 on; links are asked by name. */
static const char *question_tail(struct conversation *conversation, const void *owner)
{
	const char *learnt = learnt_fields(conversation);
	bool lists = strstr(learnt, "components") != NULL || strstr(learnt, "keyword") != NULL;
	return talloc_asprintf(owner, "@fields=title,activity%s%s&@verbose=%d&@pretty=false",
		*learnt != '\0' ? "," : "", learnt, lists ? 2 : 0);
}

/* No issue has the id 0: the answer is empty, or says which field issues lack. */
static void ask_schema(struct conversation *conversation)
{
	char *url = talloc_asprintf(NULL, "%srest/data/issue?id=0&", conversation->base_url);
	url = talloc_asprintf_append_buffer(url, "%s", question_tail(conversation, url));
	roundup_ask(conversation, ASK_SCHEMA, url);
}

static void ask_bugs(struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	const char *query = question_tail(conversation, conversation);
	roundup_ask_issues(conversation, ASK_BUGS, wanted, count, query);
}

/* Asks for the first of WANTED by itself; the others wait for what is said of it. Copies WANTED. */
static void ask_alone(struct conversation *conversation, enum roundup_purpose purpose,
	const unsigned *wanted, unsigned count)
{
	char *url = talloc_asprintf(NULL, "%srest/data/issue/%s?@fields=activity&@pretty=false",
		conversation->base_url, conversation->wanted[wanted[0]].remote_id);
	struct exchange *exchange = roundup_ask(conversation, purpose, url);
	exchange->wanted = talloc_memdup(exchange, wanted, count * sizeof(*wanted));
	exchange->wanted_count = count;
}

static void begin(struct conversation *conversation)
{
	switch (conversation->errand) {
	case ERRAND_PROBE:
		roundup_ask(conversation, ASK_DOOR,
			talloc_asprintf(NULL, "%srest/", conversation->base_url));
		break;
	case ERRAND_CHECK:
		roundup_ask_all(conversation, ASK_BUGS, question_tail(conversation, conversation));
		break;
	case ERRAND_COMMENTS:
		roundup_begin_comments(conversation);
		break;
	case ERRAND_CHANGES:
		roundup_begin_changes(conversation);
		break;
	}
}

/* ---- answers ---- */

static void hear_door(struct conversation *conversation, struct exchange *exchange)
{
	if (exchange->status == 404) {
		conversation_fail(conversation, ERR_UNSUPPORTED_TRACKER,
			"%srest/: no REST interface here; Roundup 2.0 or later is needed",
			conversation->base_url);
		return;
	}
	if (roundup_data(exchange, "default_version", json_type_int) == NULL) {
		roundup_fail(conversation, exchange);
		return;
	}
	struct server *server = conversation->server;
	server->door = talloc_strdup(server, "rest/");
	server->abilities = ABILITY_WHY | ABILITY_COMMENTS | ABILITY_CHANGES;
	if (exchange->date != 0)
		server->skew_s = (exchange->date - conversation->now) / MOMENT_SECOND;
	roundup_ask(conversation, ASK_CLASSES,
		talloc_asprintf(NULL, "%srest/data?@pretty=false", conversation->base_url));
}

/* The list only saves questions: where it can't be had, every field is asked for. */
static void hear_classes(struct conversation *conversation, struct exchange *exchange)
{
	struct json_object *classes = NULL;
	if (exchange_good(exchange, NULL))
		classes = json_member(exchange->json, "data", json_type_object);
	if (classes == NULL && roundup_refusal(exchange) == NULL && exchange->status != 404) {
		roundup_fail(conversation, exchange);
		return;
	}
	char *learnt = talloc_strdup(conversation->server, "");
	for (unsigned i = 0; i < FIELDS; i++)
		if (classes == NULL || fields[i].class_name == NULL ||
			json_object_object_get_ex(classes, fields[i].class_name, NULL))
			learnt = talloc_asprintf_append_buffer(
				learnt, "%s%s", *learnt != '\0' ? "," : "", fields[i].asked);
	conversation->server->memory = learnt;
	ask_schema(conversation);
}

/*
 * LEARNT without the field that WORDS complain of, or NULL where they name none of LEARNT:
 * "Unknown property: resolution.name", `User does not have permission on "keyword.name"`.
 */
static char *without_field(const struct server *server, const char *words)
{
	char *rest = talloc_strdup(server, "");
	bool found = false;
	for (unsigned i = 0; i < FIELDS; i++) {
		if (strstr(server->memory, fields[i].asked) == NULL)
			continue;
		if (!found && strstr(words, fields[i].property) != NULL)
			found = true;
		else
			rest = talloc_asprintf_append_buffer(
				rest, "%s%s", *rest != '\0' ? "," : "", fields[i].asked);
	}
	return found ? rest : NULL;
}

/* Each refusal takes one field away, so this ends after as many questions as there are fields. */
static void hear_schema(struct conversation *conversation, struct exchange *exchange)
{
	if (roundup_data(exchange, "collection", json_type_array) != NULL)
		return;
	const char *words = roundup_refusal(exchange);
	if (words != NULL && exchange->status == 404) {
		conversation_fail(conversation, ERR_UNSUPPORTED_TRACKER,
			"%srest/data/issue: %s; only trackers with a class `issue` can be watched",
			conversation->base_url, words);
		return;
	}
	char *rest = NULL;
	if (words != NULL && (exchange->status == 400 || exchange->status == 403))
		rest = without_field(conversation->server, words);
	if (rest == NULL) {
		roundup_fail(conversation, exchange);
		return;
	}
	conversation->server->memory = rest;
	ask_schema(conversation);
}

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
	const char *activity = NULL, *keyword = NULL;
	if (!read_text(owner, item, "title", &into->title) ||
		!read_text(owner, item, "status.name", &into->status) ||
		!read_text(owner, item, "resolution.name", &into->resolution) ||
		!read_text(owner, item, "priority.name", &into->priority) ||
		!read_text(owner, item, "severity.name", &into->severity) ||
		!read_text(owner, item, "activity", &activity) ||
		!read_first(owner, item, "components", &into->product) ||
		!read_first(owner, item, "keyword", &keyword))
		return false;
	if (into->product == NULL)
		into->product = keyword;
	return activity == NULL || moment_parse(activity, &into->changed_at);
}

/* Priority is Roundup's word for weight; severity stands in where a tracker has no priority. */
static void map_weight(const struct conversation *conversation, struct observation *read)
{
	read->priority_decides = strstr(learnt_fields(conversation), "priority.name") != NULL;
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
	struct json_object *items = roundup_data(exchange, "collection", json_type_array);
	if (items == NULL) {
		roundup_fail(conversation, exchange);
		return;
	}
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
		ask_bugs(conversation, silent, count);
	else
		ask_about_silence(conversation, exchange, silent, count);
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
	if (words != NULL && exchange->status == 404)
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
	if (said != NULL && strcmp(json_object_get_string(said), id) == 0)
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
	else if (exchange_good(exchange, NULL))
		conversation_fail(conversation, ERR_UNPARSABLE_TRACKER,
			"%srest/data/issue answered none of the %u bugs asked",
			conversation->base_url, exchange->wanted_count);
	else
		roundup_fail(conversation, exchange);
}

static void hear(struct conversation *conversation, struct exchange *exchange)
{
	static void (*const ears[])(struct conversation *, struct exchange *) = {
		[ASK_DOOR] = hear_door,
		[ASK_CLASSES] = hear_classes,
		[ASK_SCHEMA] = hear_schema,
		[ASK_BUGS] = hear_bugs,
		[ASK_WITNESS] = hear_witness,
		[ASK_BUG] = hear_bug,
		[ASK_MESSAGE_IDS] = roundup_hear_message_ids,
		[ASK_MESSAGES] = roundup_hear_messages,
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
