#include "ui-api/command.h"

#include "trackers/tracker.h"
#include "ui-api/terminal.h"

#include <talloc.h>

static const struct table_column columns[] = {
	{.title = "type", .field = "type"},
	{.title = "base URL", .field = "base_url", .least = 16},
	{.title = "bug", .field = "remote_id", .number = true},
	{.title = "URL", .field = "url", .least = 16},
	{0},
};

/* Adds TEXT, or null where there is none. */
static void add_text(struct json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, text != NULL ? json_object_new_string(text) : NULL);
}

static void print_as_json(const char *url, const struct remote_bug *bug)
{
	struct json_object *object = json_object_new_object();
	add_text(object, "url", url);
	json_object_object_add(object, "recognised", json_object_new_boolean(bug->tracker != NULL));
	add_text(object, "type", bug->tracker != NULL ? bug->tracker->name : NULL);
	add_text(object, "base_url", bug->base_url);
	add_text(object, "remote_id", bug->remote_id);
	print_json(object);
	json_object_put(object);
}

static int run(struct call *call)
{
	struct url_list *list = call_urls(call);
	if (list == NULL)
		return WRONG_USAGE;
	struct table *table = table_new(call, columns);
	for (size_t i = 0; i < list->count; i++) {
		struct remote_bug bug = {0};
		if (!tracker_recognise(list, list->urls[i], &bug))
			bug = (struct remote_bug){0};
		if (call->json)
			print_as_json(list->urls[i], &bug);
		else
			table_add(table,
				(const char *[]){
					bug.tracker != NULL ? bug.tracker->name : "not recognised",
					bug.base_url, bug.remote_id, list->urls[i]});
	}
	if (!call->json)
		table_print(table, stdout, terminal_columns(stdout), terminal_colours(stdout));
	return DONE;
}

static const struct command_option options[] = {
	{"file", 'f', "FILE|-", "take URLs from a file, one a line"},
	{0},
};

const struct command command_detect = {
	.name = "detect",
	.run = run,
	.usage = "URL... | -f FILE|-",
	.help = "tell what tracker and bug a URL means, without asking anybody",
	.examples = "Tells what tracker and bug a URL means. Nothing is sent anywhere.\n\n"
		    "  bugwatch detect https://bugs.gentoo.org/show_bug.cgi?id=901\n"
		    "  bugwatch detect --json -f urls.txt",
	.options = options,
	.most = -1,
};
