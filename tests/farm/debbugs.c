/* Debbugs 2.6's SOAP interface, as far as bugwatch asks it, and the page of a bug. */
#include "tests/farm/debbugs.h"

#include "tests/farm/soap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

bool farm_debbugs_get(
	const struct site *site, const struct question *question, unsigned id, struct bug *bug)
{
	enum presence presence = site_bug(site, question, id, bug);
	return presence == BUG_THERE || presence == BUG_RETIRED;
}

/* ---- fields; a bug's resolution is its tags, its status the derived state ---- */

static bool is(const struct bug *bug, const char *status)
{
	return strcmp(bug->status, status) == 0;
}

static char *tags_of(const void *owner, const struct bug *bug)
{
	const char *more = is(bug, "pending-fixed") ? "pending" : is(bug, "fixed") ? "fixed" : "";
	return talloc_asprintf(owner, "%s%s%s", bug->resolution,
		*bug->resolution != '\0' && *more != '\0' ? " " : "", more);
}

static char *number(const void *owner, double value)
{
	return talloc_asprintf(owner, "%.0f", floor(value));
}

enum { FIELDS = 20 };

struct field {
	const char *name, *text;
};

/* Debian keeps each value for itself; what no bug of ours has is left out. */
static void fill(const void *owner, const struct bug *bug, bool archived, struct field *fields)
{
	const char *tags = tags_of(owner, bug), *changed = number(owner, bug->changed);
	const char *id = number(owner, bug->id);
	const struct field filled[FIELDS] = {
		{"id", id},
		{"bug_num", id},
		{"date", number(owner, bug->created)},
		{"log_modified", changed},
		{"last_modified", changed},
		{"subject", bug->title},
		{"originator", "Zo\xc3\xab M\xc3\xbcller <zoe@example.net>"},
		{"package", bug->product},
		{"source", bug->product},
		{"severity", bug->severity},
		{"tags", tags},
		{"keywords", tags},
		{"pending", bug->status},
		{"done", is(bug, "done") ? "Ada Quill <ada.quill@example.org>" : ""},
		{"forwarded", is(bug, "forwarded") ? "https://bugs.example.com/1" : ""},
		{"owner", ""},
		{"mergedwith", ""},
		{"blocks", ""},
		{"archived", archived ? "1" : "0"},
		{"location", archived ? "archive" : "db-h"},
	};
	memcpy(fields, filled, sizeof(filled));
}

/* Perl's hashes have no order: fields stand in another one in every answer. */
static void shuffle(struct field *fields, double now, unsigned id)
{
	unsigned short seed[3] = {(unsigned short)id, (unsigned short)fmod(now * 1000, 65536), 1};
	for (unsigned i = FIELDS - 1; i > 0; i--) {
		unsigned other = (unsigned)nrand48(seed) % (i + 1);
		struct field kept = fields[i];
		fields[i] = fields[other];
		fields[other] = kept;
	}
}

static void write_bug(
	const struct site *site, const struct question *question, struct evbuffer *out, unsigned id)
{
	struct bug bug;
	struct field fields[FIELDS];
	void *frame = talloc_new(NULL);
	enum badness badness = site_badness(site, id);
	bool archived = site_bug(site, question, id, &bug) == BUG_RETIRED;
	fill(frame, &bug, archived, fields);
	shuffle(fields, question->now, id);
	evbuffer_add_printf(out, "<item><key xsi:type=\"xsd:int\">%u</key><value>", id);
	for (unsigned i = 0; i < FIELDS; i++)
		if (badness != BAD_TYPES || strcmp(fields[i].name, "last_modified") != 0)
			farm_soap_value(out, fields[i].name, fields[i].text);
	if (badness == BAD_TYPES)
		say(out, "<last_modified xsi:type=\"xsd:string\">yesterday</last_modified>");
	if (badness == BAD_SYNTAX)
		say(out, "<subject>&</value>");
	say(out, "<fixed /></value></item>");
	talloc_free(frame);
}

/* ---- methods ---- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All values of all arguments; numbers that are none fault the whole call. */
static char **read_ids(struct soap_call *call, unsigned *count, struct answer *answer)
{
	char **ids = talloc_array(call, char *, 0);
	*count = 0;
	for (unsigned i = 0; i < call->count; i++) {
		for (unsigned j = 0; j < call->arguments[i].count; j++) {
			char *id = call->arguments[i].values[j];
			if (*id == '\0' || strspn(id, "0123456789") != strlen(id)) {
				farm_soap_refuse(answer, "Server",
					"The 'bug' parameter (\"%s\") to "
					"Debbugs::Status::get_bug_status did not pass regex check",
					id);
				return NULL;
			}
			ids = talloc_realloc(call, ids, char *, *count + 1);
			ids[(*count)++] = id;
		}
	}
	qsort(ids, *count, sizeof(*ids), compare_texts);
	return ids;
}

