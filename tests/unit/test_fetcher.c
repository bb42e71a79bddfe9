#include "engine/fetcher.h"
#include "tests/unit/fetching.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void gets_an_answer(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	fetching->stub->text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Gone\r\n"
			       "Content-Type: text/plain; charset=x\r\n"
			       "Date: Sun, 22 Nov 2026 10:05:00 GMT\r\n"
			       "Content-Length: 5\r\n\r\nhello";
	struct caught *caught = fetching_get(fetching, "/a%20b/../x?id=1,2&c=%2F#fragment");
	assert_err(caught, ERR_NONE);
	assert_int_equal(caught->status, 404);
	assert_string_equal(caught->content_type, "text/plain; charset=x");
	assert_true(caught->date == INT64_C(1795341900) * MOMENT_SECOND);
	assert_string_equal(caught->body, "hello");
	assert_int_equal(caught->cost.requests, 1);
	assert_true(caught->cost.bytes > strlen(fetching->stub->request));
	assert_sent(fetching, "GET /a%20b/../x?id=1,2&c=%2F HTTP/1.1\r\n");
	assert_sent(fetching, "\r\nUser-Agent: bugwatch/test (+nobody)\r\n");
	assert_sent(fetching, "\r\nAccept-Encoding: gzip, deflate\r\n");
	char host[64];
	snprintf(host, sizeof(host), "\r\nHost: 127.0.0.1:%d\r\n", fetching->stub->port);
	assert_sent(fetching, host);
	fetching_free(fetching);
}

static void keeps_connections(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	fetching->stub->text = HELLO;
	for (int i = 0; i < 5; i++)
		assert_err(fetching_get(fetching, "?bare=query"), ERR_NONE);
	assert_sent(fetching, "GET /?bare=query HTTP/1.1\r\n");
	assert_int_equal(fetching->stub->requests, 5);
	assert_int_equal(fetching->stub->connections, 1);
	fetching_free(fetching);
}

static void hang_up_on_second(struct stub *stub, struct bufferevent *connection)
{
	if (stub->requests == 2)
		stub_close(connection);
	else
		stub_say(stub, connection);
}

static void asks_again_where_a_kept_connection_was_gone(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	fetching->stub->text = HELLO;
	fetching->stub->answer = hang_up_on_second;
	assert_err(fetching_get(fetching, "/1"), ERR_NONE);
	assert_err(fetching_get(fetching, "/2"), ERR_NONE);
	assert_int_equal(fetching->stub->requests, 3);
	assert_int_equal(fetching->stub->connections, 2);
	fetching_free(fetching);
}

static void speaks_ipv6(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	struct stub *stub = stub_new(fetching, fetching->base, "::1", 0);
	if (stub == NULL) {
		fetching_free(fetching);
		skip();
	}
	stub->text = HELLO;
	char url[64];
	snprintf(url, sizeof(url), "http://[::1]:%d/", stub->port);
	struct caught *caught = fetching_start(fetching, url, NULL);
	fetching_wait(caught);
	assert_err(caught, ERR_NONE);
	assert_string_equal(caught->body, "hello");
	fetching_free(fetching);
}

static void posts_with_a_login(void **state)
{
	static const char *const headers[] = {
		"Content-Type: application/json", "X-Key: secret", NULL};
	struct fetching *fetching = fetching_new(LOOPBACK);
	fetching->stub->text = HELLO;
	struct fetch_request request = {.method = "POST",
		.url = fetching_url(fetching, "/rpc"),
		.headers = headers,
		.body = "{\"method\":1}",
		.username = "me",
		.password = "pass:word"};
	struct caught *caught = fetching_start(fetching, NULL, &request);
	fetching_wait(caught);
	assert_err(caught, ERR_NONE);
	assert_sent(fetching, "POST /rpc HTTP/1.1\r\n");
	assert_sent(fetching, "\r\nX-Key: secret\r\n");
	assert_sent(fetching, "\r\nContent-Type: application/json\r\n");
	assert_sent(fetching, "\r\nAuthorization: Basic bWU6cGFzczp3b3Jk\r\n");
	assert_sent(fetching, "\r\n\r\n{\"method\":1}");
	assert_not_sent(fetching, "Expect");

	/* The same handle and connection, and nothing of it left. */
	assert_err(fetching_get(fetching, "/"), ERR_NONE);
	assert_not_sent(fetching, "Authorization");
	assert_not_sent(fetching, "secret");
	assert_not_sent(fetching, "method");
	assert_int_equal(fetching->stub->connections, 1);
	fetching_free(fetching);
}

