#include "ui-api/command.h"

#include "ui-api/advice.h"

#include <string.h>
#include <talloc.h>

static const struct table_column columns[] = {
	{.title = "id", .field = "id", .number = true},
	{.title = "tracker", .field = "tracker", .least = 8},
	{.title = "bug", .field = "remote_id", .number = true},
	{.title = "status", .field = "status", .paint = paint_status},
	{.title = "importance", .field = "importance"},
	{.title = "title", .field = "title", .least = 10},
	{.title = "error", .field = "error.kind", .paint = paint_error},
	{0},
};

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

/* Prints TRACKER if it fails, and is the one that is asked for. */
static void print_failing(void *cookie, struct json_object *tracker)
{
	struct call *call = cookie;
	const char *only = call_option(call, "tracker");
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
static int list_errors(struct call *call, const char *path)
{
	int status = call_print_list(call, path, 0, error_columns, "no watch is in error");
	if (status != DONE || call->json)
		return status;
	fflush(stdout);
	return call_each(call, "/trackers", 0, print_failing, call);
}

static int run(struct call *call)
{
	char *path = with_query(call, "/watches", "tracker", call_option(call, "tracker"));
	path = with_query(call, path, "status", call_option(call, "status"));
	path = with_query(call, path, "ref", call_option(call, "ref"));
	if (call_option(call, "errors") != NULL)
		return list_errors(call, with_query(call, path, "error", "any"));
	return call_print_list(call, path, 0, columns,
		"no such watch; \"bugwatch add URL\" begins to watch a bug");
}

static const struct command_option options[] = {
	{"tracker", 't', "NAME", "only bugs of this tracker"},
	{"status", 's', "S", "only bugs of this status (new, confirmed, fix-released, ...)"},
	{"errors", 'e', NULL, "only watches in error, and the trackers that fail, with what to do"},
	{"ref", 'r', "TEXT", "only watches with this reference"},
	{0},
};

const struct command command_list = {
	.name = "list",
	.run = run,
	.usage = "[--tracker NAME] [--status S] [--errors] [--ref TEXT]",
	.help = "list the watched bugs",
	.examples = "Lists the watched bugs with their status and importance as last read.\n\n"
		    "  bugwatch list --tracker bugs.gentoo.org --status new\n"
		    "  bugwatch list --errors\n"
		    "  bugwatch list --json | jq -r 'select(.status == \"fix-released\").url'",
	.options = options,
};
