/* Debbugs over its SOAP interface; see README.md. */
#include "trackers/debbugs/errands.h"
#include "trackers/debbugs/mapping.h"
#include "trackers/debbugs/soap.h"
#include "trackers/silence.h"
#include "trackers/text.h"
#include "trackers/tracker.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { BATCH_SIZE = 500, NEWEST = 20, ID_DIGITS = 10, LINE = 4096 };

static const char door[] = "cgi-bin/soap.cgi", other_door[] = "cgi/soap.cgi";

/* Ids are sent as xsd:int, and compared as texts, so there is one form of each. */
static bool valid_id(const char *text)
{
	return text_is_number(text, ID_DIGITS) && text[0] != '0' &&
		strtoll(text, NULL, 10) <= INT32_MAX;
}

static bool take(struct remote_bug *out, const char *base_url, const char *id)
{
	out->base_url = base_url;
	out->remote_id = id;
	return true;
}

/* Only these two are known to take a bare number. */
static bool recognise(struct url *url, struct remote_bug *out)
{
	static const char *const pages[] = {"/cgi-bin/bugreport.cgi", "/cgi/bugreport.cgi"};
	bool bare = strcmp(url->host, "bugs.debian.org") == 0 ||
		strcmp(url->host, "debbugs.gnu.org") == 0;
	if (bare && valid_id(url->path + 1))
		return take(out, url_base(url, url, 0), url->path + 1);
	const char *id = url_parameter(url, "bug");
	for (int i = 0; i < 2 && id != NULL && valid_id(id); i++) {
		size_t size = strlen(url->path), n = strlen(pages[i]);
		if (size >= n && strcmp(url->path + size - n, pages[i]) == 0)
			return take(out, url_base(url, url, size - n), id);
	}
	return false;
}

/* ---- questions ---- */

struct exchange *debbugs_call(struct conversation *conversation, enum debbugs_purpose purpose,
	const char *where, const char *method, const char *arguments)
{
	struct exchange *exchange = conversation_ask(conversation, (int)purpose,
		talloc_asprintf(NULL, "%s%s", conversation->base_url, where));
	const struct credentials *login = conversation->credentials;
	exchange->format = FORMAT_XML;
	exchange->method = "POST";
	exchange->body = soap_call(exchange, method, arguments);
	exchange->headers[0] = "Content-Type: text/xml; charset=utf-8";
	exchange->headers[1] = "SOAPAction: \"\"";
	exchange->basic_login = login != NULL && login->username != NULL;
	return exchange;
}

const char *debbugs_door(const struct conversation *conversation)
{
	return conversation->server->door != NULL ? conversation->server->door : door;
}

static void ask_door(
	struct conversation *conversation, enum debbugs_purpose purpose, const char *where)
{
	debbugs_call(
		conversation, purpose, where, "newest_bugs", "<arg0 xsi:type=\"xsd:int\">1</arg0>");
}

/* Asks for the state of COUNT bugs, ITEMS (markup), on behalf of the FOR_COUNT at WANTED, copied. */
static void ask_states(struct conversation *conversation, enum debbugs_purpose purpose,
	const char *items, unsigned count, const unsigned *wanted, unsigned for_count)
{
	char *ids = talloc_asprintf(NULL,
		"<arg0 xsi:type=\"soapenc:Array\" soapenc:arrayType=\"xsd:int[%u]\">%s</arg0>",
		count, items);
	struct exchange *exchange =
		debbugs_call(conversation, purpose, debbugs_door(conversation), "get_status", ids);
	exchange->wanted = talloc_memdup(exchange, wanted, for_count * sizeof(*wanted));
	exchange->wanted_count = for_count;
	talloc_free(ids);
}

static char *add_item(char *items, const char *id)
{
	return talloc_asprintf_append_buffer(items, "<item xsi:type=\"xsd:int\">%s</item>", id);
}

static void ask_bugs(struct conversation *conversation, enum debbugs_purpose purpose,
	const unsigned *wanted, unsigned count)
{
	char *items = talloc_strdup(NULL, "");
	for (unsigned i = 0; i < count; i++)
		items = add_item(items, conversation->wanted[wanted[i]].remote_id);
	ask_states(conversation, purpose, items, count, wanted, count);
	talloc_free(items);
}

static void begin_check(struct conversation *conversation)
{
	unsigned total = conversation->wanted_count;
	unsigned *all = talloc_array(NULL, unsigned, total);
	for (unsigned i = 0; i < total; i++)
		all[i] = i;
	for (unsigned from = 0; from < total; from += BATCH_SIZE) {
		unsigned count = total - from < BATCH_SIZE ? total - from : BATCH_SIZE;
		ask_bugs(conversation, ASK_BUGS, all + from, count);
	}
	talloc_free(all);
}

static void begin(struct conversation *conversation)
{
	if (conversation->errand == ERRAND_PROBE)
		ask_door(conversation, ASK_DOOR, door);
	else if (conversation->errand == ERRAND_COMMENTS)
		debbugs_begin_comments(conversation);
	else if (conversation->errand == ERRAND_CHANGES)
		debbugs_begin_changes(conversation);
	else
		begin_check(conversation);
}

