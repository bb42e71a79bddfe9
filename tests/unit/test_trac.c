/* Situations at a Trac, told by small answers. */
#include "trackers/tracker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

#define BASE "https://tracker.example.org/"
#define HEADER "\xef\xbb\xbfid,Summary,Status,Resolution,Priority,Component,Modified\r\n"
#define LOG "{\"error\":null,\"id\":0,\"result\":["
#define WHEN "[{\"__jsonclass__\":[\"datetime\",\"2019-01-08T10:00:00\"]},"

static const struct wanted three[] = {
	{.remote_id = "1", .known = true, .newest_comment = -1},
	{.remote_id = "2", .known = true, .newest_comment = -1},
	{.remote_id = "3", .newest_comment = -1},
};
static const moment noon = 1800000000 * MOMENT_SECOND;

static const struct tracker *trac(void)
{
	return tracker_by_name("trac");
}

static struct conversation *begin(
	enum errand errand, const char *door, const struct wanted *wanted, unsigned count)
{
	struct server *server = server_new(NULL);
	server->door = door;
	if (errand == ERRAND_CHANGES)
		return conversation_new_changes(
			server, trac(), BASE, server, NULL, wanted, count, noon, noon);
	return conversation_new(server, trac(), errand, BASE,
		errand == ERRAND_PROBE ? NULL : server, NULL, wanted, count, noon);
}

static void end(struct conversation *conversation)
{
	talloc_free(talloc_parent(conversation));
}

/* Answers the next question, which must be for PATH. */
static void answer(
	struct conversation *conversation, const char *path, int status, const char *body)
{
	struct exchange *exchange = conversation_next(conversation);
	assert_non_null(exchange);
	assert_memory_equal(exchange->url, BASE, strlen(BASE));
	if (strncmp(exchange->url + strlen(BASE), path, strlen(path)) != 0)
		fail_msg("asked for %s, not for %s", exchange->url, path);
	exchange_head(conversation, exchange, status, "text/plain", noon);
	exchange_data(conversation, exchange, body, strlen(body));
	exchange_end(conversation, exchange, NULL);
}

