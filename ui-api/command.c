#include "ui-api/command.h"

#include "engine/settings.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

/* Options of every command; --version stands before the command only. */
enum { OPTION_JSON, OPTION_STATE_DIR, OPTION_HELP, OPTION_VERSION, COMMON };
static const struct command_option common[COMMON] = {
	[OPTION_JSON] = {"json", 0, NULL, "the API's own JSON in place of tables"},
	[OPTION_STATE_DIR] = {"state-dir", 0, "DIR", "the state folder of the local service"},
	[OPTION_HELP] = {"help", 'h', NULL, "this help"},
	[OPTION_VERSION] = {"version", 0, NULL, "the program's version"},
};

enum { OPTIONS_LIMIT = 40, LONG_BASE = 1000 };

/* The options that a call knows, the common ones first, and what was given for each. */
struct call_options {
	unsigned count;
	struct command_option rows[OPTIONS_LIMIT];
	const char *values[OPTIONS_LIMIT];
};

static void add_option(struct call_options *options, struct command_option row)
{
	assert(options->count < OPTIONS_LIMIT);
	options->rows[options->count++] = row;
}

/* "state_dir" as "state-dir"; owned by OWNER. */
static char *flag_name(const void *owner, const char *setting)
{
	char *name = talloc_strdup(owner, setting);
	for (char *at = name; (at = strchr(at, '_')) != NULL;)
		*at = '-';
	return name;
}

/* Adds the options of COMMAND to OPTIONS. */
static void add_options(struct call_options *options, const struct command *command)
{
	const struct command_option *own = command->options;
	for (; own != NULL && own->name != NULL; own++)
		add_option(options, *own);
	if (!command->settings)
		return;
	add_option(options, (struct command_option){"config", 0, "FILE", ""});
	for (const struct setting *setting = setting_table; setting->name != NULL; setting++)
		if (strcmp(setting->name, "state_dir") != 0)
			add_option(options,
				(struct command_option){
					flag_name(options, setting->name), 0, setting->unit, ""});
}

/* The long options in getopt_long's own form, owned by OPTIONS. */
static struct option *long_form(const struct call_options *options)
{
	struct option *longs = talloc_zero_array(options, struct option, options->count + 1);
	for (unsigned i = 0; i < options->count; i++) {
		const struct command_option *row = &options->rows[i];
		int takes = row->value != NULL ? required_argument : no_argument;
		longs[i] = (struct option){row->name, takes, NULL, LONG_BASE + (int)i};
	}
	return longs;
}

/* The letters in getopt_long's own form, after MODE; owned by OPTIONS. */
static char *short_form(const struct call_options *options, const char *mode)
{
	char *shorts = talloc_strdup(options, mode);
	for (unsigned i = 0; i < options->count; i++) {
		const struct command_option *row = &options->rows[i];
		if (row->letter != 0)
			shorts = talloc_asprintf_append(
				shorts, "%c%s", row->letter, row->value != NULL ? ":" : "");
	}
	return shorts;
}

/* The index of the option that getopt_long returned as CODE. */
static unsigned option_index(const struct call_options *options, int code)
{
	unsigned i = 0;
	if (code >= LONG_BASE)
		return (unsigned)(code - LONG_BASE);
	while (i < options->count && options->rows[i].letter != code)
		i++;
	return i;
}

/*
 * Reads options into OPTIONS, up to the first other argument where MODE is "+", all where it is "";
 * optind then is the first other argument. False (said why) where one is wrong.
 */
