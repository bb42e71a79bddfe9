/* Trac's tables: the query page as CSV, and a ticket's own address. */
#include "tests/farm/trac.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <talloc.h>

static const char mark[] = "\xef\xbb\xbf";

/* ---- which tickets ---- */

/* `FROM..TO`, either end may be empty. False where one is no date. */
static bool read_range(const char *text, double *from, double *to)
{
	*from = -INFINITY;
	*to = INFINITY;
	const char *dots = text != NULL ? strstr(text, "..") : NULL;
	if (text == NULL)
		return true;
	if (dots == NULL)
		return false;
	char *begin = talloc_strndup(NULL, text, (size_t)(dots - text));
	bool read = (*begin == '\0' || read_time(begin, from)) &&
		(dots[2] == '\0' || read_time(dots + 2, to));
	talloc_free(begin);
	return read;
}

/* Without any constraint it is about all that is not closed; what can't be seen is left out silently. */
unsigned *farm_trac_select(
	const struct site *site, struct question *query, unsigned most, unsigned *count)
{
	const char *changed = question_value(query, "changetime"),
		   *max = question_value(query, "max");
	double from, to;
	unsigned given_count;
	bool given;
	if (!read_range(changed, &from, &to))
		return NULL;
	if (max != NULL)
		most = (unsigned)strtoul(max, NULL, 10);
	unsigned *ids = question_ids(query, "id", true, &given_count, &given);
	unsigned asked = given ? given_count : site->life.bugs;
	unsigned *found = talloc_array(query, unsigned, asked + 1);
	*count = 0;
	for (unsigned i = 0; i < asked && (most == 0 || *count < most); i++) {
		struct bug bug;
		unsigned id = given ? ids[i] : i + 1;
		if (site_bug(site, query, id, &bug) != BUG_THERE || bug.changed < from ||
			bug.changed >= to)
			continue;
		if (given || changed != NULL || strcmp(bug.status, "closed") != 0)
			found[(*count)++] = id;
	}
	return found;
}

/* ---- cells ---- */

static void write_cell(struct evbuffer *out, const char *text)
{
	if (strpbrk(text, ",\"\r\n") == NULL) {
		say(out, text);
		return;
	}
	say(out, "\"");
	while (*text != '\0') {
		size_t plain = strcspn(text, "\"");
		evbuffer_add(out, text, plain);
		text += plain;
		if (*text != '\0')
			say(out, "\"\"");
		text += *text != '\0';
	}
	say(out, "\"");
}

static void write_id(struct evbuffer *out, const struct bug *bug)
{
	evbuffer_add_printf(out, "%u", bug->id);
}

static void write_summary(struct evbuffer *out, const struct bug *bug)
{
	write_cell(out, bug->title);
}

static void write_status(struct evbuffer *out, const struct bug *bug)
{
	write_cell(out, bug->status);
}

static void write_resolution(struct evbuffer *out, const struct bug *bug)
{
	write_cell(out, bug->resolution);
}

static void write_priority(struct evbuffer *out, const struct bug *bug)
{
	write_cell(out, bug->priority);
}

static void write_severity(struct evbuffer *out, const struct bug *bug)
{
	write_cell(out, bug->severity);
}

static void write_component(struct evbuffer *out, const struct bug *bug)
{
	write_cell(out, bug->product);
}

/* In the site's language, and in its zone: here that is UTC. */
#define TIME_FORMAT "\"%b %-d, %Y, %-I:%M:%S %p\""

static void write_created(struct evbuffer *out, const struct bug *bug)
{
	say_time(out, TIME_FORMAT, bug->created);
}

static void write_changed(struct evbuffer *out, const struct bug *bug)
{
	say_time(out, TIME_FORMAT, bug->changed);
}

struct column {
	const char *name, *label;
	void (*write)(struct evbuffer *out, const struct bug *bug);
};

static const struct column columns[] = {
	{"id", "id", write_id},
	{"summary", "Summary", write_summary},
	{"status", "Status", write_status},
	{"resolution", "Resolution", write_resolution},
	{"priority", "Priority", write_priority},
	{"severity", "Severity", write_severity},
	{"component", "Component", write_component},
	{"time", "Created", write_created},
	{"changetime", "Modified", write_changed},
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]), TIMES = 2 };

/* Whether the site has the column: severities come with their values only. */
static bool has_column(const struct site *site, const struct column *column)
{
	return column->write != write_severity || site->speech->plot.severities != NULL;
}

/* The columns asked for in their order, each once; what the site lacks is left out. */
static unsigned asked_columns(
	const struct site *site, const struct question *question, const struct column **asked)
{
	const struct evkeyval *pair;
	unsigned count = 0, seen = 0;
	for (pair = TAILQ_FIRST(&question->query); pair != NULL; pair = TAILQ_NEXT(pair, next)) {
		for (unsigned i = 0; i < COLUMNS && strcmp(pair->key, "col") == 0; i++) {
			if (strcmp(columns[i].name, pair->value) == 0 && (seen & 1u << i) == 0 &&
				has_column(site, &columns[i])) {
				seen |= 1u << i;
				asked[count++] = &columns[i];
			}
		}
	}
	if (count == 0)
		for (; count < 5; count++)
			asked[count] = &columns[count];
	return count;
}

/* A bad ticket has no number in place of its own, or a quote that nothing closes. */
static void write_row(const struct site *site, struct evbuffer *out, const struct bug *bug,
	const struct column *const *asked, unsigned count)
{
	enum badness badness = site_badness(site, bug->id);
	for (unsigned i = 0; i < count; i++) {
		say(out, i > 0 ? "," : "");
		if (badness == BAD_TYPES && asked[i]->write == write_id)
			say(out, "#");
		if (badness == BAD_SYNTAX)
			say(out, "\"x\"y");
		asked[i]->write(out, bug);
	}
	say(out, "\r\n");
}

static void begin_table(
	struct answer *answer, const struct column *const *asked, unsigned count, bool labels)
{
	answer->content_type = "text/csv;charset=utf-8";
	say(answer->body, mark);
	for (unsigned i = 0; i < count; i++)
		evbuffer_add_printf(answer->body, "%s%s", i > 0 ? "," : "",
			labels ? asked[i]->label : asked[i]->name);
	say(answer->body, "\r\n");
}

/* A date that is none fails when the head is on its way: there is no body then. */
void farm_trac_answer_query(
	const struct site *site, struct question *question, struct answer *answer)
{
	const struct column *asked[COLUMNS];
	unsigned found, count = asked_columns(site, question, asked);
	const unsigned *ids = farm_trac_select(site, question, 0, &found);
	question->topic = TOPIC_BUGS;
	answer->content_type = "text/csv;charset=utf-8";
	if (ids == NULL)
		return;
	begin_table(answer, asked, count, true);
	for (unsigned i = 0; i < found; i++) {
		struct bug bug;
		site_bug(site, question, ids[i], &bug);
		write_row(site, answer->body, &bug, asked, count);
	}
}

/* There columns have raw names, and there are no times. */
void farm_trac_answer_table(
	const struct site *site, struct question *question, unsigned id, struct answer *answer)
{
	const struct column *asked[COLUMNS];
	struct bug bug;
	unsigned count = 0;
	question->topic = TOPIC_BUGS;
	if (!farm_trac_get(site, question, id, &bug, answer))
		return;
	for (unsigned i = 0; i < COLUMNS - TIMES; i++)
		if (has_column(site, &columns[i]))
			asked[count++] = &columns[i];
	begin_table(answer, asked, count, false);
	write_row(site, answer->body, &bug, asked, count);
}
