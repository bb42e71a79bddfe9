/* The program `bugwatch`: one command line for the service and for those who ask it. */
#include "ui-api/command.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

const struct command *const commands[] = {
	&command_serve,
	&command_add,
	&command_remove,
	&command_list,
	&command_show,
	&command_check,
	&command_tracker_list,
	&command_tracker_show,
	&command_tracker_add,
	&command_tracker_set,
	&command_tracker_remove,
	&command_product,
	&command_mapping,
	&command_stats,
	&command_errors,
	&command_runs,
	&command_events,
	&command_detect,
	&command_token_create,
	&command_token_list,
	&command_token_revoke,
	&command_audit,
	&command_webhook_list,
	&command_webhook_add,
	&command_webhook_set,
	&command_webhook_replay,
	&command_webhook_remove,
	&command_migrate,
	&command_openapi,
	NULL,
};

int main(int argc, char **argv)
{
	/* What we print is UTF-8 in any locale; the widths of characters come from a UTF-8 one. */
	if (setlocale(LC_CTYPE, "") == NULL || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		setlocale(LC_CTYPE, "C.UTF-8");
	int status = command_main(argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		complain("standard output can't be written");
		return REFUSED;
	}
	return status;
}
