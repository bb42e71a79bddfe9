/*
 * Trac's RPC plugin. A call is worked out in JSON's own values whatever the dialect it came in; a
 * dialect reads calls and writes what became of them.
 */
#include "tests/farm/trac.h"
#include "tests/farm/xmlrpc.h"

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

enum { FORBIDDEN = 403, NOT_FOUND = 404, NO_METHOD = -32601, SPOILT = 500, PAGE = 100 };

/* What became of a call. */
struct outcome {
	struct json_object *result; /* NULL where it failed */
	int code;
	char *message; /* owned by the question */
};

struct dialect {
	const char *content_type;
	/* The call in BODY as {"method", "params", "id"}, NULL where there is none. */
	struct json_object *(*read)(const char *body);
	/* What became of one CALL of many; NULL where that spoils all. */
	struct json_object *(*entry)(struct json_object *call, const struct outcome *outcome);
	void (*write)(
		struct answer *answer, struct json_object *call, const struct outcome *outcome);
};

static struct outcome fail(struct question *question, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static struct outcome fail(struct question *question, int code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *message = talloc_vasprintf(question, format, args);
	va_end(args);
	return (struct outcome){.code = code, .message = message};
}

static struct outcome succeed(struct json_object *result)
{
	return (struct outcome){.result = result};
}

/* ---- values ---- */

/* {"__jsonclass__": ["datetime", "2019-01-07T09:15:02.123456"]}, in UTC */
static struct json_object *new_time(double at)
{
	char text[40];
	int micro = (int)((at - floor(at)) * 1e6);
	struct tm broken = in_utc(at);
	size_t n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &broken);
	if (micro > 0)
		snprintf(text + n, sizeof(text) - n, ".%06d", micro);
	struct json_object *pair = json_object_new_array(), *object = json_object_new_object();
	json_object_array_add(pair, json_object_new_string("datetime"));
	json_object_array_add(pair, json_object_new_string(text));
	json_object_object_add(object, "__jsonclass__", pair);
	return object;
}

static void add_text(struct json_object *object, const char *name, const char *text)
{
	if (text != NULL)
		json_object_object_add(object, name, json_object_new_string(text));
}

/* Something that is no JSON, written as it is. */
static struct json_object *new_nonsense(void)
{
	static char nonsense[] = "NaN,,";
	struct json_object *value = json_object_new_boolean(false);
	json_object_set_serializer(value, json_object_userdata_to_json_string, nonsense, NULL);
	return value;
}

static struct json_object *fields_of(const struct bug *bug, enum badness badness)
{
	struct json_object *fields = json_object_new_object();
	char stamp[32];
	snprintf(stamp, sizeof(stamp), "%.0f", bug->changed * 1e6);
	add_text(fields, "summary", bug->title);
	add_text(fields, "reporter", "bob");
	add_text(fields, "description", "Would be nice.");
	add_text(fields, "status", bug->status);
	add_text(fields, "priority", bug->priority);
	add_text(fields, "severity", bug->severity);
	add_text(fields, "component", bug->product);
	add_text(fields, "resolution", bug->resolution);
	json_object_object_add(fields, "time", new_time(bug->created));
	json_object_object_add(fields, "changetime", new_time(bug->changed));
	add_text(fields, "_ts", stamp);
	if (badness == BAD_TYPES)
		json_object_object_add(fields, "status", json_object_new_array());
	if (badness == BAD_SYNTAX)
		json_object_object_add(fields, "status", new_nonsense());
	return fields;
}

/* A row of a change log: [time, author, field, old, new, permanent]. */
static struct json_object *new_row(
	double at, const char *author, const char *field, const char *old, const char *text)
{
	struct json_object *row = json_object_new_array();
	json_object_array_add(row, new_time(at));
	json_object_array_add(row, json_object_new_string(author));
	json_object_array_add(row, json_object_new_string(field));
	json_object_array_add(row, json_object_new_string(old));
	json_object_array_add(row, text != NULL ? json_object_new_string(text) : NULL);
	json_object_array_add(row, json_object_new_int(strcmp(field, "attachment") != 0));
	return row;
}

