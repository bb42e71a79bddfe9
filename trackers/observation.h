/* What a driver learnt of one bug: the remote's own words and bugwatch's beside them. */
#ifndef TRACKERS_OBSERVATION_H
#define TRACKERS_OBSERVATION_H

#include "trackers/err.h"
#include "trackers/mapping.h"
#include "trackers/moment.h"

#include <stdbool.h>

/*
 * Made and owned by the conversation. Texts are clean (text_clean_line) and NULL where the remote
 * has none. Where ERR is set it is this bug's failure and nothing else is.
 */
struct observation {
	unsigned wanted; /* index of the bug among those the conversation was given */
	struct err err;
	const char *title;
	const char *product;
	const char *status, *resolution;
	const char *severity, *priority;
	bool priority_decides; /* the importance comes from the priority although a severity is there */
	const char *tags; /* blank-separated, sorted */
	moment changed_at; /* 0 where the remote does not say, or not in which zone */
	const char *mark; /* in its place: differs whenever the bug changed; NULL for none */
	enum bug_status mapped_status;
	enum bug_importance mapped_importance;
	bool is_private; /* only the credentials may see it */
	/* For comments: all numbers that there are were told; what is stored beyond them is hidden now. */
	bool whole;
};

#endif
