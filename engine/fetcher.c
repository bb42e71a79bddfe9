#include "engine/fetcher.h"

#include "engine/clock.h"
#include "engine/multi.h"
#include "engine/origin.h"
#include "engine/retry.h"
#include "engine/target.h"
#include "engine/transfer.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <string.h>
#include <talloc.h>

enum { REDIRECTS = 5, MILLISECOND = MOMENT_SECOND / 1000 };

/*
 *   WAITING --turn--> RESOLVING --addresses--> SENDING --answer--> (done)
 *                                              SENDING --redirect, lost--> WAITING
 *   any --failure--> (done); refused by fetch_start: FAILED --later--> (done)
 *   any --fetch_cancel--> (gone), by way of CANCELLED while libcurl is at work
 */
enum phase {
	FETCH_WAITING, /* for its turn at the origin */
	FETCH_RESOLVING, /* has its turn, as in SENDING */
	FETCH_SENDING,
	FETCH_FAILED, /* in fetcher->failed */
	FETCH_CANCELLED, /* in fetcher->cancelled */
};

struct fetch {
	struct fetcher *fetcher;
	enum phase phase;
	TAILQ_ENTRY(fetch) entry; /* in the list that the phase names */
	struct place place;
	struct target *target;
	struct target *next; /* where a redirect leads, once its answer has come */
	bool is_post, hear_headers, stay;
	const char **headers;
	const char *body;
	const char *username, *password;
	unsigned redirects;
	bool asked_again;
	struct resolver_query *query;
	struct transfer *transfer;
	struct err err;
	struct fetch_cost cost;
	const struct fetch_handlers *handlers;
	void *cookie;
};

TAILQ_HEAD(fetch_list, fetch);

struct fetcher {
	struct resolver *resolver;
	const struct network_policy *policy;
	struct multi *multi;
	struct transfer_pool *pool;
	struct origins *origins;
	struct event *later; /* tells of the failed */
	struct fetch_list failed, cancelled;
};

/* ---- ends ---- */

static int fetch_destructor(struct fetch *fetch)
{
	if (fetch->phase == FETCH_FAILED)
		TAILQ_REMOVE(&fetch->fetcher->failed, fetch, entry);
	if (fetch->phase == FETCH_CANCELLED)
		TAILQ_REMOVE(&fetch->fetcher->cancelled, fetch, entry);
	if (fetch->query != NULL)
		resolver_cancel(fetch->query);
	origins_leave(&fetch->place);
	TALLOC_FREE(fetch->transfer);
	return 0;
}

/* Ends the fetch with what its err says, and tells its owner. */
static void finish(struct fetch *fetch)
{
	const struct fetch_handlers *handlers = fetch->handlers;
	void *cookie = fetch->cookie;
	struct err err = fetch->err;
	struct fetch_cost cost = fetch->cost;
	talloc_free(fetch);
	handlers->done(cookie, err.kind != ERR_NONE ? &err : NULL, &cost);
}

/* One in each turn of the loop: its owner may start others that fail as well. */
static void tell_failed(evutil_socket_t fd, short what, void *cookie)
{
	struct fetcher *fetcher = cookie;
	struct fetch *fetch = TAILQ_FIRST(&fetcher->failed);
	if (fetch == NULL)
		return;
	struct fetch *following = TAILQ_NEXT(fetch, entry);
	if (following != NULL)
		event_active(fetcher->later, EV_TIMEOUT, 1);
	finish(fetch);
}

static void fail_later(struct fetch *fetch)
{
	fetch->phase = FETCH_FAILED;
	TAILQ_INSERT_TAIL(&fetch->fetcher->failed, fetch, entry);
	event_active(fetch->fetcher->later, EV_TIMEOUT, 1);
}

/* ---- the answer ---- */

static void queue(struct fetch *fetch)
{
	fetch->phase = FETCH_WAITING;
	origins_join(fetch->fetcher->origins, fetch->target->origin, &fetch->place);
}

