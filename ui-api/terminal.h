/* What goes to a person's terminal: safe text, its width, and what the terminal can show. */
#ifndef UI_API_TERMINAL_H
#define UI_API_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * A copy of TEXT that can do nothing to a terminal, owned by OWNER: control characters (C0, DEL,
 * C1), bidirectional controls and line separators come out as `\uXXXX`, broken UTF-8 as U+FFFD.
 * JSON without line breaks between its tokens stays the same JSON: inside its strings that is the
 * same text.
 */
char *terminal_text(const void *owner, const char *text);

/* Columns that safe TEXT takes up. Needs a UTF-8 locale (LC_CTYPE), as does terminal_fit. */
unsigned terminal_width(const char *text);

/*
 * How many bytes of safe TEXT fit into COLUMNS, ending at a whole character with its accents;
 * *WIDTH is what they take up.
 */
size_t terminal_fit(const char *text, unsigned columns, unsigned *width);

/* The columns of the terminal behind STREAM; 0 where it is none (then nothing need be cut). */
unsigned terminal_columns(FILE *stream);

/* Whether STREAM is a terminal that may be coloured (NO_COLOR unset, TERM not "dumb"). */
bool terminal_colours(FILE *stream);

#endif
