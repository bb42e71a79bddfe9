/* A mail in a bug's log, read as Debbugs' own SOAP interface reads it. */
#ifndef TRACKERS_DEBBUGS_MAIL_H
#define TRACKERS_DEBBUGS_MAIL_H

#include "trackers/moment.h"

#include <stdbool.h>
#include <stddef.h>

struct mail {
	const char *author; /* "Name <address>", clean, as far as it is told; NULL for nothing */
	moment posted_at; /* what its Date says, else when it was received; 0 for neither */
	bool from_server; /* a note of the server's own, e.g. that it archived the bug */
	const char *key; /* its Message-ID, else its first Received line; "" for neither */
};

/* Reads a raw HEADER, NUL-ended. Texts are owned by OWNER. */
struct mail mail_read(const void *owner, const char *header);

/*
 * The text of the raw mail of N bytes at RAW, *SIZE bytes and a NUL, owned by OWNER: its first part
 * that is text and no HTML, as UTF-8 where that can be had, without a PGP signature around it. ""
 * where it has no such part.
 */
char *mail_text(const void *owner, const char *raw, size_t n, size_t *size);

#endif
