#include "tests/farm/control.h"

#include "tests/farm/fault.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

/* One member of what is posted. Each setter says whether it could take the value. */
struct member {
	const char *name;
	bool (*set)(struct site *site, struct hand *hand, struct json_object *value);
};

/* Keeps VALUE (null: nothing) at PLACE. */
static bool set_text(const void *owner, const char **place, struct json_object *value)
{
	if (value != NULL && !json_object_is_type(value, json_type_string))
		return false;
	*place = value != NULL ? talloc_strdup(owner, json_object_get_string(value)) : NULL;
	return true;
}

static bool is_number(struct json_object *value)
{
	return json_object_is_type(value, json_type_int) ||
		json_object_is_type(value, json_type_double);
}

/* ---- one bug ---- */

static bool set_status(struct site *site, struct hand *hand, struct json_object *value)
{
	return set_text(hand, &hand->status, value);
}

static bool set_resolution(struct site *site, struct hand *hand, struct json_object *value)
{
	return set_text(hand, &hand->resolution, value);
}

static bool set_severity(struct site *site, struct hand *hand, struct json_object *value)
{
	return set_text(hand, &hand->severity, value);
}

static bool set_priority(struct site *site, struct hand *hand, struct json_object *value)
{
	return set_text(hand, &hand->priority, value);
}

static bool set_title(struct site *site, struct hand *hand, struct json_object *value)
{
	return set_text(hand, &hand->title, value);
}

static bool set_product(struct site *site, struct hand *hand, struct json_object *value)
{
	return set_text(hand, &hand->product, value);
}

/* The place of VALUE in WORDS, which end with NULL; -1 where it is none of them. */
static int word_index(const char *const *words, struct json_object *value)
{
	for (int i = 0; value != NULL && words[i] != NULL; i++)
		if (strcmp(words[i], json_object_get_string(value)) == 0)
			return i;
	return -1;
}

static bool set_presence(struct site *site, struct hand *hand, struct json_object *value)
{
	static const char *const words[] = {
		[BUG_THERE] = "there",
		[BUG_MISSING] = "missing",
		[BUG_PRIVATE] = "private",
		[BUG_RETIRED] = "retired",
		NULL,
	};
	int index = word_index(words, value);
	if (index >= 0)
		hand->presence = (enum presence)index;
	return index >= 0;
}

static bool set_bad(struct site *site, struct hand *hand, struct json_object *value)
{
	static const char *const words[] = {[BAD_NOT] = "not",
		[BAD_TYPES] = "types",
		[BAD_SYNTAX] = "syntax",
		[BAD_COMMENTS] = "comments",
		[BAD_LOG] = "log",
		NULL};
	int index = word_index(words, value);
	if (index >= 0)
		hand->badness = (enum badness)index;
	return index >= 0;
}

/* {"author", "text"}: adds a comment. */
static bool set_comment(struct site *site, struct hand *hand, struct json_object *value)
{
	struct json_object *author = NULL, *text = NULL;
	if (!json_object_is_type(value, json_type_object) ||
		!json_object_object_get_ex(value, "author", &author) ||
		!json_object_object_get_ex(value, "text", &text) ||
		!json_object_is_type(author, json_type_string) ||
		!json_object_is_type(text, json_type_string))
		return false;
	site_say(site, hand, json_object_get_string(author), json_object_get_string(text));
	return true;
}

static const struct member bug_members[] = {
	{"status", set_status},
	{"resolution", set_resolution},
	{"severity", set_severity},
	{"priority", set_priority},
	{"title", set_title},
	{"product", set_product},
	{"presence", set_presence},
	{"bad", set_bad},
	{"comment", set_comment},
	{NULL, NULL},
};

/* ---- the tracker ---- */

static bool set_fault(struct site *site, struct hand *hand, struct json_object *value)
{
	site->fault = value != NULL ? fault_of_word(json_object_get_string(value)) : NULL;
	site->fault_times = -1;
	site->fault_only = NULL;
	return value == NULL || site->fault != NULL;
}

