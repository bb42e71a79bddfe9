#include "trackers/github/api.h"

#include "trackers/json.h"
#include "trackers/text.h"
#include "trackers/tracker.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { MINUTE_S = 60, DIGITS = 12 };

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

/* ---- where ---- */

/* Whether PATH is `/OWNER/NAME/`. */
static bool is_repository(const char *path)
{
	size_t owner = strspn(path + 1, NAME_LETTERS);
	const char *name = path + 1 + owner;
	size_t n = *name == '/' ? strspn(name + 1, NAME_LETTERS) : 0;
	return owner > 0 && n > 0 && strcmp(name + 1 + n, "/") == 0;
}

bool github_is_cloud(const char *host)
{
	static const char hosted[] = ".ghe.com";
	size_t n = strlen(host), end = sizeof(hosted) - 1;
	return strcmp(host, "github.com") == 0 || (n > end && strcmp(host + n - end, hosted) == 0);
}

char *github_api(const void *owner, const char *base_url)
{
	struct url *url = url_parse(owner, base_url);
	char *api = NULL;
	if (url != NULL && is_repository(url->path)) {
		const char *host = url->host;
		if (strcmp(host, "www.github.com") == 0)
			host = "github.com";
		char *root = github_is_cloud(host)
			? talloc_asprintf(url, "https://api.%s/", host)
			: talloc_asprintf_append(url_base(url, url, 0), "api/v3/");
		int n = (int)strlen(url->path) - 1;
		api = talloc_asprintf(owner, "%srepos%.*s", root, n, url->path);
	}
	talloc_free(url);
	return api;
}

/* ---- questions ---- */

struct exchange *github_ask(
	struct conversation *conversation, enum github_purpose purpose, char *url)
{
	struct exchange *exchange = conversation_ask(conversation, (int)purpose, url);
	const struct credentials *login = conversation->credentials;
	exchange->format = FORMAT_JSON;
	exchange->hear_headers = true;
	exchange->headers[0] = "Accept: application/vnd.github+json";
	exchange->headers[1] = "X-GitHub-Api-Version: 2022-11-28";
	if (login != NULL && login->api_key != NULL)
		exchange->headers[2] =
			talloc_asprintf(exchange, "Authorization: Bearer %s", login->api_key);
	else
		exchange->basic_login = login != NULL && login->username != NULL;
	return exchange;
}

struct exchange *github_ask_path(
	struct conversation *conversation, enum github_purpose purpose, const char *path)
{
	char *url = github_api(NULL, conversation->base_url);
	return github_ask(conversation, purpose, talloc_asprintf_append(url, "%s", path));
}

struct exchange *github_ask_issue(struct conversation *conversation, enum github_purpose purpose,
	unsigned wanted, const char *path)
{
	char *text =
		talloc_asprintf(NULL, "/issues/%s%s", conversation->wanted[wanted].remote_id, path);
	struct exchange *exchange = github_ask_path(conversation, purpose, text);
	exchange->wanted = talloc_memdup(exchange, &wanted, sizeof(wanted));
	exchange->wanted_count = 1;
	talloc_free(text);
	return exchange;
}

/* ---- limits ---- */

/* The header NAME as a number; -1 where it is none. */
static int64_t number_in(const struct exchange *exchange, const char *name)
{
	const char *value = exchange_header(exchange, name, 0);
	return value != NULL && text_is_number(value, DIGITS) ? strtoll(value, NULL, 10) : -1;
}

static bool is_refused(const struct exchange *exchange)
{
	return exchange->status == 429 ||
		(exchange->status == 403 &&
			(number_in(exchange, "retry-after") >= 0 ||
				number_in(exchange, "x-ratelimit-remaining") == 0 ||
				strstr(exchange->text, "rate limit") != NULL));
}

/*
 * For how many seconds the server wants no more questions. What is left of a limit is said by every
 * answer; its end is said in seconds since 1970, by the server's clock.
 */
