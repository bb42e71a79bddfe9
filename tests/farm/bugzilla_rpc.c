/* Bugzilla's XML-RPC: calls are asked as questions of REST, and its answers written as XML. */
#include "tests/farm/bugzilla.h"
#include "tests/farm/xmlrpc.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

/* {"__jsonclass__": ["datetime", …]} as its text. */
static struct json_object *plain(struct json_object *value)
{
	struct json_object *pair = NULL;
	if (json_object_is_type(value, json_type_object) &&
		json_object_object_get_ex(value, "__jsonclass__", &pair))
		return json_object_array_get_idx(pair, 1);
	return value;
}

static char *add_parameter(
	char *query, const char *name, struct json_object *value, const char *between)
{
	bool list = json_object_is_type(value, json_type_array);
	size_t count = list ? json_object_array_length(value) : 1;
	query = talloc_asprintf_append(query, "%s%s=", *query != '\0' ? "&" : "", name);
	for (size_t i = 0; i < count; i++) {
		struct json_object *one = list ? json_object_array_get_idx(value, i) : value;
		char *escaped = evhttp_uriencode(json_object_get_string(plain(one)), -1, 0);
		query = talloc_asprintf_append(query, "%s%s", i > 0 ? between : "", escaped);
		free(escaped);
	}
	return query;
}

/* Asks REST for CALL with PARAMETERS; the caller puts the answer. */
static struct json_object *ask_rest(const struct site *site, struct question *question,
	const char *call, struct json_object *parameters)
{
	struct answer answer = {.status = 200, .body = evbuffer_new()};
	char *query = talloc_strdup(question, "");
	json_object_object_foreach (parameters, name, value)
		query = add_parameter(query, name, value, strcmp(name, "ids") == 0 ? "&ids=" : ",");
	struct question *instead = question_instead(question, query);
	instead->signed_in =
		site->credentials != NULL && site->speech->signs_in(instead, site->credentials);
	farm_bugzilla_answer_rest(site, instead, call, &answer);
	question->topic = instead->topic;
	evbuffer_add(answer.body, "", 1);
	struct json_object *said =
		json_tokener_parse((const char *)evbuffer_pullup(answer.body, -1));
	evbuffer_free(answer.body);
	return said;
}

static struct json_object *first_id(struct json_object *parameters)
{
	struct json_object *ids = json_object_object_get(parameters, "ids");
	return json_object_is_type(ids, json_type_array) ? json_object_array_get_idx(ids, 0) : NULL;
}

/* `Bug.get` of one bug, or `Bug.comments`: one that can't be had spoils all. */
static struct json_object *ask_bugs(const struct site *site, struct question *question,
	struct json_object *parameters, const char *what)
{
	const char *id = json_object_get_string(first_id(parameters));
	return ask_rest(site, question,
		talloc_asprintf(question, "bug/%s%s", id != NULL ? id : "", what), parameters);
}

/* Adds what is known of bug ID to BUGS, or to FAULTS why nothing is. */
static void add_bug(struct json_object *said, struct json_object *id, struct json_object *bugs,
	struct json_object *faults)
{
	struct json_object *found = json_object_object_get(said, "bugs");
	if (found != NULL) {
		json_object_array_add(bugs, json_object_get(json_object_array_get_idx(found, 0)));
		return;
	}
	struct json_object *fault = json_object_new_object();
	json_object_object_add(fault, "id", json_object_get(id));
	json_object_object_add(
		fault, "faultCode", json_object_get(json_object_object_get(said, "code")));
	json_object_object_add(
		fault, "faultString", json_object_get(json_object_object_get(said, "message")));
	json_object_array_add(faults, fault);
}

static struct json_object *get_each(
	const struct site *site, struct question *question, struct json_object *parameters)
{
	struct json_object *answer = json_object_new_object(), *bugs = json_object_new_array(),
			   *faults = json_object_new_array(),
			   *ids = json_object_get(json_object_object_get(parameters, "ids"));
	size_t count =
		json_object_is_type(ids, json_type_array) ? json_object_array_length(ids) : 0;
	for (size_t i = 0; i < count; i++) {
		struct json_object *id = json_object_array_get_idx(ids, i),
				   *one = json_object_new_array();
		json_object_array_add(one, json_object_get(id));
		json_object_object_add(parameters, "ids", one);
		struct json_object *said = ask_bugs(site, question, parameters, "");
		add_bug(said, id, bugs, faults);
		json_object_put(said);
	}
	json_object_put(ids);
	json_object_object_add(answer, "bugs", bugs);
	json_object_object_add(answer, "faults", faults);
	return answer;
}

static struct json_object *call_method(const struct site *site, struct question *question,
	const char *method, struct json_object *parameters)
{
	if (strcmp(method, "Bugzilla.version") == 0)
		return ask_rest(site, question, "version", parameters);
	if (strcmp(method, "Bug.search") == 0)
		return ask_rest(site, question, "bug", parameters);
	if (strcmp(method, "Bug.comments") == 0)
		return ask_bugs(site, question, parameters, "/comment");
	if (strcmp(method, "Bug.get") != 0)
		return NULL;
	return json_object_object_get(parameters, "permissive") != NULL
		? get_each(site, question, parameters)
		: ask_bugs(site, question, parameters, "");
}

/* Faults come with status 200. */
void farm_bugzilla_answer_rpc(
	const struct site *site, struct question *question, struct answer *answer)
{
	struct json_object *call = farm_xmlrpc_read(question_body(question));
	const char *method =
		call != NULL ? json_object_get_string(json_object_object_get(call, "method")) : "";
	struct json_object *params = json_object_object_get(call, "params");
	struct json_object *first = json_object_is_type(params, json_type_array)
		? json_object_get(json_object_array_get_idx(params, 0))
		: NULL;
	if (!json_object_is_type(first, json_type_object)) {
		json_object_put(first);
		first = json_object_new_object();
	}
	question->call = talloc_strdup(question, method);
	struct json_object *said = call_method(site, question, method, first);
	answer->content_type = "text/xml";
	if (json_object_object_get(said, "error") != NULL)
		farm_xmlrpc_refuse(answer->body,
			json_object_get_int(json_object_object_get(said, "code")),
			json_object_get_string(json_object_object_get(said, "message")));
	else if (said != NULL)
		farm_xmlrpc_write(answer->body, said);
	else
		farm_xmlrpc_refuse(answer->body, -32601, "There is no such method.");
	json_object_put(said);
	json_object_put(first);
	json_object_put(call);
}
