#include "trackers/mapping.h"

#include "trackers/text.h"

#include <stddef.h>
#include <string.h>

struct status_fact {
	const char *word;
	bool resolved;
};

static const struct status_fact statuses[] = {
#define STATUS(name, word, resolved) [STATUS_##name] = {word, resolved},
#include "trackers/words.def"
#undef STATUS
};

static const char *const importances[] = {
#define IMPORTANCE(name, word) [IMPORTANCE_##name] = word,
#include "trackers/words.def"
#undef IMPORTANCE
};

const char *status_word(enum bug_status status)
{
	return statuses[status].word;
}

const char *importance_word(enum bug_importance importance)
{
	return importances[importance];
}

enum bug_status status_named(const char *word)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (strcmp(statuses[i].word, word) == 0)
			return (enum bug_status)i;
	return STATUS_UNKNOWN;
}

enum bug_importance importance_named(const char *word)
{
	for (size_t i = 0; i < sizeof(importances) / sizeof(importances[0]); i++)
		if (strcmp(importances[i], word) == 0)
			return (enum bug_importance)i;
	return IMPORTANCE_UNKNOWN;
}

bool status_resolved(enum bug_status status)
{
	return statuses[status].resolved;
}

static bool is_any(const char *word)
{
	return word[0] == '*' && word[1] == '\0';
}

/* Most of a table's words differ from VALUE in their first letter. */
static bool same(const char *word, const char *value)
{
	return text_fold(*word) == text_fold(*value) && text_same_word(word, value);
}

static bool fits(const char *word, const char *value)
{
	return is_any(word) || same(word, value);
}

enum bug_status map_status(
	const struct status_row *rows, const char *status, const char *resolution)
{
	enum bug_status found = STATUS_UNKNOWN;
	const char *judged = NULL; /* a status word; rows with the same one stand together */
	bool fitting = false;
	int fewest = 3;
	status = status != NULL ? status : "";
	resolution = resolution != NULL ? resolution : "";
	for (; rows->status != NULL; rows++) {
		if (rows->status != judged)
			fitting = fits(rows->status, status);
		judged = rows->status;
		if (!fitting || !fits(rows->resolution, resolution))
			continue;
		int stars = is_any(rows->status) + is_any(rows->resolution);
		if (stars < fewest) {
			found = rows->to;
			fewest = stars;
		}
	}
	return found;
}

enum bug_importance map_importance(const struct importance_row *rows, const char *word)
{
	word = word != NULL ? word : "";
	for (; rows->word != NULL; rows++)
		if (same(rows->word, word))
			return rows->to;
	return IMPORTANCE_UNKNOWN;
}
