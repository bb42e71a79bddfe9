#include "trackers/trac/rpc.h"

#include "trackers/json.h"
#include "trackers/text.h"

#include <string.h>
#include <talloc.h>

enum { REMOTE_WORDS = 120 };

static struct exchange *ask(
	struct conversation *conversation, int purpose, const char *door, char *body)
{
	struct exchange *exchange = conversation_ask(
		conversation, purpose, talloc_asprintf(NULL, "%s%s", conversation->base_url, door));
	const struct credentials *login = conversation->credentials;
	exchange->method = "POST";
	exchange->body = talloc_steal(exchange, body);
	exchange->headers[0] = "Content-Type: application/json";
	exchange->format = FORMAT_JSON;
	exchange->basic_login = login != NULL && login->username != NULL;
	return exchange;
}

/* Ids are digits only (valid_id), so nothing needs quoting. */
struct exchange *rpc_ask(struct conversation *conversation, int purpose, const char *door,
	const char *method, const unsigned *wanted, unsigned count)
{
	char *body = talloc_strdup(NULL, "{\"method\":\"system.multicall\",\"id\":0,\"params\":[");
	for (unsigned i = 0; i < count; i++) {
		const char *id = conversation->wanted[wanted[i]].remote_id;
		body = talloc_asprintf_append_buffer(body,
			"%s{\"method\":\"%s\",\"params\":[%s],\"id\":%s}", i > 0 ? "," : "", method,
			id, id);
	}
	body = talloc_strdup_append_buffer(body, "]}");
	struct exchange *exchange = ask(conversation, purpose, door, body);
	exchange->wanted = talloc_memdup(exchange, wanted, count * sizeof(*wanted));
	exchange->wanted_count = count;
	return exchange;
}

struct exchange *rpc_ask_once(struct conversation *conversation, int purpose, const char *door,
	const char *method, const char *params)
{
	return ask(conversation, purpose, door,
		talloc_asprintf(
			NULL, "{\"method\":\"%s\",\"id\":0,\"params\":%s}", method, params));
}

static const char *words_of(struct exchange *exchange, struct json_object *error)
{
	struct json_object *message = json_member(error, "message", json_type_string);
	if (message == NULL)
		return "";
	return text_clean_line(exchange, json_object_get_string(message),
		(size_t)json_object_get_string_len(message), REMOTE_WORDS);
}

static int code_of(struct json_object *error)
{
	return json_object_get_int(json_member(error, "code", json_type_int));
}

bool rpc_refused(const struct exchange *exchange)
{
	struct json_object *error = json_member(exchange->json, "error", json_type_object);
	return exchange_good(exchange, NULL) && code_of(error) != 0;
}

struct json_object *rpc_results(struct exchange *exchange, struct err *why)
{
	if (!exchange_good(exchange, why))
		return NULL;
	struct json_object *error = json_member(exchange->json, "error", json_type_object);
	struct json_object *results = json_member(exchange->json, "result", json_type_array);
	if (error != NULL)
		err_set(why, code_of(error) == RPC_FORBIDDEN ? ERR_AUTH : ERR_UNPARSABLE_TRACKER,
			"%s: the RPC plugin refused: %s", exchange->url, words_of(exchange, error));
	else if (results == NULL)
		err_set(why, ERR_UNPARSABLE_TRACKER,
			"%s: JSON, but not what Trac's RPC plugin answers", exchange->url);
	return error == NULL ? results : NULL;
}

/* The plugin gives each result the id of its call. */
struct json_object *rpc_result(struct exchange *exchange, struct json_object *results, unsigned at,
	const char *id, int *code, const char **words)
{
	struct json_object *entry = json_object_array_get_idx(results, at);
	struct json_object *error = json_member(entry, "error", json_type_object);
	const char *said = json_text_of(exchange, entry, "id");
	*code = code_of(error);
	*words = words_of(exchange, error);
	if (error != NULL || said == NULL || strcmp(said, id) != 0)
		return NULL;
	return json_member(entry, "result", json_type_array);
}

/* {"__jsonclass__": ["datetime", "2019-01-07T09:15:02.123456"]} */
bool rpc_moment(struct json_object *value, moment *out)
{
	struct json_object *pair = json_member(value, "__jsonclass__", json_type_array);
	if (pair == NULL || json_object_array_length(pair) != 2)
		return false;
	struct json_object *text = json_object_array_get_idx(pair, 1);
	return json_object_is_type(text, json_type_string) &&
		moment_parse(json_object_get_string(text), out);
}