static void assert_failed(
	const struct conversation *conversation, enum err_kind kind, const char *words)
{
	assert_true(conversation_over(conversation));
	assert_string_equal(err_word(conversation->err.kind), err_word(kind));
	if (strstr(conversation->err.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", conversation->err.text, words);
	assert_int_equal(conversation->observation_count, 0);
	assert_int_equal(conversation->comment_count, 0);
	assert_int_equal(conversation->change_count, 0);
}

static void assert_done(const struct conversation *conversation, unsigned observations)
{
	assert_true(conversation_over(conversation));
	assert_string_equal(conversation->err.text, "");
	assert_int_equal(conversation->observation_count, observations);
}

static void test_ids(void **state)
{
	static const char *const good[] = {"1", "55", "2147483647"};
	static const char *const bad[] = {"", "0", "007", "-1", "1a", "1 ", "2147483648",
		"99999999999999999999", "1,2", "1-9", "1&id=2", "1]"};
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(trac()->valid_id(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (trac()->valid_id(bad[i]))
			fail_msg("taken as an id: \"%s\"", bad[i]);
}

/* ---- probing ---- */

static void test_probe_fails_over_trouble(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
	} rows[] = {
		{429, "", ERR_RATE_LIMITED},
		{503, "<html>Maintenance</html>", ERR_HTTP},
		{200, "{\"result\": [1,", ERR_UNPARSABLE_TRACKER},
		{200, "", ERR_UNPARSABLE_TRACKER},
	};
	struct conversation *conversation = begin(ERRAND_PROBE, NULL, NULL, 0);
	answer(conversation, "rpc", 502, "<html>Bad Gateway</html>");
	assert_failed(conversation, ERR_HTTP, "502");
	end(conversation);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		conversation = begin(ERRAND_PROBE, NULL, NULL, 0);
		answer(conversation, "rpc", 415, "No protocol");
		answer(conversation, "rpc", rows[i].status, rows[i].body);
		assert_failed(conversation, rows[i].kind, "");
		end(conversation);
	}
}

static void test_probe_tells_what_is_no_trac(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
	} rows[] = {
		{404, "<html>Not Found</html>", ERR_UNSUPPORTED_TRACKER},
		{200, "<html>Welcome</html>", ERR_UNSUPPORTED_TRACKER},
		{200, "Name,Price\r\n", ERR_UNPARSABLE_TRACKER},
		{200, "id,Price\r\n1,2\r\n", ERR_UNPARSABLE_TRACKER},
		{200, "", ERR_UNPARSABLE_TRACKER},
		{200, "<form><input type=password></form>", ERR_AUTH},
		{403, "<html>no</html>", ERR_AUTH},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct conversation *conversation = begin(ERRAND_PROBE, NULL, NULL, 0);
		answer(conversation, "rpc", 404, "<html>Not Found</html>");
		answer(conversation, "xmlrpc", 404, "<html>Not Found</html>");
		answer(conversation, "query?id=1&", rows[i].status, rows[i].body);
		assert_failed(conversation, rows[i].kind, BASE);
		end(conversation);
	}
}

/* ---- checking ---- */

static void test_long_lists_are_split(void **state)
{
	struct wanted *many = talloc_zero_array(NULL, struct wanted, 600);
	for (unsigned i = 0; i < 600; i++)
		many[i].remote_id = talloc_asprintf(many, "%u", 2147480000 + i);
	for (int rpc = 0; rpc < 2; rpc++) {
		struct conversation *conversation =
			begin(ERRAND_CHECK, rpc == 1 ? "rpc" : "query", many, 600);
		struct exchange *exchange;
		unsigned asked = 0, questions = 0;
		while ((exchange = conversation_next(conversation)) != NULL) {
			assert_true(strlen(exchange->url) < 8000);
			asked += exchange->wanted_count;
			questions++;
		}
		assert_int_equal(asked, 600);
		assert_int_equal(questions, 3);
		end(conversation);
	}
	talloc_free(many);
}

static void test_unusable_tables_teach_nothing(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
	} rows[] = {
		{200, "", ERR_UNPARSABLE_TRACKER},
		{200, "\xef\xbb\xbf", ERR_UNPARSABLE_TRACKER},
		{200, "\r\n", ERR_UNPARSABLE_TRACKER},
		{200, "<html>Just a moment</html>", ERR_UNPARSABLE_TRACKER},
		{200, "<form><input type=password></form>", ERR_AUTH},
		{200, "id,Summary\r\n1,no status\r\n", ERR_UNPARSABLE_TRACKER},
		{200, "Summary,Status\r\nno id,new\r\n", ERR_UNPARSABLE_TRACKER},
		{200, "id,Status\r\n1,new\r\n2,ne", ERR_UNPARSABLE_TRACKER},
		{200, "id,Status\r\n1,new\r\n2\r\n", ERR_UNPARSABLE_TRACKER},
		{200, "id,Status\r\n1,new,more\r\n", ERR_UNPARSABLE_TRACKER},
		{200, "id,Status\r\n1,\"new\r\n", ERR_UNPARSABLE_TRACKER},
		{200, "id,Status\r\n1,\"new\"x\r\n", ERR_UNPARSABLE_TRACKER},
		{401, "", ERR_AUTH},
		{404, "", ERR_HTTP},
		{429, "", ERR_RATE_LIMITED},
		{500, "<html>TracError</html>", ERR_HTTP},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct conversation *conversation = begin(ERRAND_CHECK, "query", three, 3);
		answer(conversation, "query?id=1,2,3&col=id&", rows[i].status, rows[i].body);
		assert_failed(conversation, rows[i].kind, "");
		end(conversation);
	}
}

/* A front end's own words on one ticket are not Trac's. */
static void test_unclear_word_on_a_missing_ticket(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
	} rows[] = {
		{404, "<html>Not Found</html>", ERR_HTTP},
		{404, "<html><link href=/chrome/common/css/trac.css>cut", ERR_HTTP},
		{403, "<html>TICKET_VIEW</html>", ERR_AUTH},
		{403, "<html><link href=/css/trac.css>no</html>", ERR_AUTH},
		{200, "<html>Hello</html>", ERR_UNPARSABLE_TRACKER},
		{500, "", ERR_HTTP},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct conversation *conversation = begin(ERRAND_CHECK, "query", three, 1);
		answer(conversation, "query?id=1&", 200, HEADER);
		answer(conversation, "ticket/1?format=csv", rows[i].status, rows[i].body);
		assert_failed(conversation, rows[i].kind, "");
		end(conversation);
	}
}

