#include "ui-api/route.h"

#include "ui-api/handlers.h"

#include <string.h>
#include <talloc.h>

#define GET EVHTTP_REQ_GET
#define POST EVHTTP_REQ_POST
#define PUT EVHTTP_REQ_PUT
#define PATCH EVHTTP_REQ_PATCH
#define DELETE EVHTTP_REQ_DELETE
#define V1 "/api/v1"

/* clang-format off */
const struct route route_table[] = {
	{GET, "/healthz", ROLE_ANYBODY, "", handle_health, "whether the process lives",
		"200 Health"},
	{GET, "/readyz", ROLE_ANYBODY, "", handle_ready,
		"whether the database is reached and its schema is current", "200 Health"},
	{GET, "/problems/{type}", ROLE_ANYBODY, "", handle_show_problem,
		"what a problem's type means, and what to do", "200 text/plain"},
	{GET, V1 "/openapi.json", ROLE_VIEWER, "", handle_openapi, "this description",
		"200 Description"},
	{GET, V1 "/trackers", ROLE_VIEWER, "limit cursor", handle_list_trackers, "all trackers",
		"200 [Tracker]"},
	{POST, V1 "/trackers", ROLE_ADMIN, "", handle_make_tracker, "set up a tracker",
		"201 Tracker", new_tracker_body},
	{GET, V1 "/trackers/{name}", ROLE_VIEWER, "", handle_show_tracker, "one tracker",
		"200 Tracker"},
	{PATCH, V1 "/trackers/{name}", ROLE_ADMIN, "", handle_change_tracker,
		"change a tracker's settings", "200 Tracker", changed_tracker_body},
	{DELETE, V1 "/trackers/{name}", ROLE_ADMIN, "", handle_remove_tracker,
		"remove a tracker with its watches", "204 -"},
	{POST, V1 "/trackers/{name}/check", ROLE_ADMIN, "", handle_check_tracker,
		"check all its bugs now", "202 Started", .starts_work = true},
	{GET, V1 "/trackers/{name}/products", ROLE_VIEWER, "limit cursor", handle_list_products,
		"products whose comments are kept, or not", "200 [Product]"},
	{GET, V1 "/trackers/{name}/products/{product}", ROLE_VIEWER, "", handle_show_product,
		"one product", "200 Product"},
	{PUT, V1 "/trackers/{name}/products/{product}", ROLE_ADMIN, "", handle_set_product,
		"keep a product's comments, or not", "200 Product 201 Product", product_body},
	{DELETE, V1 "/trackers/{name}/products/{product}", ROLE_ADMIN, "", handle_remove_product,
		"forget a product", "204 -"},
	{GET, V1 "/trackers/{name}/stats", ROLE_VIEWER, "", handle_show_tracker_stats,
		"how one tracker goes, in figures", "200 TrackerStats"},
	{GET, V1 "/trackers/{name}/mappings", ROLE_VIEWER, "limit cursor", handle_list_mappings,
		"what words mean in this tracker alone", "200 [Mapping]"},
	{GET, V1 "/trackers/{name}/mappings/{field}/{value}", ROLE_VIEWER, "", handle_show_mapping,
		"what one word means", "200 Mapping"},
	{PUT, V1 "/trackers/{name}/mappings/{field}/{value}", ROLE_ADMIN, "", handle_set_mapping,
		"say what a word means", "200 Mapping 201 Mapping", mapping_body},
	{DELETE, V1 "/trackers/{name}/mappings/{field}/{value}", ROLE_ADMIN, "",
		handle_remove_mapping, "let a word mean what it does elsewhere", "204 -"},
	{GET, V1 "/watches", ROLE_VIEWER, "limit cursor tracker status error ref url",
		handle_list_watches, "all watches, or those that match", "200 [Watch]"},
	{POST, V1 "/watches", ROLE_ADMIN, "", handle_make_watches, "watch one bug, or many",
		"200 Watch 201 Watch 207 WatchResults", watch_body, WATCHES_MOST},
	{GET, V1 "/watches/{id}", ROLE_VIEWER, "", handle_show_watch, "one watch", "200 Watch"},
	{DELETE, V1 "/watches/{id}", ROLE_ADMIN, "", handle_remove_watch, "stop watching",
		"204 -"},
	{POST, V1 "/watches/{id}/check", ROLE_ADMIN, "", handle_check_watch, "check this bug now",
		"202 Started", .starts_work = true},
	{GET, V1 "/watches/{id}/comments", ROLE_VIEWER, "limit cursor", handle_list_watch_comments,
		"the comments of one watch, oldest first", "200 [Comment]"},
	{GET, V1 "/watches/{id}/events", ROLE_VIEWER, "limit cursor", handle_list_watch_events,
		"what happened to one watch", "200 [Event]"},
	{GET, V1 "/runs", ROLE_VIEWER, "limit cursor tracker state", handle_list_runs,
		"runs, newest first", "200 [Run]"},
	{GET, V1 "/runs/{id}", ROLE_VIEWER, "", handle_show_run, "one run", "200 Run"},
	{GET, V1 "/runs/{id}/errors", ROLE_VIEWER, "limit cursor", handle_list_run_errors,
		"what failed in a run", "200 [RunError]"},
	{GET, V1 "/events", ROLE_VIEWER, "limit cursor after", handle_list_events,
		"what happened, in the order in which it did; with `Accept: text/event-stream` live",
		"200 [Event] 200 text/event-stream"},
	{GET, V1 "/webhooks", ROLE_VIEWER, "limit cursor", handle_list_webhooks,
		"who is told of events by POST", "200 [Webhook]"},
	{POST, V1 "/webhooks", ROLE_ADMIN, "", handle_make_webhook,
		"tell somebody of events, from now on", "201 NewWebhook", new_webhook_body},
	{GET, V1 "/webhooks/{id}", ROLE_VIEWER, "", handle_show_webhook, "one webhook",
		"200 Webhook"},
	{PATCH, V1 "/webhooks/{id}", ROLE_ADMIN, "", handle_change_webhook,
		"change a webhook, or switch it on again", "200 Webhook", changed_webhook_body},
	{DELETE, V1 "/webhooks/{id}", ROLE_ADMIN, "", handle_remove_webhook, "tell no more",
		"204 -"},
	{POST, V1 "/webhooks/{id}/replay", ROLE_ADMIN, "", handle_replay_webhook,
		"tell all events after one again", "200 Webhook", replay_body},
	{GET, V1 "/stats", ROLE_VIEWER, "limit cursor", handle_show_stats,
		"how it goes, over all trackers and tracker by tracker", "200 Stats"},
	{GET, V1 "/events.atom", ROLE_VIEWER, "", handle_feed, "the newest events, as a feed",
		"200 application/atom+xml"},
	{GET, V1 "/trackers/{name}/events.atom", ROLE_VIEWER, "", handle_feed,
		"the newest events of one tracker, as a feed", "200 application/atom+xml"},
	{GET, V1 "/tokens", ROLE_VIEWER, "limit cursor", handle_list_tokens,
		"who may use the API", "200 [Token]"},
	{POST, V1 "/tokens", ROLE_ADMIN, "", handle_make_token, "make a token, told this once",
		"201 NewToken", token_body},
	{DELETE, V1 "/tokens/{id}", ROLE_ADMIN, "", handle_remove_token,
		"revoke a token, at once", "204 -"},
	{GET, V1 "/audit", ROLE_ADMIN, "limit cursor", handle_list_audit,
		"what administrators did, newest first", "200 [Act]"},
	{GET, V1 "/whoami", ROLE_VIEWER, "", handle_who_am_i, "whose token this is",
		"200 Caller"},
	{GET, NULL, ROLE_ANYBODY, NULL, NULL, NULL, NULL},
};
/* clang-format on */