static bool set_times(struct site *site, struct hand *hand, struct json_object *value)
{
	site->fault_times = json_object_get_int(value);
	return json_object_is_type(value, json_type_int);
}

static bool set_only(struct site *site, struct hand *hand, struct json_object *value)
{
	return set_text(site, &site->fault_only, value);
}

static bool set_to(struct site *site, struct hand *hand, struct json_object *value)
{
	return set_text(site, &site->fault_to, value);
}

static bool set_latency(struct site *site, struct hand *hand, struct json_object *value)
{
	site->latency_ms = (unsigned)json_object_get_int(value);
	return json_object_is_type(value, json_type_int) && json_object_get_int(value) >= 0;
}

static bool set_tempo(struct site *site, struct hand *hand, struct json_object *value)
{
	site->life.tempo = json_object_get_double(value);
	site->life.began = site_now(site);
	return is_number(value);
}

static bool set_skew(struct site *site, struct hand *hand, struct json_object *value)
{
	site->skew_s = json_object_get_double(value);
	return is_number(value);
}

static bool set_credentials(struct site *site, struct hand *hand, struct json_object *value)
{
	return set_text(site, &site->credentials, value);
}

static bool set_login_required(struct site *site, struct hand *hand, struct json_object *value)
{
	site->login_required = json_object_get_boolean(value);
	return json_object_is_type(value, json_type_boolean);
}

/* Forgets what was asked so far; what is under way stays so. */
static bool set_reset(struct site *site, struct hand *hand, struct json_object *value)
{
	struct tally *tally = &site->tally;
	unsigned under_way = tally->under_way;
	for (unsigned i = 0; i < PATHS; i++)
		talloc_free(tally->paths[i].name);
	for (unsigned i = 0; i < LATEST; i++)
		talloc_free(tally->uris[i]);
	talloc_free(tally->last_user_agent);
	talloc_free(tally->last_authorization);
	talloc_free(tally->last_origin);
	*tally = (struct tally){.under_way = under_way, .most_under_way = under_way};
	return true;
}

/* `fault` first: it puts what says when it applies back. */
static const struct member site_members[] = {
	{"fault", set_fault},
	{"times", set_times},
	{"only", set_only},
	{"to", set_to},
	{"latency_ms", set_latency},
	{"tempo", set_tempo},
	{"skew_s", set_skew},
	{"credentials", set_credentials},
	{"login_required", set_login_required},
	{"reset", set_reset},
	{NULL, NULL},
};

/* ---- telling ---- */

static struct json_object *paths_json(const struct tally *tally)
{
	struct json_object *paths = json_object_new_object();
	for (unsigned i = 0; i < PATHS && tally->paths[i].name != NULL; i++)
		json_object_object_add(paths, tally->paths[i].name,
			json_object_new_int64((int64_t)tally->paths[i].count));
	return paths;
}

/* Adds what is known of each of the latest questions, oldest first. */
static void add_latest(struct json_object *object, const struct tally *tally)
{
	struct json_object *starts = json_object_new_array(), *uris = json_object_new_array();
	unsigned long n = tally->requests < LATEST ? tally->requests : LATEST;
	for (unsigned long i = tally->requests - n; i < tally->requests; i++) {
		json_object_array_add(starts, json_object_new_double(tally->starts[i % LATEST]));
		json_object_array_add(uris, json_object_new_string(tally->uris[i % LATEST]));
	}
	json_object_object_add(object, "starts", starts);
	json_object_object_add(object, "uris", uris);
}

static void add_text(struct json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, text != NULL ? json_object_new_string(text) : NULL);
}

static struct json_object *tally_json(const struct site *site)
{
	const struct tally *tally = &site->tally;
	struct json_object *object = json_object_new_object();
	json_object_object_add(object, "requests", json_object_new_int64((int64_t)tally->requests));
	json_object_object_add(object, "paths", paths_json(tally));
	json_object_object_add(
		object, "under_way", json_object_new_int64((int64_t)tally->under_way));
	json_object_object_add(
		object, "most_under_way", json_object_new_int64((int64_t)tally->most_under_way));
	add_latest(object, tally);
	add_text(object, "user_agent", tally->last_user_agent);
	add_text(object, "authorization", tally->last_authorization);
	add_text(object, "origin", tally->last_origin);
	add_text(object, "fault", fault_word(site->fault));
	return object;
}

