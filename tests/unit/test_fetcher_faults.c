/* The fetcher against servers and name servers that misbehave. */
#include "engine/fetcher.h"
#include "tests/unit/fetching.h"

#include <event2/buffer.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <talloc.h>
#include <unistd.h>

#include <cmocka.h>

/* Fetches `/` from a stub that says TEXT and, if CLOSES, ends the connection. */
static struct caught *get_saying(struct fetching *fetching, const char *text, bool closes)
{
	fetching->stub->answer = closes ? stub_say_and_close : stub_say;
	fetching->stub->text = text;
	return fetching_get(fetching, "/");
}

/* ---- connections ---- */

static void says_what_was_cut_short(void **state)
{
	static const char *const texts[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nhel",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 8\r\n\r\nnot gzip",
		"<html>this is not HTTP</html>\r\n",
	};
	struct fetching *fetching = fetching_new(LOOPBACK);
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_err(get_saying(fetching, texts[i], true), ERR_UNPARSABLE_TRACKER);
	/* The end of the connection is the end of a body of unknown size. */
	struct caught *whole = get_saying(fetching, "HTTP/1.0 200 OK\r\n\r\nwhole", true);
	assert_err(whole, ERR_NONE);
	assert_string_equal(whole->body, "whole");
	fetching_free(fetching);
}

static void hang_up(struct stub *stub, struct bufferevent *connection)
{
	stub_close(connection);
}

static void says_what_connection_failed(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	fetching->stub->answer = hang_up;
	struct caught *caught = fetching_get(fetching, "/");
	assert_err(caught, ERR_CONNECTION);
	assert_int_equal(caught->cost.requests, 1);
	char url[64];
	snprintf(url, sizeof(url), "http://127.0.0.3:%d/", fetching->stub->port);
	caught = fetching_start(fetching, url, NULL);
	fetching_wait(caught);
	assert_err(caught, ERR_CONNECTION);
	assert_non_null(strstr(caught->err.text, "refused"));
	assert_int_equal(caught->cost.requests, 0);
	fetching_free(fetching);
}

static void keep_silent(struct stub *stub, struct bufferevent *connection)
{
}

static void drip(evutil_socket_t fd, short what, void *cookie)
{
	bufferevent_write(cookie, "x", 1);
}

static struct event *dripping;

/* A byte ten times a second, without end. */
static void drip_slowly(struct stub *stub, struct bufferevent *connection)
{
	static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
	static const struct timeval pace = {0, 100000};
	bufferevent_write(connection, head, strlen(head));
	dripping = event_new(stub->base, -1, EV_PERSIST, drip, connection);
	event_add(dripping, &pace);
}

static void gives_up_in_time(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	fetching->stub->answer = keep_silent;
	struct caught *caught = fetching_get(fetching, "/");
	assert_err(caught, ERR_TIMEOUT);
	assert_non_null(strstr(caught->err.text, "not a byte within 1 s"));
	fetching->stub->answer = drip_slowly;
	caught = fetching_start(fetching, fetching_url(fetching, "/"), NULL);
	fetching_wait(caught);
	event_free(dripping);
	assert_err(caught, ERR_TIMEOUT);
	assert_non_null(strstr(caught->err.text, "longer than 2 s"));
	assert_true(caught->size > 5);
	fetching_free(fetching);
}

/* ---- sizes ---- */

/* What each piece of 4 kB begins with ("ff9" makes a whole chunk of it); "" for one endless line. */
static const char *piece_head;

static void say_more(struct bufferevent *connection, void *cookie)
{
	char piece[4096];
	memset(piece, 'x', sizeof(piece));
	memcpy(piece, piece_head, strlen(piece_head));
	if (*piece_head != '\0')
		memcpy(piece + sizeof(piece) - 2, "\r\n", 2);
	bufferevent_write(connection, piece, sizeof(piece));
}

static void say_without_end(struct stub *stub, struct bufferevent *connection)
{
	bufferevent_event_cb on_end;
	void *cookie;
	bool is_body = strstr(stub->request, "GET /body") != NULL;
	const char *head = is_body ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				   : "HTTP/1.1 200 OK\r\n";
	bool is_line = strstr(stub->request, "GET /line") != NULL;
	piece_head = is_body ? "ff9\r\n" : is_line ? "" : "X-Flood: ";
	bufferevent_getcb(connection, NULL, NULL, &on_end, &cookie);
	bufferevent_setcb(connection, NULL, say_more, on_end, cookie);
	bufferevent_write(connection, head, strlen(head));
}

static void assert_cut(struct fetching *fetching, const char *path)
{
	struct caught *caught = fetching_get(fetching, path);
	assert_err(caught, ERR_TOO_LARGE);
	assert_true(caught->size <= FETCHING_BODY);
	assert_true(caught->cost.bytes < 1000000);
}