/* Items are sorted as texts; what is not there is left out; what is there twice stands once. */
static void answer_status(const struct site *site, struct question *question,
	struct soap_call *call, struct answer *answer)
{
	unsigned count, found = 0;
	question->topic = TOPIC_BUGS;
	char **ids = read_ids(call, &count, answer);
	if (ids == NULL)
		return;
	struct evbuffer *items = evbuffer_new();
	for (unsigned i = 0; i < count; i++) {
		struct bug bug;
		unsigned id = (unsigned)strtoul(ids[i], NULL, 10);
		bool again = i > 0 && strcmp(ids[i - 1], ids[i]) == 0;
		if (*ids[i] == '0' || again || !farm_debbugs_get(site, question, id, &bug))
			continue;
		write_bug(site, question, items, id);
		found++;
	}
	farm_soap_begin(answer->body, "get_status");
	say(answer->body, found > 0 ? "<s-gensym3 xsi:type=\"apachens:Map\">" : "<s-gensym3 />");
	evbuffer_add_buffer(answer->body, items);
	say(answer->body, found > 0 ? "</s-gensym3>" : "");
	farm_soap_end(answer->body, "get_status");
	evbuffer_free(items);
}

static const char *argument(const struct soap_call *call, unsigned i)
{
	return i < call->count && call->arguments[i].count > 0 ? call->arguments[i].values[0] : "";
}

static void answer_newest(const struct site *site, struct question *question,
	struct soap_call *call, struct answer *answer)
{
	unsigned asked = (unsigned)strtoul(argument(call, 0), NULL, 10);
	unsigned count = asked < site->life.bugs ? asked : site->life.bugs;
	unsigned *numbers = talloc_array(call, unsigned, count + 1);
	for (unsigned i = 0; i < count; i++)
		numbers[i] = site->life.bugs - count + 1 + i;
	farm_soap_begin(answer->body, "newest_bugs");
	farm_soap_numbers(answer->body, "soapenc:Array", numbers, count);
	farm_soap_end(answer->body, "newest_bugs");
}

static bool has_value(const struct soap_argument *values, const char *text)
{
	for (unsigned i = 0; i < values->count; i++)
		if (strcmp(values->values[i], text) == 0)
			return true;
	return false;
}

/* "done", "forwarded" or "open", which is all else. */
static const char *broad_status(const struct bug *bug)
{
	return is(bug, "done") ? "done" : is(bug, "forwarded") ? "forwarded" : "open";
}

/* Whether BUG has one of VALUES for KEY; *KNOWN says whether there is such a key. */
static bool matches(const struct bug *bug, bool archived, const char *key,
	const struct soap_argument *values, bool *known)
{
	char id[16];
	snprintf(id, sizeof(id), "%u", bug->id);
	const struct field keys[] = {{"package", bug->product}, {"src", bug->product},
		{"severity", bug->severity}, {"status", broad_status(bug)}, {"bugs", id},
		{"archive", archived ? "1" : "0"}};
	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i].name, key) == 0)
			return has_value(values, keys[i].text) || has_value(values, "both");
	*known = false;
	return false;
}

/* Without a word about it, archived bugs are left out. */
static bool matches_all(
	const struct soap_call *call, const struct bug *bug, bool archived, bool *known)
{
	bool all = true, about_archive = false;
	for (unsigned i = 0; i + 1 < call->count; i += 2) {
		about_archive = about_archive || strcmp(argument(call, i), "archive") == 0;
		all = matches(bug, archived, argument(call, i), &call->arguments[i + 1], known) &&
			all;
	}
	return all && (about_archive || !archived);
}

static void answer_bugs(const struct site *site, struct question *question, struct soap_call *call,
	struct answer *answer)
{
	unsigned *found = talloc_array(call, unsigned, site->life.bugs + 1), count = 0;
	bool known = true;
	question->topic = TOPIC_BUGS;
	for (unsigned id = 1; id <= site->life.bugs; id++) {
		struct bug bug;
		enum presence presence = site_bug(site, question, id, &bug);
		if ((presence == BUG_THERE || presence == BUG_RETIRED) &&
			matches_all(call, &bug, presence == BUG_RETIRED, &known))
			found[count++] = id;
	}
	if (!known) {
		farm_soap_refuse(answer, "Server", "Unknown key in get_bugs");
		return;
	}
	farm_soap_begin(answer->body, "get_bugs");
	farm_soap_numbers(answer->body, "soapenc:Array", found, count);
	farm_soap_end(answer->body, "get_bugs");
}

static void answer_bug_log(const struct site *site, struct question *question,
	struct soap_call *call, struct answer *answer)
{
	farm_debbugs_answer_log(
		site, question, (unsigned)strtoul(argument(call, 0), NULL, 10), answer);
}

static const struct {
	const char *name;
	void (*answer)(const struct site *site, struct question *question, struct soap_call *call,
		struct answer *answer);
} methods[] = {
	{"get_status", answer_status},
	{"get_bug_log", answer_bug_log},
	{"get_bugs", answer_bugs},
	{"newest_bugs", answer_newest},
};