/* ---- answers ---- */

void debbugs_fail(struct conversation *conversation, struct exchange *exchange, const char *method)
{
	struct err why = {0};
	const char *words = soap_fault(exchange);
	if (exchange_good(exchange, &why))
		err_set(&why, ERR_UNPARSABLE_TRACKER, "%s: not an answer to Debbugs' %s",
			exchange->url, method);
	if (words != NULL)
		conversation_fail(conversation, why.kind, "%s: %s failed with HTTP %d: %s",
			exchange->url, method, exchange->status, words);
	else
		conversation_fail(conversation, why.kind, "%s", why.text);
}

/* Whether a bad answer is the server's own trouble, which says nothing about a door. */
static bool is_trouble(const struct exchange *exchange, const struct err *why)
{
	bool broken_xml =
		why->kind == ERR_UNPARSABLE_TRACKER && strncmp(exchange->text, "<?xml", 5) == 0;
	return exchange->status == 0 || exchange->status >= 500 || broken_xml ||
		(why->kind != ERR_HTTP && why->kind != ERR_AUTH &&
			why->kind != ERR_UNPARSABLE_TRACKER);
}

static void go_in(struct conversation *conversation, struct exchange *exchange)
{
	struct server *server = conversation->server;
	server->door = talloc_strdup(server, exchange->purpose == ASK_DOOR ? door : other_door);
	server->abilities = ABILITY_COMMENTS;
	if (conversation->has_mirror)
		server->abilities |= ABILITY_CHANGES;
	if (exchange->date != 0)
		server->skew_s = (exchange->date - conversation->now) / MOMENT_SECOND;
}

static void hear_door(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	bool good = exchange_good(exchange, &why);
	if (good && soap_result(exchange, "newest_bugs") != NULL)
		go_in(conversation, exchange);
	else if (!good && is_trouble(exchange, &why))
		debbugs_fail(conversation, exchange, "newest_bugs");
	else if (exchange->purpose == ASK_DOOR)
		ask_door(conversation, ASK_OTHER_DOOR, other_door);
	else if (why.kind == ERR_AUTH)
		debbugs_fail(conversation, exchange, "newest_bugs");
	else
		conversation_fail(conversation, ERR_UNSUPPORTED_TRACKER,
			"%s: no SOAP interface of Debbugs found, neither at %s nor at %s",
			conversation->base_url, door, other_door);
}

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The words of TEXT sorted, with one blank between two: their order changes with each write. */
static char *sort_words(const void *owner, const char *text)
{
	char *copy = talloc_strdup(NULL, text), *rest = copy, *word;
	const char **words = talloc_array(copy, const char *, strlen(text) / 2 + 1);
	size_t count = 0;
	while ((word = strsep(&rest, " ")) != NULL)
		if (*word != '\0')
			words[count++] = word;
	qsort(words, count, sizeof(*words), compare_words);
	char *sorted = talloc_strdup(owner, "");
	for (size_t i = 0; i < count; i++)
		sorted = talloc_asprintf_append_buffer(sorted, "%s%s", i > 0 ? " " : "", words[i]);
	talloc_free(copy);
	return sorted;
}

/* NULL where the bug has no such field or an empty one. */
static const char *read_field(const void *owner, const struct element *bug, const char *name)
{
	char *line = soap_line(owner, soap_field(bug, name), LINE);
	return *line != '\0' ? line : NULL;
}

/* False where a field that every bug has is missing or is no such thing. */
static bool read_bug(const void *owner, const struct element *bug, struct observation *into)
{
	int64_t changed;
	const char *tags = read_field(owner, bug, "tags");
	if (tags == NULL)
		tags = read_field(owner, bug, "keywords");
	into->title = read_field(owner, bug, "subject");
	into->product = read_field(owner, bug, "package");
	into->status = read_field(owner, bug, "pending");
	into->severity = read_field(owner, bug, "severity");
	into->tags = tags != NULL ? sort_words(owner, tags) : NULL;
	if (into->status == NULL || !soap_number(soap_field(bug, "last_modified"), &changed))
		return false;
	into->changed_at = changed * MOMENT_SECOND;
	bool done = strcmp(into->status, "done") == 0 || read_field(owner, bug, "done") != NULL;
	into->mapped_status = debbugs_status(done, read_field(owner, bug, "forwarded") != NULL,
		into->tags != NULL ? into->tags : "");
	into->mapped_importance = map_importance(debbugs_importance_rows, into->severity);
	return true;
}

static void observe(struct conversation *conversation, unsigned wanted, const struct element *bug)
{
	struct observation read = {.wanted = wanted};
	if (read_bug(conversation, bug, &read))
		*conversation_observe(conversation, wanted) = read;
	else
		conversation_observe_error(conversation, wanted, ERR_UNPARSABLE_BUG,
			"bug %s: the answer lacks its state or the time of its last change",
			conversation->wanted[wanted].remote_id);
}

