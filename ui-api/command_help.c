#include "ui-api/command.h"

#include "engine/settings.h"

#include <string.h>

enum { NAME_COLUMN = 16, OPTION_COLUMN = 26 };

void help_all(FILE *out)
{
	fputs("bugwatch watches bugs that live in other people's bug trackers.\n\n"
	      "usage: bugwatch COMMAND [ARGUMENTS]   (bugwatch COMMAND --help tells more)\n\n",
		out);
	for (const struct command *const *at = commands; *at != NULL; at++)
		fprintf(out, "  %-*s%s\n", NAME_COLUMN, (*at)->name, (*at)->help);
	fputs("\nA first try:\n"
	      "  bugwatch serve &\n"
	      "  bugwatch add https://bugs.gentoo.org/show_bug.cgi?id=901\n"
	      "  bugwatch list\n\n"
	      "Commands find the local service by its state folder (--state-dir DIR), or\n"
	      "another one by BUGWATCH_URL and BUGWATCH_TOKEN. --json prints the API's own\n"
	      "JSON, --version the version.\n\n"
	      "Exit status: 0 done, 1 refused, 2 wrong usage, 3 service not reached,\n"
	      "4 partly done.\n",
		out);
}

static void print_option(
	FILE *out, char letter, const char *name, const char *value, const char *help)
{
	char shown[80];
	snprintf(shown, sizeof(shown), "--%s%s%s", name, value[0] != '\0' ? " " : "", value);
	for (char *at = shown; (at = strchr(at, '_')) != NULL;)
		*at = '-';
	if (letter != 0)
		fprintf(out, "  -%c, %-*s %s\n", letter, OPTION_COLUMN, shown, help);
	else
		fprintf(out, "      %-*s %s\n", OPTION_COLUMN, shown, help);
}

/* The settings of the service as options, with what they are unless set. */
static void print_settings(FILE *out)
{
	fputs("\nSettings, also in a configuration file and as BUGWATCH_... variables:\n", out);
	print_option(out, 0, "config", "FILE", "read settings from this file (NAME = VALUE)");
	for (const struct setting *setting = setting_table; setting->name != NULL; setting++) {
		char help[200];
		snprintf(help, sizeof(help), "%s%s%s%s", setting->help,
			setting->initial[0] != '\0' ? " (" : "", setting->initial,
			setting->initial[0] != '\0' ? ")" : "");
		print_option(out, 0, setting->name, setting->unit, help);
	}
}

void help_command(FILE *out, const struct command *command)
{
	fprintf(out, "usage: bugwatch %s %s\n\n%s\n\nOptions:\n", command->name, command->usage,
		command->examples);
	const struct command_option *option = command->options;
	for (; option != NULL && option->name != NULL; option++)
		print_option(out, option->letter, option->name,
			option->value != NULL ? option->value : "", option->help);
	print_option(out, 0, "json", "", "the API's own JSON: one document, or one object a line");
	if (command->settings)
		print_settings(out);
	else
		print_option(out, 0, "state-dir", "DIR", "the state folder of the local service");
}

void help_group(FILE *out, const char *group)
{
	size_t n = strlen(group);
	fprintf(out, "usage: bugwatch %s COMMAND   (with --help: more)\n\n", group);
	for (const struct command *const *at = commands; *at != NULL; at++)
		if (strncmp((*at)->name, group, n) == 0 && (*at)->name[n] == ' ')
			fprintf(out, "  bugwatch %s %s\n      %s\n", (*at)->name, (*at)->usage,
				(*at)->help);
}
