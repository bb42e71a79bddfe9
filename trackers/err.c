#include "trackers/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct kind {
	const char *word;
	enum err_scope scope;
};

static const struct kind kinds[] = {
#define KIND(name, word, scope) [ERR_##name] = {word, ERR_SCOPE_##scope},
#include "trackers/kinds.def"
#undef KIND
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* Takes off the bytes of a UTF-8 character that was cut at the end of TEXT. */
static void trim_cut_character(char *text)
{
	size_t n = strlen(text), back = 0;
	while (back < 3 && back < n && ((unsigned char)text[n - 1 - back] & 0xc0) == 0x80)
		back++;
	if (back < n && ((unsigned char)text[n - 1 - back] & 0xc0) == 0xc0)
		text[n - 1 - back] = '\0';
}

void err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
	if (err == NULL || err->kind != ERR_NONE)
		return;
	err->kind = kind;
	va_list args;
	va_start(args, format);
	int n = vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	if (n >= (int)sizeof(err->text))
		trim_cut_character(err->text);
}

void err_clear(struct err *err)
{
	memset(err, 0, sizeof(*err));
}

const char *err_word(enum err_kind kind)
{
	return kinds[kind].word;
}

enum err_kind err_of_word(const char *word)
{
	for (int i = 0; word != NULL && i < KINDS; i++)
		if (strcmp(kinds[i].word, word) == 0)
			return (enum err_kind)i;
	return ERR_NONE;
}

enum err_scope err_scope(enum err_kind kind)
{
	return kinds[kind].scope;
}
