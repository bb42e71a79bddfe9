#include "engine/target.h"

#include "trackers/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { URL_BYTES = 65536, LOCATION_BYTES = 8192, SHOWN_BYTES = 120 };

/* A part of a URL as a talloc text, or NULL where there is none. */
static char *part_of(const void *owner, CURLU *url, CURLUPart part, unsigned flags)
{
	char *text = NULL;
	if (curl_url_get(url, part, &text, flags) != CURLUE_OK)
		return NULL;
	char *copy = talloc_strdup(owner, text);
	curl_free(text);
	return copy;
}

/* Fills in all but the path from `scheme://authority`. */
static bool read_authority(struct target *target, CURLU *url, const char *text)
{
	if (curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK)
		return false;
	char *scheme = part_of(target, url, CURLUPART_SCHEME, 0);
	char *host = part_of(target, url, CURLUPART_HOST, CURLU_PUNYCODE);
	char *port = part_of(target, url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	if (scheme == NULL || host == NULL || port == NULL ||
		(strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		return false;
	for (char *at = host; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	target->secure = strcmp(scheme, "https") == 0;
	target->host = host;
	target->port = (unsigned)strtoul(port, NULL, 10);
	target->origin = talloc_asprintf(target, "%s://%s:%s", scheme, host, port);
	return part_of(target, url, CURLUPART_USER, 0) == NULL &&
		part_of(target, url, CURLUPART_PASSWORD, 0) == NULL &&
		part_of(target, url, CURLUPART_ZONEID, 0) == NULL;
}

/* What of the rest after the authority goes into the request line; NULL if it can't. */
static const char *read_path(const void *owner, const char *rest)
{
	size_t n = strcspn(rest, "#");
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)rest[i] <= 0x20 || (unsigned char)rest[i] >= 0x7f)
			return NULL;
	return talloc_asprintf(owner, "%s%.*s", rest[0] == '/' ? "" : "/", (int)n, rest);
}

/*
 * Only the authority goes through libcurl's parser: a path of 4 kB (500 bug ids) would cost it more
 * than the whole request.
 */
static bool take_apart(struct target *target, const char *text)
{
	const char *authority = strstr(text, "://");
	if (authority == NULL || strlen(text) > URL_BYTES)
		return false;
	authority += 3;
	size_t n = (size_t)(authority - text) + strcspn(authority, "/?#");
	CURLU *url = curl_url();
	char *origin = talloc_strndup(target, text, n);
	bool good = url != NULL && read_authority(target, url, origin);
	curl_url_cleanup(url);
	target->path = read_path(target, text + n);
	return good && target->path != NULL;
}

struct target *target_parse(const void *owner, const char *url, struct err *err)
{
	struct target *target = talloc_zero(owner, struct target);
	if (take_apart(target, url))
		return target;
	char *shown = text_clean_line(target, url, strlen(url), SHOWN_BYTES);
	err_set(err, ERR_HTTP, "%s can't be asked: it is no plain http or https address", shown);
	talloc_free(target);
	return NULL;
}

/* LOCATION, which may be relative, as an absolute URL; NULL if it makes no sense. */
static char *absolute(const void *owner, const struct target *from, const char *location)
{
	char *base = talloc_asprintf(owner, "%s%s", from->origin, from->path);
	CURLU *url = curl_url();
	char *text = NULL;
	if (url != NULL && strlen(location) <= LOCATION_BYTES &&
		curl_url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK &&
		curl_url_set(url, CURLUPART_URL, location,
			CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK)
		text = part_of(owner, url, CURLUPART_URL, 0);
	curl_url_cleanup(url);
	talloc_free(base);
	return text;
}

/* Why a redirect to TO (NULL: not HTTP at all) is not followed; NULL if it is. */
static const char *objection(const struct target *from, const struct target *to)
{
	if (to == NULL)
		return "which is no plain http or https address";
	if (strcmp(from->host, to->host) != 0)
		return "another host";
	if (from->secure && !to->secure)
		return "which is not encrypted";
	return NULL;
}

struct target *target_redirect(
	const void *owner, const struct target *from, const char *location, struct err *err)
{
	char *text = absolute(owner, from, location);
	struct target *to = text != NULL ? target_parse(owner, text, NULL) : NULL;
	const char *why = objection(from, to);
	if (why != NULL) {
		const char *sent = text != NULL ? text : location;
		char *shown = text_clean_line(owner, sent, strlen(sent), SHOWN_BYTES);
		err_set(err, ERR_MOVED, "%s redirects to %s, %s", from->origin, shown, why);
		talloc_free(shown);
		TALLOC_FREE(to);
	}
	talloc_free(text);
	return to;
}

bool target_trusts(const struct target *from, const struct target *to)
{
	if (strcmp(from->origin, to->origin) == 0)
		return true;
	return strcmp(from->host, to->host) == 0 && !from->secure && to->secure;
}

bool target_is_address(const struct target *target)
{
	struct in_addr address;
	return target->host[0] == '[' || inet_pton(AF_INET, target->host, &address) == 1;
}
