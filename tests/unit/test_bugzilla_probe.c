/* How a Bugzilla server is found out about, told by small answers. */
#include "tests/unit/talk.h"
#include "trackers/tracker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

#define BASE "https://bugs.example.org/bz/"
#define LOGIN_WANTED "{\"error\":true,\"code\":410,\"message\":\"You must log in.\"}"
#define HTML "<!DOCTYPE html><title>Hello</title>"
#define LOGIN_PAGE "<form><input name=\"p\" type=\"password\"></form>"

static const moment noon = 1800000000 * MOMENT_SECOND;

static struct conversation *begin_probe(void)
{
	return conversation_new(
		NULL, tracker_by_name("bugzilla"), ERRAND_PROBE, BASE, NULL, NULL, NULL, 0, noon);
}

static void end_done(struct conversation *conversation)
{
	talk_done(conversation);
	talloc_free(conversation);
}

static void end_failed(struct conversation *conversation, enum err_kind kind, const char *words)
{
	talk_failed(conversation, kind, words);
	talloc_free(conversation);
}

static void a_probe_finds_the_first_door(void **state)
{
	struct conversation *conversation = begin_probe();
	talk_answer(conversation, "rest/version", 200, "{\"version\":\"5.0.4.rh103\"}");
	assert_string_equal(conversation->server->version, "5.0.4.rh103");
	assert_string_equal(conversation->server->door, "rest/");
	assert_int_equal(
		conversation->server->abilities, ABILITY_WHY | ABILITY_COMMENTS | ABILITY_CHANGES);
	assert_int_equal(conversation->server->skew_s, 0);
	end_done(conversation);
}

static void a_probe_goes_on_to_the_second_door(void **state)
{
	static const struct {
		int status;
		const char *body;
	} rows[] = {{404, HTML}, {200, HTML}, {403, HTML}, {200, "{}"}, {200, LOGIN_PAGE},
		{404, "{\"error\":{\"status\":404}}"}, {200, ""}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conversation *conversation = begin_probe();
		talk_answer(conversation, "rest/version", rows[i].status, rows[i].body);
		talk_answer(conversation, "rest.cgi/version", 200, "{\"version\":\"20261101.1\"}");
		assert_string_equal(conversation->server->door, "rest.cgi/");
		end_done(conversation);
	}
}

static void a_probe_measures_the_servers_clock(void **state)
{
	struct conversation *conversation = begin_probe();
	struct exchange *exchange = talk_asked(conversation, "rest/version");
	exchange_head(conversation, exchange, 200, NULL, noon - 5 * 3600 * MOMENT_SECOND);
	exchange_data(conversation, exchange, "{\"version\":\"5.2\"}", 17);
	exchange_end(conversation, exchange, NULL);
	assert_int_equal(conversation->server->skew_s, -18000);
	end_done(conversation);
}

static struct conversation *begin_probe_without_rest(void)
{
	struct conversation *conversation = begin_probe();
	talk_answer(conversation, "rest/version", 404, HTML);
	talk_answer(conversation, "rest.cgi/version", 404, HTML);
	return conversation;
}

static void a_probe_refuses_what_is_too_old(void **state)
{
	struct conversation *conversation = begin_probe_without_rest();
	talk_answer(conversation, "show_bug.cgi", 200, "<bugzilla version=\"2.22.7\"/>");
	end_failed(conversation, ERR_UNSUPPORTED_TRACKER, "Bugzilla 2.22.7; 3.0 or later");
}