static void answer_call(const struct site *site, struct question *question, struct soap_call *call,
	struct answer *answer)
{
	question->call = call->method;
	for (unsigned i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(methods[i].name, call->method) == 0) {
			methods[i].answer(site, question, call, answer);
			return;
		}
	}
	farm_soap_refuse(answer, "Client",
		"Failed to locate method (%s) in class (Debbugs::SOAP) at "
		"/usr/share/perl5/SOAP/Lite.pm line 2914.",
		call->method);
}

/* ---- doors ---- */

static void answer_soap(const struct site *site, struct question *question, struct answer *answer)
{
	char *body = question_body(question);
	answer->content_type = "text/xml; charset=utf-8";
	if (*body == '\0') {
		answer->status = 411;
		return;
	}
	struct soap_call *call = farm_soap_read(question, body);
	if (call != NULL)
		answer_call(site, question, call, answer);
	else
		farm_soap_refuse(answer, "Client",
			"Application failed during request deserialization: "
			"not well-formed (invalid token)");
}

/* The tag is the time of the log in hexadecimal digits, without quotes. */
static bool is_unchanged(struct question *question, const struct bug *bug, struct answer *answer)
{
	const char *known = question_header(question, "If-None-Match");
	answer->etag = talloc_asprintf(question, "%08x%08x%016lx", bug->id, bug->comments,
		(unsigned long)(bug->changed * 1e6));
	if (known == NULL || strcmp(known, answer->etag) != 0)
		return false;
	answer->status = 304;
	answer->etag = "0";
	return true;
}

static void write_page(struct answer *answer, const struct bug *bug)
{
	answer_page(answer, 200, "<!DOCTYPE html>\n<title>Bug report logs</title>\n<p>");
	evbuffer_add_printf(answer->body, "Bug #%u: %s, %s", bug->id, bug->status, bug->severity);
}

/* Parameters stand between semicolons. */
static void answer_report(const struct site *site, struct question *question, struct answer *answer)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(question->request);
	const char *asked = evhttp_uri_get_query(uri);
	char *query = talloc_strdup(question, asked != NULL ? asked : "");
	for (char *at = query; (at = strchr(at, ';')) != NULL;)
		*at = '&';
	struct question *same = question_instead(question, query);
	const char *id = same != NULL ? question_value(same, "bug") : NULL;
	const char *mbox = same != NULL ? question_value(same, "mbox") : NULL;
	const char *msg = same != NULL ? question_value(same, "msg") : NULL;
	struct bug bug;
	if (id == NULL || strspn(id, "0123456789") != strlen(id))
		answer_page(answer, 400, "<html><h1>Invalid bug number</h1></html>\n");
	else if (!farm_debbugs_get(site, question, (unsigned)strtoul(id, NULL, 10), &bug))
		answer_page(answer, 404, "<html><p>There is no record of that bug.</html>\n");
	else if (is_unchanged(question, &bug, answer))
		return;
	else if (mbox != NULL && strcmp(mbox, "yes") == 0)
		farm_debbugs_answer_mbox(site, question, &bug,
			msg != NULL ? (unsigned)strtoul(msg, NULL, 10) : 0, answer);
	else
		write_page(answer, &bug);
}

static void speak(const struct site *site, struct question *question, struct answer *answer)
{
	if (strcmp(question->path, "cgi-bin/soap.cgi") == 0)
		answer_soap(site, question, answer);
	else if (strcmp(question->path, "cgi-bin/bugreport.cgi") == 0)
		answer_report(site, question, answer);
	else
		answer_page(answer, 404, "<html><h1>Not Found</h1></html>\n");
}

static const struct step steps[] = {
	{"pending", ""},
	{"pending", "confirmed upstream"},
	{"forwarded", "upstream"},
	{"pending-fixed", "patch"},
	{"done", "patch"},
	{"pending", "moreinfo unreproducible"},
	{"fixed", ""},
	{"done", ""},
	{"pending", "help"},
	{"done", "wontfix"},
};

const struct speech debbugs_speech = {
	.word = "debbugs",
	.type = "debbugs",
	.speak = speak,
	.nothing = "<?xml version=\"1.0\"?><soap:Envelope "
		   "xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>"
		   "<get_statusResponse xmlns=\"Debbugs/SOAP/\"><s-gensym3 />"
		   "</get_statusResponse></soap:Body></soap:Envelope>",
	.bug_url = "cgi-bin/bugreport.cgi?bug=",
	.plot =
		{
			.steps = steps,
			.step_count = sizeof(steps) / sizeof(steps[0]),
			.severities = (const char *const[]){"normal", "important", "serious",
				"minor", "wishlist", "grave", NULL},
			.products =
				(const char *const[]){"quillpad", "src:quill-data", "wnpp", NULL},
			.authors = (const char *const[]){"Ada Quill <ada.quill@example.org>",
				"Zo\xc3\xab M\xc3\xbcller <zoe@example.net>",
				"\"Eve O'Brien, PhD\" <eve.obrien@example.com>", NULL},
		},
};
