/* What a bug's URL means to the API: a bug at a tracker that may not be there yet. */
#ifndef UI_API_WATCH_URL_H
#define UI_API_WATCH_URL_H

#include <stdbool.h>

/* Texts are owned by the owner that it was read for. */
struct bug_address {
	const char *base_url;
	const char *remote_id;
	const char
		*type; /* a driver's name; NULL: that of the tracker at base_url, if there is one */
	const char *name; /* for the tracker, if it must be made and the name is free */
};

/*
 * Reads URL: a form that a driver recognises, else a number behind what may be a tracker's base
 * URL. False where it is neither.
 */
bool bug_address_read(const void *owner, const char *url, struct bug_address *address);

/* TEXT as a tracker's base URL in its one form, owned by OWNER; NULL where it can't be one. */
char *base_url_read(const void *owner, const char *text);

#endif