/* ---- methods ---- */

static struct outcome get_version(
	const struct site *site, struct question *question, struct json_object *params)
{
	static const int version[] = {1, 2, 0};
	struct json_object *result = json_object_new_array();
	for (unsigned i = 0; i < sizeof(version) / sizeof(version[0]); i++)
		json_object_array_add(result, json_object_new_int(version[i]));
	return succeed(result);
}

/* The ticket that the first of PARAMS names; false, and *WHY says so, where it can't be had. */
static bool find(const struct site *site, struct question *question, struct json_object *params,
	struct bug *bug, struct outcome *why)
{
	int id = json_object_get_int(json_object_array_get_idx(params, 0));
	enum presence presence = site_bug(site, question, id > 0 ? (unsigned)id : 0, bug);
	if (presence == BUG_MISSING)
		*why = fail(question, NOT_FOUND, "Ticket %d does not exist.", id);
	else if (presence == BUG_PRIVATE)
		*why = fail(question, FORBIDDEN,
			"TICKET_VIEW privileges are required to perform this operation on Ticket "
			"#%d. You don't have the required permissions.",
			id);
	return presence != BUG_MISSING && presence != BUG_PRIVATE;
}

/* [id, created, changed, {field: value}] */
static struct outcome get_ticket(
	const struct site *site, struct question *question, struct json_object *params)
{
	struct outcome why;
	struct bug bug;
	question->topic = TOPIC_BUGS;
	if (!find(site, question, params, &bug, &why))
		return why;
	struct json_object *result = json_object_new_array();
	json_object_array_add(result, json_object_new_int64(bug.id));
	json_object_array_add(result, new_time(bug.created));
	json_object_array_add(result, new_time(bug.changed));
	json_object_array_add(result, fields_of(&bug, site_badness(site, bug.id)));
	return succeed(result);
}

/* The tickets that the text QUERY leaves. */
static struct outcome select_tickets(
	const struct site *site, struct question *question, const char *text, unsigned most)
{
	struct question *query = question_instead(question, text);
	unsigned count;
	const unsigned *ids = query != NULL ? farm_trac_select(site, query, most, &count) : NULL;
	question->topic = TOPIC_BUGS;
	if (ids == NULL)
		return fail(question, 1, "\"%s\" is an invalid query", text);
	struct json_object *result = json_object_new_array();
	for (unsigned i = 0; i < count; i++)
		json_object_array_add(result, json_object_new_int64(ids[i]));
	return succeed(result);
}

static struct outcome query_tickets(
	const struct site *site, struct question *question, struct json_object *params)
{
	const char *text = json_object_get_string(json_object_array_get_idx(params, 0));
	return select_tickets(site, question, text != NULL ? text : "", PAGE);
}

/* All tickets since a moment, which is among them. */
static struct outcome recent_changes(
	const struct site *site, struct question *question, struct json_object *params)
{
	struct json_object *pair = NULL;
	json_object_object_get_ex(json_object_array_get_idx(params, 0), "__jsonclass__", &pair);
	if (!json_object_is_type(pair, json_type_array))
		return fail(question, 1, "the moment is none");
	const char *since = json_object_get_string(json_object_array_get_idx(pair, 1));
	return select_tickets(
		site, question, talloc_asprintf(question, "changetime=%s..", since), 0);
}

/* Every third answers the one before it: `2.3`. */
static void write_place(char *place, size_t size, unsigned number)
{
	if (number % 3 == 0)
		snprintf(place, size, "%u.%u", number - 1, number);
	else
		snprintf(place, size, "%u", number);
}

