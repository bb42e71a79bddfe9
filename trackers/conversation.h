/*
 * One errand at one server, without a socket: what to ask next, and what came back.
 *
 * The engine takes exchanges (conversation_next), sends each, and feeds the answer in pieces as
 * they arrive (exchange_head, exchange_data, exchange_end). Answers are parsed as they are fed, so
 * that no long parse stops the loop. At exchange_end the driver hears the whole answer, adds
 * observations, and may ask more. The conversation is over when nothing is queued or under way.
 *
 * States of an exchange:  QUEUED --next--> UNDER_WAY --end--> HEARD
 */
#ifndef TRACKERS_CONVERSATION_H
#define TRACKERS_CONVERSATION_H

#include "trackers/comment.h"
#include "trackers/err.h"
#include "trackers/moment.h"
#include "trackers/observation.h"
#include "trackers/server.h"
#include "trackers/xml.h"

#include <json-c/json.h>
#include <stddef.h>

struct tracker;

enum errand { ERRAND_PROBE, ERRAND_CHECK, ERRAND_CHANGES, ERRAND_COMMENTS };

/* How an exchange's answer is read. */
enum format {
	FORMAT_JSON, /* into json, strictly (see json.h); anything else is a failure of the answer */
	FORMAT_TEXT, /* into text, as it came */
	FORMAT_XML, /* into xml (see xml.h); anything else is a failure of the answer */
};

/* A bug that the errand is about. */
struct wanted {
	const char *remote_id;
	bool known; /* it was read before, so its silence is suspicious */
	/* For comments: the newest one that is stored, and when it was posted; -1 and 0 for none. */
	int64_t newest_comment;
	moment newest_posted_at;
};

/* A bug that changed, by the server's own clock. */
struct change {
	const char *remote_id;
	moment at;
};

/*
 * What signing in brought, kept in memory for as long as a run lasts; a talloc object that owns its
 * texts.
 */
struct session {
	const char *cookie; /* the value of a Cookie header; NULL before anybody signed in */
};

/* What to sign in with; members that are not set are NULL. */
struct credentials {
	const char *api_key, *username, *password;
	bool store_private; /* what only they may see is kept, too */
	struct session *session; /* where to keep what it brought; NULL: not kept */
};

enum { EXCHANGE_HEADERS = 6, EXCHANGE_PARAMETERS = 4, EXCHANGE_PEEK = 16384 };

/* One question and its answer. Made by conversation_ask; the driver then fills in the question. */
struct exchange {
	/* the question */
	int purpose; /* the driver's own word for it */
	const char *method; /* "GET" unless set */
	const char *url; /* absolute */
	const char *body; /* NULL for none */
	/*
	 * A SELECT that goes to the tracker's mirror database in place of HTTP, with texts for its $1,
	 * $2... (NULL-ended). Its rows come as text, a line each, cells separated by a TAB; URL is
	 * then a name for errors. Only where the conversation has a mirror, one at a time.
	 */
	const char *sql;
	const char *parameters[EXCHANGE_PARAMETERS + 1];
	const char *headers[EXCHANGE_HEADERS]; /* "Name: value", NULL-ended */
	enum format format;
	bool hear_headers; /* keep the answer's headers for exchange_header */
	bool stay; /* a redirect is the answer, and not followed */
	bool basic_login; /* send the credentials' username and password as HTTP Basic */
	unsigned *wanted; /* indices of the bugs it asks for, and how many */
	unsigned wanted_count;
	void *memo; /* what else the driver needs to hear the answer, a child of this; or NULL */
	/* the answer, there when the driver hears */
	int status; /* HTTP status; 0 where none came */
	const char *content_type; /* lower case, without parameters; "" where none came */
	moment date; /* the Date header, 0 where none came */
	struct err failure; /* the transport's or the parser's; what follows is then not there */
	struct json_object *json; /* FORMAT_JSON */
	struct element *xml; /* FORMAT_XML: the root */
	const char *text; /* NUL-ended; of JSON and XML only the beginning */
	size_t text_size;
	struct exchange_state *state;
};

/*
 * Read by drivers; written through the functions below, but for `server` while probing, and its
 * memory while asking what changed: that is stored with the answer.
 */
struct conversation {
	enum errand errand;
	const struct tracker *tracker;
	const char *base_url; /* ends in '/' */
	struct server *server;
	const struct credentials *credentials; /* NULL for none */
	bool has_mirror; /* a question may have `sql`; set before the first answer is heard */
	bool asks_mirror; /* one had: where the errand fails, it is the mirror that failed */
	moment now; /* our clock when the errand began */
	const struct wanted *wanted;
	unsigned wanted_count;
	struct observation *observations; /* complete, in the order they were learnt */
	unsigned observation_count;
	struct comment *comments; /* as they were learnt; a number may come twice */
	unsigned comment_count;
	moment since; /* for changes: from when on, by the server's clock, 0 for its whole past */
	struct change *changes;
	unsigned change_count;
	moment until; /* for changes: the server's clock when the first page was made */
	/* Set while hearing, where not Retry-After says it: how long the server is to be left alone. */
	int64_t pause_s;
	void *memo; /* the driver's own, a child of this; or NULL */
	struct err err; /* of the whole errand; the observations before it stay true */
	struct conversation_state *state;
};