static moment date_of(const struct transfer_head *head)
{
	moment date;
	return head->date != NULL && moment_parse_http(head->date, &date) ? date : 0;
}

static void hear_retry_after(struct fetch *fetch, const struct transfer_head *head)
{
	if ((head->status != 429 && head->status != 503) || head->retry_after == NULL)
		return;
	moment date = date_of(head);
	int64_t ms = retry_after_ms(head->retry_after, date != 0 ? date : clock_now());
	origins_pause(fetch->fetcher->origins, fetch->target->origin, ms);
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Decides whether to follow; where not, the fetch fails. */
static void hear_redirect(struct fetch *fetch, const struct transfer_head *head)
{
	const struct target *from = fetch->target;
	struct target *to = target_redirect(fetch, from, head->location, &fetch->err);
	if (to == NULL)
		return;
	/* A body is only sent again where the server says so, and may hold secrets itself. */
	bool repeats = head->status == 307 || head->status == 308;
	if (fetch->is_post && (!repeats || !target_trusts(from, to)))
		err_set(&fetch->err, ERR_MOVED, "%s redirects what was sent to it to %s%s",
			from->origin, to->origin, to->path);
	else if (++fetch->redirects > REDIRECTS)
		err_set(&fetch->err, ERR_HTTP, "%s redirects more than %d times, now to %s",
			from->origin, REDIRECTS, to->path);
	else
		fetch->next = to;
}

static bool hear_head(void *cookie, const struct transfer_head *head)
{
	struct fetch *fetch = cookie;
	if (fetch->phase == FETCH_CANCELLED)
		return false;
	hear_retry_after(fetch, head);
	if (is_redirect(head->status) && head->location != NULL && !fetch->stay) {
		hear_redirect(fetch, head);
		return true;
	}
	struct fetch_answer answer = {
		.status = head->status,
		.content_type = head->content_type,
		.date = date_of(head),
		.headers = head->headers,
	};
	fetch->handlers->head(fetch->cookie, &answer);
	return fetch->phase != FETCH_CANCELLED;
}

static bool hear_data(void *cookie, const char *bytes, size_t n)
{
	struct fetch *fetch = cookie;
	if (fetch->phase == FETCH_CANCELLED)
		return false;
	if (fetch->next == NULL && fetch->err.kind == ERR_NONE)
		fetch->handlers->data(fetch->cookie, bytes, n);
	return fetch->phase != FETCH_CANCELLED;
}

/* Keeps what is secret from an origin that it was not given to. */
static void drop_secrets(struct fetch *fetch)
{
	static const char *const harmless[] = {"Accept:", "Content-Type:"};
	const char **keep = fetch->headers;
	fetch->username = fetch->password = NULL;
	for (const char **at = fetch->headers; at != NULL && *at != NULL; at++)
		for (unsigned i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
			if (strncasecmp(*at, harmless[i], strlen(harmless[i])) == 0)
				*keep++ = *at;
	if (keep != NULL)
		*keep = NULL;
}

static void follow(struct fetch *fetch)
{
	if (!target_trusts(fetch->target, fetch->next))
		drop_secrets(fetch);
	talloc_free(fetch->target);
	fetch->target = fetch->next;
	fetch->next = NULL;
	queue(fetch);
}

static void hear_end(void *cookie, CURLcode result)
{
	struct fetch *fetch = cookie;
	fetch->cost.requests += transfer_was_sent(fetch->transfer);
	fetch->cost.bytes += transfer_bytes(fetch->transfer);
	/* libcurl does this for HTTP/1.1, but 7.88 not for all streams of a GOAWAY of HTTP/2. */
	bool again = !fetch->is_post && !fetch->asked_again &&
		transfer_was_lost(fetch->transfer, result);
	if (fetch->next == NULL && !again)
		transfer_judge(fetch->transfer, result, &fetch->err);
	TALLOC_FREE(fetch->transfer);
	origins_leave(&fetch->place);
	fetch->asked_again = again;
	if (again)
		queue(fetch);
	else if (fetch->next != NULL)
		follow(fetch);
	else
		finish(fetch);
}

static const struct transfer_heard heard = {hear_head, hear_data, hear_end};

/* ---- the question ---- */

static void put_on_wire(
	struct fetch *fetch, const struct sockaddr_storage *addresses, unsigned count)
{
	struct transfer_order order = {
		.target = fetch->target,
		.addresses = addresses,
		.address_count = count,
		.headers = fetch->headers,
		.body = fetch->body,
		.username = fetch->username,
		.password = fetch->password,
		.hear_headers = fetch->hear_headers,
	};
	fetch->phase = FETCH_SENDING;
	fetch->transfer = transfer_new(fetch, fetch->fetcher->pool, &order, &heard, fetch);
	if (fetch->transfer != NULL)
		return;
	err_set(&fetch->err, ERR_CONNECTION, "%s: libcurl takes no more requests",
		fetch->target->origin);
	finish(fetch);
}

static void refuse_addresses(struct fetch *fetch, const struct sockaddr_storage *address)
{
	char text[INET6_ADDRSTRLEN] = "";
	const void *from = address->ss_family == AF_INET6
		? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
		: (const void *)&((const struct sockaddr_in *)address)->sin_addr;
	inet_ntop(address->ss_family, from, text, sizeof(text));
	err_set(&fetch->err, ERR_BLOCKED_ADDRESS,
		"%s is at %s: special addresses are only asked where allow_networks lists them",
		fetch->target->origin, text);
	finish(fetch);
}

static void hear_addresses(void *cookie, const struct err *err,
	const struct sockaddr_storage *addresses, unsigned count)
{
	enum { MOST = 16 };
	struct fetch *fetch = cookie;
	struct sockaddr_storage allowed[MOST];
	unsigned n = 0;
	fetch->query = NULL;
	for (unsigned i = 0; i < count && n < MOST; i++)
		if (network_allows(fetch->fetcher->policy, (const struct sockaddr *)&addresses[i]))
			allowed[n++] = addresses[i];
	if (err != NULL) {
		fetch->err = *err;
		finish(fetch);
	} else if (n == 0) {
		refuse_addresses(fetch, addresses);
	} else {
		put_on_wire(fetch, allowed, n);
	}
}

static void hear_turn(void *cookie, bool paused)
{
	struct fetch *fetch = cookie;
	if (!paused) {
		fetch->phase = FETCH_RESOLVING;
		fetch->query = resolver_ask(
			fetch->fetcher->resolver, fetch->target->host, hear_addresses, fetch);
		return;
	}
	char text[MOMENT_TEXT];
	int64_t ms = origins_paused_ms(fetch->fetcher->origins, fetch->target->origin);
	err_set(&fetch->err, ERR_RATE_LIMITED, "%s asked to be left alone until %s",
		fetch->target->origin, moment_format(clock_now() + ms * MILLISECOND, text));
	finish(fetch);
}

/* Copies the headers; one with a control character could smuggle in another. */
static void take_headers(struct fetch *fetch, const char *const *headers)
{
	size_t n = 0;
	while (headers != NULL && headers[n] != NULL)
		n++;
	fetch->headers = talloc_zero_array(fetch, const char *, n + 1);
	for (size_t i = 0; i < n; i++) {
		fetch->headers[i] = talloc_strdup(fetch->headers, headers[i]);
		for (const char *at = headers[i]; *at != '\0'; at++)
			if (iscntrl((unsigned char)*at))
				err_set(&fetch->err, ERR_HTTP,
					"the header %.*s holds a control character",
					(int)strcspn(headers[i], ":\r\n"), headers[i]);
	}
}

static void take_request(struct fetch *fetch, const struct fetch_request *request)
{
	fetch->is_post = strcmp(request->method, "POST") == 0;
	fetch->hear_headers = request->hear_headers;
	fetch->stay = request->stay;
	if (fetch->is_post)
		fetch->body = talloc_strdup(fetch, request->body != NULL ? request->body : "");
	fetch->username = talloc_strdup(fetch, request->username);
	fetch->password = talloc_strdup(fetch, request->password);
	fetch->place.max_connections = request->max_connections > 0 ? request->max_connections : 1;
	fetch->place.min_delay_ms = request->min_delay_ms;
	take_headers(fetch, request->headers);
	fetch->target = target_parse(fetch, request->url, &fetch->err);
}

struct fetch *fetch_start(struct fetcher *fetcher, const struct fetch_request *request,
	const struct fetch_handlers *handlers, void *cookie)
{
	struct fetch *fetch = talloc_zero(fetcher, struct fetch);
	fetch->fetcher = fetcher;
	fetch->handlers = handlers;
	fetch->cookie = cookie;
	fetch->place.turn = hear_turn;
	fetch->place.cookie = fetch;
	talloc_set_destructor(fetch, fetch_destructor);
	take_request(fetch, request);
	if (fetch->err.kind != ERR_NONE)
		fail_later(fetch);
	else
		queue(fetch);
	return fetch;
}

void fetch_cancel(struct fetch *fetch)
{
	struct fetcher *fetcher = fetch->fetcher;
	if (!multi_is_inside(fetcher->multi)) {
		talloc_free(fetch);
		return;
	}
	if (fetch->phase == FETCH_FAILED)
		TAILQ_REMOVE(&fetcher->failed, fetch, entry);
	fetch->phase = FETCH_CANCELLED;
	TAILQ_INSERT_TAIL(&fetcher->cancelled, fetch, entry);
}

/* ---- the fetcher ---- */

static void free_cancelled(void *cookie)
{
	struct fetcher *fetcher = cookie;
	while (!TAILQ_EMPTY(&fetcher->cancelled))
		talloc_free(TAILQ_FIRST(&fetcher->cancelled));
}

static int fetcher_destructor(struct fetcher *fetcher)
{
	event_free(fetcher->later);
	return 0;
}

struct fetcher *fetcher_new(const void *owner, struct event_base *base, struct resolver *resolver,
	const struct network_policy *policy, const struct fetcher_settings *settings,
	struct err *err)
{
	struct transfer_rules rules = {
		.policy = policy,
		.user_agent = settings->user_agent,
		.ca_file = settings->ca_file,
		.max_body = settings->max_body,
		.idle_timeout_s = settings->idle_timeout_s,
		.total_timeout_s = settings->total_timeout_s,
	};
	struct fetcher *fetcher = talloc_zero(owner, struct fetcher);
	fetcher->resolver = resolver;
	fetcher->policy = policy;
	TAILQ_INIT(&fetcher->failed);
	TAILQ_INIT(&fetcher->cancelled);
	fetcher->later = evtimer_new(base, tell_failed, fetcher);
	talloc_set_destructor(fetcher, fetcher_destructor);
	/* Each may use those before it: talloc frees the newest child first. */
	fetcher->origins = origins_new(fetcher, base);
	fetcher->multi = multi_new(fetcher, base, transfer_ended, free_cancelled, fetcher, err);
	if (fetcher->multi == NULL) {
		talloc_free(fetcher);
		return NULL;
	}
	fetcher->pool = transfer_pool_new(fetcher, fetcher->multi, &rules);
	return fetcher;
}

moment fetcher_retry_at(const struct fetcher *fetcher, const char *url)
{
	struct target *target = target_parse(fetcher, url, NULL);
	int64_t ms = target != NULL ? origins_paused_ms(fetcher->origins, target->origin) : 0;
	talloc_free(target);
	return ms > 0 ? clock_now() + ms * MILLISECOND : 0;
}

void fetcher_pause(struct fetcher *fetcher, const char *url, moment until)
{
	struct target *target = target_parse(fetcher, url, NULL);
	moment left = until - clock_now();
	if (left > MOMENT_DAY)
		left = MOMENT_DAY;
	if (target != NULL && left > 0)
		origins_pause(fetcher->origins, target->origin, left / MILLISECOND);
	talloc_free(target);
}
