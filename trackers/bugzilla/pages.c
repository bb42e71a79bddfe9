#include "trackers/bugzilla/pages.h"

#include "trackers/bugzilla/answer.h"
#include "trackers/csv.h"
#include "trackers/url.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

/* A column of a list, or an element of a bug, and REST's word for it. */
struct field {
	const char *name, *word;
};

static const struct field fields[] = {
	{"bug_id", "id"},
	{"alias", "alias"},
	{"bug_status", "status"},
	{"resolution", "resolution"},
	{"bug_severity", "severity"},
	{"priority", "priority"},
	{"short_desc", "summary"},
	{"product", "product"},
	{"changeddate", "last_change_time"},
	{"delta_ts", "last_change_time"},
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]), RESOLUTION = 3 };

static const char list_page[] = "buglist.cgi",
		  columns[] = "bug_status,resolution,bug_severity,"
			      "priority,product,short_desc,changeddate";

bool pages_are_door(const struct conversation *conversation)
{
	const char *door = conversation->server->door;
	return door != NULL && strcmp(door, bugzilla_page_door) == 0;
}

/* ---- questions ---- */

static struct exchange *ask(struct conversation *conversation, enum bugzilla_purpose purpose,
	char *url, enum format format, const unsigned *wanted, unsigned count)
{
	struct exchange *exchange = bugzilla_get(conversation, purpose, url, format);
	bugzilla_add_cookie(conversation, exchange);
	exchange->wanted = talloc_memdup(exchange, wanted, count * sizeof(*wanted));
	exchange->wanted_count = count;
	return exchange;
}

void pages_ask_list(struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	char *url =
		talloc_asprintf(NULL, "%s%s?ctype=csv&bug_id=", conversation->base_url, list_page);
	for (unsigned i = 0; i < count; i++)
		url = talloc_asprintf_append_buffer(
			url, "%s%s", i > 0 ? "," : "", conversation->wanted[wanted[i]].remote_id);
	url = talloc_asprintf_append_buffer(url, "&columnlist=%s", columns);
	ask(conversation, ASK_BUGS, url, FORMAT_TEXT, wanted, count);
}

void pages_ask_bugs(struct conversation *conversation, enum bugzilla_purpose purpose,
	const char *names, const unsigned *wanted, unsigned count)
{
	char *url =
		talloc_asprintf(NULL, "%s%s?ctype=xml", conversation->base_url, bugzilla_page_door);
	for (unsigned i = 0; i < count; i++)
		url = talloc_asprintf_append_buffer(
			url, "&id=%s", conversation->wanted[wanted[i]].remote_id);
	for (size_t n; *names != '\0'; names += n + (names[n] == ',')) {
		n = strcspn(names, ",");
		url = talloc_asprintf_append_buffer(url, "&field=%.*s", (int)n, names);
	}
	ask(conversation, purpose, url, FORMAT_XML, wanted, count);
}

void pages_ask_bugs_in_parts(struct conversation *conversation, enum bugzilla_purpose purpose,
	const char *names, const unsigned *wanted, unsigned count)
{
	for (unsigned from = 0, part; from < count; from += part) {
		part = bugzilla_fitting(conversation, wanted + from, count - from, PAGES_BATCH_SIZE,
			strlen("&id="), 8 * strlen(names));
		pages_ask_bugs(conversation, purpose, names, wanted + from, part);
	}
}

/*
 * A time without a zone would be one of the server's; so many hours before now are the same to
 * everybody. This order, and charts in this form, all versions know.
 */
