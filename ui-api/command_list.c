#include "ui-api/command.h"

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

static int run(struct call *call)
{
	char *path = with_query(call, "/watches", "tracker", call_option(call, "tracker"));
	path = with_query(call, path, "status", call_option(call, "status"));
	path = with_query(call, path, "ref", call_option(call, "ref"));
	if (call_option(call, "errors") != NULL)
		return list_errors(
			call, with_query(call, path, "error", "any"), call_option(call, "tracker"));
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
