#include "trackers/trac/rpc.h"

#include "trackers/json.h"
#include "trackers/text.h"
#include "trackers/trac/errands.h"
#include "trackers/xmlrpc.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { REMOTE_WORDS = 120 };

bool rpc_is_xml(const struct conversation *conversation)
{
	return trac_remembers(conversation, trac_xml_word);
}

/* ---- questions ---- */

static char *json_call(const void *owner, const char *method, struct json_object *params)
{
	struct json_object *call = json_object_new_object();
	json_object_object_add(call, "method", json_object_new_string(method));
	json_object_object_add(call, "id", json_object_new_int(0));
	json_object_object_add(call, "params", json_object_get(params));
	char *text = talloc_strdup(owner,
		json_object_to_json_string_ext(
			call, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(call);
	return text;
}

struct exchange *rpc_ask_once(struct conversation *conversation, int purpose, const char *method,
	struct json_object *params)
{
	bool xml = rpc_is_xml(conversation);
	struct exchange *exchange = trac_ask(conversation, (enum trac_purpose)purpose,
		talloc_strdup(NULL, conversation->server->door));
	exchange->method = "POST";
	exchange->format = xml ? FORMAT_XML : FORMAT_JSON;
	exchange->body =
		xml ? xmlrpc_call(exchange, method, params) : json_call(exchange, method, params);
	trac_add_header(
		exchange, xml ? "Content-Type: text/xml" : "Content-Type: application/json");
	json_object_put(params);
	return exchange;
}

/* Ids are digits only and 32 bits at most (valid_id). */
static struct json_object *one_call(bool xml, const char *method, const char *id)
{
	int number = (int)strtol(id, NULL, 10);
	struct json_object *call = json_object_new_object(), *params = json_object_new_array();
	json_object_array_add(params, json_object_new_int(number));
	json_object_object_add(call, xml ? "methodName" : "method", json_object_new_string(method));
	json_object_object_add(call, "params", params);
	if (!xml)
		json_object_object_add(call, "id", json_object_new_int(number));
	return call;
}

/* JSON-RPC has the calls as parameters, XML-RPC a list of them as its only one. */
struct exchange *rpc_ask(struct conversation *conversation, int purpose, const char *method,
	const unsigned *wanted, unsigned count)
{
	bool xml = rpc_is_xml(conversation);
	struct json_object *calls = json_object_new_array(), *params = calls;
	for (unsigned i = 0; i < count; i++)
		json_object_array_add(
			calls, one_call(xml, method, conversation->wanted[wanted[i]].remote_id));
	if (xml) {
		params = json_object_new_array();
		json_object_array_add(params, calls);
	}
	struct exchange *exchange = rpc_ask_once(conversation, purpose, "system.multicall", params);
	exchange->wanted = talloc_memdup(exchange, wanted, count * sizeof(*wanted));
	exchange->wanted_count = count;
	return exchange;
}

/* ---- answers ---- */

/* What a good answer says; at most one of the two is set. */
struct reply {
	struct json_object *result, *error;
	struct json_object *owned;
};

static int reply_free(struct reply *reply)
{
	json_object_put(reply->owned);
	return 0;
}

/* Read once: in the exchange's memo. */
static const struct reply *reply_of(struct exchange *exchange)
{
	if (exchange->memo != NULL)
		return exchange->memo;
	struct reply *reply = talloc_zero(exchange, struct reply);
	talloc_set_destructor(reply, reply_free);
	exchange->memo = reply;
	if (exchange->format == FORMAT_XML) {
		bool fault = false;
		reply->owned = xmlrpc_answer(exchange->xml, &fault);
		*(fault ? &reply->error : &reply->result) = reply->owned;
	} else {
		reply->error = json_member(exchange->json, "error", json_type_object);
		if (reply->error == NULL)
			json_object_object_get_ex(exchange->json, "result", &reply->result);
	}
	return reply;
}

static int code_of(struct json_object *error)
{
	struct json_object *code = json_member(error, "code", json_type_int);
	return json_object_get_int(
		code != NULL ? code : json_member(error, "faultCode", json_type_int));
}

/* Plugins of later times put an error's inner life in place of a fault among several XML results. */
static const char *words_of(const void *owner, struct json_object *error)
{
	static const char *const names[] = {"message", "faultString", "_message"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct json_object *words = json_member(error, names[i], json_type_string);
		if (words != NULL)
			return text_clean_line(owner, json_object_get_string(words),
				(size_t)json_object_get_string_len(words), REMOTE_WORDS);
	}
	return "";
}

bool rpc_refused(struct exchange *exchange, int *code, const char **words)
{
	if (!exchange_good(exchange, NULL))
		return false;
	struct json_object *error = reply_of(exchange)->error;
	*code = code_of(error);
	*words = words_of(exchange, error);
	return *code != 0;
}

/* The name of the right is the same in every language. */
bool rpc_is_right_lost(const char *words)
{
	return strstr(words, "XML_RPC") != NULL;
}

struct json_object *rpc_list(struct exchange *exchange, struct err *why)
{
	if (!exchange_good(exchange, why))
		return NULL;
	const struct reply *reply = reply_of(exchange);
	if (json_object_is_type(reply->result, json_type_array))
		return reply->result;
	if (reply->error != NULL)
		err_set(why,
			code_of(reply->error) == RPC_FORBIDDEN ? ERR_AUTH : ERR_UNPARSABLE_TRACKER,
			"%s: the RPC plugin refused: %s", exchange->url,
			words_of(exchange, reply->error));
	else
		err_set(why, ERR_UNPARSABLE_TRACKER, "%s: not what Trac's RPC plugin answers",
			exchange->url);
	return NULL;
}

/* Results of calls are wrapped, in one way or another; where none is, this is an answer to something else. */
static bool is_any_wrapped(struct json_object *results)
{
	for (size_t i = 0; i < json_object_array_length(results); i++) {
		struct json_object *entry = json_object_array_get_idx(results, i);
		if (json_object_is_type(entry, json_type_array) ||
			json_object_is_type(entry, json_type_object))
			return true;
	}
	return false;
}

struct json_object *rpc_results(struct exchange *exchange, struct err *why)
{
	struct json_object *results = rpc_list(exchange, why);
	if (results == NULL ||
		(json_object_array_length(results) == exchange->wanted_count &&
			is_any_wrapped(results)))
		return results;
	err_set(why, ERR_UNPARSABLE_TRACKER, "%s: not the results of %u calls, but %zu values",
		exchange->url, exchange->wanted_count, json_object_array_length(results));
	return NULL;
}

/* In JSON the plugin gives each result the id of its call; in XML it wraps each in a list of one. */
struct json_object *rpc_result(struct exchange *exchange, struct json_object *results, unsigned at,
	const char *id, int *code, const char **words)
{
	bool xml = exchange->format == FORMAT_XML;
	struct json_object *entry = json_object_array_get_idx(results, at), *value = NULL;
	struct json_object *error = xml ? entry : json_member(entry, "error", json_type_object);
	bool whole;
	if (xml) {
		whole = json_object_is_type(entry, json_type_array) &&
			json_object_array_length(entry) == 1;
		value = whole ? json_object_array_get_idx(entry, 0) : NULL;
	} else {
		const char *said = json_text_of(exchange, entry, "id");
		whole = error == NULL && said != NULL && strcmp(said, id) == 0;
		json_object_object_get_ex(entry, "result", &value);
	}
	*code = code_of(error);
	*words = words_of(exchange, error);
	return whole && json_object_is_type(value, json_type_array) ? value : NULL;
}

/* {"__jsonclass__": ["datetime", "2019-01-07T09:15:02.123456"]}, or in XML 20190107T09:15:02 */
bool rpc_moment(struct json_object *value, moment *out)
{
	struct json_object *pair = json_member(value, "__jsonclass__", json_type_array);
	struct json_object *text = value;
	if (pair != NULL && json_object_array_length(pair) == 2)
		text = json_object_array_get_idx(pair, 1);
	return json_object_is_type(text, json_type_string) &&
		moment_parse(json_object_get_string(text), out);
}
