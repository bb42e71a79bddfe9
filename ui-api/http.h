/* What of HTTP evhttp leaves to its user: strictness about heads and targets. Pure functions. */
#ifndef UI_API_HTTP_H
#define UI_API_HTTP_H

#include <event2/keyvalq_struct.h>
#include <stdbool.h>

enum { HTTP_SEGMENTS = 8, HTTP_PARAMETERS = 16 };

/* A request target taken apart; texts are decoded, valid UTF-8 without NUL. */
struct http_target {
	char *segments[HTTP_SEGMENTS]; /* of the path: "/a/b" has "a" and "b" */
	unsigned segment_count;
	struct {
		char *name, *value;
	} parameters[HTTP_PARAMETERS]; /* of the query, in the order sent */
	unsigned parameter_count;
};

/*
 * Takes the path of a request target, as sent, apart into TARGET (zeroed before), whose texts are
 * owned by OWNER. Returns NULL, or what is wrong; static. Dot segments mean nothing.
 */
const char *http_parse_path(const void *owner, const char *path, struct http_target *target);

/* The same for the query of the target, without its question mark. */
const char *http_parse_query(const void *owner, const char *query, struct http_target *target);

/* The value of parameter NAME (the first, where it comes twice), or NULL. */
const char *http_parameter(const struct http_target *target, const char *name);

/* What the headers of a request depend on. */
struct http_head {
	bool needs_host; /* from HTTP/1.1 on */
	bool takes_body; /* the method's body would be read, not taken for the next request */
};

/*
 * What is wrong with a request's HEADERS, or NULL: evhttp 2.1.12 takes names that are no tokens, two
 * lengths, a length beside a transfer coding, codings other than "chunked", and no or two hosts.
 */
const char *http_head_fault(const struct evkeyvalq *headers, struct http_head head);

/*
 * The token of an `Authorization: Bearer TOKEN` header, or, where BASIC is taken too, the password of
 * `Basic`, whatever the user's name: readers of feeds know no other way. NULL where there is none;
 * owned by OWNER.
 */
char *http_token(const void *owner, const struct evkeyvalq *headers, bool basic);

#endif
