/* A URL taken apart, without resolving or fetching anything. */
#ifndef TRACKERS_URL_H
#define TRACKERS_URL_H

#include <stdbool.h>
#include <stddef.h>

/* Owned as one piece by the talloc owner it was parsed for. */
struct url {
	const char *scheme; /* "http" or "https" */
	const char *host; /* lower case, no userinfo; brackets kept on IPv6 */
	unsigned port; /* 0 where it is the scheme's own */
	const char *path; /* as sent, begins with '/' */
	const char *query; /* as sent, without '?'; NULL where there is none */
};

/* Takes an http or https URL apart; NULL if TEXT is none. At most 2,000 bytes are taken. */
struct url *url_parse(const void *owner, const char *text);

/*
 * The decoded value of the query parameter NAME (`&` and `;` both separate), or NULL. Owned by URL.
 */
const char *url_parameter(struct url *url, const char *name);

/*
 * The base URL that is left when the path is cut to its first N bytes: scheme, host, port, path,
 * with one `/` at the end. Owned by OWNER.
 */
char *url_base(const void *owner, const struct url *url, size_t n);

/* TEXT percent-encoded for use inside a query or a path segment. Owned by OWNER. */
char *url_escape(const void *owner, const char *text);

#endif
