/* One failure: its kind, and words that say what failed, on what, why, and what to do. */
#ifndef TRACKERS_ERR_H
#define TRACKERS_ERR_H

#include <stdbool.h>

enum err_kind {
#define KIND(name, word, scope) ERR_##name,
#include "trackers/kinds.def"
#undef KIND
};

enum err_scope { ERR_SCOPE_OWN, ERR_SCOPE_BUG, ERR_SCOPE_TRACKER };

/* Owned by the caller; all zero means that nothing failed. */
struct err {
	enum err_kind kind;
	char text[256];
};

/*
 * Says what failed, unless ERR already says something: the first failure wins. A text that does
 * not fit is cut at a whole character. ERR may be NULL.
 */
void err_set(struct err *err, enum err_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Forgets what ERR says. */
void err_clear(struct err *err);

/* The word of KIND, as stored and shown; static. */
const char *err_word(enum err_kind kind);

/* The kind of a word, or ERR_NONE if no kind has it. */
enum err_kind err_of_word(const char *word);

/* Whether KIND is of one bug, of a tracker, or our own. */
enum err_scope err_scope(enum err_kind kind);

#endif
