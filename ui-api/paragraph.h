/* Text of several lines that strangers wrote, for a person's terminal. */
#ifndef UI_API_PARAGRAPH_H
#define UI_API_PARAGRAPH_H

#include <stdio.h>

/*
 * Prints TEXT, made safe for a terminal, each line behind INDENT blanks. What is wider than COLUMNS
 * (0: nothing is) goes on in the next line, from a blank on where there is one. Tabs become blanks;
 * blanks and line ends at the end of TEXT are left out. Needs a UTF-8 locale (LC_CTYPE).
 */
void paragraph_print(FILE *out, const char *text, unsigned indent, unsigned columns);

#endif
