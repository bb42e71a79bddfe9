/* Trac 1.6, as far as bugwatch asks it: with its RPC plugin, or with its pages alone. */
#include "tests/farm/trac.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

void farm_trac_refuse(struct answer *answer, int status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *why = talloc_vasprintf(NULL, format, args);
	va_end(args);
	answer_page(answer, status,
		"\n<!DOCTYPE html>\n<html lang=\"en-US\">   <head>\n"
		"    <link rel=\"stylesheet\"  href=\"/chrome/common/css/trac.css\" "
		"type=\"text/css\" />\n  </head>\n  <body>\n    <div id=\"content\" "
		"class=\"error\">\n      <p class=\"message\">");
	say_xml(answer->body, why);
	say(answer->body, "</p>\n    </div>\n  </body>\n</html>\n");
	talloc_free(why);
}

bool farm_trac_get(const struct site *site, const struct question *question, unsigned id,
	struct bug *bug, struct answer *answer)
{
	enum presence presence = site_bug(site, question, id, bug);
	if (presence == BUG_PRIVATE)
		farm_trac_refuse(answer, 403,
			"TICKET_VIEW privileges are required to perform this operation on Ticket "
			"#%u. You don't have the required permissions.",
			id);
	else if (presence == BUG_MISSING)
		farm_trac_refuse(answer, 404, "Ticket %u does not exist.", id);
	return presence != BUG_PRIVATE && presence != BUG_MISSING;
}

/* What a person who follows a watch's link sees. */
static void answer_ticket_page(const struct site *site, const struct question *question,
	unsigned id, struct answer *answer)
{
	struct bug bug;
	if (!farm_trac_get(site, question, id, &bug, answer))
		return;
	answer_page(answer, 200, "<!DOCTYPE html>\n<title>Trac</title>\n<p>");
	evbuffer_add_printf(answer->body, "Ticket %u: %s %s, %s", bug.id, bug.status,
		bug.resolution, bug.priority);
}

static bool wants(const struct question *question, const char *format)
{
	const char *wanted = question_value(question, "format");
	return wanted != NULL && strcmp(wanted, format) == 0;
}

/* Strangers see tickets where the site lets them; no page looks at a login but `login` itself. */
static void answer_pages(const struct site *site, struct question *question, struct answer *answer)
{
	const char *path = question->path;
	bool ticket = strncmp(path, "ticket/", 7) == 0;
	unsigned id = ticket ? (unsigned)strtoul(path + 7, NULL, 10) : 0;
	if (!ticket && strcmp(path, "query") != 0)
		farm_trac_refuse(answer, 404, "No handler matched request to /%s", path);
	else if (site->login_required)
		farm_trac_refuse(answer, 403,
			"TICKET_VIEW privileges are required to perform this operation. You don't "
			"have the required permissions.");
	else if (wants(question, "rss"))
		farm_trac_answer_feed(site, question, id, answer);
	else if (ticket && wants(question, "csv"))
		farm_trac_answer_table(site, question, id, answer);
	else if (ticket)
		answer_ticket_page(site, question, id, answer);
	else if (wants(question, "csv"))
		farm_trac_answer_query(site, question, answer);
	else
		farm_trac_refuse(answer, 500, "this query page shows CSV and feeds alone");
}

static void speak_pages(const struct site *site, struct question *question, struct answer *answer)
{
	answer_pages(site, question, answer);
}

static void speak(const struct site *site, struct question *question, struct answer *answer)
{
	if (strcmp(question->path, "rpc") == 0 || strcmp(question->path, "login/rpc") == 0)
		farm_trac_answer_rpc(site, question, answer);
	else
		answer_pages(site, question, answer);
}

/* Elsewhere than below `login` a login is not looked at. */
static bool signs_in(const struct question *question, const char *credentials)
{
	return strncmp(question->path, "login/", 6) == 0 &&
		question_signs_in(question, credentials);
}

static const struct step steps[] = {
	{"new", ""},
	{"assigned", ""},
	{"accepted", ""},
	{"closed", "fixed"},
	{"reopened", ""},
	{"closed", "wontfix"},
	{"new", ""},
	{"closed", "duplicate"},
	{"assigned", ""},
	{"closed", "invalid"},
	{"reopened", ""},
	{"closed", "worksforme"},
};

static const char *const priorities[] = {"major", "minor", "critical", "trivial", "blocker", NULL};
static const char *const components[] = {
	"core", "web, \"new\"", "\xe5\x9b\xbd\xe9\x9a\x9b\xe5\x8c\x96", NULL};
static const char *const authors[] = {
	"alice", "carol <carol@\xe2\x80\xa6>", "o'brien", "J\xc3\xb6rg", NULL};

static const char *const severities[] = {"normal", "critical", "minor", "enhancement", NULL};

/* What all speeches have; where SEVERITIES is NULL, severities have no values (the default). */
#define SPEECH(speech_word, speech_speak, SEVERITIES)                                              \
	.word = (speech_word), .type = "trac", .speak = (speech_speak), .signs_in = signs_in,      \
	.bug_url = "ticket/", .first_comment = 1,                                                  \
	.plot = {.steps = steps,                                                                   \
		.step_count = sizeof(steps) / sizeof(steps[0]),                                    \
		.severities = (SEVERITIES),                                                        \
		.priorities = priorities,                                                          \
		.products = components,                                                            \
		.authors = authors}

const struct speech trac_speech = {
	SPEECH("trac", speak, severities),
	.nothing = "{\"result\": [], \"error\": null, \"id\": 0}",
};

const struct speech trac_xml_speech = {
	SPEECH("trac-xml", speak, severities),
	.nothing = "<?xml version='1.0'?>\n<methodResponse><params><param><value><array><data>"
		   "</data></array></value></param></params></methodResponse>\n",
};

const struct speech trac_plain_speech = {
	SPEECH("trac-plain", speak_pages, NULL),
	.nothing = "\xef\xbb\xbfid,Status\r\n",
};
