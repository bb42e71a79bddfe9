#include "ui-api/command.h"

#include "ui-api/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

enum { PAGE = 1000 };

/* "status new -> confirmed", or what there is of it; owned by OWNER. */
static char *change_words(const void *owner, struct json_object *event)
{
	char *kind = field_text(owner, event, "kind");
	char *old = field_text(owner, event, "old"), *new = field_text(owner, event, "new");
	return talloc_asprintf(
		owner, "%s %s%s%s", kind, old, old[0] != '\0' && new[0] != '\0' ? " -> " : "", new);
}

/* Prints one event on a line of its own: a stream has no columns to align. */
static void print_event(struct call *call, struct json_object *event)
{
	if (call->json) {
		print_json(event);
		return;
	}
	void *memory = talloc_new(call);
	char *line = talloc_asprintf(memory, "%s  %s  %s %s: %s  %s",
		field_text(memory, event, "id"), field_text(memory, event, "at"),
		field_text(memory, event, "tracker"), field_text(memory, event, "remote_id"),
		change_words(memory, event), field_text(memory, event, "url"));
	puts(terminal_text(memory, line));
	talloc_free(memory);
}

/* Prints the next page after *AFTER, which moves on; *COUNT is how many there were. */
static int print_page(struct call *call, long *after, size_t *count)
{
	char *path = talloc_asprintf(call, "/events?after=%ld&limit=%d", *after, PAGE);
	struct client_answer *answer = call_ask(call, call, "GET", path, NULL);
	int status = call_status(answer, "");
	struct json_object *items = status == DONE ? call_items(answer) : NULL;
	*count = items != NULL ? json_object_array_length(items) : 0;
	for (size_t i = 0; i < *count; i++) {
		struct json_object *event = json_object_array_get_idx(items, i);
		print_event(call, event);
		*after = (long)json_object_get_int64(json_object_object_get(event, "id"));
	}
	talloc_free(answer);
	talloc_free(path);
	return status == DONE && items == NULL ? REFUSED : status;
}

static int run(struct call *call)
{
	bool follow = call_option(call, "follow") != NULL;
	long after = 0;
	if (!call_number(call, "after", 0, &after))
		return WRONG_USAGE;
	for (;;) {
		size_t count;
		int status = print_page(call, &after, &count);
		if (status != DONE) {
			if (follow)
				complain("go on with --after %ld", after);
			return status;
		}
		if (fflush(stdout) != 0)
			return REFUSED;
		if (count == PAGE)
			continue;
		if (!follow)
			return DONE;
		sleep(1);
	}
}

static const struct command_option options[] = {
	{"after", 'a', "N", "only events after number N (0: from the first on)"},
	{"follow", 'f', NULL, "go on as they happen, until interrupted"},
	{0},
};

const struct command command_events = {
	.name = "events",
	.run = run,
	.usage = "[--after N] [--follow]",
	.help = "tell what changed",
	.examples = "Tells what changed in the watched bugs, oldest first. Remember the last\n"
		    "number and ask for what came after it: nothing is missed, nothing comes\n"
		    "twice.\n\n"
		    "  bugwatch events --after 1200\n"
		    "  bugwatch events --follow --json | while read -r event; do ...; done",
	.options = options,
};