struct exchange *pages_ask_changed(
	struct conversation *conversation, struct json_object *ids, int64_t hours, long after)
{
	char *url = talloc_asprintf(NULL,
		"%s%s?ctype=csv&chfieldfrom=-%" PRId64
		"h&columnlist=alias,changeddate&order=Bug%%20Number",
		conversation->base_url, list_page, hours);
	for (size_t i = 0; ids != NULL && i < json_object_array_length(ids); i++)
		url = talloc_asprintf_append_buffer(url, "%s%s", i > 0 ? "," : "&bug_id=",
			json_object_get_string(json_object_array_get_idx(ids, i)));
	if (after > 0)
		url = talloc_asprintf_append_buffer(
			url, "&field0-0-0=bug_id&type0-0-0=greaterthan&value0-0-0=%ld", after);
	return ask(conversation, ASK_CHANGES, url, FORMAT_TEXT, NULL, 0);
}

/* ---- lists ---- */

static void add_text(struct json_object *to, const char *name, const char *text)
{
	json_object_object_add(to, name, json_object_new_string(text));
}

/* A dash and what else a table would calculate with is written after a blank; `---` is nothing. */
static struct json_object *read_row(const struct csv *table, unsigned row)
{
	struct json_object *bug = json_object_new_object();
	for (unsigned i = 0; i < FIELDS; i++) {
		const char *cell = csv_cell(table, row, i);
		if (i == RESOLUTION && (cell == NULL || strcmp(cell, "---") == 0))
			cell = "";
		if (table->has[i] && cell != NULL)
			add_text(bug, fields[i].word, cell);
	}
	return bug;
}

/* Whether the date, which is asked for last, is the last column. */
static bool ends_in_date(const char *text)
{
	static const char last[] = "\"changeddate\"";
	size_t line = strcspn(text, "\n"), n = sizeof(last) - 1;
	return line >= n && strncmp(text + line - n, last, n) == 0;
}

/* The last row has no end; but a date is always quoted, and with its quote the row is whole. */
static struct csv *read_table(struct exchange *exchange, const struct csv_column *wanted)
{
	const char *text = exchange->text;
	size_t size = exchange->text_size;
	if (ends_in_date(text) && text[size - 1] == '"') {
		char *whole = talloc_array(exchange, char, size + 1);
		memcpy(whole, text, size);
		whole[size++] = '\n';
		text = whole;
	}
	return csv_read(exchange, wanted, text, size, &exchange->failure);
}

struct json_object *pages_read_list(struct exchange *exchange)
{
	struct csv_column wanted[FIELDS + 1] = {{0}};
	for (unsigned i = 0; i < FIELDS; i++)
		wanted[i].name = fields[i].name;
	struct csv *table = read_table(exchange, wanted);
	if (table == NULL)
		return NULL;
	struct json_object *answer = json_object_new_object(), *bugs = json_object_new_array();
	for (unsigned i = 0; i < table->count; i++)
		json_object_array_add(bugs, read_row(table, i));
	json_object_object_add(answer, "bugs", bugs);
	return answer;
}

/* ---- bugs ---- */

static bool is_answer(const struct exchange *exchange)
{
	return exchange->xml != NULL && strcmp(exchange->xml->name, "bugzilla") == 0;
}

static struct json_object *read_fault(const struct element *bug, const char *error)
{
	struct json_object *fault = json_object_new_object();
	bool private = strcmp(error, "NotPermitted") == 0;
	const char *id = xml_text(xml_child(bug, "bug_id"));
	add_text(fault, "id", id);
	add_text(fault, "faultString",
		private ? "It is not for everybody to see." : "There is no such bug.");
	json_object_object_add(
		fault, "faultCode", json_object_new_int(private ? CODE_NO_ACCESS : CODE_NO_BUG));
	return fault;
}

/* An open bug of an old one may be without a resolution. */
static struct json_object *read_bug(const struct element *element)
{
	struct json_object *bug = json_object_new_object();
	for (unsigned i = 0; i < FIELDS; i++) {
		const struct element *child = xml_child(element, fields[i].name);
		if (child != NULL || i == RESOLUTION)
			add_text(bug, fields[i].word, xml_text(child));
	}
	return bug;
}

