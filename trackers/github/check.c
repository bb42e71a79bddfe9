/*
 * Issues: there is no question for several by number. So the list is read, those that changed last
 * first, for as long as more issues are missing than pages; the rest is asked for one by one.
 */
#include "trackers/github/api.h"
#include "trackers/github/mapping.h"
#include "trackers/json.h"
#include "trackers/silence.h"
#include "trackers/text.h"
#include "trackers/tracker.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { LABELS = 100 };

/* How far the list was read; goes from page to page. */
struct reading {
	int64_t pages; /* heard so far */
	int64_t highest; /* number of an issue: there are not more of them */
};

/* ---- questions ---- */

/* Asks for a page of the list, for all bugs that nothing was learnt of yet. */
static struct exchange *ask_page(
	struct conversation *conversation, char *url, const unsigned *wanted, unsigned count)
{
	struct exchange *exchange = url != NULL
		? github_ask(conversation, ASK_ISSUES, url)
		: github_ask_path(conversation, ASK_ISSUES,
			  "/issues?state=all&sort=updated&direction=desc&per_page=100");
	exchange->wanted = talloc_memdup(exchange, wanted, count * sizeof(*wanted));
	exchange->wanted_count = count;
	exchange->memo = talloc_zero(exchange, struct reading);
	return exchange;
}

static void ask_singly(struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		github_ask_issue(conversation, ASK_ISSUE, wanted[i], "");
}

void github_begin_check(struct conversation *conversation)
{
	unsigned count = conversation->wanted_count, *all = talloc_array(NULL, unsigned, count);
	for (unsigned i = 0; i < count; i++)
		all[i] = i;
	if (count == 1)
		github_ask_issue(conversation, ASK_ALONE, 0, "");
	else if (count > 1)
		ask_page(conversation, NULL, all, count);
	talloc_free(all);
}

/* ---- an issue ---- */

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the labels, sorted; blanks within one become `-`, as others part them. */
static const char *read_labels(const void *owner, struct json_object *list)
{
	char *names[LABELS] = {NULL}, *tags = NULL;
	size_t count = 0;
	for (size_t i = 0; i < json_object_array_length(list) && count < LABELS; i++) {
		struct json_object *label = json_object_array_get_idx(list, i);
		char *name = json_text_of(owner, label, "name");
		for (char *at = name; at != NULL && *at != '\0'; at++)
			if (*at == ' ')
				*at = '-';
		if (name != NULL && *name != '\0')
			names[count++] = name;
	}
	qsort(names, count, sizeof(*names), compare_words);
	for (size_t i = 0; i < count; i++)
		tags = i == 0 ? names[0] : talloc_asprintf(owner, "%s %s", tags, names[i]);
	return tags;
}

/* Pull requests are issues that say no reason, but whether they were merged. */
static const char *resolution_of(const void *owner, struct json_object *item, const char *state)
{
	struct json_object *pull = json_member(item, "pull_request", json_type_object);
	if (pull == NULL || strcmp(state, "closed") != 0)
		return json_text_of(owner, item, "state_reason");
	bool merged = json_member(pull, "merged_at", json_type_string) != NULL;
	return merged ? "merged" : "unmerged";
}

static bool read_issue(const void *owner, struct json_object *item, struct observation *into)
{
	struct json_object *labels = json_member(item, "labels", json_type_array);
	char *updated = json_text_of(owner, item, "updated_at");
	into->title = json_text_of(owner, item, "title");
	into->status = json_text_of(owner, item, "state");
	if (into->title == NULL || into->status == NULL || labels == NULL || updated == NULL ||
		!moment_parse(updated, &into->changed_at))
		return false;
	into->resolution = resolution_of(owner, item, into->status);
	into->tags = read_labels(owner, labels);
	return true;
}

static void observe(struct conversation *conversation, unsigned wanted, struct json_object *item)
{
	struct observation read = {.wanted = wanted};
	if (!read_issue(conversation, item, &read)) {
		conversation_observe_error(conversation, wanted, ERR_UNPARSABLE_BUG,
			"issue %s: the answer has a field that is not what GitHub sends there",
			conversation->wanted[wanted].remote_id);
		return;
	}
	read.mapped_status = map_status(github_status_rows, read.status, read.resolution);
	read.mapped_importance = map_importance(github_importance_rows, NULL);
	*conversation_observe(conversation, wanted) = read;
}

/* ---- answers ---- */

/* Observes the issues of a page that are wanted; notes the highest number of all. */
static void hear_items(struct conversation *conversation, const struct exchange *exchange,
	struct json_object *items, struct reading *reading)
{
	size_t count = json_object_array_length(items);
	for (size_t i = 0; i < count && i < GITHUB_PAGE; i++) {
		struct json_object *item = json_object_array_get_idx(items, i);
		int64_t number = github_number(item);
		if (number > reading->highest)
			reading->highest = number;
		for (unsigned j = 0; number != 0 && j < exchange->wanted_count; j++)
			if (github_wanted_number(conversation, exchange->wanted[j]) == number)
				observe(conversation, exchange->wanted[j], item);
	}
}

/* That an issue is not on a page means nothing: it moves to the front while pages are read. */
void github_hear_issues(struct conversation *conversation, struct exchange *exchange)
{
	struct json_object *items = github_document(conversation, exchange, json_type_array);
	struct reading reading = *(struct reading *)exchange->memo;
	if (items == NULL && exchange->failure.kind != ERR_TOO_LARGE) {
		github_fail(conversation, exchange);
		return;
	}
	if (items != NULL)
		hear_items(conversation, exchange, items, &reading);
	reading.pages++;
	unsigned left, *silent = silent_bugs(conversation, exchange, &left);
	char *next = items != NULL ? github_next_page(conversation, exchange) : NULL;
	int64_t pages_left = reading.highest / GITHUB_PAGE + 1 - reading.pages;
	if (next == NULL || pages_left <= 0 || left <= pages_left) {
		ask_singly(conversation, silent, left);
		return;
	}
	struct reading *further = ask_page(conversation, next, silent, left)->memo;
	*further = reading;
}

/* An issue that was transferred answers with its new self, of another repository and number. */
static void hear_found(struct conversation *conversation, unsigned wanted, struct json_object *item)
{
	const char *id = conversation->wanted[wanted].remote_id;
	int64_t number = github_number(item);
	char *where = json_text_of(conversation, item, "html_url");
	if (number != 0 && number != github_wanted_number(conversation, wanted))
		conversation_observe_error(conversation, wanted, ERR_BUG_NOT_FOUND,
			"issue %s: transferred, it is now %s", id,
			where != NULL ? where : "elsewhere");
	else
		observe(conversation, wanted, item);
}

/*
 * A repository that is gone answers as its issues that are gone do: that a single issue is missing
 * is only believed where the repository answered a question.
 */
void github_hear_issue(struct conversation *conversation, struct exchange *exchange)
{
	unsigned wanted = exchange->wanted[0];
	const char *why;
	struct json_object *item = github_document(conversation, exchange, json_type_object);
	if (item != NULL)
		hear_found(conversation, wanted, item);
	else if (!github_says_missing(exchange, &why))
		github_fail(conversation, exchange);
	else if (exchange->purpose == ASK_ALONE)
		ask_page(conversation, NULL, exchange->wanted, 1);
	else
		conversation_observe_error(conversation, wanted, ERR_BUG_NOT_FOUND, "issue %s: %s",
			conversation->wanted[wanted].remote_id, why);
}
