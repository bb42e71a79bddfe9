/*
 * Words that an administrator gave a meaning for one tracker: they win over the driver's tables.
 *
 * A row's value is compared with what a bug's state or weight is called in full: the remote status
 * and its resolution with a blank between ("RESOLVED SHIPPED_NEVER"), or the word that decides the
 * importance. It matches as text_fits does.
 */
#ifndef TRACKERS_OWN_WORDS_H
#define TRACKERS_OWN_WORDS_H

#include "trackers/observation.h"

struct own_words;

/* No rows yet; a talloc object of OWNER's. */
struct own_words *own_words_new(const void *owner);

/*
 * Adds a row, copied: VALUE means TO, a status (FIELD "status") or an importance ("importance"). Rows
 * come in order of precedence. False where FIELD or TO is no such word; "unknown" is none either.
 */
bool own_words_add(struct own_words *words, const char *field, const char *value, const char *to);

/* Lets the rows decide what they know in OBSERVATION; the rest stays as the driver mapped it. */
void own_words_apply(const struct own_words *words, struct observation *observation);

/* The remote status of OBSERVATION in full, NULL where it has none; owned by OWNER. */
char *own_words_status(const void *owner, const struct observation *observation);

/* The remote word that decides the importance of OBSERVATION, NULL where it has none. */
const char *own_words_importance(const struct observation *observation);

#endif
