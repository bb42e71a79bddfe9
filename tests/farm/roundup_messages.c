/* Roundup's messages. Their ids are the tracker's, not an issue's: a bug's are N bugs apart. */
#include "tests/farm/roundup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { ID_SIZE = 24 };

static void write_id(char id[ID_SIZE], const struct site *site, unsigned bug, unsigned number)
{
	snprintf(id, ID_SIZE, "%lu", (unsigned long)number * site->life.bugs + bug);
}

/* What a question wants to know of each message. */
struct wish {
	const struct site *site;
	struct evbuffer *out;
	const char *fields;
	int verbose;
};

static const char *const field_names[] = {"author.username", "date", "content"};

static int compare_texts(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Roundup sorts ids as texts: 100 comes before 99. */
void farm_roundup_write_messages(
	const struct site *site, struct evbuffer *out, const struct bug *bug, bool links)
{
	char(*ids)[ID_SIZE] = talloc_size(NULL, (size_t)bug->comments * ID_SIZE);
	for (unsigned i = 0; i < bug->comments; i++)
		write_id(ids[i], site, bug->id, i);
	qsort(ids, bug->comments, ID_SIZE, compare_texts);
	say(out, "[");
	for (unsigned i = 0; i < bug->comments; i++) {
		say(out, i > 0 ? ", " : "");
		if (links) {
			say(out, "{");
			farm_roundup_write_link(site, out, "msg", ids[i]);
			say(out, "}");
		} else {
			say_json(out, ids[i]);
		}
	}
	say(out, "]");
	talloc_free(ids);
}

static void write_message(const struct wish *wish, unsigned bug, unsigned number)
{
	struct evbuffer *out = wish->out;
	struct remark comment;
	char id[ID_SIZE];
	site_comment(wish->site, bug, number, &comment);
	write_id(id, wish->site, bug, number);
	say(out, "{");
	farm_roundup_write_link(wish->site, out, "msg", id);
	if (list_has(wish->fields, "author.username")) {
		say(out, ", \"author.username\": ");
		say_json(out, comment.author);
	}
	if (list_has(wish->fields, "content") && wish->verbose >= 3) {
		say(out, ", \"content\": ");
		say_json(out, comment.text);
	} else if (list_has(wish->fields, "content")) {
		evbuffer_add_printf(
			out, ", \"content\": {\"link\": \"%smsg%s/\"}", wish->site->base_url, id);
	}
	if (list_has(wish->fields, "date")) {
		say(out, ", \"date\": ");
		farm_roundup_write_time(out, comment.at);
	}
	say(out, "}");
}

/* False, and refused, where a field is not a message's. */
static bool read_wish(const struct question *question, struct answer *answer, struct wish *wish)
{
	const char *fields = question_value(question, "@fields");
	const char *verbose = question_value(question, "@verbose");
	wish->out = answer->body;
	wish->fields = fields != NULL ? fields : "";
	wish->verbose = verbose != NULL ? atoi(verbose) : 1;
	for (const char *name = wish->fields; *name != '\0';) {
		size_t n = strcspn(name, ",");
		bool known = n == 0;
		for (unsigned i = 0; i < sizeof(field_names) / sizeof(field_names[0]); i++)
			known = known ||
				(strlen(field_names[i]) == n &&
					strncmp(field_names[i], name, n) == 0);
		if (!known) {
			farm_roundup_refuse(answer, 400, "'Unknown property: %.*s'", (int)n, name);
			return false;
		}
		name += n;
		name += *name != '\0';
	}
	return true;
}

/* Messages that are not there, or of issues that can't be seen, are left out without a word. */
void farm_roundup_answer_messages(
	const struct site *site, struct question *question, struct answer *answer)
{
	struct wish wish = {.site = site};
	unsigned count, bugs = site->life.bugs;
	bool given;
	question->topic = TOPIC_COMMENTS;
	if (!read_wish(question, answer, &wish))
		return;
	const unsigned *ids = question_ids(question, "id", false, &count, &given);
	answer->total = 0;
	say(answer->body, "{\"data\": {\"collection\": [");
	for (unsigned i = 0; i < count; i++) {
		struct bug bug;
		if (ids[i] == 0)
			continue;
		unsigned owner = (ids[i] - 1) % bugs + 1, number = (ids[i] - 1) / bugs;
		enum presence presence = site_bug(site, question, owner, &bug);
		if ((presence != BUG_THERE && presence != BUG_RETIRED) || number >= bug.comments)
			continue;
		say(answer->body, answer->total++ > 0 ? ", " : "");
		write_message(&wish, owner, number);
	}
	evbuffer_add_printf(answer->body, "], \"@total_size\": %ld}}", answer->total);
}