static void cuts_what_does_not_end(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	fetching->stub->answer = say_without_end;
	assert_cut(fetching, "/body");
	assert_cut(fetching, "/head");
	assert_cut(fetching, "/line");
	fetching_free(fetching);
}

static void cuts_what_is_announced_too_large(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	struct caught *caught = get_saying(
		fetching, "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nbegin", false);
	assert_err(caught, ERR_TOO_LARGE);
	fetching_free(fetching);
}

/* The output of a shell command. */
static size_t output_of(const char *command, char *out, size_t room)
{
	FILE *in = popen(command, "r");
	assert_non_null(in);
	size_t n = fread(out, 1, room, in);
	pclose(in);
	return n;
}

static char zipped[65536];
static size_t zipped_size;

static void say_zipped(struct stub *stub, struct bufferevent *connection)
{
	struct evbuffer *output = bufferevent_get_output(connection);
	evbuffer_add_printf(output,
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
		zipped_size);
	evbuffer_add(output, zipped, zipped_size);
}

static void counts_what_is_decoded(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	fetching->stub->answer = say_zipped;
	zipped_size = output_of("head -c 60000 /dev/zero | gzip -9", zipped, sizeof(zipped));
	struct caught *caught = fetching_get(fetching, "/");
	assert_err(caught, ERR_NONE);
	assert_int_equal(caught->size, 60000);
	assert_true(caught->cost.bytes < 1000);
	zipped_size = output_of("head -c 16000000 /dev/zero | gzip -9", zipped, sizeof(zipped));
	assert_true(zipped_size < sizeof(zipped));
	caught = fetching_get(fetching, "/");
	assert_err(caught, ERR_TOO_LARGE);
	assert_true(caught->size <= FETCHING_BODY);
	fetching_free(fetching);
}

/* ---- addresses ---- */

static void asks_no_special_address(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "127.1", "0x7f.0.0.1", "2130706433",
		"017700000001", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]",
		"169.254.169.254", "loopback.example.org", "127.0.0.1.", "%31%32%37.0.0.1"};
	struct fetching *fetching = fetching_new("");
	for (unsigned i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		char url[128];
		snprintf(url, sizeof(url), "http://%s:%d/", hosts[i], fetching->stub->port);
		struct caught *caught = fetching_start(fetching, url, NULL);
		fetching_wait(caught);
		assert_err(caught, ERR_BLOCKED_ADDRESS);
		assert_int_equal(caught->cost.requests, 0);
	}
	assert_int_equal(fetching->stub->connections, 0);
	fetching_free(fetching);
}

static struct caught *get_by_name(struct fetching *fetching, const char *name)
{
	char url[128];
	snprintf(url, sizeof(url), "http://%s:%d/", name, fetching->stub->port);
	struct caught *caught = fetching_start(fetching, url, NULL);
	fetching_wait(caught);
	return caught;
}

static void uses_what_is_allowed_among_addresses(void **state)
{
	struct fetching *fetching = fetching_new("127.0.0.1");
	fetching->dns->a = "10.0.0.1,127.0.0.1,192.168.0.1";
	fetching->stub->text = HELLO;
	struct caught *caught = get_by_name(fetching, "mixed.example.org");
	assert_err(caught, ERR_NONE);
	assert_string_equal(caught->body, "hello");
	char host[64];
	snprintf(host, sizeof(host), "\r\nHost: mixed.example.org:%d\r\n", fetching->stub->port);
	assert_sent(fetching, host);
	assert_err(get_by_name(fetching, "dotted.example.org."), ERR_NONE);
	fetching_free(fetching);
}

#define BYE "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbye"

static void follows_a_name_that_moves(void **state)
{
	struct fetching *fetching = fetching_new("127.0.0.1,127.0.0.2");
	struct stub *second = stub_new(fetching, fetching->base, "127.0.0.2", fetching->stub->port);
	second->text = HELLO;
	fetching->stub->text = BYE;
	struct caught *caught = get_by_name(fetching, "moving.example.org");
	assert_string_equal(caught->body, "bye");
	/* The name server allows no keeping (and libcurl would for a minute): a second is ours. */
	fetching->dns->a = "127.0.0.2";
	while (second->requests == 0)
		assert_err(get_by_name(fetching, "moving.example.org"), ERR_NONE);
	/* Rebinding: now the name leads where nobody may go, and the old address is not used. */
	unsigned before = fetching->stub->requests;
	second->text = BYE;
	get_by_name(fetching, "moving.example.org");
	fetching->dns->a = "127.0.0.3";
	do {
		caught = get_by_name(fetching, "moving.example.org");
	} while (caught->err.kind == ERR_NONE);
	assert_err(caught, ERR_BLOCKED_ADDRESS);
	assert_non_null(strstr(caught->err.text, "127.0.0.3"));
	assert_int_equal(fetching->stub->requests, before);
	fetching_free(fetching);
}

