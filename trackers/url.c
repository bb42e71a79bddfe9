#include "trackers/url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

enum { URL_LIMIT = 2000, PORT_LIMIT = 65535 };

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* A blank or control byte anywhere, or what RFC 3986 keeps out of paths, is none of a URL. */
static bool clean_text(const char *text)
{
	size_t n = 0;
	for (; text[n] != '\0'; n++)
		if (n >= URL_LIMIT || (unsigned char)text[n] <= ' ' || text[n] == 0x7f)
			return false;
	return true;
}

/* The text after `http://` or `https://`, or NULL. */
static const char *read_scheme(struct url *url, const char *text)
{
	bool secure = strncasecmp(text, "https://", 8) == 0;
	if (!secure && strncasecmp(text, "http://", 7) != 0)
		return NULL;
	url->scheme = secure ? "https" : "http";
	return text + (secure ? 8 : 7);
}

/* TEXT is what follows the host: empty, or a colon and maybe a port. */
static bool read_port(struct url *url, const char *text)
{
	if (*text == '\0')
		return true;
	if (*text++ != ':')
		return false;
	unsigned port = 0;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		port = port * 10 + (unsigned)(*text - '0');
		if (port > PORT_LIMIT)
			return false;
	}
	url->port = port == (url->scheme[4] == 's' ? 443u : 80u) ? 0 : port;
	return true;
}

static bool read_host(struct url *url, const char *text)
{
	bool brackets = *text == '[';
	size_t n = brackets ? 1 + strspn(text + 1, DIGITS "abcdefABCDEF:.")
			    : strspn(text, LETTERS DIGITS "-._");
	if (brackets && text[n++] != ']')
		return false;
	if (n == 0 || (brackets && n == 2))
		return false;
	char *host = talloc_strndup(url, text, n);
	for (char *at = host; *at != '\0'; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at += 'a' - 'A';
	url->host = host;
	return read_port(url, text + n);
}

static bool read_authority(struct url *url, char *text)
{
	const char *userinfo_end = strrchr(text, '@');
	return read_host(url, userinfo_end != NULL ? userinfo_end + 1 : text);
}

/* TEXT, without a fragment, is the path and the query. */
static bool read_path(struct url *url, const char *text)
{
	size_t n = strcspn(text, "?");
	if (strspn(text, LETTERS DIGITS "-._~!$&'()*+,;=:@%/") < n)
		return false;
	url->path = n > 0 ? talloc_strndup(url, text, n) : "/";
	url->query = text[n] == '?' ? talloc_strdup(url, text + n + 1) : NULL;
	return true;
}

static bool read_url(struct url *url, const char *text)
{
	const char *rest = clean_text(text) ? read_scheme(url, text) : NULL;
	if (rest == NULL)
		return false;
	size_t n = strcspn(rest, "/?#");
	const char *path = rest + n;
	return read_authority(url, talloc_strndup(url, rest, n)) &&
		read_path(url, talloc_strndup(url, path, strcspn(path, "#")));
}

struct url *url_parse(const void *owner, const char *text)
{
	struct url *url = talloc_zero(owner, struct url);
	if (!read_url(url, text))
		TALLOC_FREE(url);
	return url;
}

static int hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit |= 0x20;
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The byte that `%XX` at TEXT stands for, or -1; NUL is left as it is written. */
static int escaped_byte(const char *text)
{
	int high = text[0] == '%' ? hex_digit(text[1]) : -1;
	int low = high >= 0 ? hex_digit(text[2]) : -1;
	return low >= 0 && high * 16 + low != 0 ? high * 16 + low : -1;
}

/* Decodes TEXT in place. */
static char *decode(char *text)
{
	char *to = text;
	for (const char *from = text; *from != '\0'; from++) {
		int byte = escaped_byte(from);
		if (byte >= 0)
			from += 2;
		*to++ = byte >= 0 ? (char)byte : *from == '+' ? ' ' : *from;
	}
	*to = '\0';
	return text;
}

const char *url_parameter(struct url *url, const char *name)
{
	const char *at = url->query;
	while (at != NULL && *at != '\0') {
		size_t n = strcspn(at, "&;");
		char *key = talloc_strndup(url, at, n);
		char *value = strchr(key, '=');
		if (value != NULL)
			*value++ = '\0';
		if (strcmp(decode(key), name) == 0)
			return value != NULL ? decode(value) : key + strlen(key);
		talloc_free(key);
		at += n + (at[n] != '\0');
	}
	return NULL;
}

char *url_base(const void *owner, const struct url *url, size_t n)
{
	while (n > 0 && url->path[n - 1] == '/')
		n--;
	char port[16] = "";
	if (url->port != 0)
		snprintf(port, sizeof(port), ":%u", url->port);
	return talloc_asprintf(
		owner, "%s://%s%s%.*s/", url->scheme, url->host, port, (int)n, url->path);
}

char *url_escape(const void *owner, const char *text)
{
	char *out = talloc_array(owner, char, 3 * strlen(text) + 1), *to = out;
	for (; *text != '\0'; text++) {
		if (strchr(LETTERS DIGITS "-._~:", *text) != NULL)
			*to++ = *text;
		else
			to += sprintf(to, "%%%02X", (unsigned char)*text);
	}
	*to = '\0';
	return out;
}
