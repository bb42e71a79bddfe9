/* Bugzilla 5.2's REST interface, as far as bugwatch asks it. */
#include "tests/farm/bugzilla.h"

#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <talloc.h>

/* Bugzilla's own max_search_results; Apache's limit of the request line. */
enum { MOST_RESULTS = 10000, LONGEST_LINE = 8190 };

static void write_id(struct evbuffer *out, const struct bug *bug)
{
	evbuffer_add_printf(out, "%u", bug->id);
}

static void write_status(struct evbuffer *out, const struct bug *bug)
{
	say_json(out, bug->status);
}

static void write_resolution(struct evbuffer *out, const struct bug *bug)
{
	say_json(out, bug->resolution);
}

static void write_severity(struct evbuffer *out, const struct bug *bug)
{
	say_json(out, bug->severity);
}

static void write_priority(struct evbuffer *out, const struct bug *bug)
{
	say_json(out, bug->priority);
}

static void write_summary(struct evbuffer *out, const struct bug *bug)
{
	say_json(out, bug->title);
}

static void write_product(struct evbuffer *out, const struct bug *bug)
{
	say_json(out, bug->product);
}

void farm_bugzilla_write_time(struct evbuffer *out, double at)
{
	say_time(out, "\"%Y-%m-%dT%H:%M:%SZ\"", at);
}

static void write_changed(struct evbuffer *out, const struct bug *bug)
{
	farm_bugzilla_write_time(out, bug->changed);
}

static void write_created(struct evbuffer *out, const struct bug *bug)
{
	farm_bugzilla_write_time(out, bug->created);
}

static void write_is_open(struct evbuffer *out, const struct bug *bug)
{
	say(out, *bug->resolution == '\0' ? "true" : "false");
}

static void write_dupe_of(struct evbuffer *out, const struct bug *bug)
{
	say(out, strcmp(bug->resolution, "DUPLICATE") == 0 ? "1" : "null");
}

static void write_alias(struct evbuffer *out, const struct bug *bug)
{
	say(out, "[]");
}

static const struct {
	const char *name;
	void (*write)(struct evbuffer *out, const struct bug *bug);
} fields[] = {
	{"id", write_id},
	{"status", write_status},
	{"resolution", write_resolution},
	{"severity", write_severity},
	{"priority", write_priority},
	{"summary", write_summary},
	{"product", write_product},
	{"last_change_time", write_changed},
	{"creation_time", write_created},
	{"is_open", write_is_open},
	{"dupe_of", write_dupe_of},
	{"alias", write_alias},
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]), ALL_FIELDS = (1 << FIELDS) - 1 };

static unsigned named_fields(const char *list)
{
	unsigned named = 0;
	if (list_has(list, "_all") || list_has(list, "_default"))
		return ALL_FIELDS;
	for (unsigned i = 0; i < FIELDS; i++)
		if (list_has(list, fields[i].name))
			named |= 1u << i;
	return named;
}

/* The fields asked for, as bits, in one list or several; names that nobody knows count for nothing. */
static unsigned asked_fields(const struct question *question)
{
	const struct evkeyval *pair;
	unsigned asked = 0;
	if (question_value(question, "include_fields") == NULL)
		return ALL_FIELDS;
	TAILQ_FOREACH (pair, &question->query, next)
		if (strcmp(pair->key, "include_fields") == 0)
			asked |= named_fields(pair->value);
	return asked;
}

/* Perl's hashes have no order: members stand in another one from bug to bug. */
static void write_bug(struct evbuffer *out, const struct bug *bug, unsigned asked)
{
	const char *before = "{\"";
	for (unsigned i = 0; i < FIELDS; i++) {
		unsigned field = (i + bug->id) % FIELDS;
		if ((asked & 1u << field) == 0)
			continue;
		say(out, before);
		say(out, fields[field].name);
		say(out, "\":");
		fields[field].write(out, bug);
		before = ",\"";
	}
	say(out, asked != 0 ? "}" : "{}");
}