/* Whoever is no Bugzilla is posted nothing. */
static void a_probe_says_when_there_is_no_bugzilla(void **state)
{
	static const struct {
		int status;
		const char *body;
	} rows[] = {
		{404, HTML}, {200, HTML}, {200, "<rss version=\"2.0\"/>"}, {200, "<bugzilla/>"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conversation *conversation = begin_probe_without_rest();
		talk_answer(conversation, "show_bug.cgi", rows[i].status, rows[i].body);
		end_failed(conversation, ERR_UNSUPPORTED_TRACKER, "no Bugzilla found");
	}
	struct conversation *conversation = begin_probe();
	talk_answer(conversation, "rest/version", 401, HTML);
	talk_answer(conversation, "rest.cgi/version", 401, HTML);
	talk_answer(conversation, "show_bug.cgi", 401, HTML);
	end_failed(conversation, ERR_AUTH, "HTTP 401");
}

static void a_probe_goes_on_to_xml_rpc(void **state)
{
	struct conversation *conversation = begin_probe_without_rest();
	talk_answer(conversation, "show_bug.cgi", 200, "<bugzilla version=\"4.0.1\"/>");
	talk_answer(conversation, "xmlrpc.cgi", 503, HTML);
	end_failed(conversation, ERR_HTTP, "HTTP 503");
	conversation = begin_probe_without_rest();
	talk_answer(conversation, "show_bug.cgi", 200, LOGIN_PAGE);
	talk_answer(conversation, "xmlrpc.cgi", 404, HTML);
	end_failed(conversation, ERR_AUTH, "a login page");
	conversation = begin_probe_without_rest();
	talk_answer(conversation, "show_bug.cgi", 200, LOGIN_PAGE);
	talk_answer(conversation, "xmlrpc.cgi", 200,
		"<methodResponse><params><param><value><struct><member><name>version</name>"
		"<value>4.0.1</value></member></struct></value></param></params></methodResponse>");
	assert_string_equal(conversation->server->door, "xmlrpc.cgi");
	end_done(conversation);
}

/* Only one that hears the key in the header answers; else it goes into the URL as well. */
static void a_probe_finds_where_a_key_goes(void **state)
{
	static const struct credentials key = {.api_key = "K1"};
	static const struct {
		int status;
		const char *body, *memory;
	} rows[] = {
		{200, "{\"id\":7,\"name\":\"me\"}", "key in header"},
		{404, "{\"error\":true,\"code\":32614,\"message\":\"no such resource\"}", NULL},
		{401, LOGIN_WANTED, NULL},
		{404, HTML, NULL},
		{200, "{}", NULL},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conversation *conversation = conversation_new(NULL,
			tracker_by_name("bugzilla"), ERRAND_PROBE, BASE, NULL, &key, NULL, 0, noon);
		talk_answer(conversation, "rest/version", 200, "{\"version\":\"5.2\"}");
		struct exchange *exchange = conversation_next(conversation);
		assert_string_equal(exchange->url, BASE "rest/whoami");
		assert_string_equal(exchange->headers[1], "X-BUGZILLA-API-KEY: K1");
		exchange_head(conversation, exchange, rows[i].status, "application/json", noon);
		exchange_data(conversation, exchange, rows[i].body, strlen(rows[i].body));
		exchange_end(conversation, exchange, NULL);
		if (rows[i].memory != NULL)
			assert_string_equal(conversation->server->memory, rows[i].memory);
		else
			assert_null(conversation->server->memory);
		end_done(conversation);
	}
}

static void a_probe_sees_a_bad_key(void **state)
{
	static const struct credentials key = {.api_key = "K1"};
	struct conversation *conversation = conversation_new(
		NULL, tracker_by_name("bugzilla"), ERRAND_PROBE, BASE, NULL, &key, NULL, 0, noon);
	talk_answer(conversation, "rest/version", 200, "{\"version\":\"5.3.3\"}");
	talk_answer(conversation, "rest/whoami", 400,
		"{\"error\":true,\"code\":\"306\",\"message\":\"Bad key.\"}");
	end_failed(conversation, ERR_AUTH, "Bad key.");
}

static void a_probe_leaves_trouble_what_it_is(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
	} rows[] = {{500, HTML, ERR_HTTP}, {503, "", ERR_HTTP}, {429, "", ERR_RATE_LIMITED},
		{200, "{\"version\":\"5.", ERR_UNPARSABLE_TRACKER}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conversation *conversation = begin_probe();
		talk_answer(conversation, "rest/version", rows[i].status, rows[i].body);
		end_failed(conversation, rows[i].kind, "rest/version");
	}
	struct conversation *conversation = begin_probe();
	talk_break(conversation, "rest/version", ERR_TLS);
	end_failed(conversation, ERR_TLS, "the line is dead");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_probe_finds_the_first_door),
		cmocka_unit_test(a_probe_goes_on_to_the_second_door),
		cmocka_unit_test(a_probe_measures_the_servers_clock),
		cmocka_unit_test(a_probe_refuses_what_is_too_old),
		cmocka_unit_test(a_probe_says_when_there_is_no_bugzilla),
		cmocka_unit_test(a_probe_goes_on_to_xml_rpc),
		cmocka_unit_test(a_probe_finds_where_a_key_goes),
		cmocka_unit_test(a_probe_sees_a_bad_key),
		cmocka_unit_test(a_probe_leaves_trouble_what_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
