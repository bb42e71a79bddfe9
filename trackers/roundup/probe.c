/* Which door a Roundup has for us: REST, else its export of lists as CSV; and which fields issues have. */
#include "trackers/json.h"
#include "trackers/roundup/export.h"
#include "trackers/roundup/fields.h"
#include "trackers/text.h"

#include <string.h>
#include <talloc.h>

static void go_in(struct conversation *conversation, const struct exchange *exchange)
{
	struct server *server = conversation->server;
	server->abilities = ABILITY_WHY | ABILITY_COMMENTS | ABILITY_CHANGES;
	if (exchange->date != 0)
		server->skew_s = (exchange->date - conversation->now) / MOMENT_SECOND;
}

void roundup_begin_probe(struct conversation *conversation)
{
	roundup_ask(
		conversation, ASK_DOOR, talloc_asprintf(NULL, "%srest/", conversation->base_url));
}

/* ---- the export ---- */

/* All fields that matter; issue 1, as some versions miss a column only when there is a row. */
static void ask_export(struct conversation *conversation, const char *door, const char *fields)
{
	static const char *const first[] = {"1"};
	export_remember(conversation, door, fields);
	struct question question = roundup_check_question(conversation);
	export_ask(conversation, ASK_EXPORT, &question, first, 1);
}

static void ask_for_all_fields(struct conversation *conversation, const char *door)
{
	char *all = talloc_strdup(NULL, "");
	for (const struct roundup_field *field = roundup_fields; field->asked != NULL; field++)
		all = talloc_asprintf_append_buffer(
			all, "%s%s", *all != '\0' ? "," : "", field->asked);
	ask_export(conversation, door, all);
	talloc_free(all);
}

/* What a page says of a column that issues lack, or NULL. */
static const char *complaint(const struct exchange *exchange)
{
	const char *words = strstr(exchange->text, "Column ");
	const char *end = words != NULL ? strstr(words, " not found") : NULL;
	return end != NULL ? talloc_strndup(exchange, words, (size_t)(end - words)) : NULL;
}

/* Fewer fields than LEARNT, where nothing says which one is wrong; NULL where there are no fewer. */
static const char *fewer_fields(const char *learnt)
{
	static const char *const steps[] = {"status.name,priority.name", "status.name", ""};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (strlen(steps[i]) < strlen(learnt))
			return steps[i];
	return NULL;
}

/* What the question for names was about. */
struct naming {
	const char *class_name;
	const char *done; /* the classes that were asked for in this check, with this one */
};

static struct exchange *ask_name(struct conversation *conversation, const char *class_name,
	const char *property, const char *const *ids, unsigned count)
{
	struct question question = {.class_name = class_name, .fields = property};
	struct exchange *exchange = export_ask(conversation, ASK_NAMES, &question, ids, count);
	struct naming *naming = talloc_zero(exchange, struct naming);
	naming->class_name = talloc_strdup(naming, class_name);
	exchange->memo = naming;
	return exchange;
}

bool roundup_asks_names(struct conversation *conversation, struct exchange *exchange)
{
	const char *done = exchange->memo != NULL ? exchange->memo : "";
	struct json_object *items = roundup_items(conversation, exchange);
	const char *class_name =
		export_is_door(conversation) ? export_nameless(conversation, items, done) : NULL;
	if (class_name == NULL)
		return false;
	struct exchange *names = ask_name(conversation, class_name, "name", NULL, 0);
	struct naming *naming = names->memo;
	naming->done = talloc_asprintf(naming, "%s,%s", done, class_name);
	names->wanted = talloc_memdup(
		names, exchange->wanted, exchange->wanted_count * sizeof(*exchange->wanted));
	names->wanted_count = exchange->wanted_count;
	return true;
}

/* Asks for the names of what the learnt fields link to, and whether users may be viewed. */
static void ask_names(struct conversation *conversation)
{
	static const char *const first[] = {"1"};
	const char *learnt = export_fields(conversation);
	for (const struct roundup_field *field = roundup_fields; field->asked != NULL; field++) {
		if (strstr(learnt, field->asked) != NULL)
			ask_name(conversation, field->class_name, "name", NULL, 0);
	}
	ask_name(conversation, "user", "username", first, 1);
}

/* Whether the answer is about the server's state, not about what it has. */
static bool is_trouble(const struct exchange *exchange)
{
	return exchange->status == 0 || exchange->status == 429 || exchange->status >= 500 ||
		exchange->failure.kind != ERR_NONE;
}

