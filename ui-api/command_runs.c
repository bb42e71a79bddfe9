#include "ui-api/command.h"

static const struct table_column columns[] = {
	{.title = "id", .field = "id", .number = true},
	{.title = "tracker", .field = "tracker", .least = 8},
	{.title = "reason", .field = "reason"},
	{.title = "state", .field = "state", .paint = paint_state},
	{.title = "queued", .field = "queued_at"},
	{.title = "finished", .field = "finished_at"},
	{.title = "due", .field = "due", .number = true},
	{.title = "checked", .field = "checked", .number = true},
	{.title = "changed", .field = "changed", .number = true},
	{.title = "errors", .field = "errors", .number = true},
	{.title = "requests", .field = "requests", .number = true},
	{.title = "error", .field = "error.kind", .paint = paint_error},
	{.title = "what", .field = "error.message", .least = 8},
	{0},
};

static int run(struct call *call)
{
	long limit = 100;
	if (!call_number(call, "limit", 0, &limit))
		return WRONG_USAGE;
	char *path =
		with_query(call, "/runs", "tracker", call->count > 0 ? call->arguments[0] : NULL);
	path = with_query(call, path, "state", call_option(call, "state"));
	return call_print_list(call, path, limit, columns, "no such run yet");
}

static const struct command_option options[] = {
	{"state", 's', "STATE", "only queued, running, done, failed or abandoned ones"},
	{"limit", 'n', "N", "how many at most (100); 0 for all"},
	{0},
};

const struct command command_runs = {
	.name = "runs",
	.run = run,
	.usage = "[NAME] [--state STATE] [--limit N]",
	.help = "list the latest runs, newest first",
	.examples =
		"A run is one pass over the due bugs of a tracker. Lists them, newest first.\n\n"
		"  bugwatch runs\n"
		"  bugwatch runs bugs.gentoo.org --state failed",
	.options = options,
	.most = 1,
};
