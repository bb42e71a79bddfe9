#include "ui-api/http.h"

#include "trackers/utf8.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <talloc.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes TEXT in place; false for a broken escape, NUL, a control byte as such, or bad UTF-8. */
static bool decode(char *text, bool plus_is_blank)
{
	struct utf8 at = {0};
	char *to = text;
	for (const char *from = text; *from != '\0'; from++) {
		char c = *from;
		if ((unsigned char)c < 0x20 || c == 0x7f)
			return false;
		if (c == '+' && plus_is_blank)
			c = ' ';
		if (c == '%') {
			int high = hex_digit(from[1]);
			int low = high < 0 ? -1 : hex_digit(from[2]);
			if (low < 0)
				return false;
			c = (char)(high << 4 | low);
			from += 2;
		}
		if (c == '\0' || !utf8_step(&at, (unsigned char)c))
			return false;
		*to++ = c;
	}
	*to = '\0';
	return at.need == 0;
}

const char *http_parse_path(const void *owner, const char *path, struct http_target *target)
{
	if (path == NULL || path[0] != '/')
		return "the request target has no absolute path";
	char *rest = talloc_strdup(owner, path + 1);
	for (char *segment; (segment = strsep(&rest, "/")) != NULL;) {
		if (target->segment_count == HTTP_SEGMENTS)
			return "the path has too many segments";
		if (!decode(segment, false))
			return "the path is not valid percent-encoded UTF-8";
		target->segments[target->segment_count++] = segment;
	}
	return NULL;
}

const char *http_parse_query(const void *owner, const char *query, struct http_target *target)
{
	char *rest = talloc_strdup(owner, query);
	for (char *pair; (pair = strsep(&rest, "&")) != NULL;) {
		if (pair[0] == '\0')
			continue;
		if (target->parameter_count == HTTP_PARAMETERS)
			return "the query has too many parameters";
		char *name = strsep(&pair, "=");
		char *value = pair == NULL ? talloc_strdup(owner, "") : pair;
		if (!decode(name, true) || !decode(value, true))
			return "the query is not valid percent-encoded UTF-8";
		target->parameters[target->parameter_count].name = name;
		target->parameters[target->parameter_count++].value = value;
	}
	return NULL;
}

const char *http_parameter(const struct http_target *target, const char *name)
{
	for (unsigned i = 0; i < target->parameter_count; i++)
		if (strcmp(target->parameters[i].name, name) == 0)
			return target->parameters[i].value;
	return NULL;
}

static bool is_token(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("!#$%&'*+-.^_`|~", *p) == NULL)
			return false;
	return text[0] != '\0';
}

static bool is_length(const char *text)
{
	size_t n = strspn(text, "0123456789");
	return n >= 1 && n <= 18 && text[n] == '\0';
}

/* The header NAME; *COUNT says how many there are. */
static const char *find_header(const struct evkeyvalq *headers, const char *name, unsigned *count)
{
	const struct evkeyval *header;
	const char *found = NULL;
	*count = 0;
	TAILQ_FOREACH (header, headers, next) {
		if (strcasecmp(header->key, name) == 0) {
			found = header->value;
			++*count;
		}
	}
	return found;
}

const char *http_head_fault(const struct evkeyvalq *headers, struct http_head head)
{
	const struct evkeyval *header;
	TAILQ_FOREACH (header, headers, next)
		if (!is_token(header->key))
			return "a header's name is no token";
	unsigned lengths, codings, hosts;
	const char *length = find_header(headers, "Content-Length", &lengths);
	const char *coding = find_header(headers, "Transfer-Encoding", &codings);
	const char *host = find_header(headers, "Host", &hosts);
	if (lengths > 1 || (length != NULL && !is_length(length)))
		return "the Content-Length is not one number";
	if (lengths > 0 && codings > 0)
		return "Content-Length and Transfer-Encoding exclude each other";
	if (codings > 1 || (coding != NULL && strcasecmp(coding, "chunked") != 0))
		return "the only Transfer-Encoding taken is \"chunked\"";
	if (!head.takes_body && (coding != NULL || (length != NULL && strcmp(length, "0") != 0)))
		return "a request of this method has no body";
	if (hosts > 1 || (hosts == 0 && head.needs_host))
		return "a request has exactly one Host header";
	if (host != NULL && strpbrk(host, " \t/@,?#\\") != NULL)
		return "the Host header names no host";
	return NULL;
}

/* The password in CODED, base64 of `user:password`. */
static char *basic_password(const void *owner, const char *coded)
{
	size_t room = strlen(coded), n = 0;
	char *plain = talloc_zero_size(owner, room + 1);
	bool read = sodium_base642bin((unsigned char *)plain, room, coded, room, NULL, &n, NULL,
			    sodium_base64_VARIANT_ORIGINAL) == 0;
	char *colon = read ? strchr(plain, ':') : NULL;
	return colon != NULL ? talloc_strdup(owner, colon + 1) : NULL;
}

char *http_token(const void *owner, const struct evkeyvalq *headers, bool basic)
{
	unsigned count;
	const char *value = find_header(headers, "Authorization", &count);
	if (count != 1)
		return NULL;
	size_t word = strcspn(value, " ");
	const char *rest = value + word + strspn(value + word, " ");
	if (word == 6 && strncasecmp(value, "Bearer", word) == 0)
		return talloc_strdup(owner, rest);
	if (basic && word == 5 && strncasecmp(value, "Basic", word) == 0)
		return basic_password(owner, rest);
	return NULL;
}
