/* The REST API as a command asks it: one question at a time, and words for every failure. */
#ifndef UI_API_CLIENT_H
#define UI_API_CLIENT_H

#include "trackers/err.h"

#include <json-c/json.h>

struct client;

struct client_answer {
	int status; /* HTTP's; 0 where no bugwatch was reached */
	struct json_object *body; /* NULL where there is none; owned by the answer */
	const char *refusal; /* NULL for 2xx; else what went wrong and what to do, in lines */
};

/*
 * A client of the service that BUGWATCH_URL and BUGWATCH_TOKEN name, else of the local one whose
 * state folder is STATE_DIR. Asks nothing yet. NULL and ERR_USAGE if BUGWATCH_URL is no http(s)
 * URL, ERR_CONNECTION (saying where it looked) if nothing names a service.
 */
struct client *client_new(const void *owner, const char *state_dir, struct err *err);

/*
 * Asks METHOD PATH ("/trackers?limit=1", below /api/v1) with the JSON text BODY (NULL for none).
 * Blocks, two minutes at most. The answer is owned by OWNER.
 */
struct client_answer *client_ask(struct client *client, const void *owner, const char *method,
	const char *path, const char *body);

/*
 * What a problem document (RFC 9457) says, with its faulty fields one a line; what STATUS says
 * where PROBLEM is none. Owned by OWNER.
 */
char *client_problem_words(const void *owner, struct json_object *problem, int status);

#endif
