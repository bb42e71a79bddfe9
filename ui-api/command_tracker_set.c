#include "ui-api/command.h"

#include "ui-api/terminal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { SECRET_LIMIT = 4096 };

/* Settings whose values are texts, whatever they look like. */
static bool is_text(const char *key)
{
	return strcmp(key, "title") == 0 || strcmp(key, "sync_comments") == 0;
}

static bool is_credential(const char *key)
{
	return strcmp(key, "api_key") == 0 || strcmp(key, "username") == 0 ||
		strcmp(key, "password") == 0;
}

/* VALUE as JSON: null, true, false and whole numbers are such, all else is text. */
static struct json_object *typed_value(const char *value)
{
	char *end;
	errno = 0;
	long long number = strtoll(value, &end, 10);
	if (strcmp(value, "null") == 0)
		return NULL;
	if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)
		return json_object_new_boolean(value[0] == 't');
	if ((isdigit((unsigned char)value[0]) || value[0] == '-') && *end == '\0' && errno == 0)
		return json_object_new_int64(number);
	return json_object_new_string(value);
}

/* The first line of the file NAME ("-": standard input); NULL (said why) if it can't be read. */
static char *read_secret(struct call *call, const char *name)
{
	char line[SECRET_LIMIT];
	FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
	char *got = file != NULL ? fgets(line, sizeof(line), file) : NULL;
	if (got == NULL)
		complain("%s can't be read: %s", name,
			file == NULL ? strerror(errno) : "it is empty");
	if (file != NULL && file != stdin)
		fclose(file);
	if (got == NULL)
		return NULL;
	line[strcspn(line, "\r\n")] = '\0';
	return talloc_strdup(call, line);
}

/* The object NAME in BODY, made where it is not there. */
static struct json_object *object_in(struct json_object *body, const char *name)
{
	struct json_object *object = NULL;
	if (!json_object_object_get_ex(body, name, &object)) {
		object = json_object_new_object();
		json_object_object_add(body, name, object);
	}
	return object;
}

/* Puts the credential KEY into those of BODY. */
static bool set_credential(
	struct call *call, struct json_object *body, const char *key, const char *value)
{
	if (value[0] == '@')
		value = read_secret(call, value + 1);
	if (value == NULL)
		return false;
	json_object_object_add(object_in(body, "credentials"), key, json_object_new_string(value));
	return true;
}

/* Puts the mirror's connection string, which may hold a password, into BODY. */
static bool set_udd(struct call *call, struct json_object *body, const char *value)
{
	if (value[0] == '@')
		value = read_secret(call, value + 1);
	if (value == NULL)
		return false;
	bool none = strcmp(value, "null") == 0;
	json_object_object_add(body, "udd", none ? NULL : json_object_new_string(value));
	return true;
}

/* Whether KEY is of the schedule. */
static bool is_knob(const char *key)
{
	static const char *const names[] = {
		"policy",
#define KNOB(name, unit, initial, least, most, help) #name,
#include "engine/knobs.def"
#undef KNOB
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], key) == 0)
			return true;
	return false;
}

/* Puts one KEY=VALUE into BODY; false (said why) if it is none. */
static bool set_one(struct call *call, struct json_object *body, const char *word)
{
	const char *equals = strchr(word, '=');
	if (equals == NULL || equals == word) {
		complain("tracker set: \"%s\" is not of the form KEY=VALUE", word);
		return false;
	}
	char *key = talloc_strndup(call, word, (size_t)(equals - word));
	const char *value = equals + 1;
	if (is_credential(key))
		return set_credential(call, body, key, value);
	if (strcmp(key, "udd") == 0)
		return set_udd(call, body, value);
	bool text = is_text(key) && strcmp(value, "null") != 0;
	json_object_object_add(is_knob(key) ? object_in(body, "schedule") : body, key,
		text ? json_object_new_string(value) : typed_value(value));
	return true;
}

static int run(struct call *call)
{
	const char *name = call->arguments[0];
	struct json_object *body = json_object_new_object();
	bool good = true;
	for (int i = 1; good && i < call->count; i++)
		good = set_one(call, body, call->arguments[i]);
	if (!good) {
		json_object_put(body);
		return WRONG_USAGE;
	}
	char *path = with_segment(call, "/trackers/", name, "");
	struct client_answer *answer = call_ask(call, call, "PATCH", path, body);
	json_object_put(body);
	int status = call_status(answer, name);
	if (status == DONE && call->json)
		print_json(answer->body);
	else if (status == DONE)
		printf("tracker %s is set\n", terminal_text(call, name));
	return status;
}

const struct command command_tracker_set = {
	.name = "tracker set",
	.run = run,
	.usage = "NAME KEY=VALUE...",
	.help = "change a tracker's settings",
	.examples =
		"Changes settings of a tracker, all or none of them:\n"
		"  enabled             true, or false: it is left alone\n"
		"  title               its name for people\n"
		"  batch_size          bugs asked for at once\n"
		"  max_connections     requests at once to its host\n"
		"  min_delay_ms        from the start of one request to the start of the next\n"
		"  changes_interval_s  how often to ask what changed; null: automatic\n"
		"  sync_comments       all, none or products\n"
		"  store_private       true: also comments that only its credentials may see\n"
		"  policy              when its bugs are asked about: sqrt or ladder; it and all\n"
		"                      other settings of the schedule (docs/manual.md): null as\n"
		"                      the service has it\n"
		"  api_key             to sign in with, or username and password; @FILE or @-\n"
		"                      reads one from a file, out of the process list's sight\n"
		"  credentials=null    takes them away\n"
		"  udd                 Debbugs: the PostgreSQL connection string of a mirror of\n"
		"                      UDD, which can say what changed; @FILE, @-, or null\n\n"
		"  bugwatch tracker set gentoo max_connections=1 min_delay_ms=500\n"
		"  bugwatch tracker set gentoo api_key=@key.txt",
	.least = 2,
	.most = -1,
};
