#include "ui-api/command.h"

#include <talloc.h>

static const struct table_column columns[] = {
	{.title = "id", .field = "id", .number = true},
	{.title = "name", .field = "name", .least = 8},
	{.title = "role", .field = "role"},
	{.title = "created", .field = "created_at"},
	{.title = "expires", .field = "expires_at"},
	{.title = "used", .field = "used_at"},
	{0},
};

static int create(struct call *call)
{
	const char *name = call_option(call, "name"), *role = call_option(call, "role");
	if (name == NULL || role == NULL) {
		complain("token create: --name N and --role viewer|admin must be given");
		return WRONG_USAGE;
	}
	long days = 0;
	if (!call_number(call, "days", 1, &days))
		return WRONG_USAGE;
	struct json_object *body = json_object_new_object();
	if (days > 0)
		json_object_object_add(body, "days", json_object_new_int64(days));
	json_object_object_add(body, "name", json_object_new_string(name));
	json_object_object_add(body, "role", json_object_new_string(role));
	struct client_answer *answer = call_ask(call, call, "POST", "/tokens", body);
	json_object_put(body);
	int status = call_status(answer, "");
	if (status != DONE)
		return status;
	if (call->json) {
		print_json(answer->body);
		return DONE;
	}
	char *id = field_text(call, answer->body, "id");
	fprintf(stderr, "token %s is made; it is shown this once:\n", id);
	puts(field_text(call, answer->body, "token"));
	return DONE;
}

static int list(struct call *call)
{
	return call_print_list(call, "/tokens", 0, columns, "no token yet");
}

static int revoke(struct call *call)
{
	const char *id = call->arguments[0];
	char *path = with_segment(call, "/tokens/", id, "");
	int status = call_status(call_ask(call, call, "DELETE", path, NULL), id);
	if (status == DONE && !call->json)
		printf("token %s is revoked\n", id);
	return status;
}

static const struct command_option create_options[] = {
	{"name", 'n', "N", "whose token it is, for people"},
	{"role", 'r', "R", "viewer (may read) or admin (may do everything)"},
	{"days", 'd', "N", "it expires after N days; left out: never"},
	{0},
};

const struct command command_token_create = {
	.name = "token create",
	.run = create,
	.usage = "--name N --role R [--days N]",
	.help = "make a token for the API",
	.examples = "Makes a token and prints it, this once: only a hash of it is kept.\n\n"
		    "  BUGWATCH_TOKEN=$(bugwatch token create --name board --role viewer)",
	.options = create_options,
};

const struct command command_token_list = {
	.name = "token list",
	.run = list,
	.usage = "",
	.help = "list the tokens",
	.examples = "Lists the tokens, never the secrets themselves.\n\n"
		    "  bugwatch token list",
};

const struct command command_token_revoke = {
	.name = "token revoke",
	.run = revoke,
	.usage = "ID",
	.help = "take a token away",
	.examples = "From then on nobody gets in with it.\n\n"
		    "  bugwatch token revoke 3",
	.least = 1,
	.most = 1,
};