/*
 * Begins an errand. BASE_URL, WANTED and CREDENTIALS must outlive it; SERVER is what is remembered
 * of the server (for a probe: NULL). Owned by OWNER; talloc_free ends it at any time.
 */
struct conversation *conversation_new(const void *owner, const struct tracker *tracker,
	enum errand errand, const char *base_url, const struct server *server,
	const struct credentials *credentials, const struct wanted *wanted, unsigned wanted_count,
	moment now);

/*
 * Begins to ask what changed since SINCE (the server's clock). WANTED, where there are any, are all
 * the bugs that matter: a driver may narrow its question to them. The answer is complete only when
 * the errand is over without an error: then `changes` has every bug that changed, perhaps others and
 * perhaps twice, and `until` is set.
 */
struct conversation *conversation_new_changes(const void *owner, const struct tracker *tracker,
	const char *base_url, const struct server *server, const struct credentials *credentials,
	const struct wanted *wanted, unsigned wanted_count, moment since, moment now);

/* ---- for the engine ---- */

/* The next exchange to send, now under way; NULL where there is none (yet). */
struct exchange *conversation_next(struct conversation *conversation);

/* Whether the errand is over: then err and the observations are final. */
bool conversation_over(const struct conversation *conversation);

/*
 * One header of the answer to EXCHANGE, before exchange_head; copied. Only for one that asks to hear
 * them.
 */
void exchange_hear_header(struct exchange *exchange, const char *name, const char *value);

/*
 * The answer to an exchange that is under way begins, with DATE 0 and CONTENT_TYPE NULL where it has
 * none. Once at most, before its data.
 */
void exchange_head(struct conversation *conversation, struct exchange *exchange, int status,
	const char *content_type, moment date);

/* N more bytes of the answer's body, decoded; any number of times. */
void exchange_data(
	struct conversation *conversation, struct exchange *exchange, const char *bytes, size_t n);

/*
 * The answer is over, once. FAILURE is the transport's, NULL where it came whole. The driver is
 * called.
 */
void exchange_end(
	struct conversation *conversation, struct exchange *exchange, const struct err *failure);

/* ---- for drivers ---- */

/* Queues a question to URL (taken over with talloc_steal); the caller fills in the rest. */
struct exchange *conversation_ask(struct conversation *conversation, int purpose, char *url);

/* Adds what was learnt of the bug at index WANTED. A second word on the same bug is dropped. */
struct observation *conversation_observe(struct conversation *conversation, unsigned wanted);

/* The same, for a bug's own failure. */
void conversation_observe_error(struct conversation *conversation, unsigned wanted,
	enum err_kind kind, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Whether something was learnt of the bug at index WANTED. */
bool conversation_observed(const struct conversation *conversation, unsigned wanted);

/* Whether comments are kept that only the credentials may see. */
bool conversation_stores_private(const struct conversation *conversation);

/*
 * Adds a comment of the bug at index WANTED; the caller fills in the rest, or leaves it at the number
 * (its text NULL) where the comment is known to be there and no more was asked. That all comments newer
 * than the stored one are there is said by conversation_observe, that they can't be had by
 * conversation_observe_error (ERR_COMMENTS_FAILED); a server that has no comments to give at all fails
 * the errand as ERR_UNSUPPORTED_TRACKER.
 */
struct comment *conversation_comment(
	struct conversation *conversation, unsigned wanted, int64_t number);

/* Adds a bug that changed; REMOTE_ID is copied. */
void conversation_change(struct conversation *conversation, const char *remote_id, moment at);

/* Fails the errand: queued questions are dropped, answers under way are not heard. */
void conversation_fail(struct conversation *conversation, enum err_kind kind, const char *format,
	...) __attribute__((format(printf, 3, 4)));

/*
 * The value of the answer's header NAME (in any case), the INDEXth of that name from 0 on; NULL where
 * there are not so many.
 */
const char *exchange_header(const struct exchange *exchange, const char *name, unsigned index);

/*
 * Whether EXCHANGE brought a usable answer of status 200 in its format. If not, *WHY says what is
 * wrong in the contract's kinds: the transport's failure, `rate-limited`, `auth` (401, 403, a login
 * page), `http`, `unparsable-tracker` (a page, or broken JSON or XML, in place of the protocol).
 */
bool exchange_good(const struct exchange *exchange, struct err *why);

#endif
