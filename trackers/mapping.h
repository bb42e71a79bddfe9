/* From remote words to bugwatch's own: the vocabulary, and tables that translate into it. */
#ifndef TRACKERS_MAPPING_H
#define TRACKERS_MAPPING_H

#include <stdbool.h>

enum bug_status {
#define STATUS(name, word, resolved) STATUS_##name,
#include "trackers/words.def"
#undef STATUS
};

enum bug_importance {
#define IMPORTANCE(name, word) IMPORTANCE_##name,
#include "trackers/words.def"
#undef IMPORTANCE
};

/*
 * One row of a driver's status table. Words compare by text_same_word; `*` matches anything, ""
 * only an empty value; an exact row wins over `*`. A table ends with a row whose status is NULL.
 */
struct status_row {
	const char *status, *resolution;
	enum bug_status to;
};

/* One row of a driver's importance table, ended by a row whose word is NULL. */
struct importance_row {
	const char *word;
	enum bug_importance to;
};

/* The word of a status; static. */
const char *status_word(enum bug_status status);

/* The word of an importance; static. */
const char *importance_word(enum bug_importance importance);

/* The status or importance that WORD names; STATUS_UNKNOWN or IMPORTANCE_UNKNOWN where it is none. */
enum bug_status status_named(const char *word);
enum bug_importance importance_named(const char *word);

/* Whether a bug of this status counts as resolved. */
bool status_resolved(enum bug_status status);

/*
 * Looks a remote status and resolution up in ROWS; NULL counts as "". STATUS_UNKNOWN where no row
 * knows them.
 */
enum bug_status map_status(
	const struct status_row *rows, const char *status, const char *resolution);

/* Looks a remote word up in ROWS; IMPORTANCE_UNKNOWN where no row knows it. */
enum bug_importance map_importance(const struct importance_row *rows, const char *word);

#endif
