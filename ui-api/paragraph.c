#include "ui-api/paragraph.h"

#include "ui-api/terminal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { TAB = 8, ROOM_LEAST = 10 };

/* LINE with blanks up to the next multiple of 8 characters for each tab; owned by OWNER. */
static char *untabbed(const void *owner, const char *line)
{
	char *out = NULL;
	size_t n = 0;
	unsigned column = 0;
	FILE *memory = open_memstream(&out, &n);
	for (; memory != NULL && *line != '\0'; line++) {
		if (*line == '\t') {
			unsigned pad = TAB - column % TAB;
			fprintf(memory, "%*s", (int)pad, "");
			column += pad;
		} else {
			fputc(*line, memory);
			column += ((unsigned char)*line & 0xc0) != 0x80; /* once a character */
		}
	}
	if (memory == NULL || fclose(memory) != 0)
		abort();
	char *plain = talloc_strndup(owner, out, n);
	free(out);
	return plain;
}

/* How many bytes of the safe LINE to print into COLUMNS: up to a blank between words, if any. */
static size_t fitting(const char *line, unsigned columns)
{
	unsigned width;
	size_t most = terminal_fit(line, columns, &width), least = strspn(line, " ");
	if (line[most] == '\0')
		return most;
	for (size_t n = most; n > least; n--)
		if (line[n] == ' ' && line[n - 1] != ' ')
			return n;
	return most;
}

static void print_line(FILE *out, const char *line, unsigned indent, unsigned columns)
{
	if (line[strspn(line, " ")] == '\0') {
		fputc('\n', out);
		return;
	}
	while (*line != '\0') {
		size_t n = fitting(line, columns);
		fprintf(out, "%*s", (int)indent, "");
		fwrite(line, 1, n, out);
		fputc('\n', out);
		line += n;
		line += strspn(line, " ");
	}
}

/* Columns beside INDENT, where there are COLUMNS. */
static unsigned room_in(unsigned columns, unsigned indent)
{
	if (columns == 0)
		return UINT_MAX;
	return columns < indent + ROOM_LEAST ? ROOM_LEAST : columns - indent;
}

void paragraph_print(FILE *out, const char *text, unsigned indent, unsigned columns)
{
	size_t n = strlen(text);
	while (n > 0 && strchr(" \t\n", text[n - 1]) != NULL)
		n--;
	void *memory = talloc_new(NULL);
	char *rest = talloc_strndup(memory, text, n);
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		char *safe = terminal_text(memory, untabbed(memory, line));
		print_line(out, safe, indent, room_in(columns, indent));
	}
	talloc_free(memory);
}
