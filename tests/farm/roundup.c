/* Roundup 2.6's REST interface, as far as bugwatch asks it. */
#include "tests/farm/roundup.h"

#include "tests/farm/roundup_schema.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <time.h>

void farm_roundup_refuse(struct answer *answer, int status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *message = talloc_vasprintf(NULL, format, args);
	va_end(args);
	answer->status = status;
	evbuffer_drain(answer->body, evbuffer_get_length(answer->body));
	evbuffer_add_printf(answer->body, "{\"error\": {\"status\": %d, \"msg\": ", status);
	say_json(answer->body, message);
	say(answer->body, "}}");
	talloc_free(message);
}

/* What a question wants to know of each issue. */
struct wish {
	const struct site *site;
	const struct roundup_schema *schema;
	unsigned fields; /* bits: the schema's fields; those past them as names, `status.name` */
	int verbose;
};

static bool is_separator(char c)
{
	return c == ',' || c == ':';
}

/* Reads `@fields`; false (and refused) where one is not the schema's. FALLBACK is meant by silence. */
static bool read_wish(
	struct question *question, unsigned fallback, struct answer *answer, struct wish *wish)
{
	const char *names = question_value(question, "@fields");
	const char *verbose = question_value(question, "@verbose");
	wish->schema = farm_roundup_schema_of(wish->site->speech);
	wish->verbose = verbose != NULL ? atoi(verbose) : 1;
	wish->fields = names != NULL ? 0 : fallback;
	while (names != NULL && *names != '\0') {
		size_t n = 0;
		while (names[n] != '\0' && !is_separator(names[n]))
			n++;
		unsigned field = farm_roundup_field(wish->schema, names, n);
		if (n > 0 && field == 0) {
			farm_roundup_refuse(answer, 400, "'Unknown property: %.*s'", (int)n, names);
			return false;
		}
		wish->fields |= field;
		names += n;
		names += *names != '\0';
	}
	return true;
}

void farm_roundup_write_link(
	const struct site *site, struct evbuffer *out, const char *class_name, const char *id)
{
	evbuffer_add_printf(out, "\"id\": \"%s\", \"link\": \"%srest/data/%s/%s\"", id,
		site->base_url, class_name, id);
}

void farm_roundup_write_time(struct evbuffer *out, double at)
{
	say_time(out, "\"%Y-%m-%d.%H:%M:%S\"", at);
}

/* An item of another class, by its NAME: as its id, with its link, or with its name as well. */
static void write_item(const struct wish *wish, struct evbuffer *out,
	const struct farm_roundup_field *field, const char *name)
{
	char id[16];
	farm_roundup_id_of_name(field, name, id);
	if (wish->verbose == 0) {
		evbuffer_add_printf(out, "\"%s\"", id);
		return;
	}
	say(out, "{");
	farm_roundup_write_link(wish->site, out, field->class_name, id);
	if (wish->verbose > 1) {
		say(out, ", \"name\": ");
		say_json(out, name);
	}
	say(out, "}");
}

static void write_value(const struct wish *wish, struct evbuffer *out,
	const struct farm_roundup_field *field, const struct bug *bug)
{
	const char *value = field->value(bug);
	bool none = value == NULL || *value == '\0';
	switch (field->type) {
	case ROUNDUP_STRING:
		say_json(out, value);
		break;
	case ROUNDUP_LINK:
		if (none)
			say(out, "null");
		else
			write_item(wish, out, field, value);
		break;
	case ROUNDUP_MULTILINK:
		say(out, "[");
		if (!none)
			write_item(wish, out, field, value);
		say(out, "]");
		break;
	case ROUNDUP_MESSAGES:
		if (site_badness(wish->site, bug->id) == BAD_COMMENTS)
			say(out, "{}");
		else
			farm_roundup_write_messages(wish->site, out, bug, wish->verbose > 0);
		break;
	case ROUNDUP_CREATION:
		farm_roundup_write_time(out, bug->created);
		break;
	case ROUNDUP_ACTIVITY:
		farm_roundup_write_time(out, bug->changed);
		break;
	}
}

/* The fields of BUG, each after BEFORE (", " from the second on). */
static void write_fields(
	const struct wish *wish, struct evbuffer *out, const struct bug *bug, const char *before)
{
	const struct roundup_schema *schema = wish->schema;
	for (unsigned i = 0; i < schema->count; i++) {
		const struct farm_roundup_field *field = &schema->fields[i];
		if (wish->fields & ROUNDUP_FIELD(i)) {
			evbuffer_add_printf(out, "%s\"%s\": ", before, field->name);
			write_value(wish, out, field, bug);
			before = ", ";
		}
		if (wish->fields & ROUNDUP_NAME_OF(i)) {
			const char *name = field->value(bug);
			evbuffer_add_printf(out, "%s\"%s.name\": ", before, field->name);
			if (name == NULL || *name == '\0')
				say(out, "null");
			else
				say_json(out, name);
			before = ", ";
		}
	}
}

