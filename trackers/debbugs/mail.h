/* The header of a mail in a bug's log. */
#ifndef TRACKERS_DEBBUGS_MAIL_H
#define TRACKERS_DEBBUGS_MAIL_H

#include "trackers/moment.h"

#include <stddef.h>

struct mail {
	const char *author; /* "Name <address>", clean, as far as it is told; NULL for nothing */
	moment posted_at; /* what its Date says, else when it was received; 0 for neither */
	bool from_server; /* a note of the server's own, e.g. that it archived the bug */
};

/* Reads a raw HEADER, NUL-ended. Texts are owned by OWNER. */
struct mail mail_read(const void *owner, const char *header);

#endif