static void test_silent_ticket_answers_by_itself(void **state)
{
	struct conversation *conversation = begin(ERRAND_CHECK, "query", three, 1);
	answer(conversation, "query?id=1&", 200, HEADER);
	answer(conversation, "ticket/1?format=csv", 200, "id,summary,status\r\n1,here,new\r\n");
	assert_done(conversation, 1);
	assert_int_equal(conversation->observations[0].mapped_status, STATUS_NEW);
	end(conversation);
}

static void test_first_word_counts(void **state)
{
	struct conversation *conversation = begin(ERRAND_CHECK, "query", three, 1);
	answer(conversation, "query?", 200,
		HEADER "1,\x1b[2Ja,closed,,major,,\r\n1,b,new,,major,,\r\n8,c,new,,,,\r\n");
	assert_done(conversation, 1);
	assert_int_equal(conversation->observations[0].mapped_status, STATUS_FIX_RELEASED);
	assert_string_equal(conversation->observations[0].title, "[2Ja");
	end(conversation);
}

static void test_unusable_calls_teach_nothing(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
	} rows[] = {
		{200, "{}", ERR_UNPARSABLE_TRACKER},
		{200, "{\"result\":{},\"error\":null}", ERR_UNPARSABLE_TRACKER},
		{200, "{\"result\":[],\"error\":null}", ERR_UNPARSABLE_TRACKER},
		{200, "{\"result\":[],\"error\":{\"code\":-32700}}", ERR_UNPARSABLE_TRACKER},
		{200, "{\"result\":null,\"error\":{\"code\":403}}", ERR_AUTH},
		{200, "<html></html>", ERR_UNPARSABLE_TRACKER},
		{401, "", ERR_AUTH},
		{404, "", ERR_HTTP},
		{500, "", ERR_HTTP},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (int comments = 0; comments < 2; comments++) {
			struct conversation *conversation =
				begin(comments ? ERRAND_COMMENTS : ERRAND_CHECK, "rpc", three, 3);
			answer(conversation, "rpc", rows[i].status, rows[i].body);
			assert_failed(conversation, rows[i].kind, "");
			end(conversation);
		}
}

