#include "ui-api/command.h"

#include "ui-api/terminal.h"

#include <string.h>
#include <talloc.h>

static const struct table_column columns[] = {
	{.title = "product", .field = "product", .least = 10},
	{.title = "sync_comments", .field = "sync_comments"},
	{0},
};

/* Says on standard error where products make no difference to the tracker NAME. */
static int tell_setting(struct call *call, const char *name)
{
	char *path = with_segment(call, "/trackers/", name, "");
	struct client_answer *answer = call_ask(call, call, "GET", path, NULL);
	int status = call_status(answer, name);
	if (status != DONE)
		return status;
	const char *setting = field_text(call, answer->body, "sync_comments");
	if (strcmp(setting, "products") != 0)
		complain("the tracker has sync_comments=%s, whatever the product;\n"
			 "  \"bugwatch tracker set %s sync_comments=products\" goes by product",
			setting, name);
	return DONE;
}

static int list(struct call *call, const char *name)
{
	char *path = with_segment(call, "/trackers/", name, "/products");
	int status = call_print_list(call, path, 0, columns, "no product is switched on or off");
	return status == DONE && !call->json ? tell_setting(call, name) : status;
}

/* Asks METHOD at PATH, and prints the product that is answered. */
static int ask(struct call *call, const char *method, const char *path, struct json_object *body)
{
	const char *product = call->arguments[1];
	struct client_answer *answer = call_ask(call, call, method, path, body);
	int status = call_status(answer, product);
	if (status != DONE)
		return status;
	if (call->json) {
		print_json(answer->body);
		return DONE;
	}
	print_fields(answer->body, columns);
	return tell_setting(call, call->arguments[0]);
}

static int run(struct call *call)
{
	const char *word = call_option(call, "sync-comments");
	if (word != NULL && strcmp(word, "on") != 0 && strcmp(word, "off") != 0) {
		complain("--sync-comments takes on or off, not \"%s\"", word);
		return WRONG_USAGE;
	}
	if (word != NULL && call->count < 2) {
		complain("product: which product? usage: bugwatch product NAME PRODUCT "
			 "--sync-comments on|off");
		return WRONG_USAGE;
	}
	if (call->count < 2)
		return list(call, call->arguments[0]);
	char *path = with_segment(call, "/trackers/", call->arguments[0], "/products/");
	path = with_segment(call, path, call->arguments[1], "");
	if (word == NULL)
		return ask(call, "GET", path, NULL);
	struct json_object *body = json_object_new_object();
	json_object_object_add(
		body, "sync_comments", json_object_new_boolean(strcmp(word, "on") == 0));
	int status = ask(call, "PUT", path, body);
	json_object_put(body);
	return status;
}

static const struct command_option options[] = {
	{"sync-comments", 0, "on|off", "whether the comments of its bugs are kept"},
	{0},
};

const struct command command_product = {
	.name = "product",
	.run = run,
	.usage = "NAME [PRODUCT [--sync-comments on|off]]",
	.help = "choose the products whose comments are kept",
	.examples = "Says whether the comments of a product's bugs are kept, where the tracker\n"
		    "NAME goes by product (sync_comments=products): those that are switched on.\n"
		    "PRODUCT is what \"bugwatch show\" calls the product of a bug; its comments\n"
		    "come at the next check. Without PRODUCT, lists those that were set.\n\n"
		    "  bugwatch tracker set gentoo sync_comments=products\n"
		    "  bugwatch product gentoo \"Gentoo Linux\" --sync-comments on\n"
		    "  bugwatch product gentoo",
	.options = options,
	.least = 1,
	.most = 2,
};
