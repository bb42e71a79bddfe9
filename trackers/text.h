/* Remote text: made safe to store, and compared as words. */
#ifndef TRACKERS_TEXT_H
#define TRACKERS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A copy of the N bytes at TEXT that PostgreSQL takes and a person can read: valid UTF-8, NUL,
 * surrogates and broken bytes as U+FFFD, CRLF as LF. Cut at a whole character after LIMIT bytes.
 * Owned by OWNER (talloc).
 */
char *text_clean(const void *owner, const char *text, size_t n, size_t limit);

/* The same for a one-line text (a title, a word): control characters become blanks, ends trimmed. */
char *text_clean_line(const void *owner, const char *text, size_t n, size_t limit);

/* What a letter of a word counts as. */
static inline int text_fold(char letter)
{
	if (letter >= 'A' && letter <= 'Z')
		return letter - 'A' + 'a';
	return letter == '-' || letter == '_' ? ' ' : letter;
}

/* Whether two words are the same without regard to case, with blanks, `-` and `_` alike. */
bool text_same_word(const char *a, const char *b);

/* Whether TEXT is the same as PATTERN in that sense, where a `*` stands for any text, also for none. */
bool text_fits(const char *pattern, const char *text);

/* Whether TEXT is 1 to LIMIT ASCII digits and nothing else. */
bool text_is_number(const char *text, size_t limit);

/* Whether the first non-blank byte of the N at TEXT begins markup (`<`). */
bool text_is_markup(const char *text, size_t n);

/*
 * Whether the N bytes at TEXT, taken as HTML, ask for a password (a login page). The small form that
 * a Bugzilla has on every page does not count.
 */
bool text_is_login_page(const char *text, size_t n);

#endif
