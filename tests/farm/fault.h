/* What goes wrong with servers: answers spoilt on purpose. */
#ifndef TESTS_FARM_FAULT_H
#define TESTS_FARM_FAULT_H

#include "tests/farm/site.h"

/* The fault called WORD, or NULL. */
const struct fault *fault_of_word(const char *word);

/* The word of FAULT, NULL for none. */
const char *fault_word(const struct fault *fault);

/* All words, for help, with blanks between; owned by OWNER. */
char *fault_words(const void *owner);

/* Spoils ANSWER where SITE has a fault that is about QUESTION. */
void fault_spoil(struct site *site, struct question *question, struct answer *answer);

/* Whether the fault is that some bugs (7, 107, 207, ...) are written with wrong types. */
bool fault_has_bad_bugs(const struct site *site);

#endif