static void write_issue(const struct wish *wish, struct evbuffer *out, const struct bug *bug)
{
	char id[16];
	snprintf(id, sizeof(id), "%u", bug->id);
	say(out, "{");
	farm_roundup_write_link(wish->site, out, "issue", id);
	switch (site_badness(wish->site, bug->id)) {
	case BAD_NOT:
	case BAD_COMMENTS:
	case BAD_LOG:
		write_fields(wish, out, bug, ", ");
		break;
	case BAD_TYPES:
		say(out, ", \"title\": [1], \"status.name\": {}, \"activity\": \"yesterday\"");
		break;
	case BAD_SYNTAX:
		say(out, ", \"title\": NaN,,");
		break;
	}
	say(out, "}");
}

/* Reads one end of a range of dates; AT stays where nothing stands there. */
static bool read_date(const char *text, char end, double *at)
{
	struct tm broken = {0};
	if (*text == end)
		return true;
	const char *rest = strptime(text, "%Y-%m-%d", &broken);
	if (rest != NULL && (*rest == '.' || *rest == 'T'))
		rest = strptime(rest + 1, "%H:%M:%S", &broken);
	if (rest != NULL && *rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (rest == NULL || *rest != end)
		return false;
	*at = (double)timegm(&broken);
	return true;
}

/* `activity=FROM;TO`. What can't be read as a range filters nothing, without a word. */
static void read_activity(const struct question *question, double *from, double *to)
{
	const char *range = question_value(question, "activity");
	const char *semicolon = range != NULL ? strchr(range, ';') : NULL;
	*from = 0;
	*to = 1e12;
	if (semicolon == NULL || !read_date(range, ';', from) ||
		!read_date(semicolon + 1, '\0', to)) {
		*from = 0;
		*to = 1e12;
	}
}

/* Missing, private and retired issues are left out without a word. */
static void answer_collection(
	const struct site *site, struct question *question, struct answer *answer)
{
	struct wish wish = {.site = site};
	struct bug bug;
	unsigned count;
	bool given;
	double from, to;
	question->topic = TOPIC_BUGS;
	if (!read_wish(question, 0, answer, &wish))
		return;
	unsigned *ids = question_ids(question, "id", false, &count, &given);
	read_activity(question, &from, &to);
	answer->total = 0;
	say(answer->body, "{\"data\": {\"collection\": [");
	for (unsigned i = 0; i < (given ? count : site->life.bugs); i++) {
		if (site_bug(site, question, given ? ids[i] : i + 1, &bug) != BUG_THERE ||
			bug.changed < from || bug.changed > to)
			continue;
		say(answer->body, answer->total++ > 0 ? ", " : "");
		write_issue(&wish, answer->body, &bug);
	}
	evbuffer_add_printf(answer->body, "], \"@total_size\": %ld}}", answer->total);
}

/* A retired issue is answered as if nothing were wrong. */
static void answer_issue(
	const struct site *site, struct question *question, const char *id, struct answer *answer)
{
	struct wish wish = {.site = site};
	struct bug bug;
	unsigned number = strspn(id, "0123456789") == strlen(id) ? (unsigned)atol(id) : 0;
	enum presence presence = site_bug(site, question, number, &bug);
	question->topic = TOPIC_BUGS;
	if (presence == BUG_MISSING) {
		farm_roundup_refuse(answer, 404, "no such issue %s", id);
		return;
	}
	if (presence == BUG_PRIVATE) {
		farm_roundup_refuse(answer, 403, "Permission to view issue%s denied", id);
		return;
	}
	if (!read_wish(question, ROUNDUP_ALL_FIELDS, answer, &wish))
		return;
	say(answer->body, "{\"data\": {\"type\": \"issue\", ");
	farm_roundup_write_link(site, answer->body, "issue", id);
	say(answer->body, ", \"attributes\": {");
	write_fields(&wish, answer->body, &bug, "");
	evbuffer_add_printf(answer->body, "}, \"@etag\": \"\\\"%08x%08x\\\"\"}}", bug.id,
		(unsigned)(long)bug.changed);
}

static void answer_door(const struct site *site, struct answer *answer)
{
	evbuffer_add_printf(answer->body,
		"{\"data\": {\"default_version\": 1, \"supported_versions\": [1], "
		"\"links\": [{\"uri\": \"%srest\", \"rel\": \"self\"}, "
		"{\"uri\": \"%srest/data\", \"rel\": \"data\"}, "
		"{\"uri\": \"%srest/summary\", \"rel\": \"summary\"}]}}",
		site->base_url, site->base_url, site->base_url);
}

static void answer_classes(const struct site *site, struct answer *answer)
{
	const struct roundup_schema *schema = farm_roundup_schema_of(site->speech);
	evbuffer_add_printf(answer->body,
		"{\"data\": {\"issue\": {\"link\": \"%srest/data/issue\"}", site->base_url);
	for (unsigned i = 0; i < schema->count; i++) {
		const char *name = schema->fields[i].class_name;
		if (name != NULL)
			evbuffer_add_printf(answer->body,
				", \"%s\": {\"link\": \"%srest/data/%s\"}", name, site->base_url,
				name);
	}
	say(answer->body, "}}");
}

static void answer_rest(
	const struct site *site, struct question *question, const char *path, struct answer *answer)
{
	if (evhttp_request_get_command(question->request) != EVHTTP_REQ_GET)
		farm_roundup_refuse(answer, 405, "Method not allowed here.");
	else if (*path == '\0')
		answer_door(site, answer);
	else if (strcmp(path, "data") == 0 || strcmp(path, "data/") == 0)
		answer_classes(site, answer);
	else if (strcmp(path, "data/issue") == 0)
		answer_collection(site, question, answer);
	else if (strcmp(path, "data/msg") == 0)
		farm_roundup_answer_messages(site, question, answer);
	else if (strncmp(path, "data/issue/", 11) == 0)
		answer_issue(site, question, path + 11, answer);
	else
		farm_roundup_refuse(answer, 404, "Class %s not found",
			strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path);
}

/* Wrong logins are refused in plain text; strangers in JSON, where they are not let in. */
static bool let_in(const struct site *site, const struct question *question, struct answer *answer)
{
	bool tries = question_header(question, "Authorization") != NULL;
	if (tries && !question->signed_in) {
		answer_page(answer, 401, "Invalid Login - Invalid login");
		answer->content_type = "text/plain";
	} else if (site->login_required && !question->signed_in) {
		farm_roundup_refuse(answer, 403, "Forbidden.");
	}
	return answer->status == 200;
}

/* What a person who follows a watch's link sees. */
static void answer_issue_page(
	const struct site *site, const struct question *question, struct answer *answer)
{
	struct bug bug;
	unsigned id = (unsigned)atol(question->path + strlen("issue"));
	answer_page(answer, 200, "<!DOCTYPE html>\n<title>Roundup</title>\n<p>");
	if (site_bug(site, question, id, &bug) != BUG_THERE)
		answer_page(answer, 404, "<!DOCTYPE html>\n<p>There is no such issue.");
	else
		evbuffer_add_printf(answer->body, "issue%u: %s %s, %s", bug.id, bug.status,
			bug.resolution, bug.priority);
}

static void speak(const struct site *site, struct question *question, struct answer *answer)
{
	const char *path = question->path;
	answer->content_type = "application/json";
	if (strncmp(path, "issue", 5) == 0 && isdigit((unsigned char)path[5]))
		answer_issue_page(site, question, answer);
	else if (strncmp(path, "rest/", 5) != 0)
		answer_page(answer, 404, "<html><h1>Not Found</h1></html>\n");
	else if (let_in(site, question, answer))
		answer_rest(site, question, path + 5, answer);
}

static const struct step classic_steps[] = {
	{"unread", ""},
	{"chatting", ""},
	{"need-eg", ""},
	{"in-progress", ""},
	{"testing", ""},
	{"done-cbb", ""},
	{"resolved", ""},
	{"deferred", ""},
};

const struct speech roundup_speech = {
	.word = "roundup",
	.type = "roundup",
	.speak = speak,
	.signs_in = question_signs_in,
	.nothing = "{\"data\": {\"collection\": [], \"@total_size\": 0}}",
	.bug_url = "issue",
	.plot =
		{
			.steps = classic_steps,
			.step_count = sizeof(classic_steps) / sizeof(classic_steps[0]),
			.priorities = (const char *const[]){"bug", "urgent", "critical", "feature",
				"wish", NULL},
			.products = (const char *const[]){"engine", "", "docs", NULL},
			.authors = (const char *const[]){"ada", "zoe", "o'brien", "admin", NULL},
		},
};

static const struct step python_steps[] = {
	{"open", ""},
	{"open", "accepted"},
	{"closed", "fixed"},
	{"open", "later"},
	{"closed", "duplicate"},
	{"open", "postponed"},
	{"closed", "not a bug"},
	{"closed", "third party"},
};

const struct speech roundup_python_speech = {
	.word = "roundup-python",
	.type = "roundup",
	.speak = speak,
	.signs_in = question_signs_in,
	.nothing = "{\"data\": {\"collection\": [], \"@total_size\": 0}}",
	.bug_url = "issue",
	.plot =
		{
			.steps = python_steps,
			.step_count = sizeof(python_steps) / sizeof(python_steps[0]),
			.severities = (const char *const[]){"normal", "urgent", "minor", NULL},
			.priorities = (const char *const[]){"normal", "high", "release blocker",
				"low", "deferred blocker", NULL},
			.products = (const char *const[]){"Library (Lib)", "Documentation",
				"Interpreter Core", NULL},
			.authors = (const char *const[]){"ada", "zoe", "o'brien", "admin", NULL},
		},
};
