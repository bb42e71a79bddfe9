/* Which redirects the fetcher follows, and what it takes along. */
#include "engine/target.h"
#include "tests/unit/fetching.h"

#include <event2/buffer.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

static int redirect_status = 302;
static const char *location; /* where all but /end is sent to */

static void redirect(struct stub *stub, struct bufferevent *connection)
{
	if (strstr(stub->request, "/end") != NULL) {
		bufferevent_write(connection, HELLO, strlen(HELLO));
		return;
	}
	evbuffer_add_printf(bufferevent_get_output(connection),
		"HTTP/1.1 %d Away\r\nLocation: %s\r\nContent-Length: 4\r\n\r\nbody",
		redirect_status, location);
}

static struct fetching *redirecting(int status, const char *to)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	fetching->stub->answer = redirect;
	redirect_status = status;
	location = to;
	return fetching;
}

static void follows_within_the_host(void **state)
{
	static const char *const places[] = {"/end", "end?a=b", "../end", "//HOST/end"};
	static const int codes[] = {301, 302, 303, 307, 308};
	for (unsigned i = 0; i < 4 * 5; i++) {
		struct fetching *fetching = redirecting(codes[i % 5], places[i / 5]);
		char whole[64];
		snprintf(whole, sizeof(whole), "//127.0.0.1:%d/end", fetching->stub->port);
		if (i / 5 == 3)
			location = whole;
		struct caught *caught = fetching_get(fetching, "/begin/");
		assert_err(caught, ERR_NONE);
		assert_int_equal(caught->heads, 1);
		assert_int_equal(caught->status, 200);
		assert_string_equal(caught->body, "hello");
		assert_int_equal(caught->cost.requests, 2);
		assert_int_equal(fetching->stub->connections, 1);
		fetching_free(fetching);
	}
}

static void gives_a_loop_up(void **state)
{
	struct fetching *fetching = redirecting(302, "/again");
	struct caught *caught = fetching_get(fetching, "/");
	assert_err(caught, ERR_HTTP);
	assert_int_equal(caught->heads, 0);
	assert_int_equal(fetching->stub->requests, 6);
	assert_int_equal(caught->cost.requests, 6);
	fetching_free(fetching);
}

static void follows_nowhere_else(void **state)
{
	static const char *const places[] = {"http://elsewhere.example.org/bugs", "//127.0.0.2/",
		"http://169.254.169.254/latest/", "file:///etc/passwd", "gopher://127.0.0.1/",
		"javascript:alert(1)", "http://user:secret@127.0.0.1/",
		"http://[::ffff:127.0.0.1]/", "http://2130706434/"};
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct fetching *fetching = redirecting(301, places[i]);
		struct caught *caught = fetching_get(fetching, "/");
		assert_err(caught, ERR_MOVED);
		assert_int_equal(caught->heads, 0);
		assert_int_equal(caught->size, 0);
		assert_int_equal(fetching->stub->requests, 1);
		if (i == 0)
			assert_non_null(strstr(caught->err.text, places[0]));
		fetching_free(fetching);
	}
}

static void hands_on_what_is_no_redirect(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	fetching->stub->text = "HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\n??";
	struct caught *caught = fetching_get(fetching, "/");
	assert_err(caught, ERR_NONE);
	assert_int_equal(caught->status, 302);
	fetching->stub->text = "HTTP/1.1 304 Not Modified\r\nLocation: /x\r\n\r\n";
	caught = fetching_get(fetching, "/");
	assert_err(caught, ERR_NONE);
	assert_int_equal(caught->status, 304);
	fetching_free(fetching);
}

/* A sign-in is answered by a redirect, and what matters stands in its head. */
static void stays_where_asked_to(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	fetching->stub->text =
		"HTTP/1.1 303 See Other\r\nLocation: http://elsewhere.example.org/\r\n"
		"Set-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Length: 2\r\n\r\nok";
	struct fetch_request request = {.method = "POST",
		.url = fetching_url(fetching, "/login"),
		.body = "user=me",
		.hear_headers = true,
		.stay = true};
	struct caught *caught = fetching_start(fetching, NULL, &request);
	fetching_wait(caught);
	assert_err(caught, ERR_NONE);
	assert_int_equal(caught->status, 303);
	assert_string_equal(caught->body, "ok");
	assert_non_null(strstr(caught->headers, "Set-Cookie=a=1;set-cookie=b=2;"));
	request.hear_headers = false;
	caught = fetching_start(fetching, NULL, &request);
	fetching_wait(caught);
	assert_string_equal(caught->headers, "");
	fetching_free(fetching);
}

static const char *const headers[] = {
	"Accept: application/json", "X-BUGZILLA-API-KEY: secret", "Content-Type: text/plain", NULL};

static struct caught *ask_with_secrets(struct fetching *fetching, const char *method)
{
	struct fetch_request request = {.method = method,
		.url = fetching_url(fetching, "/begin"),
		.headers = headers,
		.body = strcmp(method, "POST") == 0 ? "body and secret" : NULL,
		.username = "me",
		.password = "pass"};
	struct caught *caught = fetching_start(fetching, NULL, &request);
	fetching_wait(caught);
	return caught;
}

static void keeps_secrets_at_their_origin(void **state)
{
	struct fetching *fetching = redirecting(302, "/end");
	assert_err(ask_with_secrets(fetching, "GET"), ERR_NONE);
	assert_sent(fetching, "GET /end ");
	assert_sent(fetching, "X-BUGZILLA-API-KEY: secret");
	assert_sent(fetching, "Authorization: Basic");
	fetching_free(fetching);
}

