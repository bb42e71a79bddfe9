/* Roundup over its REST interface (2.0 and later); see README.md. */
#include "trackers/json.h"
#include "trackers/roundup/mapping.h"
#include "trackers/silence.h"
#include "trackers/text.h"
#include "trackers/tracker.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum purpose {
	ASK_DOOR, /* is there REST, and may we enter? */
	ASK_CLASSES, /* which classes may we view? */
	ASK_SCHEMA, /* do issues have all of these fields? */
	ASK_BUGS, /* a batch of bugs */
	ASK_WITNESS, /* one bug of a batch that was answered by nothing at all */
	ASK_BUG, /* one bug that its batch left out */
};

enum { BATCH_SIZE = 250, ID_DIGITS = 10, REMOTE_WORDS = 120 };

/*
 * What we want of an issue, as it is asked for. Only title and activity are certain; a field whose
 * class the tracker lacks is not worth a question.
 */
static const struct {
	const char *asked, *property, *class_name;
} fields[] = {
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
	return text_is_number(text, ID_DIGITS) && text[0] != '0' &&
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

static struct exchange *ask(struct conversation *conversation, enum purpose purpose, char *url)
{
	struct exchange *exchange = conversation_ask(conversation, (int)purpose, url);
	const struct credentials *login = conversation->credentials;
	exchange->format = FORMAT_JSON;
	if (login != NULL && login->api_key != NULL)
		exchange->headers[0] =
			talloc_asprintf(exchange, "Authorization: Bearer %s", login->api_key);
	else
		exchange->basic_login = login != NULL && login->username != NULL;
	return exchange;
}

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
	ask(conversation, ASK_SCHEMA, url);
}

/* The parameter is repeated: `id=1,2` would match nothing. Copies WANTED. */
static void ask_bugs(struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	char *url = talloc_asprintf(NULL, "%srest/data/issue?", conversation->base_url);
	for (unsigned i = 0; i < count; i++)
		url = talloc_asprintf_append_buffer(
			url, "id=%s&", conversation->wanted[wanted[i]].remote_id);
	url = talloc_asprintf_append_buffer(url, "%s", question_tail(conversation, url));
	struct exchange *exchange = ask(conversation, ASK_BUGS, url);
	exchange->wanted = talloc_memdup(exchange, wanted, count * sizeof(*wanted));
	exchange->wanted_count = count;
}

/* Asks for the first of WANTED by itself; the others wait for what is said of it. Copies WANTED. */
static void ask_alone(struct conversation *conversation, enum purpose purpose,
	const unsigned *wanted, unsigned count)
{
	char *url = talloc_asprintf(NULL, "%srest/data/issue/%s?@fields=activity&@pretty=false",
		conversation->base_url, conversation->wanted[wanted[0]].remote_id);
	struct exchange *exchange = ask(conversation, purpose, url);
	exchange->wanted = talloc_memdup(exchange, wanted, count * sizeof(*wanted));
	exchange->wanted_count = count;
}

static void begin(struct conversation *conversation)
{
	if (conversation->errand == ERRAND_PROBE) {
		ask(conversation, ASK_DOOR,
			talloc_asprintf(NULL, "%srest/", conversation->base_url));
		return;
	}
	unsigned total = conversation->wanted_count;
	unsigned *all = talloc_array(conversation, unsigned, total);
	for (unsigned i = 0; i < total; i++)
		all[i] = i;
	for (unsigned from = 0; from < total; from += BATCH_SIZE)
		ask_bugs(conversation, all + from,
			total - from < BATCH_SIZE ? total - from : BATCH_SIZE);
}

/* ---- answers ---- */

/* What Roundup says in `{"error": {"status": N, "msg": ...}}`, made clean; NULL for no such answer. */
static const char *refusal(struct exchange *exchange)
{
	struct json_object *error = json_member(exchange->json, "error", json_type_object);
	struct json_object *status = json_member(error, "status", json_type_int);
	struct json_object *words = json_member(error, "msg", json_type_string);
	if (words == NULL || json_object_get_int64(status) != exchange->status)
		return NULL;
	return text_clean_line(exchange, json_object_get_string(words),
		(size_t)json_object_get_string_len(words), REMOTE_WORDS);
}