static int64_t pause_of(const struct conversation *conversation, const struct exchange *exchange)
{
	bool refused = is_refused(exchange);
	int64_t after = number_in(exchange, "retry-after");
	if (refused && after >= 0)
		return after > 0 ? after : 1;
	moment now = exchange->date != 0 ? exchange->date : conversation->now;
	int64_t reset = number_in(exchange, "x-ratelimit-reset") - now / MOMENT_SECOND;
	if (number_in(exchange, "x-ratelimit-remaining") == 0 && reset >= 0)
		return reset + 1;
	return refused ? MINUTE_S : 0;
}

/* ---- answers ---- */

struct json_object *github_document(
	struct conversation *conversation, struct exchange *exchange, json_type type)
{
	int64_t pause = pause_of(conversation, exchange);
	if (pause > conversation->pause_s)
		conversation->pause_s = pause;
	if (!exchange_good(exchange, NULL) || !json_object_is_type(exchange->json, type))
		return NULL;
	return exchange->json;
}

/* GitHub's answers have its mark, those of whatever else stands there have not. */
static bool is_marked(const struct exchange *exchange)
{
	return exchange_header(exchange, "x-github-request-id", 0) != NULL;
}

void github_fail(struct conversation *conversation, struct exchange *exchange)
{
	const char *base_url = conversation->base_url;
	struct err why = {0};
	if (is_refused(exchange))
		conversation_fail(conversation, ERR_RATE_LIMITED,
			"%s: GitHub's limit of questions is used up (HTTP %d); with a token it is "
			"5,000 an hour, without 60",
			base_url, exchange->status);
	else if (exchange->status == 404 && is_marked(exchange))
		conversation_fail(conversation, ERR_AUTH,
			"%s: no such repository, or a private one; is the address right, may the "
			"token read it?",
			base_url);
	else if (exchange->status == 410)
		conversation_fail(conversation, ERR_UNSUPPORTED_TRACKER,
			"%s: this repository's issues are switched off", base_url);
	else if (exchange_good(exchange, &why))
		conversation_fail(conversation, ERR_UNPARSABLE_TRACKER,
			"%s: not what GitHub's API answers there", base_url);
	else
		conversation_fail(conversation, why.kind, "%s", why.text);
}

bool github_says_missing(const struct exchange *exchange, const char **why)
{
	bool gone = exchange->status == 410;
	*why = gone ? "it was deleted" : "there is none, or none that we may see";
	return exchange->failure.kind == ERR_NONE && (gone || exchange->status == 404);
}

/*
 * Where the address of the next page ends, in
 * `<https://api.github.com/repositories/1/issues?page=2>; rel="next", <...>; rel="last"`; or NULL.
 */
static const char *end_of_next(const char *link)
{
	return link != NULL ? strstr(link, ">; rel=\"next\"") : NULL;
}

bool github_has_next(const struct exchange *exchange)
{
	return end_of_next(exchange_header(exchange, "link", 0)) != NULL;
}

/* It is asked with our credentials, so it must not lead elsewhere. */
char *github_next_page(const struct conversation *conversation, const struct exchange *exchange)
{
	const char *link = exchange_header(exchange, "link", 0), *end = end_of_next(link);
	const char *begin = end != NULL ? memrchr(link, '<', (size_t)(end - link)) : NULL;
	if (begin == NULL)
		return NULL;
	char *url = talloc_strndup(exchange, begin + 1, (size_t)(end - begin - 1));
	char *api = github_api(url, conversation->base_url);
	size_t root = (size_t)(strstr(api, "/repos/") - api) + 1;
	return strncmp(url, api, root) == 0 && url_parse(url, url) != NULL ? url : NULL;
}

int64_t github_number(struct json_object *item)
{
	struct json_object *number = json_member(item, "number", json_type_int);
	int64_t value = number != NULL ? json_object_get_int64(number) : 0;
	return value > 0 ? value : 0;
}

int64_t github_wanted_number(const struct conversation *conversation, unsigned wanted)
{
	return strtoll(conversation->wanted[wanted].remote_id, NULL, 10);
}
