/* Bugzilla: its REST interface, else XML-RPC, else its pages; see README.md. */
#include "trackers/bugzilla/answer.h"
#include "trackers/bugzilla/login.h"
#include "trackers/bugzilla/pages.h"
#include "trackers/bugzilla/question.h"
#include "trackers/text.h"
#include "trackers/tracker.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { ID_DIGITS = 10, ALIAS_LIMIT = 40 };

static const char page[] = "show_bug.cgi";

/*
 * Bug ids are 32-bit integers in Bugzilla's databases: PostgreSQL fails a whole request over a
 * bigger one. They are compared as texts, so there is one form of each.
 */
static bool is_valid_number(const char *text)
{
	return text_is_number(text, ID_DIGITS) && text[0] != '0' &&
		strtoll(text, NULL, 10) <= INT32_MAX;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Bugzilla takes more; but this is what people write, and what stands in a URL as it is. */
static bool is_valid_alias(const char *text)
{
	size_t n = strlen(text);
	return n > 0 && n <= ALIAS_LIMIT && strchr(LETTERS, text[0]) != NULL &&
		strspn(text, LETTERS "0123456789-._:") == n;
}

static bool valid_id(const char *text)
{
	return is_valid_number(text) || is_valid_alias(text);
}

/* Some sites renamed `id` to `issue`. */
static bool recognise(struct url *url, struct remote_bug *out)
{
	size_t size = strlen(url->path), page_size = sizeof(page) - 1;
	if (size <= page_size || strcmp(url->path + size - page_size, page) != 0 ||
		url->path[size - page_size - 1] != '/')
		return false;
	const char *id = url_parameter(url, "id");
	if (id == NULL)
		id = url_parameter(url, "issue");
	if (id == NULL || !valid_id(id))
		return false;
	out->base_url = url_base(url, url, size - page_size);
	out->remote_id = id;
	return true;
}

static void begin_errand(struct conversation *conversation)
{
	switch (conversation->errand) {
	case ERRAND_PROBE:
		bugzilla_begin_probe(conversation);
		break;
	case ERRAND_CHECK:
		bugzilla_begin_check(conversation);
		break;
	case ERRAND_COMMENTS:
		bugzilla_begin_comments(conversation);
		break;
	case ERRAND_CHANGES:
		bugzilla_begin_changes(conversation);
		break;
	}
}

static void begin(struct conversation *conversation)
{
	login_begin(conversation);
	if (login_is_due(conversation))
		login_ask(conversation);
	else
		begin_errand(conversation);
}

static void hear_login(struct conversation *conversation, struct exchange *exchange)
{
	if (login_hear(conversation, exchange))
		begin_errand(conversation);
}

/* What another interface answered, in REST's words. */
static struct json_object *translate(struct exchange *exchange)
{
	if (exchange->format == FORMAT_TEXT && exchange->body != NULL)
		return NULL;
	if (exchange->format == FORMAT_TEXT)
		return exchange_good(exchange, NULL) ? pages_read_list(exchange) : NULL;
	if (exchange->body != NULL)
		return answer_of_rpc(exchange);
	return exchange->purpose == ASK_COMMENTS ? pages_read_comments(exchange)
						 : pages_read_bugs(exchange);
}

static void hear(struct conversation *conversation, struct exchange *exchange)
{
	static void (*const ears[])(struct conversation *, struct exchange *) = {
		[ASK_REST_DOOR] = bugzilla_hear_rest_door,
		[ASK_REST_CGI_DOOR] = bugzilla_hear_rest_door,
		[ASK_PAGE_DOOR] = bugzilla_hear_page_door,
		[ASK_RPC_DOOR] = bugzilla_hear_rpc_door,
		[ASK_LOGIN] = hear_login,
		[ASK_WHO] = bugzilla_hear_who,
		[ASK_BUGS] = bugzilla_hear_bugs,
		[ASK_WITNESS] = bugzilla_hear_witness,
		[ASK_BUG] = bugzilla_hear_bug,
		[ASK_COMMENTS] = bugzilla_hear_comments,
		[ASK_NUMBERS] = bugzilla_hear_comments,
		[ASK_CHANGES] = bugzilla_hear_changes,
	};
	bool foreign = exchange->format != FORMAT_JSON;
	if (foreign)
		exchange->json = translate(exchange);
	if (login_lets_hear(conversation, exchange))
		ears[exchange->purpose](conversation, exchange);
	if (foreign) {
		json_object_put(exchange->json);
		exchange->json = NULL;
	}
}

const struct tracker bugzilla_tracker = {
	.name = "bugzilla",
	.title = "Bugzilla",
	.batch_size = BUGZILLA_BATCH_SIZE,
	.recognise = recognise,
	.valid_id = valid_id,
	.begin = begin,
	.hear = hear,
};
