#include "ui-api/command.h"

static const struct table_column columns[] = {
	{.title = "at", .field = "at"},
	{.title = "who", .field = "name", .least = 8},
	{.title = "token", .field = "token", .number = true},
	{.title = "from", .field = "address"},
	{.title = "what", .field = "method"},
	{.title = "path", .field = "path", .least = 12},
	{.title = "status", .field = "status", .number = true},
	{.title = "with", .field = "body", .least = 8},
	{0},
};

static int run(struct call *call)
{
	long limit = 100;
	if (!call_number(call, "limit", 0, &limit))
		return WRONG_USAGE;
	return call_print_list(call, "/audit", limit, columns, "nothing yet");
}

static const struct command_option options[] = {
	{"limit", 'n', "N", "how many at most (100); 0 for all"},
	{0},
};

const struct command command_audit = {
	.name = "audit",
	.run = run,
	.usage = "[--limit N]",
	.help = "list what administrators did, newest first",
	.examples = "Lists who changed what, when, and from where. Secrets are left out.\n\n"
		    "  bugwatch audit\n"
		    "  bugwatch audit --json --limit 0 > acts.jsonl",
	.options = options,
};