static void write_bug_or_badly(
	const struct site *site, struct evbuffer *out, const struct bug *bug, unsigned asked)
{
	switch (site_badness(site, bug->id)) {
	case BAD_NOT:
	case BAD_COMMENTS:
	case BAD_LOG:
		write_bug(out, bug, asked);
		break;
	case BAD_TYPES:
		evbuffer_add_printf(out,
			"{\"id\":%u,\"status\":[7],\"resolution\":{},\"severity\":null,"
			"\"summary\":false,\"last_change_time\":\"the day before yesterday\"}",
			bug->id);
		break;
	case BAD_SYNTAX:
		evbuffer_add_printf(out, "{\"id\":%u,\"status\":NaN,,}", bug->id);
		break;
	}
}

void farm_bugzilla_refuse(struct answer *answer, int status, int code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *message = talloc_vasprintf(NULL, format, args);
	va_end(args);
	answer->status = status;
	evbuffer_drain(answer->body, evbuffer_get_length(answer->body));
	evbuffer_add_printf(answer->body, "{\"code\":%d,\"message\":", code);
	say_json(answer->body, message);
	say(answer->body,
		",\"documentation\":\"https://bugzilla.readthedocs.org/en/5.0/api/"
		"\",\"error\":true}");
	talloc_free(message);
}

/* A search: which bugs may be in it, and how many. */
struct search {
	unsigned *ids; /* NULL: all */
	unsigned id_count;
	double since;
	unsigned offset, limit, asked;
};

/* `id=` without anything in it means all bugs, and so does its absence. */
static bool read_search(struct question *question, struct answer *answer, struct search *search)
{
	bool given;
	const char *since = question_value(question, "last_change_time");
	const char *limit = question_value(question, "limit");
	const char *offset = question_value(question, "offset");
	search->ids = question_ids(question, "id", true, &search->id_count, &given);
	if (!given)
		search->ids = NULL;
	search->asked = asked_fields(question);
	search->limit = limit != NULL ? (unsigned)strtoul(limit, NULL, 10) : 0;
	if (search->limit == 0 || search->limit > MOST_RESULTS)
		search->limit = MOST_RESULTS;
	search->offset = offset != NULL ? (unsigned)strtoul(offset, NULL, 10) : 0;
	if (offset != NULL && limit == NULL)
		farm_bugzilla_refuse(answer, 400, 50,
			"The function Bug.search requires a limit argument when offset is given");
	else if (since != NULL && !read_time(since, &search->since))
		farm_bugzilla_refuse(answer, 400, 56, "'%s' is not a legal date.", since);
	return answer->status == 200;
}

/* Missing and restricted bugs are left out without a word. */
static void answer_search(const struct site *site, struct question *question, struct answer *answer)
{
	struct search search = {0};
	struct bug bug;
	question->topic = TOPIC_BUGS;
	if (!read_search(question, answer, &search))
		return;
	unsigned count = search.ids != NULL ? search.id_count : site->life.bugs;
	const char *before = "";
	say(answer->body, "{\"bugs\":[");
	for (unsigned i = 0; i < count && search.limit > 0; i++) {
		unsigned id = search.ids != NULL ? search.ids[i] : i + 1;
		if (site_bug(site, question, id, &bug) != BUG_THERE ||
			(double)(time_t)bug.changed < search.since)
			continue;
		if (search.offset > 0) {
			search.offset--;
			continue;
		}
		say(answer->body, before);
		write_bug_or_badly(site, answer->body, &bug, search.asked);
		before = ",";
		search.limit--;
	}
	say(answer->body, "]}");
}

bool farm_bugzilla_get(const struct site *site, const struct question *question, unsigned id,
	struct bug *bug, struct answer *answer)
{
	enum presence presence = site_bug(site, question, id, bug);
	if (presence == BUG_PRIVATE)
		farm_bugzilla_refuse(answer, 401, 102,
			"You are not authorized to access bug #%u. To see this bug, you must first "
			"log in to an account with the appropriate permissions.",
			id);
	else if (presence != BUG_THERE)
		farm_bugzilla_refuse(answer, 404, 101, "Bug #%u does not exist.", id);
	return presence == BUG_THERE;
}

bool farm_bugzilla_read_id(const char *word, size_t n, unsigned *id, struct answer *answer)
{
	unsigned long number = strtoul(word, NULL, 10);
	*id = (unsigned)number;
	if (n > 0 && strspn(word, "0123456789") == n && number <= INT32_MAX)
		return true;
	farm_bugzilla_refuse(answer, 400, 100,
		"'%.*s' is not a valid bug number nor an alias to a bug.", (int)n, word);
	return false;
}

