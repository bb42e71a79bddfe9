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
	{GET, "/healthz", ROLE_ANYBODY, "", handle_health, "whether the process lives"},
	{GET, "/readyz", ROLE_ANYBODY, "", handle_ready,
		"whether the database is reached and its schema is current"},
	{GET, V1 "/trackers", ROLE_VIEWER, "limit cursor", handle_list_trackers, "all trackers"},
	{POST, V1 "/trackers", ROLE_ADMIN, "", handle_make_tracker, "set up a tracker"},
	{GET, V1 "/trackers/{name}", ROLE_VIEWER, "", handle_show_tracker, "one tracker"},
	{PATCH, V1 "/trackers/{name}", ROLE_ADMIN, "", handle_change_tracker,
		"change a tracker's settings"},
	{DELETE, V1 "/trackers/{name}", ROLE_ADMIN, "", handle_remove_tracker,
		"remove a tracker with its watches"},
	{POST, V1 "/trackers/{name}/check", ROLE_ADMIN, "", handle_check_tracker,
		"check all its bugs now"},
	{GET, V1 "/trackers/{name}/products", ROLE_VIEWER, "limit cursor", handle_list_products,
		"products whose comments are kept, or not"},
	{GET, V1 "/trackers/{name}/products/{product}", ROLE_VIEWER, "", handle_show_product,
		"one product"},
	{PUT, V1 "/trackers/{name}/products/{product}", ROLE_ADMIN, "", handle_set_product,
		"keep a product's comments, or not"},
	{DELETE, V1 "/trackers/{name}/products/{product}", ROLE_ADMIN, "", handle_remove_product,
		"forget a product"},
	{GET, V1 "/trackers/{name}/mappings", ROLE_VIEWER, "limit cursor", handle_list_mappings,
		"what words mean in this tracker alone"},
	{GET, V1 "/trackers/{name}/mappings/{field}/{value}", ROLE_VIEWER, "", handle_show_mapping,
		"what one word means"},
	{PUT, V1 "/trackers/{name}/mappings/{field}/{value}", ROLE_ADMIN, "", handle_set_mapping,
		"say what a word means"},
	{DELETE, V1 "/trackers/{name}/mappings/{field}/{value}", ROLE_ADMIN, "",
		handle_remove_mapping, "let a word mean what it does elsewhere"},
	{GET, V1 "/watches", ROLE_VIEWER, "limit cursor tracker status error ref url",
		handle_list_watches, "all watches, or those that match"},
	{POST, V1 "/watches", ROLE_ADMIN, "", handle_make_watches, "watch one bug, or many"},
	{GET, V1 "/watches/{id}", ROLE_VIEWER, "", handle_show_watch, "one watch"},
	{DELETE, V1 "/watches/{id}", ROLE_ADMIN, "", handle_remove_watch, "stop watching"},
	{POST, V1 "/watches/{id}/check", ROLE_ADMIN, "", handle_check_watch, "check this bug now"},
	{GET, V1 "/watches/{id}/comments", ROLE_VIEWER, "limit cursor", handle_list_watch_comments,
		"the comments of one watch, oldest first"},
	{GET, V1 "/watches/{id}/events", ROLE_VIEWER, "limit cursor", handle_list_watch_events,
		"what happened to one watch"},
	{GET, V1 "/runs", ROLE_VIEWER, "limit cursor tracker state", handle_list_runs,
		"runs, newest first"},
	{GET, V1 "/runs/{id}", ROLE_VIEWER, "", handle_show_run, "one run"},
	{GET, V1 "/runs/{id}/errors", ROLE_VIEWER, "limit cursor", handle_list_run_errors,
		"what failed in a run"},
	{GET, V1 "/events", ROLE_VIEWER, "limit cursor after", handle_list_events,
		"what happened, in the order in which it did"},
	{GET, V1 "/tokens", ROLE_VIEWER, "limit cursor", handle_list_tokens,
		"who may use the API"},
	{POST, V1 "/tokens", ROLE_ADMIN, "", handle_make_token, "make a token, told this once"},
	{DELETE, V1 "/tokens/{id}", ROLE_ADMIN, "", handle_remove_token,
		"revoke a token, at once"},
	{GET, V1 "/whoami", ROLE_VIEWER, "", handle_who_am_i, "whose token this is"},
	{GET, NULL, ROLE_ANYBODY, NULL, NULL, NULL},
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