/* Takes the next segment off *PATH ("/a/b" leaves "/b"); false at its end. */
static bool next_segment(const char **path, const char **segment, size_t *n)
{
	if (**path != '/')
		return false;
	*segment = *path + 1;
	*n = strcspn(*segment, "/");
	*path = *segment + *n;
	return true;
}

static bool path_matches(
	const char *path, const struct http_target *target, const char **parameters)
{
	const char *segment;
	size_t n;
	unsigned i = 0, parameter = 0;
	for (; next_segment(&path, &segment, &n); i++) {
		if (i == target->segment_count)
			return false;
		if (segment[0] == '{')
			parameters[parameter++] = target->segments[i];
		else if (strlen(target->segments[i]) != n ||
			strncmp(target->segments[i], segment, n) != 0)
			return false;
	}
	return i == target->segment_count;
}

const struct route *route_find(const void *owner, enum evhttp_cmd_type method,
	const struct http_target *target, const char *parameters[ROUTE_PARAMETERS],
	const char **allow)
{
	char *allowed = NULL;
	if (method == EVHTTP_REQ_HEAD)
		method = EVHTTP_REQ_GET;
	for (const struct route *route = route_table; route->path != NULL; route++) {
		if (!path_matches(route->path, target, parameters))
			continue;
		if (route->method == method)
			return route;
		const char *name = route_method(route->method);
		allowed = allowed == NULL ? talloc_strdup(owner, name)
					  : talloc_asprintf_append(allowed, ", %s", name);
	}
	*allow = allowed;
	return NULL;
}

bool route_takes(const struct route *route, const char *name)
{
	size_t n = strlen(name);
	for (const char *at = route->query; *at != '\0'; at += strspn(at, " ")) {
		size_t word = strcspn(at, " ");
		if (word == n && strncmp(at, name, n) == 0)
			return true;
		at += word;
	}
	return false;
}

const char *route_method(enum evhttp_cmd_type method)
{
	switch (method) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_HEAD:
		return "HEAD";
	case EVHTTP_REQ_PUT:
		return "PUT";
	case EVHTTP_REQ_DELETE:
		return "DELETE";
	case EVHTTP_REQ_OPTIONS:
		return "OPTIONS";
	case EVHTTP_REQ_TRACE:
		return "TRACE";
	case EVHTTP_REQ_CONNECT:
		return "CONNECT";
	case EVHTTP_REQ_PATCH:
		return "PATCH";
	default:
		return "?";
	}
}