/* `rest/bug/1?ids=2`: one that can't be had spoils all. */
static void answer_get(const struct site *site, struct question *question, const char *first,
	struct answer *answer)
{
	struct bug bug;
	unsigned id, count, asked = asked_fields(question);
	bool given;
	question->topic = TOPIC_BUGS;
	if (!farm_bugzilla_read_id(first, strlen(first), &id, answer))
		return;
	unsigned *more = question_ids(question, "ids", false, &count, &given);
	say(answer->body, "{\"bugs\":[");
	if (!farm_bugzilla_get(site, question, id, &bug, answer))
		return;
	write_bug_or_badly(site, answer->body, &bug, asked);
	for (unsigned i = 0; i < count; i++) {
		if (!farm_bugzilla_get(site, question, more[i], &bug, answer))
			return;
		say(answer->body, ",");
		write_bug_or_badly(site, answer->body, &bug, asked);
	}
	say(answer->body, "],\"faults\":[]}");
}

/* What is asked about a bug by its number. */
static void answer_bug(const struct site *site, struct question *question, const char *words,
	struct answer *answer)
{
	size_t n = strcspn(words, "/");
	if (words[n] == '\0')
		answer_get(site, question, words, answer);
	else if (strcmp(words + n, "/comment") == 0)
		farm_bugzilla_answer_comments(site, question, words, n, answer);
	else
		farm_bugzilla_refuse(
			answer, 404, 32000, "No REST resource found for this request.");
}

static void answer_version(struct answer *answer)
{
	say(answer->body, "{\"version\":\"5.2\"}");
}

static void answer_time(const struct question *question, struct answer *answer)
{
	static const char *const names[] = {"web_time_utc", "db_time", "web_time"};
	say(answer->body, "{\"tz_offset\":\"+0000\",\"tz_short_name\":\"UTC\",\"tz_name\":\"UTC\"");
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		evbuffer_add_printf(answer->body, ",\"%s\":", names[i]);
		farm_bugzilla_write_time(answer->body, question->now);
	}
	say(answer->body, "}");
}

/* A key that is wrong is refused; true where the question may go on. */
static bool let_in(const struct site *site, const struct question *question, struct answer *answer)
{
	bool key = question_value(question, "Bugzilla_api_key") != NULL ||
		question_value(question, "api_key") != NULL;
	if (key && !question->signed_in)
		farm_bugzilla_refuse(answer, 400, 306,
			"The API key you specified is invalid. Please check that you typed it "
			"correctly.");
	else if (site->login_required && !question->signed_in)
		farm_bugzilla_refuse(
			answer, 401, 410, "You must log in before using this part of Bugzilla.");
	return answer->status == 200;
}

void farm_bugzilla_answer_rest(
	const struct site *site, struct question *question, const char *call, struct answer *answer)
{
	if (strcmp(call, "version") == 0)
		answer_version(answer);
	else if (!let_in(site, question, answer))
		return;
	else if (strcmp(call, "time") == 0)
		answer_time(question, answer);
	else if (strcmp(call, "bug") == 0)
		answer_search(site, question, answer);
	else if (strncmp(call, "bug/", 4) == 0)
		answer_bug(site, question, call + 4, answer);
	else
		farm_bugzilla_refuse(
			answer, 404, 32000, "No REST resource found for this request.");
}

static void get_rest(
	const struct site *site, struct question *question, const char *call, struct answer *answer)
{
	if (evhttp_request_get_command(question->request) == EVHTTP_REQ_GET)
		farm_bugzilla_answer_rest(site, question, call, answer);
	else
		farm_bugzilla_refuse(
			answer, 404, 32000, "No REST resource found for this request.");
}

/* What a person who follows a watch's link sees. */
static void answer_bug_page(
	const struct site *site, const struct question *question, struct answer *answer)
{
	struct bug bug;
	const char *id = question_value(question, "id");
	answer_page(answer, 200, "<!DOCTYPE html>\n<title>Bugzilla</title>\n<p>");
	if (id == NULL || site_bug(site, question, (unsigned)atol(id), &bug) != BUG_THERE)
		say(answer->body, "Bug not found, or not for you.");
	else
		evbuffer_add_printf(answer->body, "Bug %u: %s %s, %s, %s", bug.id, bug.status,
			bug.resolution, bug.severity, bug.priority);
}