struct json_object *pages_read_bugs(const struct exchange *exchange)
{
	if (!is_answer(exchange))
		return NULL;
	struct json_object *answer = json_object_new_object(), *bugs = json_object_new_array(),
			   *faults = json_object_new_array();
	for (const struct element *at = exchange->xml->first; at != NULL; at = at->next) {
		const char *error = xml_attribute(at, "error");
		if (strcmp(at->name, "bug") == 0 && error != NULL)
			json_object_array_add(faults, read_fault(at, error));
		else if (strcmp(at->name, "bug") == 0)
			json_object_array_add(bugs, read_bug(at));
	}
	json_object_object_add(answer, "bugs", bugs);
	json_object_object_add(answer, "faults", faults);
	return answer;
}

/* ---- comments ---- */

static int64_t integer_of(const struct element *element, const char *name, int64_t otherwise)
{
	const struct element *child = xml_child(element, name);
	char *end;
	int64_t number = strtoll(xml_text(child), &end, 10);
	return child != NULL && end != xml_text(child) && *end == '\0' ? number : otherwise;
}

/* From 4.4 on comments are counted, from 3.6 on they have ids; before that only a PLACE. */
static struct json_object *read_comment(const struct element *element, int64_t place)
{
	struct json_object *comment = json_object_new_object();
	const struct element *text = xml_child(element, "thetext");
	const char *private = xml_attribute(element, "isprivate");
	int64_t number =
		integer_of(element, "comment_count", integer_of(element, "commentid", place));
	json_object_object_add(comment, "count", json_object_new_int64(number));
	add_text(comment, "creator", xml_text(xml_child(element, "who")));
	add_text(comment, "time", xml_text(xml_child(element, "bug_when")));
	if (text != NULL)
		json_object_object_add(comment, "text",
			json_object_new_string_len(xml_text(text), (int)text->text_size));
	json_object_object_add(comment, "is_private",
		json_object_new_boolean(private != NULL && strcmp(private, "1") == 0));
	return comment;
}

/* Some like the newest first. */
static bool is_reversed(const struct element *first, const struct element *last)
{
	return strcmp(xml_text(xml_child(first, "bug_when")),
		       xml_text(xml_child(last, "bug_when"))) > 0;
}

static struct json_object *read_groups(const struct element *bug)
{
	struct json_object *groups = json_object_new_array();
	if (xml_child(bug, "group") != NULL)
		json_object_array_add(
			groups, json_object_new_string(xml_text(xml_child(bug, "group"))));
	return groups;
}

static struct json_object *read_talk(const struct element *bug)
{
	struct json_object *talk = json_object_new_object(), *comments = json_object_new_array();
	const struct element *first = xml_child(bug, "long_desc"), *last = first;
	int64_t count = 0;
	for (const struct element *at = first; at != NULL; at = at->next) {
		if (strcmp(at->name, "long_desc") == 0) {
			last = at;
			count++;
		}
	}
	int64_t place = is_reversed(first, last) ? count - 1 : 0;
	for (const struct element *at = first; at != NULL; at = at->next) {
		if (strcmp(at->name, "long_desc") != 0)
			continue;
		json_object_array_add(comments, read_comment(at, place));
		place += is_reversed(first, last) ? -1 : 1;
	}
	json_object_object_add(talk, "comments", comments);
	json_object_object_add(talk, "groups", read_groups(bug));
	return talk;
}

struct json_object *pages_read_comments(const struct exchange *exchange)
{
	if (!is_answer(exchange))
		return NULL;
	struct json_object *answer = json_object_new_object(), *bugs = json_object_new_object();
	for (const struct element *at = exchange->xml->first; at != NULL; at = at->next)
		if (strcmp(at->name, "bug") == 0 && xml_attribute(at, "error") == NULL)
			json_object_object_add(
				bugs, xml_text(xml_child(at, "bug_id")), read_talk(at));
	json_object_object_add(answer, "bugs", bugs);
	return answer;
}
