/* The API's routes: one table of what there is, who may use it, and who answers. */
#ifndef UI_API_ROUTE_H
#define UI_API_ROUTE_H

#include "ui-api/http.h"

#include <event2/http.h>
#include <stddef.h>

struct body_field;
struct request;

/* Who may use a route; each may what those before may. */
enum role { ROLE_ANYBODY, ROLE_VIEWER, ROLE_ADMIN };

enum { ROUTE_PARAMETERS = 3 };

struct route {
	enum evhttp_cmd_type method;
	const char *path; /* "/api/v1/trackers/{name}"; braces match one segment */
	enum role role;
	const char *query; /* the query parameters that it takes, separated by blanks */
	void (*handle)(struct request *request); /* answers it, at once or later */
	const char *help; /* one line for the manual */
	/*
	 * What it answers when all goes well: "STATUS SCHEMA" pairs, a schema of openapi.json, "[SCHEMA]"
	 * for a list of such, a media type for plain text, or "-" for nothing.
	 */
	const char *answers;
	const struct body_field *body; /* the body that it takes, NULL for none */
	unsigned most; /* the body may also be an array of so many; 0: it may not */
	bool starts_work; /* it heeds an Idempotency-Key */
};
extern const struct route route_table[]; /* ended by a NULL path */

/*
 * The route of METHOD (HEAD counts as GET) at TARGET's path; PARAMETERS get what its braces
 * matched. NULL where there is none: *ALLOW is then NULL, or the methods that the path does have,
 * "GET, POST" (owned by OWNER).
 */
const struct route *route_find(const void *owner, enum evhttp_cmd_type method,
	const struct http_target *target, const char *parameters[ROUTE_PARAMETERS],
	const char **allow);

/* Whether ROUTE takes the query parameter NAME. */
bool route_takes(const struct route *route, const char *name);

/* The name of METHOD ("GET"), or "?" for one that HTTP does not know. */
const char *route_method(enum evhttp_cmd_type method);

#endif
