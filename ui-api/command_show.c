#include "ui-api/command.h"

#include "trackers/json.h"
#include "ui-api/advice.h"
#include "ui-api/paragraph.h"
#include "ui-api/terminal.h"

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
	{.title = "  what to do", .field = "error.advice"},
	{.title = "comments", .field = "comments"},
	{0},
};

static const struct table_column history[] = {
	{.title = "at", .field = "at"},
	{.title = "what", .field = "kind"},
	{.title = "from", .field = "old", .least = 10},
	{.title = "to", .field = "new", .least = 10},
	{0},
};

enum { INDENT = 4 };

static void print_comment(void *cookie, struct json_object *comment)
{
	bool *some = cookie, colours = terminal_colours(stdout);
	void *memory = talloc_new(NULL);
	const char *author = field_text(memory, comment, "author");
	const char *posted_at = field_text(memory, comment, "posted_at");
	*some = true;
	printf("\n%s#%s  %s%s%s%s\n", colours ? "\033[1m" : "",
		terminal_text(memory, field_text(memory, comment, "number")),
		author[0] != '\0' ? terminal_text(memory, author) : "somebody",
		posted_at[0] != '\0' ? ", " : "", terminal_text(memory, posted_at),
		colours ? "\033[0m" : "");
	bool hidden = json_object_get_boolean(json_member(comment, "hidden", json_type_boolean));
	paragraph_print(stdout,
		hidden ? "(no longer shown by the tracker)" : field_text(memory, comment, "text"),
		INDENT, terminal_columns(stdout));
	talloc_free(memory);
}

/* Prints what happened to watch ID, and its comments. */
static int show_past(struct call *call, const char *id)
{
	bool some = false;
	int status = call_print_list(call, with_segment(call, "/watches/", id, "/events"), 0,
		history, "nothing has happened since the first check");
	fflush(stdout);
	if (status == DONE)
		status = call_each(call, with_segment(call, "/watches/", id, "/comments"), 0,
			print_comment, &some);
	if (status == DONE && !some)
		fputs("no comment is kept of it\n", stderr);
	return status;
}

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
	advice_add(watch);
	print_fields(watch, fields);
	putchar('\n');
	fflush(stdout);
	int status = show_past(call, field_text(call, watch, "id"));
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
	.help = "show one watch, its history and comments",
	.examples = "Shows what is known of a watched bug, when it is checked next and why\n"
		    "then, what happened to it, and its comments, oldest first. WATCH is the\n"
		    "id that \"bugwatch list\" shows.\n\n"
		    "  bugwatch show 12\n"
		    "  bugwatch show https://bugs.gentoo.org/show_bug.cgi?id=901",
	.least = 1,
	.most = 1,
};
