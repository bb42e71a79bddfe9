/* Bugzilla's comments: whole, or since a moment, of one bug or of several. */
#include "tests/farm/bugzilla.h"

#include <math.h>

/* What a question wants to know of each comment, while it is answered. */
struct wish {
	const struct site *site;
	struct evbuffer *out;
	const char *fields; /* NULL: all */
	double since; /* later ones only */
	const char *before; /* what stands before the next member */
};

/* Begins the member NAME, if it is asked for. */
static bool member(struct wish *wish, const char *name)
{
	if (wish->fields != NULL && !list_has(wish->fields, name))
		return false;
	evbuffer_add_printf(wish->out, "%s\"%s\":", wish->before, name);
	wish->before = ",";
	return true;
}

static void write_comment(
	struct wish *wish, const struct bug *bug, unsigned number, const struct remark *comment)
{
	static const char *const times[] = {"time", "creation_time"};
	struct evbuffer *out = wish->out;
	say(out, "{");
	wish->before = "";
	if (member(wish, "text"))
		say_json(out, comment->text);
	for (unsigned i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if (member(wish, times[i]))
			farm_bugzilla_write_time(out, comment->at);
	if (member(wish, "count"))
		evbuffer_add_printf(out, "%u", number);
	if (member(wish, "id"))
		evbuffer_add_printf(out, "%u", number * wish->site->life.bugs + bug->id);
	if (member(wish, "bug_id"))
		evbuffer_add_printf(out, "%u", bug->id);
	if (member(wish, "creator"))
		say_json(out, comment->author);
	if (member(wish, "attachment_id"))
		say(out, "null");
	if (member(wish, "is_private"))
		say(out, "false");
	if (member(wish, "tags"))
		say(out, "[]");
	say(out, "}");
}

/* Times are kept in whole seconds: a comment in the very second of `new_since` is left out. */
static void write_bug(struct wish *wish, const struct bug *bug)
{
	const char *before = "";
	evbuffer_add_printf(wish->out, "\"%u\":{\"comments\":[", bug->id);
	for (unsigned number = 0; number < bug->comments; number++) {
		struct remark comment;
		site_comment(wish->site, bug->id, number, &comment);
		if (floor(comment.at) <= wish->since)
			continue;
		say(wish->out, before);
		write_comment(wish, bug, number, &comment);
		before = ",";
	}
	if (site_badness(wish->site, bug->id) == BAD_COMMENTS)
		evbuffer_add_printf(wish->out, "%s{\"count\":\"second\",\"text\":[]}", before);
	say(wish->out, "]}");
}

static bool read_wish(const struct question *question, struct answer *answer, struct wish *wish)
{
	const char *since = question_value(question, "new_since");
	const char *fields = question_value(question, "include_fields");
	wish->out = answer->body;
	wish->since = -INFINITY;
	if (fields != NULL && !list_has(fields, "_all") && !list_has(fields, "_default"))
		wish->fields = fields;
	if (since != NULL && !read_time(since, &wish->since))
		farm_bugzilla_refuse(answer, 400, 56, "'%s' is not a legal date.", since);
	return answer->status == 200;
}

/* One bug that can't be had spoils all. */
void farm_bugzilla_answer_comments(const struct site *site, struct question *question,
	const char *first, size_t n, struct answer *answer)
{
	struct wish wish = {.site = site};
	struct bug bug;
	unsigned id, count;
	bool given;
	question->topic = TOPIC_COMMENTS;
	if (!read_wish(question, answer, &wish) || !farm_bugzilla_read_id(first, n, &id, answer))
		return;
	unsigned *more = question_ids(question, "ids", false, &count, &given);
	say(answer->body, "{\"comments\":{},\"bugs\":{");
	if (!farm_bugzilla_get(site, question, id, &bug, answer))
		return;
	write_bug(&wish, &bug);
	for (unsigned i = 0; i < count; i++) {
		if (more[i] == id)
			continue;
		if (!farm_bugzilla_get(site, question, more[i], &bug, answer))
			return;
		say(answer->body, ",");
		write_bug(&wish, &bug);
	}
	say(answer->body, "}}");
}
