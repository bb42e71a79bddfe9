#include "ui-api/command.h"

#include <string.h>

static const struct table_column columns[] = {
	{.title = "field", .field = "field"},
	{.title = "value", .field = "value", .least = 10},
	{.title = "means", .field = "means"},
	{0},
};

/* Asks METHOD about the word in the arguments, and prints the mapping that is answered, if any. */
static int ask(struct call *call, const char *method, struct json_object *body)
{
	const char *value = call->arguments[3];
	char *path = with_segment(call, "/trackers/", call->arguments[0], "/mappings/");
	path = with_segment(call, path, call->arguments[2], "/");
	path = with_segment(call, path, value, "");
	struct client_answer *answer = call_ask(call, call, method, path, body);
	int status = call_status(answer, value);
	if (status != DONE || answer->body == NULL)
		return status;
	if (call->json)
		print_json(answer->body);
	else
		print_fields(answer->body, columns);
	return DONE;
}

static int set(struct call *call)
{
	struct json_object *body = json_object_new_object();
	json_object_object_add(body, "means", json_object_new_string(call->arguments[4]));
	int status = ask(call, "PUT", body);
	json_object_put(body);
	return status;
}

static int run(struct call *call)
{
	const char *verb = call->count > 1 ? call->arguments[1] : "list";
	if (strcmp(verb, "list") == 0 && call->count <= 2)
		return call_print_list(call,
			with_segment(call, "/trackers/", call->arguments[0], "/mappings"), 0,
			columns, "every word means what it does in all trackers of this type");
	if (strcmp(verb, "set") == 0 && call->count == 5)
		return set(call);
	if (strcmp(verb, "remove") == 0 && call->count == 4)
		return ask(call, "DELETE", NULL);
	complain("mapping: usage: bugwatch mapping %s", command_mapping.usage);
	return WRONG_USAGE;
}

const struct command command_mapping = {
	.name = "mapping",
	.run = run,
	.usage = "NAME [list | set FIELD VALUE MEANS | remove FIELD VALUE]",
	.help = "say what words mean in one tracker",
	.examples =
		"Says what words of the tracker NAME mean: its own ones, and those that mean\n"
		"something else there than in other trackers of its type. FIELD is status or\n"
		"importance. VALUE is the tracker's word as \"bugwatch stats NAME\" shows those\n"
		"that nobody knows: of a status with its resolution, both with a blank between.\n"
		"`*` stands for anything; an exact row wins over it. MEANS is one of bugwatch's\n"
		"words. Bugs that this may be about are checked at once.\n\n"
		"  bugwatch mapping gnome\n"
		"  bugwatch mapping gnome set status \"RESOLVED SHIPPED_NEVER\" wont-fix\n"
		"  bugwatch mapping gnome set status \"SLEEPING*\" incomplete\n"
		"  bugwatch mapping gnome set importance P9 low\n"
		"  bugwatch mapping gnome remove importance P9",
	.least = 1,
	.most = 5,
};
