/* UTF-8, judged a byte at a time, so that it may arrive in pieces. */
#ifndef TRACKERS_UTF8_H
#define TRACKERS_UTF8_H

#include <stdbool.h>

/* Where in a character we are; all zero between two. */
struct utf8 {
	unsigned char need; /* how many more bytes the character has */
	unsigned char low, high; /* what the next of them may be */
};

/* Takes one more byte; false if it can't stand here (no overlong forms, no surrogates). */
bool utf8_step(struct utf8 *at, unsigned char byte);

/* Whether all of TEXT is UTF-8, without overlong forms and surrogates. */
bool utf8_is_valid(const char *text);

#endif