/* The description is none of them; an attachment is no comment. */
static struct outcome change_log(
	const struct site *site, struct question *question, struct json_object *params)
{
	struct outcome why;
	struct bug bug;
	question->topic = TOPIC_COMMENTS;
	if (!find(site, question, params, &bug, &why))
		return why;
	struct json_object *rows = json_object_new_array();
	json_object_array_add(rows, new_row(bug.created, "bob", "attachment", "", "log.txt"));
	for (unsigned number = 1; number < bug.comments; number++) {
		struct remark comment;
		char place[24];
		site_comment(site, bug.id, number, &comment);
		write_place(place, sizeof(place), number);
		json_object_array_add(
			rows, new_row(comment.at, comment.author, "comment", place, comment.text));
	}
	if (site_badness(site, bug.id) == BAD_COMMENTS)
		json_object_array_add(rows, new_row(bug.changed, "bob", "comment", "second", NULL));
	return succeed(rows);
}

static const struct {
	const char *name;
	struct outcome (*call)(
		const struct site *site, struct question *question, struct json_object *params);
} methods[] = {
	{"system.getAPIVersion", get_version},
	{"ticket.get", get_ticket},
	{"ticket.query", query_tickets},
	{"ticket.changeLog", change_log},
	{"ticket.getRecentChanges", recent_changes},
};

static const char *method_of(struct json_object *call)
{
	struct json_object *method = json_object_object_get(call, "method");
	return json_object_is_type(method, json_type_string) ? json_object_get_string(method) : "";
}

static struct json_object *params_of(struct json_object *call)
{
	struct json_object *params = json_object_object_get(call, "params");
	return json_object_is_type(params, json_type_array) ? params : NULL;
}

static struct outcome answer_call(
	const struct site *site, struct question *question, struct json_object *call)
{
	const char *name = method_of(call);
	struct json_object *params = params_of(call);
	question->call = talloc_strdup(question, name);
	if (site->login_required && !question->signed_in)
		return fail(question, FORBIDDEN,
			"XML_RPC privileges are required to perform this operation. You don't "
			"have the required permissions.");
	for (unsigned i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i].name, name) == 0 && params != NULL)
			return methods[i].call(site, question, params);
	return fail(question, NO_METHOD, "RPC method \"%s\" not found", name);
}

/* ---- JSON-RPC ---- */

static struct json_object *read_json(const char *body)
{
	struct json_object *call = json_tokener_parse(body);
	if (json_object_is_type(call, json_type_object))
		return call;
	json_object_put(call);
	return NULL;
}

static struct json_object *entry_json(struct json_object *call, const struct outcome *outcome)
{
	struct json_object *entry = json_object_new_object(), *error = NULL;
	if (outcome->result == NULL) {
		error = json_object_new_object();
		add_text(error, "name", "JSONRPCError");
		json_object_object_add(error, "code", json_object_new_int(outcome->code));
		add_text(error, "message", outcome->message);
	}
	json_object_object_add(entry, "result", json_object_get(outcome->result));
	json_object_object_add(entry, "error", error);
	json_object_object_add(entry, "id", json_object_get(json_object_object_get(call, "id")));
	return entry;
}

static void write_json(
	struct answer *answer, struct json_object *call, const struct outcome *outcome)
{
	struct json_object *entry = entry_json(call, outcome);
	say(answer->body, json_object_to_json_string_ext(entry, JSON_C_TO_STRING_SPACED));
	json_object_put(entry);
}

/* ---- XML-RPC ---- */

/* JSON-RPC has the calls of many as its parameters, and another word for the method. */
static struct json_object *read_xml(const char *body)
{
	struct json_object *call = farm_xmlrpc_read(body), *method, *calls;
	if (call == NULL || strcmp(method_of(call), "system.multicall") != 0)
		return call;
	calls = json_object_get(json_object_array_get_idx(params_of(call), 0));
	size_t count =
		json_object_is_type(calls, json_type_array) ? json_object_array_length(calls) : 0;
	for (size_t i = 0; i < count; i++) {
		struct json_object *one = json_object_array_get_idx(calls, i);
		if (json_object_object_get_ex(one, "methodName", &method))
			json_object_object_add(one, "method", json_object_get(method));
	}
	json_object_object_add(call, "params", calls);
	return call;
}

