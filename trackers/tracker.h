/* A driver: one kind of bug tracker, as a constant table of pure functions. */
#ifndef TRACKERS_TRACKER_H
#define TRACKERS_TRACKER_H

#include "trackers/conversation.h"
#include "trackers/url.h"

/* What a bug's URL means. Texts are owned by the URL it was read from. */
struct remote_bug {
	const struct tracker *tracker;
	const char *base_url;
	const char *remote_id;
	/* Trackers of other kinds have such addresses, too: only one at BASE_URL tells what it is. */
	bool is_shared_form;
};

struct tracker {
	const char *name; /* the contract's word, and the folder's name */
	const char *title; /* for people */
	unsigned batch_size; /* how many bugs a check likes at once */
	/* Whether URL is a bug of this kind; fills OUT. */
	bool (*recognise)(struct url *url, struct remote_bug *out);
	/* Whether TEXT can be a bug's id here; what this refuses is never sent. */
	bool (*valid_id)(const char *text);
	/* Asks the errand's first questions. */
	void (*begin)(struct conversation *conversation);
	/* Hears the answer to one question. */
	void (*hear)(struct conversation *conversation, struct exchange *exchange);
};

/* All drivers, in the order in which they are asked; ended by NULL. */
extern const struct tracker *const trackers[];

/* The driver called NAME, or NULL. */
const struct tracker *tracker_by_name(const char *name);

/*
 * What bug URL means, without asking anybody; false where no driver recognises it, or only by a form
 * that kinds of tracker share. OUT's texts are owned by OWNER.
 */
bool tracker_recognise(const void *owner, const char *url, struct remote_bug *out);

/* The same, also by a shared form: that is a bug only where there is a tracker at its base URL. */
bool tracker_recognise_below(const void *owner, const char *url, struct remote_bug *out);

#endif