static void count_tick(evutil_socket_t fd, short what, void *cookie)
{
	++*(unsigned *)cookie;
}

static void loses_no_time_on_dead_names(void **state)
{
	static const struct timeval pace = {0, 10000};
	struct fetching *fetching = fetching_new(LOOPBACK);
	unsigned ticks = 0, waits = 0;
	struct event *tick = event_new(fetching->base, -1, EV_PERSIST, count_tick, &ticks);
	event_add(tick, &pace);
	fetching->stub->text = HELLO;
	assert_err(get_by_name(fetching, "nosuch.example.org"), ERR_DNS);
	assert_err(get_by_name(fetching, "empty.example.org"), ERR_DNS);
	struct caught *silent = fetching_start(fetching, "http://silent.example.org/", NULL);
	/* While it waits for seconds, others are served and the loop ticks on. */
	ticks = 0;
	while (silent->dones == 0) {
		assert_err(fetching_get(fetching, "/"), ERR_NONE);
		unsigned goal = ticks + 10;
		while (ticks < goal && silent->dones == 0)
			event_base_loop(fetching->base, EVLOOP_ONCE);
		waits++;
	}
	assert_err(silent, ERR_DNS);
	assert_true(waits > 10);
	event_free(tick);
	fetching_free(fetching);
}

/* ---- TLS ---- */

/* A TLS server with a certificate that only its file vouches for, for 127.0.0.1 alone. */
struct tls_server {
	char folder[32];
	char certificate[48];
	FILE *output;
	int port;
};

/* Runs COMMAND to its end. */
static void run(const char *command)
{
	char output[4096];
	output_of(command, output, sizeof(output));
}

static bool start_tls_server(struct tls_server *server, unsigned connections)
{
	char command[512], line[128] = "";
	strcpy(server->folder, "/tmp/bugwatch-tls-XXXXXX");
	assert_non_null(mkdtemp(server->folder));
	snprintf(server->certificate, sizeof(server->certificate), "%s/cert", server->folder);
	snprintf(command, sizeof(command),
		"cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
		"-days 2 -subj /CN=nobody -addext subjectAltName=IP:127.0.0.1 "
		"-keyout key -out cert 2>&1",
		server->folder);
	run(command);
	snprintf(command, sizeof(command),
		"cd %s && exec timeout 60 openssl s_server -www -naccept %u -accept 127.0.0.1:0 "
		"-key key -cert cert 2>&1",
		server->folder, connections);
	server->output = popen(command, "r");
	while (fgets(line, sizeof(line), server->output) != NULL)
		if (sscanf(line, "ACCEPT 127.0.0.1:%d", &server->port) == 1)
			return true;
	return false;
}

static void stop_tls_server(struct tls_server *server)
{
	char command[64];
	pclose(server->output);
	snprintf(command, sizeof(command), "rm -r %s", server->folder);
	run(command);
}

static struct caught *get_secret(struct fetching *fetching, const char *host, int port)
{
	char url[64];
	snprintf(url, sizeof(url), "https://%s:%d/", host, port);
	struct caught *caught = fetching_start(fetching, url, NULL);
	fetching_wait(caught);
	return caught;
}

static void trusts_no_certificate_of_strangers(void **state)
{
	struct fetching *fetching = fetching_new(LOOPBACK);
	struct tls_server server = {0};
	if (!start_tls_server(&server, 3)) {
		stop_tls_server(&server);
		fetching_free(fetching);
		skip();
	}
	assert_err(get_secret(fetching, "127.0.0.1", server.port), ERR_TLS);
	/* With its own file it is trusted, but not under another name. */
	fetching->settings.ca_file = server.certificate;
	talloc_free(fetching->fetcher);
	fetching->fetcher = fetcher_new(fetching, fetching->base, fetching->resolver,
		fetching->policy, &fetching->settings, NULL);
	assert_err(get_secret(fetching, "other.example.org", server.port), ERR_TLS);
	struct caught *caught = get_secret(fetching, "127.0.0.1", server.port);
	assert_err(caught, ERR_NONE);
	assert_int_equal(caught->status, 200);
	fetching_free(fetching);
	stop_tls_server(&server);
}

int main(void)
{
	alarm(180); /* some loops wait for what never comes when the code is wrong */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_was_cut_short),
		cmocka_unit_test(says_what_connection_failed),
		cmocka_unit_test(gives_up_in_time),
		cmocka_unit_test(cuts_what_does_not_end),
		cmocka_unit_test(cuts_what_is_announced_too_large),
		cmocka_unit_test(counts_what_is_decoded),
		cmocka_unit_test(asks_no_special_address),
		cmocka_unit_test(uses_what_is_allowed_among_addresses),
		cmocka_unit_test(follows_a_name_that_moves),
		cmocka_unit_test(loses_no_time_on_dead_names),
		cmocka_unit_test(trusts_no_certificate_of_strangers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