static void refuse_export(struct conversation *conversation, const struct exchange *exchange)
{
	if (exchange->status == 401 || exchange->status == 403)
		conversation_fail(conversation, ERR_AUTH,
			"%sissue: HTTP %d, and no REST for us; a login that may view issues is "
			"wanted, check username and password",
			conversation->base_url, exchange->status);
	else
		conversation_fail(conversation, ERR_UNSUPPORTED_TRACKER,
			"%s: neither REST nor a list of issues as CSV (HTTP %d); is this the "
			"address of a Roundup 1.4 or later that has issues?",
			conversation->base_url, exchange->status);
}

/* An action that an old Roundup does not know brings the page of the list. */
void roundup_hear_export(struct conversation *conversation, struct exchange *exchange)
{
	const char *learnt = export_fields(conversation), *words = complaint(exchange);
	bool page = text_is_markup(exchange->text, exchange->text_size);
	bool old = strcmp(conversation->server->door, export_old_door) == 0;
	const char *fewer =
		words != NULL ? roundup_without(exchange, learnt, words) : fewer_fields(learnt);
	if (export_items(conversation, exchange, NULL) != NULL) {
		go_in(conversation, exchange);
		ask_names(conversation);
	} else if (is_trouble(exchange)) {
		roundup_fail(conversation, exchange);
	} else if (exchange->status == 403 && roundup_can_sign_in(conversation)) {
		roundup_sign_in(conversation);
	} else if (exchange->status == 200 && page && !old) {
		ask_for_all_fields(conversation, export_old_door);
	} else if (fewer != NULL && (words != NULL || (exchange->status == 200 && !page))) {
		ask_export(conversation, conversation->server->door, fewer);
	} else {
		refuse_export(conversation, exchange);
	}
}

void roundup_probe_signed_in(struct conversation *conversation)
{
	ask_for_all_fields(conversation, export_door);
}

/* A class that we may not view has no names for us. */
void roundup_hear_names(struct conversation *conversation, struct exchange *exchange)
{
	const struct naming *naming = exchange->memo;
	struct json_object *items = export_items(conversation, exchange, NULL);
	bool refused = exchange->status >= 400 && exchange->status <= 404;
	if (items != NULL) {
		export_remember_names(conversation, naming->class_name, items);
	} else if (!refused || !roundup_is_page(exchange)) {
		roundup_fail(conversation, exchange);
		return;
	}
	if (exchange->wanted_count > 0) {
		struct exchange *again =
			roundup_ask_bugs(conversation, exchange->wanted, exchange->wanted_count);
		again->memo = talloc_strdup(again, naming->done);
	}
}

/* ---- REST ---- */

/* Stock trackers let nobody use REST without a right, and everybody the export. */
void roundup_hear_door(struct conversation *conversation, struct exchange *exchange)
{
	bool has_login = conversation->credentials != NULL;
	bool closed = exchange->status == 403 || (exchange->status == 401 && !has_login);
	if (roundup_data(exchange, "default_version", json_type_int) != NULL) {
		conversation->server->door = talloc_strdup(conversation->server, "rest/");
		go_in(conversation, exchange);
		roundup_ask(conversation, ASK_CLASSES,
			talloc_asprintf(NULL, "%srest/data?@pretty=false", conversation->base_url));
	} else if (exchange->status == 404 || closed) {
		ask_for_all_fields(conversation, export_door);
	} else {
		roundup_fail(conversation, exchange);
	}
}

/* No issue has the id 0: the answer is empty, or says which field issues lack. */
static void ask_schema(struct conversation *conversation)
{
	static const char *const none[] = {"0"};
	struct question question = roundup_check_question(conversation);
	roundup_ask_items(conversation, ASK_SCHEMA, &question, none, 1);
}

/* The list only saves questions: where it can't be had, every field is asked for. */
void roundup_hear_classes(struct conversation *conversation, struct exchange *exchange)
{
	struct json_object *classes = NULL;
	if (exchange_good(exchange, NULL))
		classes = json_member(exchange->json, "data", json_type_object);
	if (classes == NULL && roundup_refusal(exchange) == NULL && exchange->status != 404) {
		roundup_fail(conversation, exchange);
		return;
	}
	char *learnt = talloc_strdup(conversation->server, "");
	for (const struct roundup_field *field = roundup_fields; field->asked != NULL; field++)
		if (classes == NULL || json_object_object_get_ex(classes, field->class_name, NULL))
			learnt = talloc_asprintf_append_buffer(
				learnt, "%s%s", *learnt != '\0' ? "," : "", field->asked);
	conversation->server->memory = learnt;
	ask_schema(conversation);
}

/* Each refusal takes one field away, so this ends after as many questions as there are fields. */
void roundup_hear_schema(struct conversation *conversation, struct exchange *exchange)
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
		rest = roundup_without(conversation->server, conversation->server->memory, words);
	if (rest == NULL) {
		roundup_fail(conversation, exchange);
		return;
	}
	conversation->server->memory = rest;
	ask_schema(conversation);
}
