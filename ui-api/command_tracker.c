#include "ui-api/command.h"

#include "ui-api/advice.h"
#include "ui-api/terminal.h"

#include <talloc.h>

static const struct table_column columns[] = {
	{.title = "name", .field = "name", .least = 12},
	{.title = "type", .field = "type"},
	{.title = "health", .field = "health", .paint = paint_health},
	{.title = "watches", .field = "watches", .number = true},
	{.title = "in error", .field = "watches_with_errors", .number = true},
	{.title = "next check", .field = "next_check_at"},
	{.title = "error", .field = "error.kind", .paint = paint_error},
	{.title = "base URL", .field = "base_url", .least = 12},
	{0},
};

static const struct table_column fields[] = {
	{.title = "name", .field = "name"},
	{.title = "title", .field = "title"},
	{.title = "type", .field = "type"},
	{.title = "base URL", .field = "base_url"},
	{.title = "version", .field = "version"},
	{.title = "abilities", .field = "abilities"},
	{.title = "health", .field = "health", .paint = paint_health},
	{.title = "error", .field = "error.kind", .paint = paint_error},
	{.title = "  what", .field = "error.message"},
	{.title = "  since", .field = "error.since"},
	{.title = "  tried again", .field = "error.retry_at"},
	{.title = "  what to do", .field = "error.advice"},
	{.title = "watches", .field = "watches"},
	{.title = "  in error", .field = "watches_with_errors"},
	{.title = "last run", .field = "last_run.id"},
	{.title = "  state", .field = "last_run.state", .paint = paint_state},
	{.title = "  finished", .field = "last_run.finished_at"},
	{.title = "  checked", .field = "last_run.checked"},
	{.title = "  changed", .field = "last_run.changed"},
	{.title = "  comments", .field = "last_run.comments"},
	{.title = "  errors", .field = "last_run.errors"},
	{.title = "next check", .field = "next_check_at"},
	{.title = "enabled", .field = "enabled"},
	{.title = "batch_size", .field = "batch_size"},
	{.title = "max_connections", .field = "max_connections"},
	{.title = "min_delay_ms", .field = "min_delay_ms"},
	{.title = "changes_interval_s", .field = "changes_interval_s"},
	{.title = "sync_comments", .field = "sync_comments"},
	{.title = "store_private", .field = "store_private"},
	{.title = "credentials", .field = "has_credentials"},
	{.title = "udd", .field = "has_udd"},
	{.title = "mode", .field = "mode"},
	{.title = "schedule", .field = "schedule"},
	{.title = "warning", .field = "warning"},
	{0},
};

static int list(struct call *call)
{
	return call_print_list(call, "/trackers", 0, columns,
		"no tracker yet; \"bugwatch add URL\" makes them, or \"bugwatch tracker add\"");
}

static int show(struct call *call)
{
	const char *name = call->arguments[0];
	char *path = with_segment(call, "/trackers/", name, "");
	struct client_answer *answer = call_ask(call, call, "GET", path, NULL);
	int status = call_status(answer, name);
	if (status == DONE && call->json)
		print_json(answer->body);
	if (status == DONE && !call->json) {
		advice_add(answer->body);
		print_fields(answer->body, fields);
	}
	return status;
}

static int add(struct call *call)
{
	const char *type = call_option(call, "type");
	struct json_object *body = json_object_new_object();
	json_object_object_add(body, "name", json_object_new_string(call->arguments[0]));
	json_object_object_add(body, "base_url", json_object_new_string(call->arguments[1]));
	json_object_object_add(body, "type", json_object_new_string(type != NULL ? type : "auto"));
	struct client_answer *answer = call_ask(call, call, "POST", "/trackers", body);
	json_object_put(body);
	int status = call_status(answer, call->arguments[0]);
	if (status != DONE)
		return status;
	if (call->json)
		print_json(answer->body);
	else
		printf("tracker %s is made, at %s\n",
			terminal_text(call, field_text(call, answer->body, "name")),
			terminal_text(call, field_text(call, answer->body, "base_url")));
	return DONE;
}

static int remove_tracker(struct call *call)
{
	const char *name = call->arguments[0];
	char *path = with_segment(call, "/trackers/", name, "");
	int status = call_status(call_ask(call, call, "DELETE", path, NULL), name);
	if (status == DONE && !call->json)
		printf("tracker %s is removed, with its watches\n", terminal_text(call, name));
	return status;
}

const struct command command_tracker_list = {
	.name = "tracker list",
	.run = list,
	.usage = "",
	.help = "list the trackers",
	.examples = "Lists the trackers and how they fare.\n\n"
		    "  bugwatch tracker list",
};

const struct command command_tracker_show = {
	.name = "tracker show",
	.run = show,
	.usage = "NAME",
	.help = "show a tracker: health, last run, settings",
	.examples = "Shows what is known of a tracker, how its last run went, and its\n"
		    "settings.\n\n"
		    "  bugwatch tracker show bugs.gentoo.org",
	.least = 1,
	.most = 1,
};

static const struct command_option add_options[] = {
	{"type", 't', "T",
		"bugzilla, trac, debbugs, roundup, github, or auto (find out by asking it)"},
	{0},
};

const struct command command_tracker_add = {
	.name = "tracker add",
	.run = add,
	.usage = "NAME BASE_URL [--type T]",
	.help = "make a tracker",
	.examples =
		"Makes a tracker under a name of your own. Trackers of watched bugs are made by\n"
		"themselves; this is for those whose URLs do not tell their type.\n\n"
		"  bugwatch tracker add gentoo https://bugs.gentoo.org/ --type bugzilla",
	.options = add_options,
	.least = 2,
	.most = 2,
};

const struct command command_tracker_remove = {
	.name = "tracker remove",
	.run = remove_tracker,
	.usage = "NAME",
	.help = "remove a tracker and all its watches",
	.examples = "Removes a tracker and all watches of its bugs. Where it shall only be\n"
		    "left alone for a while, set enabled=false.\n\n"
		    "  bugwatch tracker remove gentoo\n"
		    "  bugwatch tracker set gentoo enabled=false",
	.least = 1,
	.most = 1,
};
