#include "ui-api/list.h"

#include "trackers/utf8.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000, SEAL = 16, KEY_MAX = 2000 };

/* A cursor is its key behind a check sum, so that one of another list or a mistyped one is told. */
static void seal_key(const struct request *request, const char *key, unsigned char *seal)
{
	crypto_generichash_state state;
	const char *path = request->route->path;
	crypto_generichash_init(&state, NULL, 0, SEAL);
	crypto_generichash_update(&state, (const unsigned char *)path, strlen(path) + 1);
	crypto_generichash_update(&state, (const unsigned char *)key, strlen(key));
	crypto_generichash_final(&state, seal, SEAL);
}

static char *cursor_of(struct request *request, const char *key)
{
	unsigned char raw[SEAL + KEY_MAX];
	size_t n = strnlen(key, KEY_MAX);
	seal_key(request, key, raw);
	memcpy(raw + SEAL, key, n);
	size_t room = sodium_base64_encoded_len(SEAL + n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	char *cursor = talloc_size(request, room);
	return sodium_bin2base64(
		cursor, room, raw, SEAL + n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool list_is_id(const char *text)
{
	size_t n = strspn(text, "0123456789");
	return n >= 1 && n <= 18 && text[n] == '\0';
}

static bool is_key(const char *key, size_t n, enum list_key kind)
{
	if (kind == LIST_KEY_ID)
		return strlen(key) == n && list_is_id(key);
	return strlen(key) == n && n >= 1 && utf8_is_valid(key);
}

/* The key of CURSOR, or NULL where it is none of this list. */
static char *key_of(struct request *request, const char *cursor, enum list_key kind)
{
	unsigned char raw[SEAL + KEY_MAX], seal[SEAL];
	size_t n = 0;
	if (sodium_base642bin(raw, sizeof(raw), cursor, strlen(cursor), NULL, &n, NULL,
		    sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
		n < SEAL)
		return NULL;
	char *key = talloc_strndup(request, (const char *)raw + SEAL, n - SEAL);
	seal_key(request, key, seal);
	bool ours = sodium_memcmp(seal, raw, SEAL) == 0 && is_key(key, n - SEAL, kind);
	return ours ? key : NULL;
}

void page_refuse(struct request *request, const char *parameter, const char *message)
{
	struct problem *fault = problem_new(request, 400, "a query parameter can't be taken");
	problem_field(fault, parameter, "%s", message);
	request_refuse(request, fault);
}

/* A number from 1 to LIMIT_MAX, or 0. */
static unsigned limit_of(const char *text)
{
	size_t n = strspn(text, "0123456789");
	if (n == 0 || n > 4 || text[n] != '\0')
		return 0;
	unsigned long limit = strtoul(text, NULL, 10);
	return limit <= LIMIT_MAX ? (unsigned)limit : 0;
}

struct page *page_read(struct request *request, enum list_key key)
{
	const char *limit = request_parameter(request, "limit");
	const char *cursor = request_parameter(request, "cursor");
	struct page *page = talloc_zero(request, struct page);
	page->size = limit == NULL ? LIMIT_DEFAULT : limit_of(limit);
	if (page->size == 0) {
		page_refuse(request, "limit", "must be a number from 1 to 1000");
		return NULL;
	}
	page->limit = talloc_asprintf(page, "%u", page->size + 1);
	page->after = cursor == NULL ? NULL : key_of(request, cursor, key);
	if (cursor != NULL && page->after == NULL) {
		page_refuse(request, "cursor", "is no cursor of this list");
		return NULL;
	}
	request->work = page;
	return page;
}

/* How many of ROWS go on the page. */
static unsigned count_shown(const struct page *page, const struct db_rows *rows)
{
	unsigned n = 0;
	while (n < page->size && n < db_count(rows) && !db_null(rows, n, 0))
		n++;
	return n;
}

void page_answer(struct request *request, const struct page *page, const struct db_rows *rows)
{
	page_answer_in(request, page, rows, "{}", "items");
}

void page_answer_in(struct request *request, const struct page *page, const struct db_rows *rows,
	const char *head, const char *name)
{
	struct evbuffer *output = request_output(request);
	unsigned shown = count_shown(page, rows);
	size_t open = strlen(head) - 1; /* without its last brace */
	evbuffer_add(output, head, open);
	evbuffer_add_printf(output, "%s\"%s\":[", open > 1 ? "," : "", name);
	for (unsigned i = 0; i < shown; i++) {
		const char *item = db_text(rows, i, 0);
		if (i > 0)
			evbuffer_add(output, ",", 1);
		evbuffer_add(output, item, strlen(item));
	}
	if (db_count(rows) > shown)
		evbuffer_add_printf(output, "],\"next\":\"%s\"}",
			cursor_of(request, db_text(rows, shown - 1, 1)));
	else
		evbuffer_add_printf(output, "],\"next\":null}");
	request_answer(request, 200, NULL);
}
