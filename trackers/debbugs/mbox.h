/* The mbox of a bug's log, as bugreport.cgi gives it. */
#ifndef TRACKERS_DEBBUGS_MBOX_H
#define TRACKERS_DEBBUGS_MBOX_H

#include "trackers/debbugs/mail.h"

/* A mail: its header as read, and the whole of it as it was received. */
struct mbox_mail {
	struct mail mail;
	const char *raw; /* NUL-ended */
	size_t size;
};

/* All texts are talloc children of it. */
struct mbox {
	struct mbox_mail *mails;
	unsigned count;
};

/*
 * Splits the N bytes at TEXT, NUL-ended, into the mails that were received; anything else is passed
 * over. SINGLE: it is at most one mail, and not quoted. Owned by OWNER.
 */
struct mbox *mbox_read(const void *owner, const char *text, size_t n, bool single);

#endif
