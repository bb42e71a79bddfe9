#include "ui-api/command.h"

#include "trackers/utf8.h"
#include "ui-api/progress.h"
#include "ui-api/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { CHUNK = 1000 }; /* URLs in one question */

/* An adding under way. */
struct adding {
	struct call *call;
	const char *ref;
	long made, known, refused;
};

/* What is asked for one URL; the caller's. */
static struct json_object *watch_of(const struct adding *adding, const char *url)
{
	struct json_object *watch = json_object_new_object();
	json_object_object_add(watch, "url", json_object_new_string(url));
	if (adding->ref != NULL)
		json_object_object_add(watch, "ref", json_object_new_string(adding->ref));
	return watch;
}

/* Takes the answer for one URL of an array. */
static void take_item(struct adding *adding, const char *url, struct json_object *item)
{
	char *status = field_text(adding->call, item, "status");
	if (strcmp(status, "201") == 0) {
		adding->made++;
	} else if (strcmp(status, "200") == 0) {
		adding->known++;
	} else {
		adding->refused++;
		struct json_object *problem = json_object_object_get(item, "problem");
		complain("%s: %s", url, client_problem_words(status, problem, atoi(status)));
	}
	talloc_free(status);
	if (adding->call->json)
		print_json(item);
}

/* Asks for the COUNT URLs at URLS at once. */
static int add_chunk(struct adding *adding, char **urls, size_t count)
{
	struct json_object *array = json_object_new_array();
	for (size_t i = 0; i < count; i++)
		json_object_array_add(array, watch_of(adding, urls[i]));
	struct client_answer *answer =
		call_ask(adding->call, adding->call, "POST", "/watches", array);
	json_object_put(array);
	int status = call_status(answer, "");
	struct json_object *items = status == DONE ? call_items(answer) : NULL;
	size_t answered = items != NULL ? json_object_array_length(items) : 0;
	for (size_t i = 0; i < count && i < answered; i++)
		take_item(adding, urls[i], json_object_array_get_idx(items, i));
	if (status == DONE && answered < count) {
		complain("the service spoke of %zu of %zu URLs only", answered, count);
		status = REFUSED;
	}
	talloc_free(answer);
	return status;
}

/*
 * Leaves out of LIST what can't be put into JSON: one such URL would have the service refuse all
 * that are sent with it.
 */
static void leave_out_broken(struct adding *adding, struct url_list *list)
{
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++) {
		if (utf8_is_valid(list->urls[i])) {
			list->urls[kept++] = list->urls[i];
			continue;
		}
		adding->refused++;
		complain("%s: not a URL (it is not even UTF-8)", list->urls[i]);
	}
	list->count = kept;
}

/* Says how it went, and after a failure in midway how far it came. */
static int add_outcome(struct adding *adding, int status, size_t count)
{
	long watched = adding->made + adding->known;
	if (!adding->call->json && (status == DONE || watched > 0)) {
		printf("watching %s (%ld new)", counted(adding->call, watched, "bug"),
			adding->made);
		if (adding->refused > 0)
			printf(", %ld refused", adding->refused);
		putchar('\n');
	}
	if (status == DONE)
		return call_outcome(watched, adding->refused);
	if (watched > 0)
		complain("of %zu URLs %ld were added before that; add them all again to go on",
			count, watched);
	return status == REFUSED && watched > 0 ? PARTLY : status;
}

static int add_many(struct adding *adding, struct url_list *list)
{
	size_t given = list->count;
	leave_out_broken(adding, list);
	struct progress *progress = progress_new(adding->call, "adding");
	int status = DONE;
	for (size_t at = 0; at < list->count && status == DONE; at += CHUNK) {
		size_t n = list->count - at < CHUNK ? list->count - at : CHUNK;
		progress_show(progress, at, list->count, "");
		status = add_chunk(adding, list->urls + at, n);
	}
	talloc_free(progress);
	return add_outcome(adding, status, given);
}

/* One URL alone is answered with its watch. */
static int add_one(struct adding *adding, const char *url)
{
	struct call *call = adding->call;
	struct json_object *watch = watch_of(adding, url);
	struct client_answer *answer = call_ask(call, call, "POST", "/watches", watch);
	json_object_put(watch);
	int status = call_status(answer, url);
	if (status != DONE)
		return status;
	if (call->json) {
		print_json(answer->body);
		return DONE;
	}
	char *line = talloc_asprintf(call, "watching %s at %s as watch %s%s",
		field_text(call, answer->body, "remote_id"),
		field_text(call, answer->body, "tracker"), field_text(call, answer->body, "id"),
		answer->status == 201 ? " (new)" : "");
	puts(terminal_text(call, line));
	return DONE;
}

static int run(struct call *call)
{
	struct adding adding = {.call = call, .ref = call_option(call, "ref")};
	struct url_list *list = call_urls(call);
	if (list == NULL)
		return WRONG_USAGE;
	if (list->count == 1 && !list->from_file)
		return add_one(&adding, list->urls[0]);
	return add_many(&adding, list);
}

static const struct command_option options[] = {
	{"ref", 'r', "TEXT", "your own reference, stored with the watches"},
	{"file", 'f', "FILE|-",
		"take URLs from a file, one a line; empty lines and # lines are skipped"},
	{0},
};

const struct command command_add = {
	.name = "add",
	.run = run,
	.usage = "URL... [--ref TEXT] | -f FILE|-",
	.help = "watch bugs",
	.examples = "Watches bugs. The tracker is recognised from the URL, and made if it is\n"
		    "new. What is watched already stays as it is.\n\n"
		    "  bugwatch add https://bugs.gentoo.org/show_bug.cgi?id=901 --ref ticket-17\n"
		    "  bugwatch add -f urls.txt\n"
		    "  grep -o 'https://[^ ]*' notes | bugwatch add -f -",
	.options = options,
	.most = -1,
};
