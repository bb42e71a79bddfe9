/* GitHub's issues over its REST API (2022-11-28), also Enterprise Server's; see README.md. */
#include "trackers/github/api.h"
#include "trackers/json.h"
#include "trackers/text.h"
#include "trackers/tracker.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { BATCH_SIZE = 250, ID_DIGITS = 10, VERSION_LIMIT = 64 };

/* Numbers are compared as texts, so there is one form of each. */
static bool valid_id(const char *text)
{
	return text_is_number(text, ID_DIGITS) && text[0] != '0' &&
		strtoll(text, NULL, 10) <= INT32_MAX;
}

/* ---- addresses ---- */

/* The first segment of *AT, up to its slash or end, which *AT is moved to; owned by OWNER. */
static const char *segment(const void *owner, const char **at)
{
	size_t n = strcspn(*at, "/");
	const char *text = talloc_strndup(owner, *at, n);
	*at += n + ((*at)[n] == '/');
	return text;
}

/* Whether AT goes on `OWNER/NAME/issues/N`; fills OUT for SITE, which ends in '/'. */
static bool take_issue(
	struct url *url, const char *site, const char *at, bool is_page, struct remote_bug *out)
{
	const char *owner = segment(url, &at), *name = segment(url, &at);
	const char *kind = segment(url, &at), *id = segment(url, &at);
	bool known = strcmp(kind, "issues") == 0 || (is_page && strcmp(kind, "pull") == 0);
	const char *base_url = talloc_asprintf(url, "%s%s/%s/", site, owner, name);
	if (!known || *at != '\0' || !valid_id(id) || github_api(url, base_url) == NULL)
		return false;
	*out = (struct remote_bug){
		.base_url = base_url, .remote_id = id, .is_shared_form = is_page};
	return true;
}

/* Where AT goes on after PREFIX, or NULL. */
static const char *after(const char *at, const char *prefix)
{
	size_t n = strlen(prefix);
	return strncmp(at, prefix, n) == 0 ? at + n : NULL;
}

/*
 * The addresses of the API are GitHub's alone. Those of its pages are also Gitea's and, once,
 * GitLab's, and there is a tracker for each repository: they count where that tracker was made.
 */
static bool recognise(struct url *url, struct remote_bug *out)
{
	const char *site = url_base(url, url, 0);
	const char *host = after(url->host, "api."), *at = after(url->path, "/repos/");
	if (host != NULL && github_is_cloud(host))
		return at != NULL &&
			take_issue(url, talloc_asprintf(url, "https://%s/", host), at, false, out);
	at = after(url->path, "/api/v3/repos/");
	if (at != NULL)
		return take_issue(url, site, at, false, out);
	if (strcmp(url->host, "www.github.com") == 0)
		site = "https://github.com/";
	return take_issue(url, site, url->path + 1, true, out);
}

/* ---- probe ---- */

static void hear_repository(struct conversation *conversation, struct exchange *exchange)
{
	struct server *server = conversation->server;
	struct json_object *about = github_document(conversation, exchange, json_type_object);
	struct json_object *issues = json_member(about, "has_issues", json_type_boolean);
	if (issues == NULL) {
		github_fail(conversation, exchange);
		return;
	}
	if (!json_object_get_boolean(issues)) {
		conversation_fail(conversation, ERR_UNSUPPORTED_TRACKER,
			"%s: this repository's issues are switched off", conversation->base_url);
		return;
	}
	const char *version = exchange_header(exchange, "x-github-enterprise-version", 0);
	if (version == NULL)
		version = exchange_header(exchange, "x-github-api-version-selected", 0);
	if (version != NULL)
		server->version = text_clean_line(server, version, strlen(version), VERSION_LIMIT);
	server->door = "repos";
	server->abilities = ABILITY_WHY | ABILITY_COMMENTS | ABILITY_CHANGES;
	if (exchange->date != 0)
		server->skew_s = (exchange->date - conversation->now) / MOMENT_SECOND;
}

/* ---- the table ---- */

static void begin_probe(struct conversation *conversation)
{
	github_ask_path(conversation, ASK_REPOSITORY, "");
}

static void begin(struct conversation *conversation)
{
	static void (*const beginnings[])(struct conversation *) = {
		[ERRAND_PROBE] = begin_probe,
		[ERRAND_CHECK] = github_begin_check,
		[ERRAND_CHANGES] = github_begin_changes,
		[ERRAND_COMMENTS] = github_begin_comments,
	};
	char *api = github_api(conversation, conversation->base_url);
	if (api != NULL)
		beginnings[conversation->errand](conversation);
	else
		conversation_fail(conversation, ERR_UNSUPPORTED_TRACKER,
			"%s is no repository of GitHub: the base URL is the host, its owner and "
			"its "
			"name",
			conversation->base_url);
	talloc_free(api);
}

static void hear(struct conversation *conversation, struct exchange *exchange)
{
	static void (*const ears[])(struct conversation *, struct exchange *) = {
		[ASK_REPOSITORY] = hear_repository,
		[ASK_ISSUES] = github_hear_issues,
		[ASK_ALONE] = github_hear_issue,
		[ASK_ISSUE] = github_hear_issue,
		[ASK_CHANGES] = github_hear_changes,
		[ASK_TEXT] = github_hear_text,
		[ASK_COMMENTS] = github_hear_comments,
	};
	ears[exchange->purpose](conversation, exchange);
}

const struct tracker github_tracker = {
	.name = "github",
	.title = "GitHub",
	.batch_size = BATCH_SIZE,
	.recognise = recognise,
	.valid_id = valid_id,
	.begin = begin,
	.hear = hear,
};
