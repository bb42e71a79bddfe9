#include "engine/log.h"

#include "trackers/moment.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LINE_MAX_BYTES = 2048 };

static const char *const level_words[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_ERROR] = "error",
};

static enum log_level lowest_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	lowest_level = level;
}

bool log_level_of_word(const char *word, enum log_level *out)
{
	for (int i = LOG_LEVEL_DEBUG; i <= LOG_LEVEL_ERROR; i++) {
		if (strcmp(word, level_words[i]) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* How many bytes at TEXT (NUL-ended) make up a C1 control or a bidirectional control; 0: none. */
static size_t hidden_control(const unsigned char *text)
{
	if (text[0] == 0xc2 && text[1] >= 0x80 && text[1] <= 0x9f)
		return 2;
	if (text[0] == 0xd8 && text[1] == 0x9c) /* U+061C */
		return 2;
	if (text[0] != 0xe2)
		return 0;
	if (text[1] == 0x80 && /* U+200E, 200F, 2028 to 202E */
		(text[2] == 0x8e || text[2] == 0x8f || (text[2] >= 0xa8 && text[2] <= 0xae)))
		return 3;
	if (text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9) /* U+2066 to 2069 */
		return 3;
	return 0;
}

/* Writes TEXT so that it can neither end the line nor steer a terminal. */
static void write_harmless(FILE *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	while (*at != '\0') {
		size_t n = *at < 0x20 || *at == 0x7f ? 1 : hidden_control(at);
		if (n == 0) {
			fputc(*at++, out);
			continue;
		}
		while (n-- > 0)
			fprintf(out, "\\x%02x", *at++);
	}
}

void log_line(enum log_level level, const char *subject, const char *format, ...)
{
	if (level < lowest_level)
		return;
	char text[LINE_MAX_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	char at[MOMENT_TEXT];
	moment_format(time(NULL) * MOMENT_SECOND, at);
	/* One lock around the pieces, so that lines of a whole arrive whole. */
	flockfile(stderr);
	fprintf(stderr, "%s %s ", at, level_words[level]);
	write_harmless(stderr, subject);
	fputs(": ", stderr);
	write_harmless(stderr, text);
	fputc('\n', stderr);
	funlockfile(stderr);
}