static void refuses_what_it_cannot_send(void **state)
{
	static const char *const urls[] = {"", "/", "ftp://127.0.0.1/", "file:///etc/passwd",
		"http://", "http:///x", "http://user@127.0.0.1/", "http://u:p@127.0.0.1/",
		"http://127.0.0.1:99999/", "http://127.0.0.1/a b", "http://127.0.0.1/\r\nX: y",
		"http://127.0.0.1/\xc3\xa9", "http://[fe80::1%25lo]/", "http://a\\@b/"};
	struct fetching *fetching = fetching_new(LOOPBACK);
	for (unsigned i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct caught *caught = fetching_start(fetching, urls[i], NULL);
		fetching_wait(caught);
		assert_err(caught, ERR_HTTP);
		assert_int_equal(caught->cost.requests, 0);
	}
	static const char *const headers[] = {"X-Key: a\r\nHost: b", NULL};
	struct fetch_request request = {
		.method = "GET", .url = fetching_url(fetching, "/"), .headers = headers};
	struct caught *caught = fetching_start(fetching, NULL, &request);
	fetching_wait(caught);
	assert_err(caught, ERR_HTTP);
	assert_int_equal(fetching->stub->connections, 0);
	fetching_free(fetching);
}

/* ---- turns ---- */

struct crowd {
	struct fetching *fetching;
	struct bufferevent *waiting[64];
	unsigned count, most;
};

static struct crowd crowd; /* of requests that the stub has not answered yet */

static void answer_crowd(evutil_socket_t fd, short what, void *cookie)
{
	for (unsigned i = 0; i < crowd.count; i++)
		bufferevent_write(crowd.waiting[i], HELLO, strlen(HELLO));
	crowd.count = 0;
}

/* Answers only after a while, so that requests pile up as far as they may. */
static void gather(struct stub *stub, struct bufferevent *connection)
{
	static const struct timeval wait = {0, 50000};
	if (crowd.count == 0)
		event_base_once(stub->base, -1, EV_TIMEOUT, answer_crowd, NULL, &wait);
	crowd.waiting[crowd.count++] = connection;
	if (crowd.count > crowd.most)
		crowd.most = crowd.count;
}

