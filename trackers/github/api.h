/* GitHub's errands, how their questions are asked, and what the answers mean. */
#ifndef TRACKERS_GITHUB_API_H
#define TRACKERS_GITHUB_API_H

#include "trackers/conversation.h"

enum github_purpose {
	ASK_REPOSITORY, /* is there such a repository? */
	ASK_ISSUES, /* a page of the issues, those that changed last first */
	ASK_ALONE, /* the only issue that is wanted, of a repository that nobody vouched for */
	ASK_ISSUE, /* an issue that those pages do not hold */
	ASK_CHANGES, /* a page of the issues that changed, in the order of their changes */
	ASK_TEXT, /* an issue's own text */
	ASK_COMMENTS, /* a page of its comments */
};

/* Pages are this long at most; GitHub gives no longer ones. */
enum { GITHUB_PAGE = 100 };

/* Whether HOST is one of GitHub's own, which serve the API from `api.` in front of them. */
bool github_is_cloud(const char *host);

/*
 * Where the API of the repository at BASE_URL is: `https://api.github.com/repos/OWNER/NAME` for
 * github.com, likewise for hosts of ghe.com, and `/api/v3/repos/OWNER/NAME` on the same host for
 * any other (Enterprise Server). NULL where BASE_URL is not that of a repository. Owned by OWNER.
 */
char *github_api(const void *owner, const char *base_url);

/* Asks URL (taken over with talloc_steal), signed in. */
struct exchange *github_ask(
	struct conversation *conversation, enum github_purpose purpose, char *url);

/* Asks PATH below the repository. */
struct exchange *github_ask_path(
	struct conversation *conversation, enum github_purpose purpose, const char *path);

/* Asks for the bug at index WANTED, or for what is at PATH below it. */
struct exchange *github_ask_issue(struct conversation *conversation, enum github_purpose purpose,
	unsigned wanted, const char *path);

/*
 * The document of EXCHANGE if it is a good answer of that type, else NULL. Sees to what the answer
 * says about limits, so it is called once for each.
 */
struct json_object *github_document(
	struct conversation *conversation, struct exchange *exchange, json_type type);

/* Fails the errand over an answer that github_document did not take. */
void github_fail(struct conversation *conversation, struct exchange *exchange);

/* Whether EXCHANGE, about one issue, says that it is not there (404, 410), and in words why. */
bool github_says_missing(const struct exchange *exchange, const char **why);

/* Whether there is a page after that of EXCHANGE. */
bool github_has_next(const struct exchange *exchange);

/* Its address; NULL where that is none, or not in the API of the repository. Owned by EXCHANGE. */
char *github_next_page(const struct conversation *conversation, const struct exchange *exchange);

/* The number of issue ITEM; 0 where it is no issue. */
int64_t github_number(struct json_object *item);

/* The number of the bug at index WANTED. */
int64_t github_wanted_number(const struct conversation *conversation, unsigned wanted);

/* Asks for the wanted issues. */
void github_begin_check(struct conversation *conversation);

/* Hears a page of issues, and asks for what it does not hold. */
void github_hear_issues(struct conversation *conversation, struct exchange *exchange);

/* Hears one issue. */
void github_hear_issue(struct conversation *conversation, struct exchange *exchange);

/* Asks which issues changed. */
void github_begin_changes(struct conversation *conversation);

/* Hears a page of them, and asks for the next. */
void github_hear_changes(struct conversation *conversation, struct exchange *exchange);

/* Asks for the comments of the wanted issues. */
void github_begin_comments(struct conversation *conversation);

/* Hears an issue's own text, which is its first comment. */
void github_hear_text(struct conversation *conversation, struct exchange *exchange);

/* Hears a page of an issue's comments. */
void github_hear_comments(struct conversation *conversation, struct exchange *exchange);

#endif
