/*
 * GitHub's issues over REST as Enterprise Server gives them, for tests without a socket: pages by
 * offset. What is hidden can't be told from what is missing, so nothing is hidden here.
 */
#include "tests/farm/site.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { PAGE = 30, COMMENTS_EACH = 10000 };

/* A page of a list of COUNT, from FIRST up to before END; says where the next one is. */
struct page {
	unsigned first, end;
};

static unsigned number_of(const struct question *question, const char *name, unsigned otherwise)
{
	const char *value = question_value(question, name);
	return value != NULL && atoi(value) > 0 ? (unsigned)atoi(value) : otherwise;
}

static struct page page_of(
	const struct site *site, struct question *question, struct answer *answer, unsigned count)
{
	unsigned size = number_of(question, "per_page", PAGE);
	unsigned number = number_of(question, "page", 1);
	struct page page = {(number - 1) * size, number * size};
	if (page.end < count)
		answer->next = talloc_asprintf(question, "%.*s%s?page=%u&per_page=%u&since=%s",
			(int)(strlen(site->base_url) - strlen(site->speech->home)), site->base_url,
			question->path, number + 1, size,
			question_value(question, "since") != NULL
				? question_value(question, "since")
				: "");
	if (page.end > count)
		page.end = count;
	return page;
}

static void say_member(struct evbuffer *out, const char *name, const char *text)
{
	evbuffer_add_printf(out, ", \"%s\": ", name);
	if (text == NULL || *text == '\0')
		say(out, "null");
	else
		say_json(out, text);
}

static void say_issue(const struct site *site, struct evbuffer *out, const struct bug *bug)
{
	struct remark body;
	site_comment(site, bug->id, 0, &body);
	evbuffer_add_printf(out,
		"{\"number\": %u, \"comments\": %u, \"labels\": [{\"name\": \"it\"}]", bug->id,
		bug->comments - 1);
	evbuffer_add_printf(out, ", \"user\": {\"login\": \"%s\"}", body.author);
	say_member(out, "title", bug->title);
	say_member(out, "state", bug->status);
	say_member(out, "state_reason", bug->resolution);
	say_member(out, "body", body.text);
	say_time(out, ", \"created_at\": \"%Y-%m-%dT%H:%M:%SZ\"", bug->created);
	say_time(out, ", \"updated_at\": \"%Y-%m-%dT%H:%M:%SZ\"}", bug->changed);
}

static void answer_missing(struct answer *answer)
{
	answer->status = 404;
	say(answer->body, "{\"message\": \"Not Found\", \"status\": \"404\"}");
}

/* ---- lists ---- */

struct entry {
	double changed;
	unsigned id;
};

static int compare_entries(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	if (left->changed != right->changed)
		return left->changed < right->changed ? -1 : 1;
	return left->id < right->id ? -1 : 1;
}

/* The bugs that changed since SINCE, in the order of their changes, or the other way round. */
static struct entry *entries_of(
	const struct site *site, struct question *question, double since, unsigned *count)
{
	struct entry *entries = talloc_array(question, struct entry, site->life.bugs);
	const char *direction = question_value(question, "direction");
	bool rising = direction != NULL && strcmp(direction, "asc") == 0;
	*count = 0;
	for (unsigned id = 1; id <= site->life.bugs; id++) {
		struct bug bug;
		if (site_bug(site, question, id, &bug) == BUG_THERE && bug.changed >= since)
			entries[(*count)++] = (struct entry){bug.changed, id};
	}
	qsort(entries, *count, sizeof(*entries), compare_entries);
	for (unsigned i = 0; !rising && i < *count / 2; i++) {
		struct entry entry = entries[i];
		entries[i] = entries[*count - 1 - i];
		entries[*count - 1 - i] = entry;
	}
	return entries;
}

static void answer_issues(const struct site *site, struct question *question, struct answer *answer)
{
	const char *since = question_value(question, "since");
	double from = 0;
	unsigned count;
	if (since != NULL)
		read_time(since, &from);
	struct entry *entries = entries_of(site, question, from, &count);
	struct page page = page_of(site, question, answer, count);
	say(answer->body, "[");
	for (unsigned i = page.first; i < page.end; i++) {
		struct bug bug;
		site_bug(site, question, entries[i].id, &bug);
		say(answer->body, i > page.first ? ", " : "");
		say_issue(site, answer->body, &bug);
	}
	say(answer->body, "]");
}

static void answer_comments(const struct site *site, struct question *question,
	struct answer *answer, const struct bug *bug)
{
	struct page page = page_of(site, question, answer, bug->comments - 1);
	say(answer->body, "[");
	for (unsigned i = page.first; i < page.end; i++) {
		struct remark comment;
		site_comment(site, bug->id, i + 1, &comment);
		evbuffer_add_printf(answer->body, "%s{\"id\": %u, \"user\": {\"login\": \"%s\"}",
			i > page.first ? ", " : "", bug->id * COMMENTS_EACH + i + 1,
			comment.author);
		say_member(answer->body, "body", comment.text);
		say_time(answer->body, ", \"created_at\": \"%Y-%m-%dT%H:%M:%SZ\"}", comment.at);
	}
	say(answer->body, "]");
}

static void speak(const struct site *site, struct question *question, struct answer *answer)
{
	static const char door[] = "api/v3/repos/";
	size_t n = sizeof(door) - 1, home = strlen(site->speech->home) - 1;
	const char *path = question->path;
	bool here = strncmp(path, door, n) == 0 && strncmp(path + n, site->speech->home, home) == 0;
	const char *rest = here ? path + n + home : "?";
	struct bug bug;
	char *end = NULL;
	unsigned id = strncmp(rest, "/issues/", 8) == 0 ? (unsigned)strtoul(rest + 8, &end, 10) : 0;
	answer->content_type = "application/json; charset=utf-8";
	if (*rest == '\0')
		say(answer->body, "{\"id\": 1, \"has_issues\": true}");
	else if (strcmp(rest, "/issues") == 0)
		answer_issues(site, question, answer);
	else if (id == 0 || site_bug(site, question, id, &bug) != BUG_THERE)
		answer_missing(answer);
	else if (strcmp(end, "/comments") == 0)
		answer_comments(site, question, answer, &bug);
	else
		say_issue(site, answer->body, &bug);
}

static const struct step steps[] = {
	{"open", ""},
	{"closed", "completed"},
	{"open", "reopened"},
	{"closed", "not_planned"},
	{"closed", "duplicate"},
};

const struct speech github_speech = {
	.word = "github",
	.type = "github",
	.home = "octo/anvil/",
	.speak = speak,
	.bug_url = "issues/",
	.plot =
		{
			.steps = steps,
			.step_count = sizeof(steps) / sizeof(steps[0]),
			.authors = (const char *const[]){"ada", "zoe", "octocat", NULL},
		},
};
