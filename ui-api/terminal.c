#include "ui-api/terminal.h"

#include "trackers/utf8.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <talloc.h>
#include <unistd.h>
#include <wchar.h>

enum { BROKEN = 0xfffd, COLUMNS_DEFAULT = 80, COLUMNS_LEAST = 20, COLUMNS_MOST = 10000 };

/* Reads one character into *OUT and returns its bytes; a broken byte is U+FFFD, and *GOOD false. */
static size_t decode(const char *text, uint32_t *out, bool *good)
{
	struct utf8 at = {0};
	size_t n = 0;
	uint32_t c = 0;
	do {
		unsigned char byte = (unsigned char)text[n];
		*good = utf8_step(&at, byte);
		if (!*good) {
			*out = BROKEN;
			return 1;
		}
		if (n++ == 0)
			c = at.need == 0 ? byte : byte & (0x3fu >> at.need);
		else
			c = c << 6 | (byte & 0x3f);
	} while (at.need > 0);
	*out = c;
	return n;
}

/* Whether a terminal might obey the character C instead of showing it. */
static bool commands(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x61c || c == 0x200e || c == 0x200f ||
		(c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

char *terminal_text(const void *owner, const char *text)
{
	char *out = NULL;
	size_t n = 0;
	FILE *memory = open_memstream(&out, &n);
	for (const char *at = text; memory != NULL && *at != '\0';) {
		uint32_t c;
		bool good;
		size_t step = decode(at, &c, &good);
		if (!good)
			fputs("\uFFFD", memory);
		else if (commands(c))
			fprintf(memory, "\\u%04x", (unsigned)c);
		else
			fwrite(at, 1, step, memory);
		at += step;
	}
	if (memory == NULL || fclose(memory) != 0)
		abort();
	char *safe = talloc_strndup(owner, out, n);
	free(out);
	return safe;
}

/* Columns of one character; an unknown one may take up one. */
static unsigned width_of(uint32_t c)
{
	int width = wcwidth((wchar_t)c);
	return width < 0 ? 1 : (unsigned)width;
}

size_t terminal_fit(const char *text, unsigned columns, unsigned *width)
{
	const char *at = text;
	*width = 0;
	while (*at != '\0') {
		uint32_t c;
		bool good;
		size_t step = decode(at, &c, &good);
		if (*width + width_of(c) > columns)
			break;
		*width += width_of(c);
		at += step;
	}
	return (size_t)(at - text);
}

unsigned terminal_width(const char *text)
{
	unsigned width;
	terminal_fit(text, UINT_MAX, &width);
	return width;
}

unsigned terminal_columns(FILE *stream)
{
	int fd = fileno(stream);
	if (!isatty(fd))
		return 0;
	const char *said = getenv("COLUMNS");
	long columns = said != NULL ? strtol(said, NULL, 10) : 0;
	struct winsize size;
	if (columns <= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0)
		columns = size.ws_col;
	if (columns <= 0)
		columns = COLUMNS_DEFAULT;
	if (columns < COLUMNS_LEAST)
		columns = COLUMNS_LEAST;
	return (unsigned)(columns > COLUMNS_MOST ? COLUMNS_MOST : columns);
}

bool terminal_colours(FILE *stream)
{
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
	if (none != NULL && none[0] != '\0')
		return false;
	return isatty(fileno(stream)) && (term == NULL || strcmp(term, "dumb") != 0);
}
