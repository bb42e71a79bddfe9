/* The API's door: targets, routes, and hostile requests over real sockets, without a database. */
#include "ui-api/http.h"

#include "engine/db.h"
#include "engine/resolver.h"
#include "ui-api/route.h"
#include "ui-api/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

struct world {
	struct event_base *base;
	struct resolver *resolver;
	struct db *db;
	struct api_server *server;
};

/* A client's exchange. */
struct talk {
	struct event_base *base;
	struct evbuffer *heard;
	bool over;
};

static int set_up(void **state)
{
	struct world *world = talloc_zero(NULL, struct world);
	struct err err = {0};
	world->base = event_base_new();
	world->resolver = resolver_new(world, world->base, "127.0.0.1:1", &err);
	/* Nothing listens at port 1. */
	world->db = db_new(world, world->base, world->resolver, "host=127.0.0.1 port=1", 1, &err);
	assert_non_null(world->db);
	world->server = api_server_new(world, world->base, world->db, NULL, "127.0.0.1:0", &err);
	assert_non_null(world->server);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	struct event_base *base = world->base;
	talloc_free(world->server);
	talloc_free(world->db);
	talloc_free(world->resolver);
	event_base_loop(base, EVLOOP_NONBLOCK);
	talloc_free(world);
	event_base_free(base);
	return 0;
}

static void on_data(struct bufferevent *stream, void *cookie)
{
	struct talk *talk = cookie;
	evbuffer_add_buffer(talk->heard, bufferevent_get_input(stream));
}

static void on_event(struct bufferevent *stream, short what, void *cookie)
{
	struct talk *talk = cookie;
	if (what & BEV_EVENT_CONNECTED)
		return;
	on_data(stream, talk);
	talk->over = true;
}

/* Sends the N bytes of RAW and returns all that comes until the server closes; owned by WORLD. */
static char *talk_bytes(struct world *world, const char *raw, size_t n)
{
	struct talk talk = {.base = world->base, .heard = evbuffer_new()};
	struct bufferevent *stream = bufferevent_socket_new(world->base, -1, BEV_OPT_CLOSE_ON_FREE);
	const char *port = strrchr(api_server_url(world->server), ':') + 1;
	bufferevent_setcb(stream, on_data, NULL, on_event, &talk);
	bufferevent_enable(stream, EV_READ | EV_WRITE);
	bufferevent_write(stream, raw, n);
	assert_int_equal(0,
		bufferevent_socket_connect_hostname(
			stream, NULL, AF_INET, "127.0.0.1", atoi(port)));
	while (!talk.over)
		event_base_loop(world->base, EVLOOP_ONCE);
	bufferevent_free(stream);
	size_t length = evbuffer_get_length(talk.heard);
	char *text = talloc_zero_size(world, length + 1);
	evbuffer_remove(talk.heard, text, length);
	evbuffer_free(talk.heard);
	return text;
}

static char *talk(struct world *world, const char *raw)
{
	return talk_bytes(world, raw, strlen(raw));
}

/* RAW is refused with STATUS as a problem. */
static void assert_problem(struct world *world, const char *raw, int status)
{
	char *heard = talk(world, raw);
	char line[32];
	snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	if (strncmp(heard, line, strlen(line)) != 0 || strstr(heard, "problem+json") == NULL)
		print_error("%s\n%s\n", raw, heard);
	assert_memory_equal(heard, line, strlen(line));
	assert_non_null(strstr(heard, "Content-Type: application/problem+json\r\n"));
	assert_null(strstr(heard + 1, "HTTP/1.1 "));
	talloc_free(heard);
}

#define CLOSE "Connection: close\r\n"
#define HOST "Host: x\r\n"
#define TOKEN "Authorization: Bearer bw_x\r\n"

static void health_needs_no_database(void **state)
{
	char *heard = talk(*state, "GET /healthz HTTP/1.1\r\n" HOST CLOSE "\r\n");
	assert_memory_equal(heard, "HTTP/1.1 200 OK\r\n", 17);
	assert_non_null(strstr(heard, "\r\n\r\n{\"status\":\"ok\"}"));
	heard = talk(*state, "HEAD /healthz HTTP/1.1\r\n" HOST CLOSE "\r\n");
	assert_memory_equal(heard, "HTTP/1.1 200 OK\r\n", 17);
	assert_non_null(strstr(heard, "Content-Length: 15\r\n"));
	assert_memory_equal(heard + strlen(heard) - 4, "\r\n\r\n", 4);
}

