#include "ui-api/command.h"

#include "ui-api/advice.h"

#include <string.h>
#include <talloc.h>

static const struct table_column error_columns[] = {
	{.title = "id", .field = "id", .number = true},
	{.title = "tracker", .field = "tracker", .least = 8},
	{.title = "bug", .field = "remote_id", .number = true},
	{.title = "error", .field = "error.kind", .paint = paint_error},
	{.title = "since", .field = "error.since"},
	{.title = "times", .field = "error.count", .number = true},
	{.title = "next check", .field = "next_check_at"},
	{.title = "what", .field = "error.message", .least = 20},
	{0},
};

static const struct table_column failing_fields[] = {
	{.title = "tracker", .field = "name"},
	{.title = "  error", .field = "error.kind", .paint = paint_error},
	{.title = "  what", .field = "error.message"},
	{.title = "  since", .field = "error.since"},
	{.title = "  tried again", .field = "error.retry_at"},
	{.title = "  watches", .field = "watches"},
	{.title = "  what to do", .field = "error.advice"},
	{0},
};

/* Prints TRACKER if it fails, and is the one that is asked for (COOKIE), if one is. */
static void print_failing(void *cookie, struct json_object *tracker)
{
	const char *only = *(const char **)cookie;
	void *memory = talloc_new(NULL);
	bool fails = strcmp(field_text(memory, tracker, "health"), "failing") == 0;
	if (fails && (only == NULL || strcmp(field_text(memory, tracker, "name"), only) == 0)) {
		advice_add(tracker);
		putchar('\n');
		print_fields(tracker, failing_fields);
	}
	talloc_free(memory);
}

/* A failing tracker is no error of its bugs, but they are not read either. */
int list_errors(struct call *call, const char *path, const char *tracker)
{
	int status = call_print_list(call, path, 0, error_columns, "no watch is in error");
	if (status != DONE || call->json)
		return status;
	fflush(stdout);
	return call_each(call, "/trackers", 0, print_failing, &tracker);
}

static const struct table_column run_columns[] = {
	{.title = "watch", .field = "watch", .number = true},
	{.title = "bug", .field = "remote_id", .number = true},
	{.title = "error", .field = "kind", .paint = paint_error},
	{.title = "at", .field = "at"},
	{.title = "what", .field = "message", .least = 20},
	{0},
};

/* Whether run RUN is one of the tracker NAME; says why not. */
static int check_run(struct call *call, const char *run, const char *name)
{
	char *path = with_segment(call, "/runs/", run, "");
	struct client_answer *answer = call_ask(call, call, "GET", path, NULL);
	int status = call_status(answer, run);
	if (status != DONE)
		return status;
	const char *tracker = field_text(call, answer->body, "tracker");
	if (strcmp(tracker, name) == 0)
		return DONE;
	complain("run %s is one of the tracker %s, not of %s", run, tracker, name);
	return REFUSED;
}

static int run(struct call *call)
{
	const char *name = call->count > 0 ? call->arguments[0] : NULL;
	const char *run = call_option(call, "run");
	if (run == NULL) {
		char *path = with_query(call, "/watches", "error", "any");
		return list_errors(call, with_query(call, path, "tracker", name), name);
	}
	int status = name != NULL ? check_run(call, run, name) : DONE;
	if (status != DONE)
		return status;
	return call_print_list(call, with_segment(call, "/runs/", run, "/errors"), 0, run_columns,
		"nothing failed in it");
}

static const struct command_option options[] = {
	{"run", 'r', "RUN", "what failed in that run, in place of what is in error now"},
	{0},
};

const struct command command_errors = {
	.name = "errors",
	.run = run,
	.usage = "[NAME] [--run RUN]",
	.help = "list what is in error now, or what failed in a run",
	.examples = "Lists the watches that are in error now, of all trackers or of NAME, and the\n"
		    "trackers that fail, with what to do. With --run, what failed in that run.\n\n"
		    "  bugwatch errors\n"
		    "  bugwatch errors bugs.gentoo.org\n"
		    "  bugwatch errors --run 1204",
	.options = options,
	.most = 1,
};