/* As a program is told of a bug; here the version alone. */
static void answer_bug_as_xml(const struct question *question, struct answer *answer)
{
	const char *id = question_value(question, "id");
	answer->content_type = "text/xml; charset=UTF-8";
	say(answer->body, "<?xml version=\"1.0\"?>\n<bugzilla version=\"5.0.6\">\n<bug><bug_id>");
	say_xml(answer->body, id != NULL ? id : "");
	say(answer->body, "</bug_id></bug>\n</bugzilla>\n");
}

/* Without the libraries that REST wants. */
static void speak_rpc(const struct site *site, struct question *question, struct answer *answer)
{
	const char *path = question->path, *type = question_value(question, "ctype");
	if (strcmp(path, "xmlrpc.cgi") == 0)
		farm_bugzilla_answer_rpc(site, question, answer);
	else if (strcmp(path, "show_bug.cgi") != 0)
		answer_page(answer, 404, "<html><h1>Not Found</h1></html>\n");
	else if (type != NULL && strcmp(type, "xml") == 0)
		answer_bug_as_xml(question, answer);
	else
		answer_bug_page(site, question, answer);
}

static void speak(const struct site *site, struct question *question, struct answer *answer)
{
	const char *path = question->path;
	if (strlen(evhttp_request_get_uri(question->request)) > LONGEST_LINE)
		answer_page(answer, 414, "<html><h1>Request-URI Too Long</h1></html>\n");
	else if (strncmp(path, "rest/", 5) == 0)
		get_rest(site, question, path + 5, answer);
	else if (strncmp(path, "rest.cgi/", 9) == 0)
		get_rest(site, question, path + 9, answer);
	else if (strcmp(path, "show_bug.cgi") == 0)
		answer_bug_page(site, question, answer);
	else
		answer_page(answer, 404, "<html><h1>Not Found</h1></html>\n");
}

/* 5.2 takes the key from the query alone, and ignores the header that 5.3 and BMO want. */
static bool signs_in(const struct question *question, const char *credentials)
{
	const char *key = question_value(question, "Bugzilla_api_key");
	if (key == NULL)
		key = question_value(question, "api_key");
	return key != NULL && strcmp(key, credentials) == 0;
}

static const struct step steps[] = {
	{"UNCONFIRMED", ""},
	{"CONFIRMED", ""},
	{"IN_PROGRESS", ""},
	{"RESOLVED", "FIXED"},
	{"VERIFIED", "FIXED"},
	{"CONFIRMED", ""},
	{"RESOLVED", "WONTFIX"},
	{"UNCONFIRMED", ""},
	{"RESOLVED", "DUPLICATE"},
	{"RESOLVED", "INVALID"},
	{"IN_PROGRESS", ""},
	{"RESOLVED", "WORKSFORME"},
};

/* What both speeches have. */
#define SPEECH(speech_word, speech_speak)                                                          \
	.word = (speech_word), .type = "bugzilla", .speak = (speech_speak), .signs_in = signs_in,  \
	.bug_url = "show_bug.cgi?id=",                                                             \
	.plot = {.steps = steps,                                                                   \
		.step_count = sizeof(steps) / sizeof(steps[0]),                                    \
		.severities = (const char *const[]){"normal", "major", "critical", "minor",        \
			"blocker", "trivial", "enhancement", NULL},                                \
		.priorities = (const char *const[]){"---", "Highest", "High", "Normal", "Low",     \
			"Lowest", NULL},                                                           \
		.products = (const char *const[]){"Widget Engine", "Desk", "Caf\xc3\xa9", "R&D",   \
			NULL},                                                                     \
		.authors = (const char *const[]){"ada@bugs.example", "zoe.dev@bugs.example",       \
			"o'brien@bugs.example", "j\xc3\xb6rg@bugs.example", NULL}}

const struct speech bugzilla_speech = {
	SPEECH("bugzilla", speak),
	.nothing = "{\"bugs\":[]}",
};

const struct speech bugzilla_rpc_speech = {
	SPEECH("bugzilla-rpc", speak_rpc),
	.nothing = "<?xml version=\"1.0\"?><methodResponse><params><param><value><struct><member>"
		   "<name>bugs</name><value><array><data></data></array></value></member></struct>"
		   "</value></param></params></methodResponse>",
};