static void keeps_to_max_connections(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	struct caught *caught[12];
	memset(&crowd, 0, sizeof(crowd));
	fetching->stub->answer = gather;
	for (unsigned i = 0; i < 12; i++) {
		struct fetch_request request = {
			.method = "GET", .url = fetching_url(fetching, "/"), .max_connections = 3};
		caught[i] = fetching_start(fetching, NULL, &request);
	}
	for (unsigned i = 0; i < 12; i++) {
		fetching_wait(caught[i]);
		assert_err(caught[i], ERR_NONE);
	}
	assert_int_equal(crowd.most, 3);
	assert_int_equal(fetching->stub->connections, 3);
	fetching_free(fetching);
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void keeps_to_min_delay(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	fetching->stub->text = HELLO;
	int64_t began = now_ms();
	/* One after the other: the origin is idle between, and must be remembered. */
	for (int i = 0; i < 4; i++) {
		struct fetch_request request = {.method = "GET",
			.url = fetching_url(fetching, "/"),
			.max_connections = 8,
			.min_delay_ms = 100};
		struct caught *caught = fetching_start(fetching, NULL, &request);
		fetching_wait(caught);
		assert_err(caught, ERR_NONE);
	}
	assert_true(now_ms() - began >= 300);
	fetching_free(fetching);
}

static void serves_many_at_once(void **state)
{
	enum { MANY = 400 };
	struct fetching *fetching = fetching_new(LOOPBACK);
	struct caught *caught[MANY];
	fetching->stub->text = HELLO;
	for (unsigned i = 0; i < MANY; i++) {
		struct fetch_request request = {.method = "GET",
			.url = fetching_url(fetching, "/"),
			.max_connections = 100};
		caught[i] = fetching_start(fetching, NULL, &request);
	}
	for (unsigned i = 0; i < MANY; i++) {
		fetching_wait(caught[i]);
		assert_err(caught[i], ERR_NONE);
		assert_string_equal(caught[i]->body, "hello");
	}
	assert_true(fetching->stub->connections <= 100);
	fetching_free(fetching);
}

/* ---- Retry-After ---- */

static void leaves_alone_who_asks_for_it(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	struct stub *other = stub_new(fetching, fetching->base, "127.0.0.2", fetching->stub->port);
	other->text = HELLO;
	fetching->stub->text = "HTTP/1.1 429 Slow\r\nRetry-After: 0\r\nContent-Length: 2\r\n\r\nno";
	const char *url = fetching_url(fetching, "/");
	struct fetch_request request = {.method = "GET", .url = url, .max_connections = 1};
	assert_true(fetcher_retry_at(fetching->fetcher, url) == 0);
	struct caught *first = fetching_start(fetching, NULL, &request);
	struct caught *queued = fetching_start(fetching, NULL, &request);
	fetching_wait(first);
	assert_err(first, ERR_NONE);
	assert_int_equal(first->status, 429);
	assert_string_equal(first->body, "no");
	fetching_wait(queued);
	assert_err(queued, ERR_RATE_LIMITED);
	assert_int_equal(queued->cost.requests, 0);
	assert_true(fetcher_retry_at(fetching->fetcher, url) > 0);
	struct caught *later = fetching_get(fetching, "/other/path");
	assert_err(later, ERR_RATE_LIMITED);
	assert_non_null(strstr(later->err.text, "left alone until 20"));
	assert_int_equal(fetching->stub->requests, 1);

	/* Another origin is not concerned, and after a second (the least) it may be asked again. */
	char elsewhere[64];
	snprintf(elsewhere, sizeof(elsewhere), "http://127.0.0.2:%d/", fetching->stub->port);
	struct caught *another = fetching_start(fetching, elsewhere, NULL);
	fetching_wait(another);
	assert_err(another, ERR_NONE);
	fetching->stub->text = HELLO;
	struct caught *again;
	do {
		again = fetching_get(fetching, "/");
	} while (again->err.kind == ERR_RATE_LIMITED);
	assert_err(again, ERR_NONE);
	fetching_free(fetching);
}

static moment wall_now(void)
{
	return time(NULL) * MOMENT_SECOND;
}

static void is_told_of_a_pause(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	const char *url = fetching_url(fetching, "/");
	moment until = wall_now() + 100 * MOMENT_SECOND;
	fetcher_pause(fetching->fetcher, url, until);
	moment at = fetcher_retry_at(fetching->fetcher, url);
	assert_true(at > until - 2 * MOMENT_SECOND && at < until + 2 * MOMENT_SECOND);
	assert_err(fetching_get(fetching, "/"), ERR_RATE_LIMITED);
	/* A shorter one does not shorten it; one that has passed is none; none is over a day. */
	fetcher_pause(fetching->fetcher, url, wall_now() + 10 * MOMENT_SECOND);
	assert_true(fetcher_retry_at(fetching->fetcher, url) > until - 2 * MOMENT_SECOND);
	fetcher_pause(fetching->fetcher, "http://127.0.0.9/", wall_now() - MOMENT_SECOND);
	assert_true(fetcher_retry_at(fetching->fetcher, "http://127.0.0.9/") == 0);
	fetcher_pause(fetching->fetcher, url, wall_now() + 900 * MOMENT_DAY);
	assert_true(fetcher_retry_at(fetching->fetcher, url) < wall_now() + 2 * MOMENT_DAY);
	fetching_free(fetching);
}

/* ---- cancelling ---- */

static void cancel_self(struct caught *caught)
{
	fetch_cancel(caught->fetch);
}

static void cancel_other(struct caught *caught)
{
	if (caught->other->fetch != NULL)
		fetch_cancel(caught->other->fetch);
	caught->other->fetch = NULL;
}

static void keep_silent(struct stub *stub, struct bufferevent *connection)
{
}

/* Runs one fetch to its end, so that the loop has had its time. */
static void assert_still_works(struct fetching *fetching)
{
	fetching->stub->answer = stub_say;
	fetching->stub->text = HELLO;
	struct caught *caught = fetching_get(fetching, "/");
	assert_err(caught, ERR_NONE);
	assert_string_equal(caught->body, "hello");
}

static void cancels_before_it_is_sent(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	fetching->stub->answer = keep_silent;
	struct caught *bad = fetching_start(fetching, "nonsense", NULL);
	struct caught *queued = fetching_start(fetching, fetching_url(fetching, "/"), NULL);
	struct caught *resolving = fetching_start(fetching, "http://silent.example.org/", NULL);
	event_base_loop(fetching->base, EVLOOP_NONBLOCK);
	fetch_cancel(queued->fetch);
	fetch_cancel(resolving->fetch);
	if (bad->dones == 0)
		fetch_cancel(bad->fetch);
	assert_still_works(fetching);
	assert_int_equal(queued->dones + resolving->dones, 0);
	fetching_free(fetching);
}

static void cancels_within_handlers(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	fetching->stub->text = HELLO;
	struct caught *at_head = fetching_start(fetching, fetching_url(fetching, "/"), NULL);
	at_head->at_head = cancel_self;
	struct caught *at_data = fetching_start(fetching, fetching_url(fetching, "/"), NULL);
	at_data->at_data = cancel_self;
	for (int i = 0; i < 3; i++)
		assert_still_works(fetching);
	assert_int_equal(at_head->heads, 1);
	assert_int_equal(at_head->size + at_head->dones, 0);
	assert_int_equal(at_data->size, 5);
	assert_int_equal(at_data->dones, 0);
	fetching_free(fetching);
}

static void answer_second(struct stub *stub, struct bufferevent *connection)
{
	if (stub->requests == 2)
		stub_say(stub, connection);
}

static bool two_asked(void *cookie)
{
	struct fetching *fetching = cookie;
	return fetching->stub->requests == 2;
}

/* One fetch hangs, the other cancels it at one of its own steps. */
static void cancel_the_other(
	void (**step)(struct caught *caught), struct caught *canceller, struct caught *cancelled)
{
	struct fetching *fetching = canceller->fetching;
	*step = cancel_other;
	canceller->other = cancelled;
	fetching_wait(canceller);
	assert_err(canceller, ERR_NONE);
	assert_still_works(fetching);
	assert_int_equal(cancelled->dones, 0);
}

static void cancels_another_within_handlers(void **state)
{
	for (int step = 0; step < 3; step++) {
		struct fetching *fetching = fetching_new(LOOPBACK);
		fetching->stub->text = HELLO;
		fetching->stub->answer = answer_second;
		struct caught *silent =
			fetching_start(fetching, fetching_url(fetching, "/1"), NULL);
		while (fetching->stub->requests == 0)
			event_base_loop(fetching->base, EVLOOP_ONCE);
		struct caught *spoken =
			fetching_start(fetching, fetching_url(fetching, "/2"), NULL);
		cancel_the_other(step == 0  ? &spoken->at_head
				: step == 1 ? &spoken->at_data
					    : &spoken->at_done,
			spoken, silent);
		fetching_free(fetching);
	}
}

static void cancels_while_sending(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	fetching->stub->answer = keep_silent;
	struct caught *one = fetching_start(fetching, fetching_url(fetching, "/"), NULL);
	struct caught *two = fetching_start(fetching, fetching_url(fetching, "/"), NULL);
	fetching_until(fetching, two_asked, fetching);
	fetch_cancel(one->fetch);
	fetch_cancel(two->fetch);
	/* Both turns were given back: there were only two. */
	assert_still_works(fetching);
	assert_int_equal(one->dones + two->dones, 0);
	fetching_free(fetching);
}

static void ends_with_fetches_under_way(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	fetching->stub->answer = keep_silent;
	for (int i = 0; i < 4; i++)
		fetching_start(fetching, fetching_url(fetching, "/"), NULL);
	fetching_start(fetching, "http://silent.example.org/", NULL);
	fetching_until(fetching, two_asked, fetching);
	fetching_start(fetching, "nonsense", NULL);
	fetching_free(fetching);
}

int main(void)
{
	alarm(180); /* some loops wait for what never comes when the code is wrong */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gets_an_answer),
		cmocka_unit_test(keeps_connections),
		cmocka_unit_test(asks_again_where_a_kept_connection_was_gone),
		cmocka_unit_test(speaks_ipv6),
		cmocka_unit_test(posts_with_a_login),
		cmocka_unit_test(refuses_what_it_cannot_send),
		cmocka_unit_test(keeps_to_max_connections),
		cmocka_unit_test(keeps_to_min_delay),
		cmocka_unit_test(serves_many_at_once),
		cmocka_unit_test(leaves_alone_who_asks_for_it),
		cmocka_unit_test(is_told_of_a_pause),
		cmocka_unit_test(cancels_before_it_is_sent),
		cmocka_unit_test(cancels_within_handlers),
		cmocka_unit_test(cancels_another_within_handlers),
		cmocka_unit_test(cancels_while_sending),
		cmocka_unit_test(ends_with_fetches_under_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
