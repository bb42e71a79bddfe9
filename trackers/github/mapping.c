#include "trackers/github/mapping.h"

#include <stddef.h>

/* Before 2022 nothing was said of why an issue was closed; most were fixed. */
const struct status_row github_status_rows[] = {
	{"open", "", STATUS_NEW},
	{"open", "reopened", STATUS_NEW},
	{"closed", "", STATUS_FIX_RELEASED},
	{"closed", "completed", STATUS_FIX_RELEASED},
	{"closed", "not_planned", STATUS_WONT_FIX},
	{"closed", "duplicate", STATUS_INVALID},
	/* our words for pull requests */
	{"closed", "merged", STATUS_FIX_RELEASED},
	{"closed", "unmerged", STATUS_WONT_FIX},
	{NULL, NULL, STATUS_UNKNOWN},
};

/* Issues have no weight of their own. */
const struct importance_row github_importance_rows[] = {
	{"", IMPORTANCE_UNDECIDED},
	{NULL, IMPORTANCE_UNKNOWN},
};
