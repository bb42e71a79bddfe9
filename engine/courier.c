#include "engine/courier.h"

#include "engine/clock.h"

#include <sys/queue.h>
#include <talloc.h>

/* One question on its way. */
struct leg {
	struct courier *courier;
	struct exchange *exchange;
	struct fetch *fetch; /* NULL where it is a question in SQL, or answered */
	struct udd *udd; /* that is asked; NULL where it is one over HTTP, or answered */
	LIST_ENTRY(leg) link;
};

struct courier {
	const struct courier_site *site;
	struct conversation *conversation;
	courier_done *done;
	void *cookie;
	struct event
		*over; /* so that `done` never runs inside courier_start or a fetch's handler */
	LIST_HEAD(, leg) legs;
	struct fetch_cost cost;
};

static void send_all(struct courier *courier);

static void on_head(void *cookie, const struct fetch_answer *answer)
{
	struct leg *leg = cookie;
	for (const char *const *at = answer->headers; at != NULL && *at != NULL; at += 2)
		exchange_hear_header(leg->exchange, at[0], at[1]);
	exchange_head(leg->courier->conversation, leg->exchange, answer->status,
		answer->content_type, answer->date);
}

static void on_data(void *cookie, const char *bytes, size_t n)
{
	struct leg *leg = cookie;
	exchange_data(leg->courier->conversation, leg->exchange, bytes, n);
}

/*
 * What was asked is left alone, and so is the tracker's own origin, which stands for it where
 * its API is another.
 */
static void hear_pause(struct courier *courier, const char *url)
{
	struct conversation *conversation = courier->conversation;
	if (conversation->pause_s <= 0)
		return;
	moment until = clock_now() + conversation->pause_s * MOMENT_SECOND;
	conversation->pause_s = 0;
	fetcher_pause(courier->site->fetcher, url, until);
	fetcher_pause(courier->site->fetcher, conversation->base_url, until);
}

static void on_done(void *cookie, const struct err *err, const struct fetch_cost *cost)
{
	struct leg *leg = cookie;
	struct courier *courier = leg->courier;
	struct exchange *exchange = leg->exchange;
	courier->cost.requests += cost->requests;
	courier->cost.bytes += cost->bytes;
	leg->fetch = NULL;
	leg->udd = NULL;
	/* The driver may still tell its origin's wish; the exchange is gone then. */
	talloc_steal(leg, exchange->url);
	const char *url = exchange->url;
	exchange_end(courier->conversation, exchange, err);
	hear_pause(courier, url);
	talloc_free(leg);
	send_all(courier);
}

static const struct fetch_handlers handlers = {on_head, on_data, on_done};

static void on_rows_done(void *cookie, const struct err *err, size_t bytes)
{
	struct leg *leg = cookie;
	struct fetch_cost cost = {.requests = 1, .bytes = bytes};
	if (err == NULL)
		exchange_head(leg->courier->conversation, leg->exchange, 200, NULL, 0);
	on_done(leg, err, &cost);
}

static const struct udd_handlers udd_handlers = {on_data, on_rows_done};

static int leg_free(struct leg *leg)
{
	LIST_REMOVE(leg, link);
	if (leg->fetch != NULL)
		fetch_cancel(leg->fetch);
	if (leg->udd != NULL)
		udd_cancel(leg->udd);
	return 0;
}

static struct fetch *fetch(struct courier *courier, struct exchange *exchange, struct leg *leg)
{
	const struct courier_site *site = courier->site;
	const struct credentials *login =
		exchange->basic_login ? courier->conversation->credentials : NULL;
	struct fetch_request request = {
		.method = exchange->method,
		.url = exchange->url,
		.headers = exchange->headers,
		.body = exchange->body,
		.username = login != NULL ? login->username : NULL,
		.password = login != NULL ? login->password : NULL,
		.hear_headers = exchange->hear_headers,
		.stay = exchange->stay,
		.max_connections = site->max_connections,
		.min_delay_ms = site->min_delay_ms,
	};
	return fetch_start(site->fetcher, &request, &handlers, leg);
}

/* The driver remembers a mirror that is no longer set, or can't be opened. */
static void refuse(struct courier *courier, struct exchange *exchange)
{
	struct err err = {0};
	err_set(&err, ERR_UNSUPPORTED_TRACKER,
		"UDD: no mirror is set, or it can't be read any more");
	exchange_end(courier->conversation, exchange, &err);
}

static void send_one(struct courier *courier, struct exchange *exchange)
{
	courier->conversation->asks_mirror |= exchange->sql != NULL;
	if (exchange->sql != NULL && courier->site->udd == NULL) {
		refuse(courier, exchange);
		return;
	}
	struct leg *leg = talloc_zero(courier, struct leg);
	leg->courier = courier;
	leg->exchange = exchange;
	LIST_INSERT_HEAD(&courier->legs, leg, link);
	talloc_set_destructor(leg, leg_free);
	if (exchange->sql == NULL) {
		leg->fetch = fetch(courier, exchange, leg);
		return;
	}
	leg->udd = courier->site->udd;
	udd_ask(leg->udd, exchange->sql, exchange->parameters, &udd_handlers, leg);
}

static void send_all(struct courier *courier)
{
	struct exchange *exchange;
	while ((exchange = conversation_next(courier->conversation)) != NULL)
		send_one(courier, exchange);
	if (conversation_over(courier->conversation))
		event_active(courier->over, 0, 0);
}

static void on_over(evutil_socket_t fd, short what, void *cookie)
{
	struct courier *courier = cookie;
	courier_done *done = courier->done;
	void *done_cookie = courier->cookie;
	struct conversation *conversation = courier->conversation;
	struct fetch_cost cost = courier->cost;
	talloc_free(courier);
	done(done_cookie, conversation, &cost);
}

static int courier_free(struct courier *courier)
{
	event_free(courier->over);
	return 0;
}

struct courier *courier_start(const void *owner, struct event_base *base,
	const struct courier_site *site, struct conversation *conversation, courier_done *done,
	void *cookie)
{
	struct courier *courier = talloc_zero(owner, struct courier);
	courier->site = site;
	courier->conversation = conversation;
	conversation->has_mirror = site->udd != NULL;
	courier->done = done;
	courier->cookie = cookie;
	courier->over = event_new(base, -1, 0, on_over, courier);
	LIST_INIT(&courier->legs);
	talloc_set_destructor(courier, courier_free);
	send_all(courier);
	return courier;
}