/* In place of a fault an error's own members; one that has a resource among them can't be written. */
static struct json_object *entry_xml(struct json_object *call, const struct outcome *outcome)
{
	struct json_object *entry = NULL;
	if (outcome->result != NULL) {
		entry = json_object_new_array();
		json_object_array_add(entry, json_object_get(outcome->result));
	} else if (outcome->code != FORBIDDEN) {
		entry = json_object_new_object();
		add_text(entry, "_message", outcome->message);
	}
	return entry;
}

static void write_xml(
	struct answer *answer, struct json_object *call, const struct outcome *outcome)
{
	if (outcome->result != NULL) {
		farm_xmlrpc_write(answer->body, outcome->result);
	} else if (outcome->code != SPOILT) {
		farm_xmlrpc_refuse(answer->body, outcome->code, outcome->message);
	} else {
		answer_page(answer, 500, outcome->message);
		answer->content_type = "text/plain;charset=utf-8";
	}
}

enum { DIALECT_XML, DIALECT_JSON };

static const struct dialect dialects[] = {
	[DIALECT_XML] = {"text/xml", read_xml, entry_xml, write_xml},
	[DIALECT_JSON] = {"application/json", read_json, entry_json, write_json},
};

/* ---- the door ---- */

/* Each call of many has an outcome of its own. */
static struct outcome answer_many(const struct site *site, struct question *question,
	const struct dialect *dialect, struct json_object *call)
{
	struct json_object *calls = params_of(call), *entries = json_object_new_array();
	size_t count = calls != NULL ? json_object_array_length(calls) : 0;
	for (size_t i = 0; i < count; i++) {
		struct json_object *one = json_object_array_get_idx(calls, i);
		struct outcome outcome = answer_call(site, question, one);
		struct json_object *entry = dialect->entry(one, &outcome);
		json_object_put(outcome.result);
		if (entry == NULL) {
			json_object_put(entries);
			return fail(question, SPOILT,
				"Unhandled protocol error calling 'system.multicall': cannot "
				"marshal <class 'trac.resource.Resource'> objects");
		}
		json_object_array_add(entries, entry);
	}
	return succeed(entries);
}

/* Old plugins speak XML alone. */
static const struct dialect *dialect_of(const struct site *site, const struct question *question)
{
	const char *type = question_header(question, "Content-Type");
	int last = site->speech == &trac_xml_speech ? DIALECT_XML : DIALECT_JSON;
	for (int i = 0; type != NULL && i <= last; i++) {
		size_t n = strlen(dialects[i].content_type);
		if (strncmp(type, dialects[i].content_type, n) == 0)
			return &dialects[i];
	}
	return NULL;
}

static void speak(const struct site *site, struct question *question, const struct dialect *dialect,
	struct json_object *call, struct answer *answer)
{
	bool many = strcmp(method_of(call), "system.multicall") == 0;
	struct outcome outcome = many ? answer_many(site, question, dialect, call)
				      : answer_call(site, question, call);
	answer->content_type = dialect->content_type;
	dialect->write(answer, call, &outcome);
	json_object_put(outcome.result);
}

void farm_trac_answer_rpc(const struct site *site, struct question *question, struct answer *answer)
{
	const struct dialect *dialect = dialect_of(site, question);
	if (strncmp(question->path, "login/", 6) == 0 && !question->signed_in) {
		answer_page(answer, 401, "");
		return;
	}
	if (dialect == NULL) {
		const char *type = question_header(question, "Content-Type");
		answer_page(answer, 415, "");
		answer->content_type = "text/plain;charset=utf-8";
		evbuffer_add_printf(answer->body,
			"No protocol matching Content-Type '%s' at path '/%s'.",
			type != NULL ? type : "text/plain", question->path);
		return;
	}
	struct json_object *call = dialect->read(question_body(question));
	struct json_object *nothing = json_object_new_object();
	speak(site, question, dialect, call != NULL ? call : nothing, answer);
	json_object_put(nothing);
	json_object_put(call);
}
