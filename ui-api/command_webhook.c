#include "ui-api/command.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

static const struct table_column columns[] = {
	{.title = "id", .field = "id", .number = true},
	{.title = "url", .field = "url", .least = 12},
	{.title = "name", .field = "name", .least = 4},
	{.title = "enabled", .field = "enabled"},
	{.title = "tracker", .field = "tracker"},
	{.title = "kinds", .field = "kinds"},
	{.title = "ref", .field = "ref"},
	{.title = "delivered", .field = "delivered_at"},
	{.title = "failures", .field = "error.count", .number = true},
	{.title = "retry", .field = "error.retry_at"},
	{.title = "error", .field = "error.message", .least = 8, .paint = paint_error},
	{0},
};

static int list(struct call *call)
{
	return call_print_list(call, "/webhooks", 0, columns, "no webhook yet");
}

static struct json_object *split(const char *words)
{
	struct json_object *array = json_object_new_array();
	char *rest, *copy = talloc_strdup(NULL, words);
	for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
		json_object_array_add(array, json_object_new_string(word));
	talloc_free(copy);
	return array;
}

/* What the options say; `--all` takes the filters away before. */
static struct json_object *settings(struct call *call)
{
	static const char *const texts[] = {"name", "tracker", "ref"};
	struct json_object *body = json_object_new_object();
	const char *kinds = call_option(call, "kinds"), *enabled = call_option(call, "enabled");
	if (call_option(call, "all") != NULL) {
		json_object_object_add(body, "tracker", NULL);
		json_object_object_add(body, "kinds", NULL);
		json_object_object_add(body, "ref", NULL);
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (call_option(call, texts[i]) != NULL)
			json_object_object_add(body, texts[i],
				json_object_new_string(call_option(call, texts[i])));
	if (kinds != NULL)
		json_object_object_add(body, "kinds", split(kinds));
	if (enabled != NULL)
		json_object_object_add(
			body, "enabled", json_object_new_boolean(strcmp(enabled, "on") == 0));
	return body;
}

/* Sends BODY, which is taken over; prints the webhook, and its secret where it is new. */
static int ask(struct call *call, const char *method, const char *path, struct json_object *body)
{
	struct client_answer *answer = call_ask(call, call, method, path, body);
	json_object_put(body);
	int status = call_status(answer, call->arguments[0]);
	if (status != DONE)
		return status;
	if (call->json) {
		print_json(answer->body);
		return DONE;
	}
	print_fields(answer->body, columns);
	const char *secret = field_text(call, answer->body, "secret");
	if (*secret != '\0') {
		fputs("its messages are signed with this secret, shown this once:\n", stderr);
		puts(secret);
	}
	return DONE;
}

static int add(struct call *call)
{
	struct json_object *body = settings(call);
	json_object_object_add(body, "url", json_object_new_string(call->arguments[0]));
	return ask(call, "POST", "/webhooks", body);
}

static char *path_of(struct call *call, const char *suffix)
{
	return with_segment(call, "/webhooks/", call->arguments[0], suffix);
}

static int set(struct call *call)
{
	const char *enabled = call_option(call, "enabled");
	if (enabled != NULL && strcmp(enabled, "on") != 0 && strcmp(enabled, "off") != 0) {
		complain("--enabled takes on or off, not \"%s\"", enabled);
		return WRONG_USAGE;
	}
	return ask(call, "PATCH", path_of(call, ""), settings(call));
}

static int replay(struct call *call)
{
	long after = 0;
	if (call_option(call, "after") == NULL) {
		complain("webhook replay: --after N must be given: all events after it are told "
			 "again");
		return WRONG_USAGE;
	}
	if (!call_number(call, "after", 0, &after))
		return WRONG_USAGE;
	struct json_object *body = json_object_new_object();
	json_object_object_add(body, "after", json_object_new_int64(after));
	return ask(call, "POST", path_of(call, "/replay"), body);
}

static int drop(struct call *call)
{
	const char *id = call->arguments[0];
	int status = call_status(call_ask(call, call, "DELETE", path_of(call, ""), NULL), id);
	if (status == DONE && !call->json)
		printf("webhook %s is removed\n", id);
	return status;
}

#define FILTERS                                                                                    \
	{"name", 'n', "TEXT", "what it is for, for people"},                                       \
		{"tracker", 't', "NAME", "only events of this tracker"},                           \
		{"kinds", 'k', "KIND,...",                                                         \
			"only these: status, importance, comment, title, resolved, reopened, "     \
			"error, recovered"},                                                       \
	{                                                                                          \
		"ref", 'r', "TEXT", "only events of watches with this ref"                         \
	}

static const struct command_option add_options[] = {FILTERS, {0}};
static const struct command_option set_options[] = {
	FILTERS,
	{"all", 'a', NULL, "take the filters away that are not given"},
	{"enabled", 'e', "on|off", "whether it is told; on also tries it at once"},
	{0},
};
static const struct command_option replay_options[] = {
	{"after", 'a', "N", "tell all events after number N again"},
	{0},
};

const struct command command_webhook_list = {
	.name = "webhook list",
	.run = list,
	.usage = "",
	.help = "list who is told of events by POST",
	.examples = "Lists the webhooks, what they were told, and how they fail.\n\n"
		    "  bugwatch webhook list",
};

const struct command command_webhook_add = {
	.name = "webhook add",
	.run = add,
	.usage = "URL [--tracker NAME] [--kinds KIND,...] [--ref TEXT] [--name TEXT]",
	.help = "tell somebody of events by POST, from now on",
	.examples = "Sends each event to URL, one after the other, signed (Standard Webhooks). "
		    "What is\n"
		    "not taken with a status of 200 to 299 is sent again, for five days.\n\n"
		    "  bugwatch webhook add https://example.org/bugs --kinds status,comment",
	.options = add_options,
	.least = 1,
	.most = 1,
};

const struct command command_webhook_set = {
	.name = "webhook set",
	.run = set,
	.usage = "ID [--enabled on|off] [--all] [--tracker NAME] [--kinds KIND,...] [--ref TEXT]",
	.help = "change a webhook, or switch it on again",
	.examples = "Changes what is given.\n\n"
		    "  bugwatch webhook set 3 --enabled on\n"
		    "  bugwatch webhook set 3 --all --kinds resolved",
	.options = set_options,
	.least = 1,
	.most = 1,
};

const struct command command_webhook_replay = {
	.name = "webhook replay",
	.run = replay,
	.usage = "ID --after N",
	.help = "tell a webhook all events after one again",
	.examples = "Each has the id that it had before, so the receiver can tell.\n\n"
		    "  bugwatch webhook replay 3 --after 1200",
	.options = replay_options,
	.least = 1,
	.most = 1,
};

const struct command command_webhook_remove = {
	.name = "webhook remove",
	.run = drop,
	.usage = "ID",
	.help = "tell a webhook no more",
	.examples = "Removes a webhook.\n\n"
		    "  bugwatch webhook remove 3",
	.least = 1,
	.most = 1,
};
