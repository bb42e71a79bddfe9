#include "ui-api/command.h"

#include <talloc.h>

static int run(struct call *call)
{
	long removed = 0, refused = 0;
	for (int i = 0; i < call->count; i++) {
		char *path = with_segment(call, "/watches/", call->arguments[i], "");
		struct client_answer *answer = call_ask(call, call, "DELETE", path, NULL);
		int status = call_status(answer, call->arguments[i]);
		if (status == NOT_REACHED)
			return status;
		removed += status == DONE;
		refused += status != DONE;
		talloc_free(answer);
	}
	if (!call->json)
		printf("%ld removed\n", removed);
	return call_outcome(removed, refused);
}

const struct command command_remove = {
	.name = "remove",
	.run = run,
	.usage = "WATCH...",
	.help = "stop watching",
	.examples = "Takes watches away; WATCH is the id that \"bugwatch list\" shows. What\n"
		    "happened to them stays among the events.\n\n"
		    "  bugwatch remove 12 13",
	.least = 1,
	.most = -1,
};