static void without_a_database_it_says_so(void **state)
{
	assert_problem(*state, "GET /readyz HTTP/1.1\r\n" HOST CLOSE "\r\n", 503);
	assert_problem(*state, "GET /api/v1/watches HTTP/1.1\r\n" HOST TOKEN CLOSE "\r\n", 503);
}

static void tokens_are_wanted(void **state)
{
	assert_problem(*state, "GET /api/v1/watches HTTP/1.1\r\n" HOST CLOSE "\r\n", 401);
	assert_problem(*state,
		"GET /api/v1/watches HTTP/1.1\r\n" HOST "Authorization: Basic YTpi\r\n" CLOSE
		"\r\n",
		401);
	char *heard = talk(*state, "GET /api/v1/runs HTTP/1.1\r\n" HOST CLOSE "\r\n");
	assert_non_null(strstr(heard, "WWW-Authenticate: Bearer\r\n"));
}

static void other_methods_are_named(void **state)
{
	char *heard = talk(*state, "PUT /api/v1/trackers/a HTTP/1.1\r\n" HOST CLOSE "\r\n");
	assert_non_null(strstr(heard, "Allow: GET, PATCH, DELETE\r\n"));
	assert_problem(*state, "PUT /api/v1/trackers HTTP/1.1\r\n" HOST CLOSE "\r\n", 405);
	assert_problem(*state, "BREW /healthz HTTP/1.1\r\n" HOST CLOSE "\r\n", 405);
	assert_problem(*state, "TRACE /healthz HTTP/1.1\r\n" HOST CLOSE "\r\n", 405);
}