/* Fails the errand over an answer that is not good. */
static void fail(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	const char *words = refusal(exchange);
	if (exchange_good(exchange, &why))
		err_set(&why, ERR_UNPARSABLE_TRACKER,
			"%srest/: not an answer of Roundup's REST interface",
			conversation->base_url);
	if (why.kind == ERR_AUTH && conversation->credentials == NULL)
		conversation_fail(conversation, ERR_AUTH,
			"%srest/: REST needs a login with Rest Access; set username and password",
			conversation->base_url);
	else if (words != NULL)
		conversation_fail(conversation, why.kind, "%srest/ refused with HTTP %d: %s",
			conversation->base_url, exchange->status, words);
	else
		conversation_fail(conversation, why.kind, "%s", why.text);
}

static struct json_object *data_of(struct exchange *exchange, const char *member, json_type type)
{
	if (!exchange_good(exchange, NULL))
		return NULL;
	return json_member(json_member(exchange->json, "data", json_type_object), member, type);
}

static void hear_door(struct conversation *conversation, struct exchange *exchange)
{
	if (exchange->status == 404) {
		conversation_fail(conversation, ERR_UNSUPPORTED_TRACKER,
			"%srest/: no REST interface here; Roundup 2.0 or later is needed",
			conversation->base_url);
		return;
	}
	if (data_of(exchange, "default_version", json_type_int) == NULL) {
		fail(conversation, exchange);
		return;
	}
	struct server *server = conversation->server;
	server->door = talloc_strdup(server, "rest/");
	server->abilities = ABILITY_WHY;
	if (exchange->date != 0)
		server->skew_s = (exchange->date - conversation->now) / MOMENT_SECOND;
	ask(conversation, ASK_CLASSES,
		talloc_asprintf(NULL, "%srest/data?@pretty=false", conversation->base_url));
}

/* The list only saves questions: where it can't be had, every field is asked for. */
static void hear_classes(struct conversation *conversation, struct exchange *exchange)
{
	struct json_object *classes = NULL;
	if (exchange_good(exchange, NULL))
		classes = json_member(exchange->json, "data", json_type_object);
	if (classes == NULL && refusal(exchange) == NULL && exchange->status != 404) {
		fail(conversation, exchange);
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
	if (data_of(exchange, "collection", json_type_array) != NULL)
		return;
	const char *words = refusal(exchange);
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
		fail(conversation, exchange);
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
static enum bug_importance importance_of(
	const struct conversation *conversation, const struct observation *observation)
{
	bool has_priority = strstr(learnt_fields(conversation), "priority.name") != NULL;
	return map_importance(roundup_importance_rows,
		has_priority ? observation->priority : observation->severity);
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
	read.mapped_importance = importance_of(conversation, &read);
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

/* 2.4 and later say -1 where the administrator's limit of rows cut the answer short. */
static bool was_cut(struct exchange *exchange)
{
	struct json_object *total = data_of(exchange, "@total_size", json_type_int);
	return total != NULL && json_object_get_int64(total) < 0;
}

static void hear_bugs(struct conversation *conversation, struct exchange *exchange)
{
	struct json_object *items = data_of(exchange, "collection", json_type_array);
	if (items == NULL) {
		fail(conversation, exchange);
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
	else if (was_cut(exchange) && count > 0 && count < exchange->wanted_count)
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
	const char *words = refusal(exchange);
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
	struct json_object *said = data_of(exchange, "id", json_type_string);
	if (said != NULL && strcmp(json_object_get_string(said), id) == 0)
		conversation_observe_error(conversation, exchange->wanted[0], ERR_BUG_NOT_FOUND,
			"issue%s: retired (taken out of the tracker's lists)", id);
	else
		fail(conversation, exchange);
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
		fail(conversation, exchange);
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
	};
	ears[exchange->purpose](conversation, exchange);
}

const struct tracker roundup_tracker = {
	.name = "roundup",
	.title = "Roundup",
	.batch_size = BATCH_SIZE,
	.recognise = recognise,
	.valid_id = valid_id,
	.begin = begin,
	.hear = hear,
};
