#include "ui-api/command.h"

#include "ui-api/openapi.h"

#include <stdio.h>

static int run(struct call *call)
{
	puts(openapi_text(call));
	return DONE;
}

const struct command command_openapi = {
	.name = "openapi",
	.run = run,
	.usage = "",
	.help = "print the API's description, without asking anybody",
	.examples =
		"Prints what GET /api/v1/openapi.json answers: every route, body and answer.\n\n"
		"  bugwatch openapi > bugwatch.json",
};