static void chunks_are_taken(void **state)
{
	assert_problem(*state,
		"POST /api/v1/watches HTTP/1.1\r\n" HOST TOKEN CLOSE
		"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		503);
}

/* Each ends its connection by itself, whatever follows. */
static void smuggling_is_refused(void **state)
{
#define POST "POST /api/v1/watches HTTP/1.1\r\n"
	assert_problem(*state, POST HOST "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400);
	assert_problem(*state, POST HOST "Content-Length: 2\r\ncontent-length: 3\r\n\r\n{}", 400);
	assert_problem(*state, POST HOST "Content-Length: +2\r\n\r\n{}", 400);
	/* Debian's evhttp refuses it before us, and has no problem to tell. */
	char *heard = talk(*state,
		POST HOST "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
			  "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
	assert_memory_equal(heard, "HTTP/1.1 400 ", 13);
	assert_null(strstr(heard + 1, "HTTP/1.1 "));
	assert_problem(*state, POST HOST "Transfer-Encoding: gzip\r\n\r\n", 400);
	assert_problem(*state, POST HOST "Content-Length : 2\r\n\r\n", 400);
	assert_problem(*state, "BREW / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}", 400);
#undef POST
}

static void hosts_are_counted(void **state)
{
	assert_problem(*state, "GET /healthz HTTP/1.1\r\n\r\n", 400);
	assert_problem(*state, "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400);
	assert_problem(*state, "GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n", 400);
	char *heard = talk(*state, "GET /healthz HTTP/1.0\r\n\r\n");
	assert_memory_equal(heard, "HTTP/1.0 200 OK\r\n", 17);
}

static void large_things_are_refused(void **state)
{
	size_t n = (8 << 20) + 1;
	char *raw = talloc_asprintf(*state,
		"POST /api/v1/watches HTTP/1.1\r\n" HOST CLOSE TOKEN "Content-Length: %zu\r\n\r\n",
		n);
	size_t head = strlen(raw);
	raw = talloc_realloc(*state, raw, char, head + n);
	memset(raw + head, 'a', n);
	char *heard = talk_bytes(*state, raw, head + n);
	assert_memory_equal(heard, "HTTP/1.1 413 ", 13);
	assert_non_null(strstr(heard, "application/problem+json"));

	char *target = talloc_zero_size(*state, 9001);
	memset(target, 'a', 9000);
	raw = talloc_asprintf(*state, "GET /%s HTTP/1.1\r\n" HOST CLOSE "\r\n", target);
	assert_problem(*state, raw, 414);

	target = talloc_zero_size(*state, 70001);
	memset(target, 'a', 70000);
	raw = talloc_asprintf(*state, "GET /healthz HTTP/1.1\r\n" HOST "X: %s\r\n\r\n", target);
	heard = talk(*state, raw);
	assert_true(heard[0] == '\0' || strncmp(heard, "HTTP/1.1 4", 10) == 0);
}

static void gibberish_is_survived(void **state)
{
	static const char *const raws[] = {"GET\r\n\r\n", "GET / HTTP/9.9\r\n" HOST "\r\n",
		"GET http://[::1/ HTTP/1.1\r\n" HOST "\r\n", "\x16\x03\x01 \x02 \x01\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost x\r\n\r\n"};
	for (size_t i = 0; i < sizeof(raws) / sizeof(raws[0]); i++) {
		char *heard = talk(*state, raws[i]);
		assert_null(strstr(heard, " 200 "));
	}
	health_needs_no_database(state);
}

static void pipelined_requests_each_have_an_answer(void **state)
{
	char *heard = talk(*state,
		"GET /healthz HTTP/1.1\r\n" HOST "\r\nGET /nowhere HTTP/1.1\r\n" HOST
		"\r\nGET /healthz HTTP/1.1\r\n" HOST CLOSE "\r\n");
	char *second = strstr(heard, "HTTP/1.1 404 ");
	assert_memory_equal(heard, "HTTP/1.1 200 ", 13);
	assert_non_null(second);
	assert_non_null(strstr(second, "HTTP/1.1 200 "));
}

/* The server goes while a request waits for the database. */
static void freed_with_a_request_under_way(void **state)
{
	struct world *world = *state;
	struct talk talk = {.base = world->base, .heard = evbuffer_new()};
	struct bufferevent *stream = bufferevent_socket_new(world->base, -1, BEV_OPT_CLOSE_ON_FREE);
	const char *port = strrchr(api_server_url(world->server), ':') + 1;
	bufferevent_setcb(stream, on_data, NULL, on_event, &talk);
	bufferevent_enable(stream, EV_READ | EV_WRITE);
	evbuffer_add_printf(
		bufferevent_get_output(stream), "GET /api/v1/runs HTTP/1.1\r\n" HOST TOKEN "\r\n");
	bufferevent_socket_connect_hostname(stream, NULL, AF_INET, "127.0.0.1", atoi(port));
	while (evbuffer_get_length(bufferevent_get_output(stream)) > 0)
		event_base_loop(world->base, EVLOOP_ONCE);
	event_base_loop(world->base, EVLOOP_NONBLOCK);
	talloc_free(world->server);
	world->server = NULL;
	while (!talk.over)
		event_base_loop(world->base, EVLOOP_ONCE);
	bufferevent_free(stream);
	evbuffer_free(talk.heard);
}

static void assert_route(enum evhttp_cmd_type method, const char *path, const char *expected,
	const char *parameter, const char *allowed)
{
	void *owner = talloc_new(NULL);
	struct http_target target = {0};
	const char *parameters[ROUTE_PARAMETERS] = {NULL}, *allow = NULL;
	assert_null(http_parse_path(owner, path, &target));
	const struct route *route = route_find(owner, method, &target, parameters, &allow);
	assert_int_equal(route != NULL, expected != NULL);
	if (expected != NULL)
		assert_string_equal(route->path, expected);
	if (parameter != NULL)
		assert_string_equal(parameters[0], parameter);
	assert_int_equal(allow != NULL, allowed != NULL);
	if (allowed != NULL)
		assert_string_equal(allow, allowed);
	talloc_free(owner);
}

static void routes_match_by_segments(void **state)
{
#define GET EVHTTP_REQ_GET
	assert_route(GET, "/api/v1/trackers", "/api/v1/trackers", NULL, NULL);
	assert_route(EVHTTP_REQ_HEAD, "/api/v1/trackers", "/api/v1/trackers", NULL, NULL);
	assert_route(GET, "/api/v1/trackers/a%2Fb", "/api/v1/trackers/{name}", "a/b", NULL);
	assert_route(GET, "/api/v1/trackers/..", "/api/v1/trackers/{name}", "..", NULL);
	assert_route(GET, "/api/v1/runs/7/errors", "/api/v1/runs/{id}/errors", "7", NULL);
	assert_route(GET, "/api/v1/trackers/a/check", NULL, NULL, "POST");
	assert_route(EVHTTP_REQ_PUT, "/api/v1/trackers", NULL, NULL, "GET, POST");
	assert_route(GET, "/api/v1/trackers/a/b/c", NULL, NULL, NULL);
	assert_route(GET, "/api/v1", NULL, NULL, NULL);
	assert_route(GET, "/", NULL, NULL, NULL);
	assert_route(GET, "//api/v1/trackers", NULL, NULL, NULL);
	assert_route(GET, "/api/v1/tracker", NULL, NULL, NULL);
	assert_route(GET, "/api/v1/trackersx", NULL, NULL, NULL);
	assert_route(GET, "/api/v1/x/../trackers", NULL, NULL, NULL);
#undef GET
}

static void targets_are_decoded_strictly(void **state)
{
	static const char *const bad[] = {"", "*", "a/b", "/%", "/%4", "/%zz", "/%00", "/%ff",
		"/%c0%af", "/%ed%a0%80", "/a\x01", "/a\x7f", "/\xff", "/1/2/3/4/5/6/7/8/9"};
	void *owner = talloc_new(NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct http_target target = {0};
		if (http_parse_path(owner, bad[i], &target) == NULL)
			print_error("\"%s\" was taken\n", bad[i]);
		assert_non_null(http_parse_path(owner, bad[i], &target));
	}
	struct http_target target = {0};
	assert_null(http_parse_path(owner, "/a+b/%E2%82%AC%25", &target));
	assert_string_equal(target.segments[0], "a+b");
	assert_string_equal(target.segments[1], "€%");
	assert_null(http_parse_query(owner, "a=1+2%2B&&b&c==%26&a=9", &target));
	assert_string_equal(http_parameter(&target, "a"), "1 2+");
	assert_string_equal(http_parameter(&target, "b"), "");
	assert_string_equal(http_parameter(&target, "c"), "=&");
	assert_null(http_parameter(&target, "d"));
	assert_int_equal(target.parameter_count, 4);
	assert_non_null(http_parse_query(owner, "a=%00", &target));
	assert_non_null(http_parse_query(owner, "%ff=1", &target));
	assert_non_null(http_parse_query(owner, "1&2&3&4&5&6&7&8&9&0&1&2&3&4&5&6&7", &target));
	talloc_free(owner);
}

static void addresses_to_listen_on(void **state)
{
	static const char *const bad[] = {"", "localhost", ":80", "127.0.0.1:", "127.0.0.1:x",
		"127.0.0.1:65536", "127.0.0.1:80x", "127.0.0.1:-1"};
	struct world *world = *state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = {0};
		assert_null(api_server_new(world, world->base, world->db, NULL, bad[i], &err));
		assert_int_equal(err.kind, ERR_USAGE);
	}
	struct err err = {0};
	const char *taken = api_server_url(world->server) + strlen("http://");
	assert_null(api_server_new(world, world->base, world->db, NULL, taken, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
}

int main(void)
{
#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_match_by_segments),
		cmocka_unit_test(targets_are_decoded_strictly),
		WITH_SERVER(health_needs_no_database),
		WITH_SERVER(without_a_database_it_says_so),
		WITH_SERVER(tokens_are_wanted),
		WITH_SERVER(other_methods_are_named),
		WITH_SERVER(chunks_are_taken),
		WITH_SERVER(smuggling_is_refused),
		WITH_SERVER(hosts_are_counted),
		WITH_SERVER(large_things_are_refused),
		WITH_SERVER(gibberish_is_survived),
		WITH_SERVER(pipelined_requests_each_have_an_answer),
		WITH_SERVER(freed_with_a_request_under_way),
		WITH_SERVER(addresses_to_listen_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
