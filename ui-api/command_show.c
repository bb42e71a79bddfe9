#include "ui-api/command.h"

#include <string.h>
#include <talloc.h>

static const struct table_column fields[] = {
	{.title = "watch", .field = "id"},
	{.title = "url", .field = "url"},
	{.title = "ref", .field = "ref"},
	{.title = "tracker", .field = "tracker"},
	{.title = "bug", .field = "remote_id"},
	{.title = "title", .field = "title"},
	{.title = "product", .field = "product"},
	{.title = "status", .field = "status", .paint = paint_status},
	{.title = "  there", .field = "remote_status"},
	{.title = "  resolution", .field = "remote_resolution"},
	{.title = "importance", .field = "importance"},
	{.title = "  severity", .field = "remote_severity"},
	{.title = "  priority", .field = "remote_priority"},
	{.title = "tags", .field = "remote_tags"},
	{.title = "watched since", .field = "created_at"},
	{.title = "last checked", .field = "last_checked_at"},
	{.title = "last changed", .field = "last_changed_at"},
	{.title = "  by its clock", .field = "remote_changed_at"},
	{.title = "next check", .field = "next_check_at"},
	{.title = "  why then", .field = "next_check_reason"},
	{.title = "error", .field = "error.kind", .paint = paint_error},
	{.title = "  what", .field = "error.message"},
	{.title = "  since", .field = "error.since"},
	{.title = "  times", .field = "error.count"},
	{0},
};

static const struct table_column history[] = {
	{.title = "at", .field = "at"},
	{.title = "what", .field = "kind"},
	{.title = "from", .field = "old", .least = 10},
	{.title = "to", .field = "new", .least = 10},
	{0},
};

/* What was shown so far. */
struct showing {
	struct call *call;
	unsigned count;
	int status;
};

static void show(void *cookie, struct json_object *watch)
{
	struct showing *showing = cookie;
	struct call *call = showing->call;
	bool first = showing->count++ == 0;
	if (call->json) {
		print_json(watch);
		return;
	}
	if (!first)
		putchar('\n');
	print_fields(watch, fields);
	putchar('\n');
	fflush(stdout);
	char *id = field_text(call, watch, "id");
	int status = call_print_list(call, with_segment(call, "/watches/", id, "/events"), 0,
		history, "nothing has happened since the first check");
	if (showing->status == DONE)
		showing->status = status;
}

static int run(struct call *call)
{
	const char *word = call->arguments[0];
	struct showing showing = {.call = call};
	if (strstr(word, "://") == NULL) {
		char *path = with_segment(call, "/watches/", word, "");
		struct client_answer *answer = call_ask(call, call, "GET", path, NULL);
		int status = call_status(answer, word);
		if (status != DONE)
			return status;
		show(&showing, answer->body);
		return showing.status;
	}
	int status = call_each(call, with_query(call, "/watches", "url", word), 0, show, &showing);
	if (status == DONE && showing.count == 0) {
		complain("%s is not watched; \"bugwatch add\" begins to", word);
		return REFUSED;
	}
	return status != DONE ? status : showing.status;
}

const struct command command_show = {
	.name = "show",
	.run = run,
	.usage = "WATCH|URL",
	.help = "show one watch and its history",
	.examples = "Shows what is known of a watched bug, when it is checked next and why\n"
		    "then, and what happened to it. WATCH is the id that \"bugwatch list\"\n"
		    "shows.\n\n"
		    "  bugwatch show 12\n"
		    "  bugwatch show https://bugs.gentoo.org/show_bug.cgi?id=901",
	.least = 1,
	.most = 1,
};