/* A result that is another ticket's, or in another place, is nobody's. */
static void test_results_are_of_their_tickets(void **state)
{
	struct conversation *conversation = begin(ERRAND_CHECK, "rpc", three, 3);
	answer(conversation, "rpc", 200,
		"{\"error\":null,\"result\":["
		"{\"id\":1,\"result\":[2,{},{\"__jsonclass__\":[\"datetime\",\"2019-01-08T10:00:"
		"00\"]},{\"status\":\"new\"}]},{\"id\":3,\"result\":[3,{},{},{}]},null]}");
	assert_done(conversation, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(conversation->observations[i].err.kind, ERR_UNPARSABLE_BUG);
	end(conversation);
}

/* The connection broke: no ticket is to blame, and nothing more is asked. */
static void test_broken_connection(void **state)
{
	static const struct err gone = {.kind = ERR_CONNECTION, .text = "reset by peer"};
	static const enum errand errands[] = {
		ERRAND_PROBE, ERRAND_CHECK, ERRAND_CHANGES, ERRAND_COMMENTS};
	for (int i = 0; i < 8; i++) {
		struct conversation *conversation =
			begin(errands[i / 2], i % 2 == 0 ? "query" : "login/rpc", three, 3);
		struct exchange *exchange = conversation_next(conversation);
		exchange_head(conversation, exchange, 200, "text/csv", 0);
		exchange_data(conversation, exchange, HEADER, strlen(HEADER));
		exchange_end(conversation, exchange, &gone);
		assert_failed(conversation, ERR_CONNECTION, "reset by peer");
		assert_null(conversation_next(conversation));
		end(conversation);
	}
}

/* ---- changes ---- */

static void test_many_tickets_are_not_named(void **state)
{
	struct wanted *many = talloc_zero_array(NULL, struct wanted, 3000);
	for (unsigned i = 0; i < 3000; i++)
		many[i].remote_id = talloc_asprintf(many, "%u", 1000 + i);
	struct conversation *conversation = begin(ERRAND_CHANGES, "query", many, 3000);
	answer(conversation, "query?changetime=2027-01-15T08:00:00Z..&col=id&", 200,
		"id,Modified\r\n7,x\r\n-8,x\r\n,x\r\n\"9\",x\r\n");
	assert_done(conversation, 0);
	assert_int_equal(conversation->change_count, 2);
	assert_string_equal(conversation->changes[0].remote_id, "7");
	assert_string_equal(conversation->changes[1].remote_id, "9");
	assert_true(conversation->until == noon);
	end(conversation);
	talloc_free(many);
}

/* ---- comments ---- */

static char *long_text(const void *owner)
{
	char *text = talloc_strdup(owner, "");
	for (int i = 0; i < 6000; i++)
		text = talloc_asprintf_append_buffer(text, "word %04d ", i);
	return talloc_strdup_append_buffer(text, "end");
}

static void test_long_comments_are_whole(void **state)
{
	char *text = long_text(NULL);
	struct conversation *conversation = begin(ERRAND_COMMENTS, "rpc", three, 1);
	answer(conversation, "rpc", 200,
		talloc_asprintf(text, LOG WHEN "\"a\",\"comment\",\"1\",\"%s\",1]]}", text));
	assert_done(conversation, 1);
	assert_int_equal(conversation->comment_count, 1);
	assert_string_equal(conversation->comments[0].text, text);
	end(conversation);
	conversation = begin(ERRAND_COMMENTS, "query", three, 1);
	answer(conversation, "ticket/1?format=rss", 200,
		talloc_asprintf(text,
			"<rss><channel><item><guid>x/ticket/1#comment:1</guid>"
			"<description>&lt;p&gt;%s&lt;/p&gt;</description></item></channel></rss>",
			text));
	assert_done(conversation, 1);
	assert_string_equal(conversation->comments[0].text, text);
	end(conversation);
	talloc_free(text);
}

static void test_logs_of_wrong_shape(void **state)
{
	static const char *const rows[] = {"7", "[]", "[1,2,3,4,5,6]",
		WHEN "\"a\",\"comment\",\"1\",7,1]",
		"[{\"__jsonclass__\":[\"datetime\",\"never\"]},\"a\",\"comment\",\"1\",\"x\",1]"};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct conversation *conversation = begin(ERRAND_COMMENTS, "rpc", three, 1);
		char *body = talloc_asprintf(NULL, LOG "%s]}", rows[i]);
		answer(conversation, "rpc", 200, body);
		assert_done(conversation, 1);
		assert_int_equal(conversation->observations[0].err.kind, ERR_COMMENTS_FAILED);
		assert_int_equal(conversation->comment_count, 0);
		talloc_free(body);
		end(conversation);
	}
}

/* A ticket that may not be viewed any more; and the right to use the plugin lost. */
static void test_refused_logs(void **state)
{
	struct server *server = server_new(NULL);
	server->door = "xmlrpc";
	server->memory = "xml";
	for (int lost = 0; lost < 2; lost++) {
		struct conversation *conversation = conversation_new(
			server, trac(), ERRAND_COMMENTS, BASE, server, NULL, three, 1, noon);
		char *body = talloc_asprintf(conversation,
			"<methodResponse><fault><value><struct><member><name>faultCode</name>"
			"<value><int>403</int></value></member><member><name>faultString</name>"
			"<value>%s privileges are required</value></member></struct></value>"
			"</fault></methodResponse>",
			lost ? "XML_RPC" : "TICKET_VIEW");
		answer(conversation, "xmlrpc", 200, body);
		if (lost)
			assert_failed(conversation, ERR_AUTH, "set username");
		else
			assert_string_equal(err_word(conversation->observations[0].err.kind),
				"comments-failed");
		talloc_free(conversation);
	}
	talloc_free(server);
}

/* Whoever signed in before signs in no more, and a session that is not kept needs none. */
static void test_signs_in_once(void **state)
{
	struct session session = {0};
	struct credentials login = {.username = "joe", .password = "secret", .session = &session};
	struct server *server = server_new(NULL);
	server->door = "query";
	server->memory = "cookie";
	struct conversation *conversation = conversation_new(
		server, trac(), ERRAND_CHECK, BASE, server, &login, three, 1, noon);
	assert_string_equal(conversation_next(conversation)->url, BASE "login");
	session.cookie = "trac_auth=1";
	conversation = conversation_new(
		server, trac(), ERRAND_CHECK, BASE, server, &login, three, 1, noon);
	struct exchange *exchange = conversation_next(conversation);
	assert_memory_equal(exchange->url, BASE "query", strlen(BASE "query"));
	assert_string_equal(exchange->headers[0], "Cookie: trac_auth=1");
	login.session = NULL;
	conversation = conversation_new(
		server, trac(), ERRAND_CHECK, BASE, server, &login, three, 1, noon);
	exchange = conversation_next(conversation);
	assert_memory_equal(exchange->url, BASE "query", strlen(BASE "query"));
	assert_null(exchange->headers[0]);
	talloc_free(server);
}

