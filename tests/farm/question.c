#include "tests/farm/question.h"

#include <ctype.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <talloc.h>

static int forget_query(struct question *question)
{
	evhttp_clear_headers(&question->query);
	return 0;
}

struct question *question_new(
	const void *owner, struct evhttp_request *request, const char *prefix, double now)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = evhttp_uri_get_path(uri), *query = evhttp_uri_get_query(uri);
	struct question *question = talloc_zero(owner, struct question);
	question->request = request;
	question->path = talloc_strdup(question, path + strlen(prefix));
	question->now = now;
	TAILQ_INIT(&question->query);
	if (query != NULL && *query != '\0' &&
		evhttp_parse_query_str(query, &question->query) != 0) {
		talloc_free(question);
		return NULL;
	}
	talloc_set_destructor(question, forget_query);
	return question;
}

struct question *question_instead(struct question *question, const char *query)
{
	struct question *instead = talloc_memdup(question, question, sizeof(*question));
	TAILQ_INIT(&instead->query);
	if (evhttp_parse_query_str(query, &instead->query) != 0) {
		talloc_free(instead);
		return NULL;
	}
	talloc_set_destructor(instead, forget_query);
	return instead;
}

char *question_body(struct question *question)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(question->request);
	size_t n = evbuffer_get_length(body);
	const char *bytes = (const char *)evbuffer_pullup(body, -1);
	return talloc_strndup(question, n > 0 ? bytes : "", n);
}

const char *question_header(const struct question *question, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(question->request), name);
}

bool question_signs_in(const struct question *question, const char *credentials)
{
	const char *header = question_header(question, "Authorization");
	char expected[256] = "Basic ";
	size_t size = strlen(credentials);
	if (header == NULL || size > 128)
		return false;
	sodium_bin2base64(expected + 6, sizeof(expected) - 6, (const unsigned char *)credentials,
		size, sodium_base64_VARIANT_ORIGINAL);
	return strcmp(header, expected) == 0;
}

const char *question_value(const struct question *question, const char *name)
{
	return evhttp_find_header(&question->query, name);
}

static int compare_ids(const void *a, const void *b)
{
	unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;
	return (left > right) - (left < right);
}

/* Sorts IDS and takes repetitions out; returns how many are left. */
static unsigned sort_ids(unsigned *ids, unsigned count)
{
	unsigned kept = 0;
	if (count > 1)
		qsort(ids, count, sizeof(*ids), compare_ids);
	for (unsigned i = 0; i < count; i++)
		if (kept == 0 || ids[kept - 1] != ids[i])
			ids[kept++] = ids[i];
	return kept;
}

/* Adds the numbers of TEXT to IDS; returns the new count. */
static unsigned add_ids(unsigned **ids, unsigned count, const char *text, bool commas)
{
	while (*text != '\0') {
		char *end;
		unsigned long id = strtoul(text, &end, 10);
		bool number = isdigit((unsigned char)*text) && id <= INT32_MAX;
		if (number && (*end == '\0' || (commas && *end == ','))) {
			if (count == talloc_array_length(*ids))
				*ids = talloc_realloc(NULL, *ids, unsigned, 2 * count);
			(*ids)[count++] = (unsigned)id;
		}
		text = commas ? strchrnul(text, ',') : "";
		text += *text == ',';
	}
	return count;
}

unsigned *question_ids(
	struct question *question, const char *name, bool commas, unsigned *count, bool *given)
{
	unsigned *ids = talloc_array(question, unsigned, 512);
	struct evkeyval *pair;
	*count = 0;
	*given = false;
	for (pair = TAILQ_FIRST(&question->query); pair != NULL; pair = TAILQ_NEXT(pair, next)) {
		if (strcmp(pair->key, name) != 0 || *pair->value == '\0')
			continue;
		*given = true;
		*count = add_ids(&ids, *count, pair->value, commas);
	}
	*count = sort_ids(ids, *count);
	return ids;
}

bool list_has(const char *list, const char *word)
{
	size_t n = strlen(word);
	while (*list != '\0') {
		size_t length = strcspn(list, ", ");
		if (length == n && strncmp(list, word, n) == 0)
			return true;
		list += length;
		list += *list != '\0';
	}
	return false;
}

void say(struct evbuffer *out, const char *text)
{
	evbuffer_add(out, text, strlen(text));
}

void say_json(struct evbuffer *out, const char *text)
{
	evbuffer_add(out, "\"", 1);
	while (*text != '\0') {
		size_t plain = 0;
		while ((unsigned char)text[plain] >= ' ' && text[plain] != '"' &&
			text[plain] != '\\')
			plain++;
		evbuffer_add(out, text, plain);
		text += plain;
		if (*text != '\0')
			evbuffer_add_printf(out, "\\u%04x", (unsigned char)*text++);
	}
	evbuffer_add(out, "\"", 1);
}

bool read_time(const char *text, double *at)
{
	struct tm broken = {0}, zone = {0};
	char *rest = strptime(text, "%Y-%m-%d", &broken);
	double fraction = 0;
	if (rest != NULL && (*rest == 'T' || *rest == ' '))
		rest = strptime(rest + 1, "%H:%M:%S", &broken);
	if (rest != NULL && *rest == '.')
		fraction = strtod(rest, &rest);
	if (rest == NULL || (*rest != '\0' && strchr("Z+-", *rest) == NULL))
		return false;
	if (*rest == '+' || *rest == '-')
		strptime(rest, "%z", &zone);
	*at = (double)(timegm(&broken) - zone.tm_gmtoff) + fraction;
	return true;
}

void say_xml(struct evbuffer *out, const char *text)
{
	static const char *const entities[] = {['<'] = "&lt;",
		['>'] = "&gt;",
		['&'] = "&amp;",
		['"'] = "&quot;",
		['\r'] = "&#xd;"};
	while (*text != '\0') {
		size_t plain = strcspn(text, "<>&\"\r");
		evbuffer_add(out, text, plain);
		text += plain;
		if (*text != '\0')
			say(out, entities[(unsigned char)*text++]);
	}
}

void say_base64(struct evbuffer *out, const char *text)
{
	size_t n = strlen(text);
	size_t room = sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL);
	char *encoded = talloc_array(NULL, char, room);
	sodium_bin2base64(
		encoded, room, (const unsigned char *)text, n, sodium_base64_VARIANT_ORIGINAL);
	say(out, encoded);
	talloc_free(encoded);
}

struct tm in_utc(double at)
{
	time_t whole = (time_t)at;
	struct tm broken;
	return *gmtime_r(&whole, &broken);
}

void answer_page(struct answer *answer, int status, const char *page)
{
	answer->status = status;
	answer->content_type = "text/html; charset=UTF-8";
	evbuffer_drain(answer->body, evbuffer_get_length(answer->body));
	say(answer->body, page);
}

void answer_halve(struct answer *answer)
{
	struct evbuffer *half = evbuffer_new();
	evbuffer_remove_buffer(answer->body, half, evbuffer_get_length(answer->body) / 2);
	evbuffer_drain(answer->body, evbuffer_get_length(answer->body));
	evbuffer_add_buffer(answer->body, half);
	evbuffer_free(half);
}
