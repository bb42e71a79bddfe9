/* What an issue may have beside its title and activity, which alone are certain: each site has its own. */
#ifndef TRACKERS_ROUNDUP_FIELDS_H
#define TRACKERS_ROUNDUP_FIELDS_H

#include "trackers/conversation.h"

struct roundup_field {
	const char *asked; /* as REST is asked for it */
	const char *property; /* of an issue */
	const char *class_name; /* what it links to */
	bool list; /* of links */
};

/* Those that matter, ended by one that is all NULL. */
extern const struct roundup_field roundup_fields[];

/*
 * The fields that a probe learnt, `status.name,priority.name`; a server that was never probed is asked
 * for these two.
 */
const char *roundup_learnt(const struct conversation *conversation);

/*
 * LEARNT without the field that WORDS complain of, owned by OWNER, or NULL where they name none of
 * LEARNT: "Unknown property: resolution.name", `Column "resolution" not found in issue`.
 */
char *roundup_without(const void *owner, const char *learnt, const char *words);

#endif
