#include "trackers/debbugs/mapping.h"

#include <stddef.h>
#include <string.h>

const struct importance_row debbugs_importance_rows[] = {
	{"critical", IMPORTANCE_CRITICAL},
	{"grave", IMPORTANCE_CRITICAL},
	{"serious", IMPORTANCE_HIGH},
	{"important", IMPORTANCE_HIGH},
	{"normal", IMPORTANCE_MEDIUM},
	{"minor", IMPORTANCE_LOW},
	{"wishlist", IMPORTANCE_WISHLIST},
	{"fixed", IMPORTANCE_LOW},
	{NULL, IMPORTANCE_UNKNOWN},
};

/* In order of precedence; what is forwarded stands before the tags that confirm. */
struct tag_row {
	const char *tag;
	enum bug_status to;
};

static const struct tag_row before_forwarded[] = {
	{"wontfix", STATUS_WONT_FIX},
	{"pending", STATUS_FIX_COMMITTED},
	{"fixed", STATUS_FIX_COMMITTED},
	{"fixed-in-experimental", STATUS_FIX_COMMITTED},
};

static const struct tag_row after_forwarded[] = {
	{"confirmed", STATUS_CONFIRMED},
	{"help", STATUS_CONFIRMED},
	{"upstream", STATUS_CONFIRMED},
	{"fixed-upstream", STATUS_CONFIRMED},
	{"moreinfo", STATUS_INCOMPLETE},
	{"unreproducible", STATUS_INCOMPLETE},
};

static bool has_tag(const char *tags, const char *tag)
{
	size_t n = strlen(tag);
	for (; *tags != '\0'; tags += strcspn(tags, " ")) {
		tags += strspn(tags, " ");
		if (strncmp(tags, tag, n) == 0 && (tags[n] == ' ' || tags[n] == '\0'))
			return true;
	}
	return false;
}

enum bug_status debbugs_status(bool done, bool forwarded, const char *tags)
{
	if (done)
		return STATUS_FIX_RELEASED;
	for (size_t i = 0; i < sizeof(before_forwarded) / sizeof(*before_forwarded); i++)
		if (has_tag(tags, before_forwarded[i].tag))
			return before_forwarded[i].to;
	if (forwarded)
		return STATUS_CONFIRMED;
	for (size_t i = 0; i < sizeof(after_forwarded) / sizeof(*after_forwarded); i++)
		if (has_tag(tags, after_forwarded[i].tag))
			return after_forwarded[i].to;
	return STATUS_NEW;
}