/* Observes what RESULT says of the bugs that were asked for; false where an item names no bug. */
static bool observe_all(
	struct conversation *conversation, struct exchange *exchange, const struct element *result)
{
	bool named = true;
	for (struct element *item = result->first; item != NULL; item = item->next) {
		int64_t number;
		const char *id = xml_text(xml_child(item, "key"));
		named = named && soap_number(xml_child(item, "key"), &number);
		for (unsigned i = 0; i < exchange->wanted_count; i++)
			if (strcmp(conversation->wanted[exchange->wanted[i]].remote_id, id) == 0)
				observe(conversation, exchange->wanted[i],
					xml_child(item, "value"));
	}
	return named;
}

static void call_missing(struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		conversation_observe_error(conversation, wanted[i], ERR_BUG_NOT_FOUND,
			"bug %s: not in the tracker, or taken out of it",
			conversation->wanted[wanted[i]].remote_id);
}

static bool any_known(
	const struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (conversation->wanted[wanted[i]].known)
			return true;
	return false;
}

static void ask_newest(struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	struct exchange *exchange = debbugs_call(conversation, ASK_NEWEST,
		debbugs_door(conversation), "newest_bugs", "<arg0 xsi:type=\"xsd:int\">20</arg0>");
	exchange->wanted = talloc_memdup(exchange, wanted, count * sizeof(*wanted));
	exchange->wanted_count = count;
}

/*
 * Missing bugs are left out without a word, and so are all when the spool is gone: the server must
 * leave them out twice, and where it said nothing at all, of bugs that were read before, it must
 * know others.
 */
static void judge_silence(struct conversation *conversation, struct exchange *exchange)
{
	unsigned count;
	unsigned *silent = silent_bugs(conversation, exchange, &count);
	bool all = count == exchange->wanted_count;
	if (count == 0)
		return;
	if (exchange->purpose == ASK_AGAIN)
		call_missing(conversation, silent, count);
	else if (all && any_known(conversation, silent, count))
		ask_newest(conversation, silent, count);
	else if (all && count == 1)
		call_missing(conversation, silent, count);
	else
		ask_bugs(conversation, ASK_AGAIN, silent, count);
}

static void hear_bugs(struct conversation *conversation, struct exchange *exchange)
{
	struct element *result = NULL;
	if (exchange_good(exchange, NULL))
		result = soap_result(exchange, "get_status");
	if (result == NULL) {
		debbugs_fail(conversation, exchange, "get_status");
		return;
	}
	if (observe_all(conversation, exchange, result)) {
		judge_silence(conversation, exchange);
		return;
	}
	for (unsigned i = 0; i < exchange->wanted_count; i++)
		conversation_observe_error(conversation, exchange->wanted[i], ERR_UNPARSABLE_BUG,
			"bug %s: left out of an answer that has an item without a number",
			conversation->wanted[exchange->wanted[i]].remote_id);
}

static void hear_newest(struct conversation *conversation, struct exchange *exchange)
{
	struct element *result = NULL;
	if (exchange_good(exchange, NULL))
		result = soap_result(exchange, "newest_bugs");
	if (result == NULL) {
		debbugs_fail(conversation, exchange, "newest_bugs");
		return;
	}
	char *items = talloc_strdup(exchange, "");
	unsigned count = 0;
	int64_t number;
	for (struct element *at = result->first; at != NULL && count < NEWEST; at = at->next)
		if (soap_number(at, &number)) {
			items = add_item(items, xml_text(at));
			count++;
		}
	ask_states(conversation, ASK_SIGN, items, count, exchange->wanted, exchange->wanted_count);
}

/* Only where it knows some of its newest bugs is its silence about the others credible. */
static void hear_sign(struct conversation *conversation, struct exchange *exchange)
{
	struct element *result = NULL;
	if (exchange_good(exchange, NULL))
		result = soap_result(exchange, "get_status");
	if (result == NULL)
		debbugs_fail(conversation, exchange, "get_status");
	else if (result->first == NULL)
		conversation_fail(conversation, ERR_UNPARSABLE_TRACKER,
			"%s answered none of the %u bugs asked for, of which some were read "
			"before, and none of its newest either: it seems to have lost its bugs",
			exchange->url, exchange->wanted_count);
	else
		ask_bugs(conversation, ASK_AGAIN, exchange->wanted, exchange->wanted_count);
}

static void hear(struct conversation *conversation, struct exchange *exchange)
{
	static void (*const ears[])(struct conversation *, struct exchange *) = {
		[ASK_DOOR] = hear_door,
		[ASK_OTHER_DOOR] = hear_door,
		[ASK_BUGS] = hear_bugs,
		[ASK_AGAIN] = hear_bugs,
		[ASK_NEWEST] = hear_newest,
		[ASK_SIGN] = hear_sign,
		[ASK_LOG] = debbugs_hear_log,
		[ASK_MBOX] = debbugs_hear_mbox,
		[ASK_MAIL] = debbugs_hear_mail,
		[ASK_CHANGES] = debbugs_hear_changes,
	};
	ears[exchange->purpose](conversation, exchange);
}

const struct tracker debbugs_tracker = {
	.name = "debbugs",
	.title = "Debbugs",
	.batch_size = BATCH_SIZE,
	.recognise = recognise,
	.valid_id = valid_id,
	.begin = begin,
	.hear = hear,
};