static bool read_options(struct call_options *options, const char *mode, int argc, char **argv)
{
	struct option *longs = long_form(options);
	char *shorts = short_form(options, mode);
	int code;
	optind = 0;
	while ((code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (code == '?')
			return false;
		options->values[option_index(options, code)] = optarg != NULL ? optarg : "";
	}
	return true;
}

const char *call_option(const struct call *call, const char *name)
{
	const struct call_options *options = call->options;
	for (unsigned i = 0; i < options->count; i++)
		if (strcmp(options->rows[i].name, name) == 0)
			return options->values[i];
	assert(false);
	return NULL;
}

bool call_number(const struct call *call, const char *name, long least, long *out)
{
	const char *text = call_option(call, name);
	char *end;
	if (text == NULL)
		return true;
	errno = 0;
	*out = strtol(text, &end, 10);
	if (end != text && *end == '\0' && errno == 0 && *out >= least)
		return true;
	complain("--%s takes a whole number from %ld, not \"%s\"", name, least, text);
	return false;
}

const char *const *call_settings(const struct call *call)
{
	const struct call_options *options = call->options;
	const char **flags = talloc_zero_array(call, const char *, 2 * OPTIONS_LIMIT);
	unsigned n = 0;
	for (const struct setting *setting = setting_table; setting->name != NULL; setting++) {
		const char *value = call_option(call, flag_name(options, setting->name));
		if (value == NULL)
			continue;
		flags[n++] = setting->name;
		flags[n++] = value;
	}
	if (call_option(call, "config") != NULL) {
		flags[n++] = "config";
		flags[n] = call_option(call, "config");
	}
	return flags;
}

const char *call_state_dir(struct call *call)
{
	const char *dir = call->options->values[OPTION_STATE_DIR];
	if (dir == NULL)
		dir = getenv("BUGWATCH_STATE_DIR");
	return dir != NULL && dir[0] != '\0' ? dir : settings_default_state_dir(call);
}

/* The command that WORDS begin with; *TAKEN of them are its name. */
static const struct command *find_command(char **words, int count, int *taken)
{
	for (const struct command *const *at = commands; *at != NULL; at++) {
		const char *name = (*at)->name, *blank = strchr(name, ' ');
		size_t first = blank != NULL ? (size_t)(blank - name) : strlen(name);
		*taken = blank != NULL ? 2 : 1;
		if (strlen(words[0]) != first || strncmp(words[0], name, first) != 0)
			continue;
		if (blank == NULL || (count > 1 && strcmp(words[1], blank + 1) == 0))
			return *at;
	}
	return NULL;
}

/* Whether WORD is the first of several commands' two. */
static bool is_group(const char *word)
{
	size_t n = strlen(word);
	for (const struct command *const *at = commands; *at != NULL; at++)
		if (strncmp((*at)->name, word, n) == 0 && (*at)->name[n] == ' ')
			return true;
	return false;
}

/* What to answer where WORDS begin with no command. */
static int no_command(char **words, int count)
{
	if (count == 0) {
		help_all(stderr);
		return WRONG_USAGE;
	}
	if (!is_group(words[0])) {
		complain("there is no command \"%s\"; see \"bugwatch --help\"", words[0]);
		return WRONG_USAGE;
	}
	bool help = count > 1 && (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0);
	if (!help && count > 1)
		complain("there is no command \"%s %s\"", words[0], words[1]);
	help_group(help ? stdout : stderr, words[0]);
	return help ? DONE : WRONG_USAGE;
}

/* Runs CALL's command, whose options are read, with the COUNT arguments at ARGUMENTS. */
static int run(struct call *call, int count, char **arguments)
{
	const struct command *command = call->command;
	call->count = count;
	call->arguments = arguments;
	call->json = call->options->values[OPTION_JSON] != NULL;
	if (call->options->values[OPTION_HELP] != NULL) {
		help_command(stdout, command);
		return DONE;
	}
	if (call->options->values[OPTION_VERSION] != NULL) {
		puts("bugwatch " BUGWATCH_VERSION);
		return DONE;
	}
	if (count < command->least || (command->most >= 0 && count > command->most)) {
		complain("%s: %s; usage: bugwatch %s %s", command->name,
			count < command->least ? "something is missing" : "too many arguments",
			command->name, command->usage);
		return WRONG_USAGE;
	}
	return command->run(call);
}

/* Runs the command that the COUNT words at WORDS begin with; WORDS[-1] may be overwritten. */
static int call_command(struct call *call, int count, char **words)
{
	char *program = words[-1];
	int taken = 0;
	call->command = count > 0 ? find_command(words, count, &taken) : NULL;
	if (call->command == NULL)
		return no_command(words, count);
	add_options(call->options, call->command);
	char **rest = &words[taken - 1];
	rest[0] = program;
	if (!read_options(call->options, "", count - taken + 1, rest)) {
		fprintf(stderr, "see \"bugwatch %s --help\"\n", call->command->name);
		return WRONG_USAGE;
	}
	return run(call, count - taken + 1 - optind, &rest[optind]);
}

/* Answers a command line that asks for no command. */
static int command_main_in(struct call *call, int argc, char **argv)
{
	struct call_options *options = call->options;
	for (unsigned i = 0; i < COMMON; i++)
		add_option(options, common[i]);
	if (!read_options(options, "+", argc, argv)) {
		fputs("see \"bugwatch --help\"\n", stderr);
		return WRONG_USAGE;
	}
	if (options->values[OPTION_VERSION] != NULL) {
		puts("bugwatch " BUGWATCH_VERSION);
		return DONE;
	}
	if (options->values[OPTION_HELP] != NULL && optind == argc) {
		help_all(stdout);
		return DONE;
	}
	argv[optind - 1] = argv[0];
	return call_command(call, argc - optind, &argv[optind]);
}

int command_main(int argc, char **argv)
{
	struct call *call = talloc_zero(NULL, struct call);
	call->options = talloc_zero(call, struct call_options);
	int status = command_main_in(call, argc, argv);
	talloc_free(call);
	return status;
}