static struct json_object *bug_json(
	const struct site *site, const struct question *question, unsigned id)
{
	struct bug bug;
	enum presence presence = site_bug(site, question, id, &bug);
	if (presence != BUG_THERE && presence != BUG_RETIRED)
		return NULL;
	struct json_object *object = json_object_new_object();
	json_object_object_add(object, "bug", json_object_new_int64(id));
	add_text(object, "status", bug.status);
	add_text(object, "resolution", bug.resolution);
	add_text(object, "severity", bug.severity);
	add_text(object, "priority", bug.priority);
	add_text(object, "product", bug.product);
	add_text(object, "title", bug.title);
	json_object_object_add(object, "comments",
		json_object_new_int64(bug.comments - site->speech->first_comment));
	json_object_object_add(object, "changed", json_object_new_double(bug.changed));
	return object;
}

static void answer_json(struct answer *answer, struct json_object *object)
{
	say(answer->body,
		json_object_to_json_string_ext(
			object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

/* ---- taking ---- */

static void refuse(struct answer *answer, const char *what, const char *why)
{
	answer->status = 400;
	evbuffer_drain(answer->body, evbuffer_get_length(answer->body));
	evbuffer_add_printf(answer->body, "{\"error\":\"%s: %s\"}", what, why);
}

static bool is_member(const struct member *members, const char *name)
{
	while (members->name != NULL && strcmp(members->name, name) != 0)
		members++;
	return members->name != NULL;
}

/* Sets what POSTED has of MEMBERS, in their order; false (and refused) at the first that is wrong. */
static bool set_members(const struct member *members, struct site *site, struct hand *hand,
	struct json_object *posted, struct answer *answer)
{
	json_object_object_foreach (posted, name, ignored) {
		(void)ignored;
		if (!is_member(members, name) && strcmp(name, "bug") != 0) {
			refuse(answer, name, "not known");
			return false;
		}
	}
	for (; members->name != NULL; members++) {
		struct json_object *value = NULL;
		if (json_object_object_get_ex(posted, members->name, &value) &&
			!members->set(site, hand, value)) {
			refuse(answer, members->name, "not such a value");
			return false;
		}
	}
	return true;
}

static void take(struct site *site, struct json_object *posted, struct answer *answer)
{
	struct json_object *bug = NULL;
	if (!json_object_object_get_ex(posted, "bug", &bug)) {
		if (set_members(site_members, site, NULL, posted, answer))
			answer_json(answer, tally_json(site));
		return;
	}
	int64_t id = json_object_get_int64(bug);
	if (id < 1 || id > site->life.bugs)
		refuse(answer, "bug", "no such bug");
	else if (set_members(bug_members, site, site_hand(site, (unsigned)id), posted, answer))
		say(answer->body, "{}");
}

/* The posted JSON object, or NULL. */
static struct json_object *read_posted(struct question *question)
{
	struct json_object *posted = json_tokener_parse(question_body(question));
	if (!json_object_is_type(posted, json_type_object)) {
		json_object_put(posted);
		return NULL;
	}
	return posted;
}

void control_answer(struct site *site, struct question *question, struct answer *answer)
{
	const char *bug = question_value(question, "bug");
	if (evhttp_request_get_command(question->request) != EVHTTP_REQ_POST) {
		answer_json(answer,
			bug != NULL ? bug_json(site, question, (unsigned)atol(bug))
				    : tally_json(site));
		return;
	}
	struct json_object *posted = read_posted(question);
	if (posted == NULL)
		refuse(answer, "body", "not a JSON object");
	else
		take(site, posted, answer);
	json_object_put(posted);
}
