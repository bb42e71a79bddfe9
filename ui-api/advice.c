#include "ui-api/advice.h"

#include "trackers/err.h"

/* docs/manual.md tells more of each. */
static const char *const advices[] = {
	[ERR_BUG_NOT_FOUND] = "look at its URL; if the bug is gone, \"bugwatch remove\" its watch",
	[ERR_PRIVATE_BUG] =
		"set credentials that may see it (\"bugwatch tracker set\"), or remove it",
	[ERR_INVALID_BUG_ID] = "remove the watch, and add the bug by its right URL",
	[ERR_UNPARSABLE_BUG] = "tell the tracker's administrator, with the message",
	[ERR_COMMENTS_FAILED] =
		"nothing at first: the next check reads them again; if it stays, tell "
		"the tracker's administrator",
	[ERR_DNS] =
		"is the host's name right, and does the resolver of the service's machine work?",
	[ERR_CONNECTION] = "is its server up, and does no firewall hold us back?",
	[ERR_TIMEOUT] = "if it stays, ask for less at once: a smaller batch_size",
	[ERR_TLS] = "have its certificate renewed, or name its authority with the setting ca_file",
	[ERR_HTTP] = "if it stays, tell the tracker's administrator, with the message",
	[ERR_RATE_LIMITED] =
		"nothing: it is asked again when it allows; if it stays, raise min_delay_ms",
	[ERR_AUTH] = "set its api_key, or username and password (\"bugwatch tracker set\")",
	[ERR_MOVED] = "look at the address in the message; if it is genuine, add the tracker there",
	[ERR_UNPARSABLE_TRACKER] =
		"is a proxy or a wall against robots in between? open the base URL",
	[ERR_UNSUPPORTED_TRACKER] =
		"is the base URL right, and its version one that bugwatch knows?",
	[ERR_CLOCK_SKEW] = "set the clocks: the tracker's, and that of the service's machine",
	[ERR_BLOCKED_ADDRESS] = "if you mean that network, list it in the setting allow_networks",
	[ERR_TOO_LARGE] = "lower its batch_size, or raise the setting max_body_mb",
};

const char *advice_on(const char *kind)
{
	enum err_kind known = err_of_word(kind);
	return known < sizeof(advices) / sizeof(advices[0]) ? advices[known] : NULL;
}

void advice_add(struct json_object *object)
{
	struct json_object *error = NULL, *kind = NULL;
	if (!json_object_object_get_ex(object, "error", &error) ||
		!json_object_is_type(error, json_type_object) ||
		!json_object_object_get_ex(error, "kind", &kind) ||
		!json_object_is_type(kind, json_type_string))
		return;
	const char *advice = advice_on(json_object_get_string(kind));
	if (advice != NULL)
		json_object_object_add(error, "advice", json_object_new_string(advice));
}
