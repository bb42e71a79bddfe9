#include "trackers/own_words.h"

#include "trackers/text.h"

#include <string.h>
#include <talloc.h>

struct row {
	const char *value;
	enum bug_status status; /* STATUS_UNKNOWN in a row about importance */
	enum bug_importance importance;
};

struct own_words {
	unsigned count;
	struct row *rows;
};

struct own_words *own_words_new(const void *owner)
{
	return talloc_zero(owner, struct own_words);
}

bool own_words_add(struct own_words *words, const char *field, const char *value, const char *to)
{
	struct row row = {.value = value};
	if (strcmp(field, "status") == 0)
		row.status = status_named(to);
	else if (strcmp(field, "importance") == 0)
		row.importance = importance_named(to);
	if (row.status == STATUS_UNKNOWN && row.importance == IMPORTANCE_UNKNOWN)
		return false;
	words->rows = talloc_realloc(words, words->rows, struct row, words->count + 1);
	row.value = talloc_strdup(words->rows, value);
	words->rows[words->count++] = row;
	return true;
}

char *own_words_status(const void *owner, const struct observation *observation)
{
	const char *status = observation->status, *resolution = observation->resolution;
	if (status == NULL)
		return NULL;
	return resolution == NULL || *resolution == '\0'
		? talloc_strdup(owner, status)
		: talloc_asprintf(owner, "%s %s", status, resolution);
}

const char *own_words_importance(const struct observation *observation)
{
	const char *severity = observation->severity;
	bool none = severity == NULL || *severity == '\0';
	return none || observation->priority_decides ? observation->priority : severity;
}

static void apply_status(const struct own_words *words, struct observation *observation)
{
	char *value = own_words_status(NULL, observation);
	for (unsigned i = 0; value != NULL && i < words->count; i++) {
		const struct row *row = &words->rows[i];
		if (row->status == STATUS_UNKNOWN || !text_fits(row->value, value))
			continue;
		observation->mapped_status = row->status;
		break;
	}
	talloc_free(value);
}

/* Lets the first row that fits VALUE decide; false where there is none. */
static bool apply_importance(
	const struct own_words *words, struct observation *observation, const char *value)
{
	for (unsigned i = 0; value != NULL && i < words->count; i++) {
		const struct row *row = &words->rows[i];
		if (row->importance == IMPORTANCE_UNKNOWN || !text_fits(row->value, value))
			continue;
		observation->mapped_importance = row->importance;
		return true;
	}
	return false;
}

/* A severity of the administrator's own counts also where the driver's table leaves it undecided. */
void own_words_apply(const struct own_words *words, struct observation *observation)
{
	if (words->count == 0)
		return;
	apply_status(words, observation);
	if (!apply_importance(words, observation, observation->severity))
		apply_importance(words, observation, own_words_importance(observation));
}
