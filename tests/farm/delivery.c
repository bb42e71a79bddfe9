#include "tests/farm/delivery.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>
#include <time.h>

/* An answer that waits; a talloc object. */
struct parcel {
	struct site *site;
	struct evhttp_request *request;
	int status;
	bool drip;
	struct evbuffer *body;
	struct event *timer;
};

static int drop_parcel(struct parcel *parcel)
{
	evbuffer_free(parcel->body);
	event_free(parcel->timer);
	return 0;
}

static void add_header(const struct question *question, const char *name, const char *value)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(question->request);
	evhttp_remove_header(headers, name);
	evhttp_add_header(headers, name, value);
}

static void add_number(const struct question *question, const char *name, long value)
{
	char text[24];
	snprintf(text, sizeof(text), "%ld", value);
	add_header(question, name, text);
}

static void write_head(const struct question *question, struct answer *answer)
{
	char date[40];
	time_t now = (time_t)question->now;
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime(&now));
	add_header(question, "Date", date);
	add_header(question, "Content-Type", answer->content_type);
	if (answer->location != NULL)
		add_header(question, "Location", answer->location);
	if (answer->etag != NULL)
		add_header(question, "Etag", answer->etag);
	if (answer->next != NULL)
		add_header(question, "Link",
			talloc_asprintf(question, "<%s>; rel=\"next\"", answer->next));
	if (answer->retry_after_s > 0)
		add_number(question, "Retry-After", answer->retry_after_s);
	if (answer->total >= 0)
		add_number(question, "X-Count-Total", answer->total);
	size_t size = evbuffer_get_length(answer->body);
	add_number(
		question, "Content-Length", (long)(answer->promised > 0 ? answer->promised : size));
	if (answer->promised > 0)
		add_header(question, "Connection", "close");
}

void deliver_now(struct site *site, const struct question *question, struct answer *answer)
{
	write_head(question, answer);
	evhttp_send_reply(question->request, answer->status, NULL, answer->body);
}

/* The other side went away: evhttp leaves us the request, unless the whole door is being closed. */
static void on_gone(struct evhttp_connection *connection, void *cookie)
{
	struct parcel *parcel = cookie;
	parcel->site->tally.under_way--;
	if (evhttp_request_get_connection(parcel->request) == NULL)
		evhttp_send_reply_end(parcel->request);
	talloc_free(parcel);
}

static void end(struct parcel *parcel)
{
	evhttp_connection_set_closecb(evhttp_request_get_connection(parcel->request), NULL, NULL);
	parcel->site->tally.under_way--;
	evhttp_send_reply_end(parcel->request);
	talloc_free(parcel);
}

static void drip(struct parcel *parcel)
{
	struct evbuffer *drop = evbuffer_new();
	evbuffer_remove_buffer(parcel->body, drop, 1);
	evhttp_send_reply_chunk(parcel->request, drop);
	evbuffer_free(drop);
	if (evbuffer_get_length(parcel->body) == 0)
		end(parcel);
	else
		event_add(parcel->timer, &(struct timeval){.tv_sec = 1});
}

static void on_timer(evutil_socket_t fd, short what, void *cookie)
{
	struct parcel *parcel = cookie;
	if (parcel->drip) {
		drip(parcel);
		return;
	}
	parcel->site->tally.under_way--;
	evhttp_send_reply(parcel->request, parcel->status, NULL, parcel->body);
	talloc_free(parcel);
}

/* Begins a delivery that takes its time. */
static void send_later(struct site *site, const struct question *question, struct answer *answer)
{
	struct parcel *parcel = talloc_zero(site, struct parcel);
	*parcel = (struct parcel){.site = site,
		.request = question->request,
		.status = answer->status,
		.drip = answer->drip,
		.body = evbuffer_new(),
		.timer = event_new(site->base, -1, 0, on_timer, parcel)};
	talloc_set_destructor(parcel, drop_parcel);
	evbuffer_add_buffer(parcel->body, answer->body);
	struct timeval wait = {.tv_sec = site->latency_ms / 1000,
		.tv_usec = (suseconds_t)(site->latency_ms % 1000) * 1000};
	if (answer->drip) {
		evhttp_connection_set_closecb(
			evhttp_request_get_connection(question->request), on_gone, parcel);
		evhttp_send_reply_start(question->request, answer->status, NULL);
	}
	event_add(parcel->timer, &wait);
}

void deliver(struct site *site, const struct question *question, struct answer *answer)
{
	if (answer->never)
		return;
	write_head(question, answer);
	if (site->latency_ms > 0 || answer->drip) {
		send_later(site, question, answer);
		return;
	}
	site->tally.under_way--;
	evhttp_send_reply(question->request, answer->status, NULL, answer->body);
}
