#include "ui-api/command.h"

static const struct table_column fields[] = {
	{.title = "watches", .field = "watches"},
	{.title = "  in error", .field = "watches_with_errors"},
	{.title = "  with comments", .field = "watches_with_comments"},
	{.title = "remote bugs", .field = "remote_bugs"},
	{.title = "  resolved", .field = "resolved"},
	{.title = "comments", .field = "comments"},
	{.title = "checks in 24 h", .field = "checks_24h"},
	{.title = "  changes", .field = "changes_24h"},
	{.title = "  requests", .field = "requests_24h"},
	{.title = "last run", .field = "last_run.id"},
	{.title = "  tracker", .field = "last_run.tracker"},
	{.title = "  state", .field = "last_run.state", .paint = paint_state},
	{.title = "  finished", .field = "last_run.finished_at"},
	{.title = "  checked", .field = "last_run.checked"},
	{.title = "  errors", .field = "last_run.errors"},
	{.title = "oldest overdue", .field = "oldest_overdue.watch"},
	{.title = "  tracker", .field = "oldest_overdue.tracker"},
	{.title = "  bug", .field = "oldest_overdue.remote_id"},
	{.title = "  since", .field = "oldest_overdue.due_at"},
	{.title = "next check", .field = "next_check_at"},
	{.title = "  why", .field = "next_check_reason"},
	{.title = "breaker", .field = "breaker.state"},
	{.title = "  failures", .field = "breaker.failures"},
	{.title = "breakers open", .field = "breakers.open"},
	{0},
};

static const struct table_column common_columns[] = {
	{.title = "error", .field = "kind", .paint = paint_error},
	{.title = "bugs", .field = "count", .number = true},
	{.title = "such as", .field = "watch", .number = true},
	{.title = "what", .field = "example", .least = 20},
	{0},
};

static const struct table_column unmapped_columns[] = {
	{.title = "field", .field = "field"},
	{.title = "value", .field = "value", .least = 10},
	{.title = "bugs", .field = "count", .number = true},
	{0},
};

static const struct table_column failed_columns[] = {
	{.title = "watch", .field = "watch", .number = true},
	{.title = "bug", .field = "remote_id", .number = true},
	{.title = "error", .field = "kind", .paint = paint_error},
	{.title = "what", .field = "message", .least = 20},
	{0},
};

static const struct table_column tracker_columns[] = {
	{.title = "tracker", .field = "name", .least = 8},
	{.title = "watches", .field = "watches", .number = true},
	{.title = "in error", .field = "watches_with_errors", .number = true},
	{.title = "resolved", .field = "resolved", .number = true},
	{.title = "comments", .field = "comments", .number = true},
	{.title = "checks", .field = "checks_24h", .number = true},
	{.title = "changes", .field = "changes_24h", .number = true},
	{.title = "requests", .field = "requests_24h", .number = true},
	{.title = "last run", .field = "last_run.state", .paint = paint_state},
	{0},
};

static void print_part(struct json_object *stats, const char *name, const char *title,
	const struct table_column *columns)
{
	struct json_object *array = NULL;
	json_object_object_get_ex(stats, name, &array);
	print_table(array, title, columns);
}

static int run(struct call *call)
{
	const char *name = call->count > 0 ? call->arguments[0] : NULL;
	char *path = name != NULL ? with_segment(call, "/trackers/", name, "/stats")
				  : with_query(call, "/stats", "limit", "1000");
	struct client_answer *answer = call_ask(call, call, "GET", path, NULL);
	int status = call_status(answer, name != NULL ? name : "");
	if (status != DONE)
		return status;
	if (call->json) {
		print_json(answer->body);
		return DONE;
	}
	print_fields(answer->body, fields);
	print_part(answer->body, "common_errors", "Most common errors, now", common_columns);
	print_part(answer->body, "last_run_errors", "Errors of the last run", failed_columns);
	print_part(answer->body, "unmapped",
		"Words that nobody knows (see \"bugwatch mapping --help\")", unmapped_columns);
	print_part(answer->body, "trackers", "Trackers, in the last 24 hours", tracker_columns);
	return DONE;
}

const struct command command_stats = {
	.name = "stats",
	.run = run,
	.usage = "[NAME]",
	.help = "show how it goes, in figures",
	.examples =
		"Shows figures over all trackers, or those of the tracker NAME: what is watched,\n"
		"what is in error and why, the last run, the last 24 hours, what has waited\n"
		"longest, and words of trackers that nobody knows.\n\n"
		"  bugwatch stats\n"
		"  bugwatch stats bugs.gentoo.org\n"
		"  bugwatch stats --json | jq .watches_with_errors",
	.most = 1,
};
