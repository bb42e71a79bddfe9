#include "trackers/roundup/rest.h"

#include "trackers/json.h"
#include "trackers/roundup/export.h"
#include "trackers/text.h"

#include <string.h>
#include <talloc.h>

enum { REMOTE_WORDS = 120 };

struct exchange *roundup_ask(
	struct conversation *conversation, enum roundup_purpose purpose, char *url)
{
	struct exchange *exchange = conversation_ask(conversation, (int)purpose, url);
	const struct credentials *login = conversation->credentials;
	exchange->format = FORMAT_JSON;
	if (login != NULL && login->api_key != NULL)
		roundup_add_header(exchange,
			talloc_asprintf(exchange, "Authorization: Bearer %s", login->api_key));
	else if (login != NULL && login->session != NULL && login->session->cookie != NULL)
		roundup_add_header(
			exchange, talloc_asprintf(exchange, "Cookie: %s", login->session->cookie));
	else
		exchange->basic_login = login != NULL && login->username != NULL;
	return exchange;
}

void roundup_add_header(struct exchange *exchange, const char *text)
{
	unsigned i = 0;
	while (exchange->headers[i] != NULL)
		i++;
	exchange->headers[i] = talloc_strdup(exchange, text);
}

/*
 * The parameter is repeated: `id=1,2` would match nothing. The semicolon is escaped: before 3.9.2
 * Python took a bare one for the end of the parameter.
 */
static struct exchange *ask_rest(struct conversation *conversation, enum roundup_purpose purpose,
	const struct question *question, const char *const *ids, unsigned count)
{
	char *url = talloc_asprintf(
		NULL, "%srest/data/%s?", conversation->base_url, question->class_name);
	for (unsigned i = 0; i < count; i++)
		url = talloc_asprintf_append_buffer(url, "id=%s&", ids[i]);
	if (question->since != NULL)
		url = talloc_asprintf_append_buffer(url, "activity=%s%%3B&", question->since);
	url = talloc_asprintf_append_buffer(
		url, "@fields=%s&@verbose=%d&@pretty=false", question->fields, question->verbose);
	return roundup_ask(conversation, purpose, url);
}

struct exchange *roundup_ask_items(struct conversation *conversation, enum roundup_purpose purpose,
	const struct question *question, const char *const *ids, unsigned count)
{
	return (export_is_door(conversation) ? export_ask : ask_rest)(
		conversation, purpose, question, ids, count);
}

struct exchange *roundup_ask_issues(struct conversation *conversation, enum roundup_purpose purpose,
	const unsigned *wanted, unsigned count, const struct question *question)
{
	const char **ids = talloc_array(NULL, const char *, count);
	for (unsigned i = 0; i < count; i++)
		ids[i] = conversation->wanted[wanted[i]].remote_id;
	struct exchange *exchange = roundup_ask_items(conversation, purpose, question, ids, count);
	exchange->wanted = talloc_memdup(exchange, wanted, count * sizeof(*wanted));
	exchange->wanted_count = count;
	talloc_free(ids);
	return exchange;
}

void roundup_ask_all(struct conversation *conversation, enum roundup_purpose purpose,
	const struct question *question)
{
	unsigned total = conversation->wanted_count, *all = talloc_array(NULL, unsigned, total);
	for (unsigned i = 0; i < total; i++)
		all[i] = i;
	for (unsigned from = 0; from < total; from += ROUNDUP_BATCH_SIZE)
		roundup_ask_issues(conversation, purpose, all + from,
			total - from < ROUNDUP_BATCH_SIZE ? total - from : ROUNDUP_BATCH_SIZE,
			question);
	talloc_free(all);
}

const char *roundup_refusal(struct exchange *exchange)
{
	struct json_object *error = json_member(exchange->json, "error", json_type_object);
	struct json_object *status = json_member(error, "status", json_type_int);
	struct json_object *words = json_member(error, "msg", json_type_string);
	if (words == NULL || json_object_get_int64(status) != exchange->status)
		return NULL;
	return text_clean_line(exchange, json_object_get_string(words),
		(size_t)json_object_get_string_len(words), REMOTE_WORDS);
}

struct json_object *roundup_items(
	const struct conversation *conversation, struct exchange *exchange)
{
	return export_is_door(conversation) ? export_items(conversation, exchange, NULL)
					    : roundup_data(exchange, "collection", json_type_array);
}

static void fail_export(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	if (export_items(conversation, exchange, &why) != NULL)
		err_set(&why, ERR_UNPARSABLE_TRACKER, "%s: not what Roundup exports",
			conversation->base_url);
	conversation_fail(conversation, why.kind, "%s", why.text);
}

void roundup_fail(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	if (exchange->format == FORMAT_TEXT) {
		fail_export(conversation, exchange);
		return;
	}
	const char *words = roundup_refusal(exchange);
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

struct json_object *roundup_data(struct exchange *exchange, const char *name, json_type type)
{
	if (!exchange_good(exchange, NULL))
		return NULL;
	return json_member(json_member(exchange->json, "data", json_type_object), name, type);
}

/* 2.4 and later say -1 where the administrator's limit of rows cut the answer short. */
bool roundup_was_cut(struct exchange *exchange)
{
	struct json_object *total = roundup_data(exchange, "@total_size", json_type_int);
	return total != NULL && json_object_get_int64(total) < 0;
}

/* Templates may end in a comment. */
bool roundup_is_page(const struct exchange *exchange)
{
	const char *end = exchange->text + exchange->text_size;
	while (end > exchange->text && strchr(" \t\r\n", end[-1]) != NULL)
		end--;
	return exchange->failure.kind == ERR_NONE && end > exchange->text && end[-1] == '>' &&
		strstr(exchange->text, "</html>") != NULL;
}