/* Numbers that are none are left out, whatever they say. */
static void test_odd_comment_numbers(void **state)
{
	struct conversation *conversation = begin(ERRAND_COMMENTS, "rpc", three, 1);
	answer(conversation, "rpc", 200,
		LOG WHEN "\"a\",\"comment\",\"\",\"x\",1]," WHEN
			 "\"a\",\"comment\",\"1.\",\"x\",1]," WHEN
			 "\"a\",\"comment\",\"99999999999999999999\",\"x\",1]," WHEN
			 "null,\"comment\",\"1.2.3\",\"x\",1]]}");
	assert_done(conversation, 1);
	assert_int_equal(conversation->comment_count, 1);
	assert_int_equal(conversation->comments[0].number, 3);
	assert_null(conversation->comments[0].author);
	end(conversation);
}

/* Markup nested thousands deep, as XML and as HTML, ends in an answer. */
static void test_deep_feeds(void **state)
{
	char *deep = talloc_strdup(NULL, ""), *html = talloc_strdup(deep, "");
	for (int i = 0; i < 20000; i++) {
		deep = talloc_strdup_append_buffer(deep, "<item>");
		html = talloc_strdup_append_buffer(html, "&lt;ul&gt;&lt;li&gt;");
	}
	struct conversation *conversation = begin(ERRAND_COMMENTS, "query", three, 2);
	answer(conversation, "ticket/1?format=rss", 200,
		talloc_asprintf(deep, "<rss><channel>%s</channel></rss>", deep));
	answer(conversation, "ticket/2?format=rss", 200,
		talloc_asprintf(deep,
			"<rss><channel><item><guid>#comment:1</guid><description>%s</description>"
			"</item></channel></rss>",
			html));
	assert_done(conversation, 2);
	assert_int_equal(conversation->observations[0].err.kind, ERR_COMMENTS_FAILED);
	end(conversation);
	talloc_free(deep);
}

static void test_one_feed_fails(void **state)
{
	struct conversation *conversation = begin(ERRAND_COMMENTS, "query", three, 2);
	answer(conversation, "ticket/1?format=rss", 500, "<html>TracError</html>");
	answer(conversation, "ticket/2?format=rss", 200,
		"<rss><channel><item><guid>#comment:1</guid><pubDate>never</pubDate></item>"
		"</channel></rss>");
	assert_done(conversation, 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(conversation->observations[i].err.kind, ERR_COMMENTS_FAILED);
	end(conversation);
}

static void test_no_feed(void **state)
{
	static const char *const bodies[] = {"", "<html></html>", "<rss><channel>", "{}"};
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		struct conversation *conversation = begin(ERRAND_COMMENTS, "query", three, 1);
		answer(conversation, "ticket/1?format=rss", 200, bodies[i]);
		assert_failed(conversation, ERR_UNPARSABLE_TRACKER, "ticket 1");
		end(conversation);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_probe_fails_over_trouble),
		cmocka_unit_test(test_probe_tells_what_is_no_trac),
		cmocka_unit_test(test_long_lists_are_split),
		cmocka_unit_test(test_unusable_tables_teach_nothing),
		cmocka_unit_test(test_unclear_word_on_a_missing_ticket),
		cmocka_unit_test(test_silent_ticket_answers_by_itself),
		cmocka_unit_test(test_first_word_counts),
		cmocka_unit_test(test_unusable_calls_teach_nothing),
		cmocka_unit_test(test_results_are_of_their_tickets),
		cmocka_unit_test(test_broken_connection),
		cmocka_unit_test(test_many_tickets_are_not_named),
		cmocka_unit_test(test_long_comments_are_whole),
		cmocka_unit_test(test_logs_of_wrong_shape),
		cmocka_unit_test(test_refused_logs),
		cmocka_unit_test(test_signs_in_once),
		cmocka_unit_test(test_odd_comment_numbers),
		cmocka_unit_test(test_deep_feeds),
		cmocka_unit_test(test_one_feed_fails),
		cmocka_unit_test(test_no_feed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
