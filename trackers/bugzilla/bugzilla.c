/* Bugzilla over its REST interface (5.0 and later); see README.md. */
#include "trackers/bugzilla/answer.h"
#include "trackers/bugzilla/question.h"
#include "trackers/json.h"
#include "trackers/silence.h"
#include "trackers/text.h"
#include "trackers/tracker.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { OLDEST = 5, ID_DIGITS = 10 };

static const char cgi_door[] = "rest.cgi/", page[] = "show_bug.cgi";

static const char fields[] =
	"include_fields=id,status,resolution,severity,priority,last_change_time,summary,product";

/*
 * Bug ids are 32-bit integers in Bugzilla's databases: PostgreSQL fails a whole request over a
 * bigger one. They are compared as texts, so there is one form of each.
 */
static bool valid_id(const char *text)
{
	return text_is_number(text, ID_DIGITS) && text[0] != '0' &&
		strtoll(text, NULL, 10) <= INT32_MAX;
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

/* ---- questions ---- */

/* Without a limit of its own a search is cut at the site's: 20 at Red Hat. */
static void ask_bugs(struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	char *question = talloc_strdup(NULL, "bug?id=");
	for (unsigned i = 0; i < count; i++)
		question = talloc_asprintf_append_buffer(question, "%s%s", i > 0 ? "," : "",
			conversation->wanted[wanted[i]].remote_id);
	question = talloc_asprintf_append_buffer(question, "&limit=%u&%s", count, fields);
	bugzilla_ask_about(conversation, ASK_BUGS, question, wanted, count);
	talloc_free(question);
}

/* Asks for the first of WANTED by itself; the others wait for what is said of it. */
static void ask_alone(struct conversation *conversation, enum bugzilla_purpose purpose,
	const unsigned *wanted, unsigned count)
{
	char *question = talloc_asprintf(
		NULL, "bug/%s?%s", conversation->wanted[wanted[0]].remote_id, fields);
	bugzilla_ask_about(conversation, purpose, question, wanted, count);
	talloc_free(question);
}

static void begin_check(struct conversation *conversation)
{
	unsigned total = conversation->wanted_count, *all = talloc_array(NULL, unsigned, total);
	for (unsigned i = 0; i < total; i++)
		all[i] = i;
	for (unsigned from = 0, count; from < total; from += count) {
		count = bugzilla_fitting(conversation, all + from, total - from,
			BUGZILLA_BATCH_SIZE, strlen(","), sizeof(fields));
		ask_bugs(conversation, all + from, count);
	}
	talloc_free(all);
}

static void ask_door(
	struct conversation *conversation, enum bugzilla_purpose purpose, const char *name)
{
	bugzilla_ask(conversation, purpose,
		talloc_asprintf(NULL, "%s%sversion", conversation->base_url, name));
}

static void begin(struct conversation *conversation)
{
	switch (conversation->errand) {
	case ERRAND_PROBE:
		ask_door(conversation, ASK_DOOR, bugzilla_door);
		break;
	case ERRAND_CHECK:
		begin_check(conversation);
		break;
	case ERRAND_COMMENTS:
		bugzilla_begin_comments(conversation);
		break;
	case ERRAND_CHANGES:
		bugzilla_begin_changes(conversation);
		break;
	}
}

/* ---- answers ---- */

/* Whether the answer is the server's own trouble, which says nothing about a door. */
static bool is_trouble(const struct exchange *exchange, const struct err *why)
{
	bool broken_json = why->kind == ERR_UNPARSABLE_TRACKER && exchange->text[0] == '{';
	return exchange->status == 0 || exchange->status == 429 || exchange->status >= 500 ||
		broken_json ||
		(why->kind != ERR_HTTP && why->kind != ERR_AUTH &&
			why->kind != ERR_UNPARSABLE_TRACKER);
}

static void go_in(struct conversation *conversation, struct exchange *exchange, const char *version)
{
	struct server *server = conversation->server;
	if (strtoul(version, NULL, 10) < OLDEST) {
		conversation_fail(conversation, ERR_UNSUPPORTED_TRACKER,
			"%s: Bugzilla %.40s; 5.0 or later is needed", conversation->base_url,
			version);
		return;
	}
	server->version = talloc_strdup(server, version);
	server->door =
		talloc_strdup(server, exchange->purpose == ASK_DOOR ? bugzilla_door : cgi_door);
	server->abilities = ABILITY_WHY | ABILITY_COMMENTS | ABILITY_CHANGES;
	if (exchange->date != 0)
		server->skew_s = (exchange->date - conversation->now) / MOMENT_SECOND;
}

static void hear_door(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	bool good = exchange_good(exchange, &why) && answer_code(exchange) == CODE_NONE;
	const char *version = good ? json_text_of(exchange, exchange->json, "version") : NULL;
	if (version != NULL)
		go_in(conversation, exchange, version);
	else if (!good && is_trouble(exchange, &why))
		answer_fail(conversation, exchange);
	else if (exchange->purpose == ASK_DOOR)
		ask_door(conversation, ASK_CGI_DOOR, cgi_door);
	else if (why.kind == ERR_AUTH)
		answer_fail(conversation, exchange);
	else
		conversation_fail(conversation, ERR_UNSUPPORTED_TRACKER,
			"%s: no REST interface of Bugzilla found, neither at %s nor at %s; "
			"Bugzilla 5.0 or later is needed",
			conversation->base_url, bugzilla_door, cgi_door);
}

/* A search leaves out what is missing or private without a word, and all when it is broken. */
static void ask_about_silence(struct conversation *conversation, struct exchange *exchange)
{
	unsigned count;
	unsigned *silent = silent_bugs(conversation, exchange, &count);
	if (silence_is_suspicious(conversation, exchange, silent, count)) {
		ask_alone(conversation, ASK_WITNESS, silent, count);
		return;
	}
	for (unsigned i = 0; i < count; i++)
		ask_alone(conversation, ASK_BUG, silent + i, 1);
}

static void hear_bugs(struct conversation *conversation, struct exchange *exchange)
{
	unsigned count = exchange->wanted_count;
	if (exchange->status == 414 && count > 1) {
		ask_bugs(conversation, exchange->wanted, count / 2);
		ask_bugs(conversation, exchange->wanted + count / 2, count - count / 2);
		return;
	}
	struct json_object *bugs = answer_bugs(exchange);
	if (bugs == NULL) {
		answer_fail(conversation, exchange);
		return;
	}
	answer_observe(conversation, exchange, bugs);
	ask_about_silence(conversation, exchange);
}

/* Adds what an error says of the one bug asked for; false where it is not about the bug. */
static bool observe_why(struct conversation *conversation, struct exchange *exchange)
{
	unsigned wanted = exchange->wanted[0];
	const char *id = conversation->wanted[wanted].remote_id, *words = answer_words(exchange);
	enum code code = answer_code(exchange);
	bool refused = exchange->status == 400 || exchange->status == 404;
	if (code == CODE_NO_BUG)
		conversation_observe_error(
			conversation, wanted, ERR_BUG_NOT_FOUND, "bug %s: %s", id, words);
	else if (code == CODE_NO_ACCESS)
		conversation_observe_error(conversation, wanted, ERR_PRIVATE_BUG,
			"bug %s: %s Set credentials that may see it", id, words);
	else if (code == CODE_INVALID_ID || (code == CODE_OTHER && refused))
		conversation_observe_error(
			conversation, wanted, ERR_INVALID_BUG_ID, "bug %s: %s", id, words);
	return conversation_observed(conversation, wanted);
}

static void hear_bug(struct conversation *conversation, struct exchange *exchange)
{
	if (observe_why(conversation, exchange))
		return;
	struct json_object *bugs = answer_bugs(exchange);
	if (bugs == NULL) {
		answer_fail(conversation, exchange);
		return;
	}
	answer_observe(conversation, exchange, bugs);
	if (!conversation_observed(conversation, exchange->wanted[0]))
		conversation_observe_error(conversation, exchange->wanted[0], ERR_UNPARSABLE_BUG,
			"bug %s: its own address answers without it",
			conversation->wanted[exchange->wanted[0]].remote_id);
}

/* Only a bug that is gone by Bugzilla's own word makes the silence about the others credible. */
static void hear_witness(struct conversation *conversation, struct exchange *exchange)
{
	enum code code = answer_code(exchange);
	if ((code == CODE_NO_BUG || code == CODE_NO_ACCESS) &&
		observe_why(conversation, exchange)) {
		for (unsigned i = 1; i < exchange->wanted_count; i++)
			ask_alone(conversation, ASK_BUG, exchange->wanted + i, 1);
	} else if (answer_bugs(exchange) != NULL || code == CODE_INVALID_ID) {
		conversation_fail(conversation, ERR_UNPARSABLE_TRACKER,
			"%s answered none of the %u bugs asked for, of which some were read before",
			conversation->base_url, exchange->wanted_count);
	} else {
		answer_fail(conversation, exchange);
	}
}

static void hear(struct conversation *conversation, struct exchange *exchange)
{
	static void (*const ears[])(struct conversation *, struct exchange *) = {
		[ASK_DOOR] = hear_door,
		[ASK_CGI_DOOR] = hear_door,
		[ASK_BUGS] = hear_bugs,
		[ASK_WITNESS] = hear_witness,
		[ASK_BUG] = hear_bug,
		[ASK_COMMENTS] = bugzilla_hear_comments,
		[ASK_CHANGES] = bugzilla_hear_changes,
	};
	ears[exchange->purpose](conversation, exchange);
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
