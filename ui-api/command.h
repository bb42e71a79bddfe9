/* What every command is made of: its row in the table, its call, and how it speaks. */
#ifndef UI_API_COMMAND_H
#define UI_API_COMMAND_H

#include "trackers/err.h"
#include "ui-api/client.h"
#include "ui-api/table.h"

#include <json-c/json.h>
#include <stdbool.h>

/* Exit statuses, as the contract numbers them. */
enum { DONE = 0, REFUSED = 1, WRONG_USAGE = 2, NOT_REACHED = 3, PARTLY = 4 };

struct call;

/* An option of one command; those of all commands (--json, --state-dir, --help) are not listed. */
struct command_option {
	const char *name; /* long, without dashes; NULL ends the options */
	char letter; /* short, or 0 */
	const char *value; /* what it takes, for help; NULL where it takes nothing */
	const char *help;
};

struct command {
	const char *name; /* one word or two: "tracker add" */
	int (*run)(struct call *call); /* returns the exit status */
	const char *usage; /* what follows the name */
	const char *help; /* a line for the list of commands */
	const char *examples; /* what it does in more words, and by example */
	const struct command_option *options; /* may be NULL */
	int least, most; /* how many arguments it takes; MOST < 0: any number */
	bool settings; /* takes every setting of the service as an option as well */
};

extern const struct command command_serve, command_add, command_remove, command_list, command_show,
	command_check, command_tracker_list, command_tracker_show, command_tracker_add,
	command_tracker_set, command_tracker_remove, command_product, command_mapping,
	command_stats, command_errors, command_runs, command_events, command_detect,
	command_token_create, command_token_list, command_token_revoke, command_migrate,
	command_openapi, command_audit, command_webhook_list, command_webhook_add,
	command_webhook_set, command_webhook_replay, command_webhook_remove;

/* All commands in the order of help; ended by NULL. */
extern const struct command *const commands[];

/* One call of a command: the owner (talloc) of everything that it needs. */
struct call {
	const struct command *command;
	char **arguments; /* what is no option, NULL-ended */
	int count;
	bool json;
	struct call_options *options;
	struct client *client; /* made by the first question */
};

/* ---- command.c: the command line ---- */

/* Runs what the command line says; the exit status. Says on standard error what is wrong. */
int command_main(int argc, char **argv);

/* The value of the option NAME ("" where it takes none), or NULL where it was not given. */
const char *call_option(const struct call *call, const char *name);

/* The value of NAME as a whole number from LEAST; false (said why) where it is none. */
bool call_number(const struct call *call, const char *name, long least, long *out);

/* The given settings as "name", "value" pairs for settings_load; owned by CALL. */
const char *const *call_settings(const struct call *call);

/* The state folder: --state-dir, BUGWATCH_STATE_DIR, or the default; owned by CALL. */
const char *call_state_dir(struct call *call);

/* ---- command_help.c ---- */

/* The list of commands. */
void help_all(FILE *out);

/* All about COMMAND. */
void help_command(FILE *out, const struct command *command);

/* The list of the commands whose first word is GROUP. */
void help_group(FILE *out, const char *group);

/* ---- command_talk.c: asking the service, and printing ---- */

/* Says on standard error, after "bugwatch: ", what went wrong; safe for a terminal. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* COUNT and its noun, "1 bug", "2 bugs"; owned by OWNER. */
char *counted(const void *owner, long count, const char *noun);

/* Asks the service (see client_ask), whatever it answers; the answer is owned by OWNER. */
struct client_answer *call_ask(struct call *call, const void *owner, const char *method,
	const char *path, struct json_object *body);

/* The exit status for ANSWER: DONE, REFUSED or NOT_REACHED; says why where ABOUT is not NULL. */
int call_status(const struct client_answer *answer, const char *about);

/* The array "items" of a good ANSWER, owned by it; NULL (said why) where there is none. */
struct json_object *call_items(const struct client_answer *answer);

/* The status of many steps, DONE_COUNT of which went well and REFUSED_COUNT not. */
int call_outcome(long done_count, long refused_count);

/* Prints OBJECT as one line of JSON. */
void print_json(struct json_object *object);

/* The text of FIELD in OBJECT ("error.kind" reaches inside), "" where null; owned by OWNER. */
char *field_text(const void *owner, struct json_object *object, const char *field);

/* Prints "title: value" for each of COLUMNS that OBJECT has a value for. */
void print_fields(struct json_object *object, const struct table_column *columns);

/* Prints ARRAY as a table below TITLE; nothing where it is empty or none. */
void print_table(struct json_object *array, const char *title, const struct table_column *columns);

/*
 * Gets every page of the list at PATH, LIMIT items at most (0: all), and calls EACH. Stops at the
 * first failure, which it says.
 */
int call_each(struct call *call, const char *path, long limit,
	void (*each)(void *cookie, struct json_object *item), void *cookie);

/* Prints a list: one object a line with --json, else a table, or NONE where it is empty. */
int call_print_list(struct call *call, const char *path, long limit,
	const struct table_column *columns, const char *none);

/* PATH with `?` or `&` and NAME=VALUE, escaped; PATH itself where VALUE is NULL. Owned by CALL. */
char *with_query(struct call *call, const char *path, const char *name, const char *value);

/* A path made of PREFIX, SEGMENT escaped, and SUFFIX; owned by CALL. */
char *with_segment(struct call *call, const char *prefix, const char *segment, const char *suffix);

/* ---- command_errors.c ---- */

/* Lists the watches in error at PATH, and the trackers that fail (only TRACKER, where not NULL). */
int list_errors(struct call *call, const char *path, const char *tracker);

/* ---- command_urls.c ---- */

/* URLs of the arguments and of the file that -f names. */
struct url_list {
	char **urls;
	size_t count;
	bool from_file;
};

/* Gathers them, owned by CALL; NULL (said why) if the file can't be read or nothing was given. */
struct url_list *call_urls(struct call *call);

/* ---- colours ---- */

const char *paint_error(const char *cell); /* red where there is any text */
const char *paint_health(const char *cell); /* of a tracker */
const char *paint_status(const char *cell); /* of a bug: dim where resolved */
const char *paint_state(const char *cell); /* of a run */

#endif