static void takes_no_secrets_to_another_port(void **state)
{
	struct fetching *fetching = redirecting(302, NULL);
	struct stub *other = stub_new(fetching, fetching->base, "127.0.0.1", 0);
	char there[64];
	snprintf(there, sizeof(there), "http://127.0.0.1:%d/end", other->port);
	location = there;
	other->text = HELLO;
	assert_err(ask_with_secrets(fetching, "GET"), ERR_NONE);
	assert_int_equal(other->requests, 1);
	assert_sent(fetching, "Authorization: Basic");
	assert_non_null(strstr(other->request, "\r\nAccept: application/json\r\n"));
	assert_null(strstr(other->request, "secret"));
	assert_null(strstr(other->request, "Authorization"));

	/* A body may be secret itself. */
	redirect_status = 307;
	assert_err(ask_with_secrets(fetching, "POST"), ERR_MOVED);
	assert_int_equal(other->requests, 1);
	fetching_free(fetching);
}

static void posts_again_only_where_told_so(void **state)
{
	struct fetching *fetching = redirecting(307, "/end");
	assert_err(ask_with_secrets(fetching, "POST"), ERR_NONE);
	assert_sent(fetching, "POST /end ");
	assert_sent(fetching, "\r\n\r\nbody and secret");
	redirect_status = 302;
	struct caught *caught = ask_with_secrets(fetching, "POST");
	assert_err(caught, ERR_MOVED);
	assert_non_null(strstr(caught->err.text, "/end"));
	fetching_free(fetching);
}

static void waits_its_turn_for_each_hop(void **state)
{
	struct fetching *fetching = redirecting(302, "/end");
	struct fetch_request request = {.method = "GET",
		.url = fetching_url(fetching, "/"),
		.max_connections = 1,
		.min_delay_ms = 100};
	struct timeval began, ended, took;
	event_base_gettimeofday_cached(fetching->base, &began);
	struct caught *caught = fetching_start(fetching, NULL, &request);
	fetching_wait(caught);
	assert_err(caught, ERR_NONE);
	event_base_gettimeofday_cached(fetching->base, &ended);
	evutil_timersub(&ended, &began, &took);
	assert_true(took.tv_sec > 0 || took.tv_usec >= 90000);
	fetching_free(fetching);
}

/* ---- what needs no server ---- */

static void takes_urls_apart(void **state)
{
	static const struct {
		const char *url, *origin, *host, *path;
	} rows[] = {
		{"http://Bugs.Example.ORG", "http://bugs.example.org:80", "bugs.example.org", "/"},
		{"https://h:8443/a?b#c", "https://h:8443", "h", "/a?b"},
		{"HTTPS://h?q=/", "https://h:443", "h", "/?q=/"},
		{"http://0x7f.1/", "http://127.0.0.1:80", "127.0.0.1", "/"},
		{"http://[::1]:81/x", "http://[::1]:81", "[::1]", "/x"},
		{"http://b\xc3\xbc"
		 "cher.example/",
			"http://xn--bcher-kva.example:80", "xn--bcher-kva.example", "/"},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = {0};
		struct target *target = target_parse(NULL, rows[i].url, &err);
		assert_string_equal(err.text, "");
		assert_string_equal(target->origin, rows[i].origin);
		assert_string_equal(target->host, rows[i].host);
		assert_string_equal(target->path, rows[i].path);
		talloc_free(target);
	}
}

static void knows_whom_to_trust(void **state)
{
	static const struct {
		const char *from, *location;
		enum err_kind kind;
		bool trusted;
	} rows[] = {
		{"http://h/a", "/b", ERR_NONE, true},
		{"http://h/a", "https://h/b", ERR_NONE, true},
		{"http://h/a", "https://H:443/b", ERR_NONE, true},
		{"http://h/a", "http://h:81/b", ERR_NONE, false},
		{"https://h/a", "https://h:444/b", ERR_NONE, false},
		{"https://h/a", "http://h/b", ERR_MOVED, false},
		{"https://h/a", "https://www.h/b", ERR_MOVED, false},
		{"https://h/a", "https://h@evil/b", ERR_MOVED, false},
		{"https://h/a", "https://h./b", ERR_MOVED, false},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = {0};
		struct target *from = target_parse(NULL, rows[i].from, NULL);
		struct target *to = target_redirect(from, from, rows[i].location, &err);
		assert_string_equal(err_word(err.kind), err_word(rows[i].kind));
		assert_true((to != NULL) == (rows[i].kind == ERR_NONE));
		if (to != NULL)
			assert_true(target_trusts(from, to) == rows[i].trusted);
		talloc_free(from);
	}
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8"); /* as the program does, for names outside of ASCII */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_within_the_host),
		cmocka_unit_test(gives_a_loop_up),
		cmocka_unit_test(follows_nowhere_else),
		cmocka_unit_test(hands_on_what_is_no_redirect),
		cmocka_unit_test(stays_where_asked_to),
		cmocka_unit_test(keeps_secrets_at_their_origin),
		cmocka_unit_test(takes_no_secrets_to_another_port),
		cmocka_unit_test(posts_again_only_where_told_so),
		cmocka_unit_test(waits_its_turn_for_each_hop),
		cmocka_unit_test(takes_urls_apart),
		cmocka_unit_test(knows_whom_to_trust),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
