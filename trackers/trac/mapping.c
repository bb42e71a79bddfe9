#include "trackers/trac/mapping.h"

#include "trackers/text.h"

#include <stddef.h>
#include <string.h>

const struct status_row trac_status_rows[] = {
	{"new", "*", STATUS_NEW},
	{"open", "*", STATUS_NEW},
	{"reopened", "*", STATUS_NEW},
	{"accepted", "*", STATUS_CONFIRMED},
	{"assigned", "*", STATUS_CONFIRMED},
	{"fixed", "*", STATUS_FIX_RELEASED},
	{"closed", "*", STATUS_FIX_RELEASED},
	{"fixverified", "*", STATUS_FIX_RELEASED},
	{"invalid", "*", STATUS_INVALID},
	{"worksforme", "*", STATUS_INVALID},
	{"wontfix", "*", STATUS_WONT_FIX},
	{"duplicate", "*", STATUS_INVALID},
	{"cantfix", "*", STATUS_INVALID},
	{"needinfo", "*", STATUS_INCOMPLETE},
	{"infoneeded", "*", STATUS_INCOMPLETE},
	{"needs_info", "*", STATUS_INCOMPLETE},
	{"reviewing", "*", STATUS_IN_PROGRESS},
	{"in_work", "*", STATUS_IN_PROGRESS},
	{"testing", "*", STATUS_FIX_COMMITTED},
	{"verified", "*", STATUS_FIX_RELEASED},
	{"obsolete", "*", STATUS_EXPIRED},
	{"maybelater", "*", STATUS_DEFERRED},
	{NULL, NULL, STATUS_UNKNOWN},
};

const struct importance_row trac_importance_rows[] = {
	{"blocker", IMPORTANCE_CRITICAL},
	{"critical", IMPORTANCE_CRITICAL},
	{"highest", IMPORTANCE_CRITICAL},
	{"major", IMPORTANCE_HIGH},
	{"high", IMPORTANCE_HIGH},
	{"normal", IMPORTANCE_MEDIUM},
	{"medium", IMPORTANCE_MEDIUM},
	{"minor", IMPORTANCE_LOW},
	{"low", IMPORTANCE_LOW},
	{"trivial", IMPORTANCE_LOW},
	{"lowest", IMPORTANCE_LOW},
	{"enhancement", IMPORTANCE_WISHLIST},
	{"wishlist", IMPORTANCE_WISHLIST},
	{"", IMPORTANCE_UNDECIDED},
	{NULL, IMPORTANCE_UNKNOWN},
};

static bool is_set(const char *text)
{
	return text != NULL && *text != '\0';
}

enum bug_status trac_status(const char *status, const char *resolution)
{
	bool closed = status != NULL && text_same_word(status, "closed");
	bool says = closed && is_set(resolution) && strcmp(resolution, "--") != 0;
	return map_status(trac_status_rows, says ? resolution : status, NULL);
}

enum bug_importance trac_importance(const char *severity, const char *priority)
{
	return map_importance(trac_importance_rows, is_set(severity) ? severity : priority);
}
