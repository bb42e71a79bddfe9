#include "trackers/text.h"

#include "trackers/utf8.h"

#include <string.h>
#include <strings.h>
#include <talloc.h>

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

enum { REPLACEMENT_SIZE = sizeof(replacement) - 1 };

/* A surrogate written as if it were a character. */
static bool is_surrogate(const unsigned char *at, size_t n)
{
	return n >= 3 && at[0] == 0xed && at[1] >= 0xa0 && at[1] <= 0xbf && at[2] >= 0x80 &&
		at[2] <= 0xbf;
}

/* The size of the character at AT, or of what is broken there; *WHOLE says which. */
static size_t character_size(const unsigned char *at, size_t n, bool *whole)
{
	struct utf8 state = {0};
	size_t size = 0;
	*whole = false;
	if (is_surrogate(at, n))
		return 3;
	do {
		if (!utf8_step(&state, at[size]))
			return size > 0 ? size : 1;
		size++;
	} while (state.need > 0 && size < n);
	*whole = state.need == 0;
	return size;
}

/* C0, DEL, C1 and the two separators of Unicode that end a line. */
static bool is_control(const unsigned char *at, size_t size)
{
	return at[0] < 0x20 || at[0] == 0x7f || (size == 2 && at[0] == 0xc2 && at[1] < 0xa0) ||
		(size == 3 && at[0] == 0xe2 && at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9));
}

/* The text so far, never longer than its limit. */
struct clean {
	char *text;
	size_t size, limit;
	bool one_line;
};

/* False once there is no room for the next character. */
static bool add(struct clean *to, const char *bytes, size_t size)
{
	if (to->size + size > to->limit)
		return false;
	if (to->size + size + 1 > talloc_get_size(to->text))
		to->text = talloc_realloc(NULL, to->text, char, 2 * (to->size + size + 1));
	memcpy(to->text + to->size, bytes, size);
	to->size += size;
	return true;
}

/* Adds the first character of the N bytes at AT as it may stand, and says how many it took. */
static bool add_character(struct clean *to, const unsigned char *at, size_t n, size_t *took)
{
	bool whole;
	*took = character_size(at, n, &whole);
	if (!whole || at[0] == '\0')
		return add(to, replacement, REPLACEMENT_SIZE);
	if (to->one_line && is_control(at, *took))
		return add(to, " ", 1);
	if (at[0] == '\r' && n > 1 && at[1] == '\n')
		return true;
	return add(to, (const char *)at, *took);
}

static char *clean(const void *owner, const char *text, size_t n, size_t limit, bool one_line)
{
	const unsigned char *at = (const unsigned char *)text;
	struct clean to = {.limit = limit, .one_line = one_line};
	to.text = talloc_array(NULL, char, (n < limit ? n : limit) + 1);
	for (size_t i = 0, took; i < n; i += took)
		if (!add_character(&to, at + i, n - i, &took))
			break;
	while (one_line && to.size > 0 && to.text[to.size - 1] == ' ')
		to.size--;
	to.text[to.size] = '\0';
	return talloc_realloc(owner, talloc_steal(owner, to.text), char, to.size + 1);
}

/* Whether the N bytes at TEXT are printable ASCII, clean as they are. Most texts of trackers are. */
static bool is_plain(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

char *text_clean(const void *owner, const char *text, size_t n, size_t limit)
{
	return clean(owner, text, n, limit, false);
}

char *text_clean_line(const void *owner, const char *text, size_t n, size_t limit)
{
	while (n > 0 && ((unsigned char)*text <= ' ' || *text == 0x7f) && *text != '\0') {
		text++;
		n--;
	}
	if (n > limit || !is_plain(text, n))
		return clean(owner, text, n, limit, true);
	while (n > 0 && text[n - 1] == ' ')
		n--;
	return talloc_strndup(owner, text, n);
}

bool text_same_word(const char *a, const char *b)
{
	while (*a != '\0' && text_fold(*a) == text_fold(*b)) {
		a++;
		b++;
	}
	return text_fold(*a) == text_fold(*b);
}

bool text_fits(const char *pattern, const char *text)
{
	const char *star = NULL,
		   *from = NULL; /* the last star, and where what it stands for ends */
	while (*text != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			from = text;
		} else if (*pattern != '\0' && text_fold(*pattern) == text_fold(*text)) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star + 1;
			text = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

bool text_is_number(const char *text, size_t limit)
{
	size_t digits = strspn(text, "0123456789");
	return digits > 0 && digits <= limit && text[digits] == '\0';
}

static size_t skip(const char *text, size_t n, size_t from, const char *what)
{
	while (from < n && text[from] != '\0' && strchr(what, text[from]) != NULL)
		from++;
	return from;
}

bool text_is_markup(const char *text, size_t n)
{
	static const char mark[] = "\xef\xbb\xbf";
	size_t at = n >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;
	at = skip(text, n, at, " \t\r\n\f");
	return at < n && text[at] == '<';
}

static bool has_word(const char *text, size_t n, size_t at, const char *word)
{
	size_t size = strlen(word);
	return at + size <= n && strncasecmp(text + at, word, size) == 0;
}

/* Every page of a Bugzilla has a small form of this class, hidden, in its head and its foot. */
static bool is_side_form(const char *text, size_t n, size_t form)
{
	for (; form < n && text[form] != '>'; form++)
		if (has_word(text, n, form, "mini_login"))
			return true;
	return false;
}

/* Whether what begins at AT sets the type of an input to "password". */
static bool is_password_type(const char *text, size_t n, size_t at)
{
	if (!has_word(text, n, at, "type"))
		return false;
	at = skip(text, n, at + 4, " \t\r\n");
	if (at >= n || text[at] != '=')
		return false;
	return has_word(text, n, skip(text, n, at + 1, " \t\r\n\"'"), "password");
}

bool text_is_login_page(const char *text, size_t n)
{
	size_t form = 0;
	for (size_t i = 0; i < n; i++) {
		if (has_word(text, n, i, "<form"))
			form = i;
		if (is_password_type(text, n, i) && !is_side_form(text, n, form))
			return true;
	}
	return false;
}
