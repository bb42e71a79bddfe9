/* The machine under every driver: the queue, feeding, and the judging of answers. */
#include "trackers/tracker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

#define BASE "https://h/"

/* What the driver below has heard last. */
struct heard {
	int count, purpose;
	bool good;
	struct err why;
	bool has_json, has_xml;
	char text[32];
	int ask_more;
};

/* A conversation's credentials are those of its stage. */
struct stage {
	struct credentials credentials;
	struct heard heard;
	struct conversation *conversation;
};

static struct exchange *ask(struct conversation *conversation, int purpose, enum format format)
{
	struct exchange *exchange = conversation_ask(
		conversation, purpose, talloc_asprintf(NULL, BASE "%d?key=secret", purpose));
	exchange->format = format;
	return exchange;
}

static void begin(struct conversation *conversation)
{
	ask(conversation, 1, FORMAT_JSON);
	ask(conversation, 2, FORMAT_TEXT);
}

static void hear(struct conversation *conversation, struct exchange *exchange)
{
	struct heard *heard = &((struct stage *)(uintptr_t)conversation->credentials)->heard;
	heard->count++;
	heard->purpose = exchange->purpose;
	err_clear(&heard->why);
	heard->good = exchange_good(exchange, &heard->why);
	heard->has_json = exchange->json != NULL;
	heard->has_xml = exchange->xml != NULL;
	snprintf(heard->text, sizeof(heard->text), "%s", exchange->text);
	if (heard->ask_more-- > 0)
		ask(conversation, 3, FORMAT_JSON);
}

static const struct tracker driver = {
	.name = "test", .title = "Test", .batch_size = 3, .begin = begin, .hear = hear};

static const struct wanted wanted[] = {
	{.remote_id = "1", .known = true}, {.remote_id = "2"}, {.remote_id = "3", .known = true}};

static int setup(void **state)
{
	struct stage *stage = talloc_zero(NULL, struct stage);
	stage->conversation = conversation_new(
		stage, &driver, ERRAND_CHECK, BASE, NULL, &stage->credentials, wanted, 3, 0);
	*state = stage;
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static void answer(struct stage *stage, int status, const char *body)
{
	struct exchange *exchange = conversation_next(stage->conversation);
	assert_non_null(exchange);
	exchange_head(stage->conversation, exchange, status, NULL, 0);
	exchange_data(stage->conversation, exchange, body, strlen(body));
	exchange_end(stage->conversation, exchange, NULL);
}

static void questions_go_out_in_order_and_answers_come_in_any(void **state)
{
	struct stage *stage = *state;
	struct conversation *conversation = stage->conversation;
	struct exchange *first = conversation_next(conversation);
	struct exchange *second = conversation_next(conversation);
	assert_string_equal(first->method, "GET");
	assert_string_equal(first->content_type, "");
	assert_int_equal(first->purpose, 1);
	assert_int_equal(second->purpose, 2);
	assert_null(conversation_next(conversation));
	assert_false(conversation_over(conversation));
	exchange_head(conversation, second, 200, "text/plain", 0);
	exchange_end(conversation, second, NULL);
	assert_int_equal(stage->heard.purpose, 2);
	assert_false(conversation_over(conversation));
	exchange_end(conversation, first, NULL);
	assert_int_equal(stage->heard.count, 2);
	assert_true(conversation_over(conversation));
}

static void what_is_asked_while_hearing_prolongs_it(void **state)
{
	struct stage *stage = *state;
	stage->heard.ask_more = 1;
	answer(stage, 200, "{}");
	answer(stage, 200, "text");
	assert_false(conversation_over(stage->conversation));
	answer(stage, 200, "{}");
	assert_int_equal(stage->heard.purpose, 3);
	assert_true(conversation_over(stage->conversation));
}

static void a_failure_ends_it_at_once(void **state)
{
	struct stage *stage = *state;
	struct conversation *conversation = stage->conversation;
	struct exchange *under_way = conversation_next(conversation);
	conversation_fail(conversation, ERR_HTTP, "%s", "first");
	conversation_fail(conversation, ERR_AUTH, "second");
	assert_int_equal(conversation->err.kind, ERR_HTTP);
	assert_string_equal(conversation->err.text, "first");
	assert_true(conversation_over(conversation));
	assert_null(conversation_next(conversation));
	exchange_end(conversation, under_way, NULL);
	assert_int_equal(stage->heard.count, 0);
}

static void text_is_gathered_whole(void **state)
{
	struct stage *stage = *state;
	struct conversation *conversation = stage->conversation;
	answer(stage, 200, "{\"a\":1}");
	assert_true(stage->heard.good && stage->heard.has_json);
	struct exchange *exchange = conversation_next(conversation);
	exchange_head(conversation, exchange, 200, NULL, 0);
	for (int i = 0; i < 10000; i++)
		exchange_data(conversation, exchange, "abc", 3);
	assert_int_equal(exchange->text_size, 30000);
	assert_int_equal(strlen(exchange->text), 30000);
	exchange_end(conversation, exchange, NULL);
	assert_true(stage->heard.good);
}

static void of_json_only_the_beginning_is_kept(void **state)
{
	struct stage *stage = *state;
	struct exchange *exchange = conversation_next(stage->conversation);
	for (int i = 0; i < 10000; i++)
		exchange_data(stage->conversation, exchange, "<p>", 3);
	assert_int_equal(exchange->text_size, EXCHANGE_PEEK);
	exchange_end(stage->conversation, exchange, NULL);
	assert_false(stage->heard.good);
}

static void assert_judged(int status, const char *body, enum err_kind kind)
{
	void *state;
	setup(&state);
	struct stage *stage = state;
	answer(stage, status, body);
	if (stage->heard.why.kind != kind)
		fail_msg("%d %s: %s", status, body, err_word(stage->heard.why.kind));
	assert_int_equal(stage->heard.good, kind == ERR_NONE);
	if (kind != ERR_NONE) {
		assert_non_null(strstr(stage->heard.why.text, BASE "1"));
		assert_null(strstr(stage->heard.why.text, "secret"));
	}
	teardown(&state);
}

static void answers_are_judged(void **state)
{
	static const char login[] = "<html><form><input type=\"password\"></form>";
	assert_judged(200, "{}", ERR_NONE);
	assert_judged(200, "{\"a\":\"\xff\"}", ERR_NONE);
	assert_judged(200, "", ERR_UNPARSABLE_TRACKER);
	assert_judged(200, "{", ERR_UNPARSABLE_TRACKER);
	assert_judged(200, "null", ERR_UNPARSABLE_TRACKER);
	assert_judged(200, "<html>hello", ERR_UNPARSABLE_TRACKER);
	assert_judged(200, login, ERR_AUTH);
	assert_judged(401, "{}", ERR_AUTH);
	assert_judged(403, "<html>", ERR_AUTH);
	assert_judged(429, "", ERR_RATE_LIMITED);
	assert_judged(404, login, ERR_HTTP);
	assert_judged(500, "{}", ERR_HTTP);
	assert_judged(204, "", ERR_HTTP);
	assert_judged(304, "", ERR_HTTP);
}

static void assert_xml_judged(const char *body, enum err_kind kind)
{
	struct stage *stage = talloc_zero(NULL, struct stage);
	stage->conversation = conversation_new(
		stage, &driver, ERRAND_CHECK, BASE, NULL, &stage->credentials, wanted, 3, 0);
	ask(stage->conversation, 4, FORMAT_XML);
	conversation_next(stage->conversation);
	conversation_next(stage->conversation);
	answer(stage, 200, body);
	if (stage->heard.why.kind != kind)
		fail_msg("%s: %s", body, err_word(stage->heard.why.kind));
	assert_int_equal(stage->heard.good, kind == ERR_NONE);
	assert_int_equal(stage->heard.has_xml, kind == ERR_NONE);
	talloc_free(stage);
}

/* Broken XML that tells of passwords is no login page; a page may be good XML. */
static void xml_is_judged(void **state)
{
	static const char xml[] = "<?xml version='1.0'?>";
	void *owner = talloc_new(NULL);
	assert_xml_judged("<a/>", ERR_NONE);
	assert_xml_judged("<a><b>&lt;input type='password'&gt;</b></a>", ERR_NONE);
	assert_xml_judged("", ERR_UNPARSABLE_TRACKER);
	assert_xml_judged("<a>", ERR_UNPARSABLE_TRACKER);
	assert_xml_judged("{}", ERR_UNPARSABLE_TRACKER);
	assert_xml_judged(
		"<!DOCTYPE html><html><body>hello<br></body></html>", ERR_UNPARSABLE_TRACKER);
	assert_xml_judged(
		"<!DOCTYPE html><html><form><input type=password></form></html>", ERR_AUTH);
	assert_xml_judged("<form><input type='password'></form>", ERR_AUTH);
	assert_xml_judged(
		talloc_asprintf(owner, "%s<a><b>type='password'", xml), ERR_UNPARSABLE_TRACKER);
	assert_xml_judged(talloc_asprintf(owner, "%s<html><input type='password'>", xml), ERR_AUTH);
	talloc_free(owner);
}

static void the_transports_failure_comes_first(void **state)
{
	struct stage *stage = *state;
	struct err failure = {0};
	err_set(&failure, ERR_TIMEOUT, "30 s without a byte");
	struct exchange *exchange = conversation_next(stage->conversation);
	exchange_head(stage->conversation, exchange, 200, NULL, 0);
	exchange_data(stage->conversation, exchange, "{}", 2);
	exchange_end(stage->conversation, exchange, &failure);
	assert_false(stage->heard.good);
	assert_int_equal(stage->heard.why.kind, ERR_TIMEOUT);
	assert_string_equal(stage->heard.why.text, "30 s without a byte");
	assert_false(stage->heard.has_json);
}

static void the_first_word_on_a_bug_stays(void **state)
{
	struct conversation *conversation = ((struct stage *)*state)->conversation;
	conversation_observe(conversation, 2)->title = "first";
	conversation_observe(conversation, 2)->title = "second";
	conversation_observe_error(conversation, 2, ERR_BUG_NOT_FOUND, "gone");
	conversation_observe_error(conversation, 0, ERR_BUG_NOT_FOUND, "bug %d: gone", 1);
	assert_int_equal(conversation->observation_count, 2);
	assert_int_equal(conversation->observations[0].wanted, 2);
	assert_string_equal(conversation->observations[0].title, "first");
	assert_int_equal(conversation->observations[0].err.kind, ERR_NONE);
	assert_string_equal(conversation->observations[1].err.text, "bug 1: gone");
	assert_true(conversation_observed(conversation, 0));
	assert_false(conversation_observed(conversation, 1));
}

static void the_server_is_a_copy(void **state)
{
	struct stage *stage = *state;
	assert_non_null(stage->conversation->server);
	assert_null(stage->conversation->server->door);
	struct server *server = server_new(stage);
	server->door = talloc_strdup(server, "rest/");
	server->skew_s = 7;
	struct conversation *conversation = conversation_new(
		stage, &driver, ERRAND_CHECK, BASE, server, &stage->credentials, wanted, 3, 0);
	talloc_free(server);
	assert_string_equal(conversation->server->door, "rest/");
	assert_int_equal(conversation->server->skew_s, 7);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(questions_go_out_in_order_and_answers_come_in_any),
		test(what_is_asked_while_hearing_prolongs_it),
		test(a_failure_ends_it_at_once),
		test(text_is_gathered_whole),
		test(of_json_only_the_beginning_is_kept),
		cmocka_unit_test(answers_are_judged),
		cmocka_unit_test(xml_is_judged),
		test(the_transports_failure_comes_first),
		test(the_first_word_on_a_bug_stays),
		test(the_server_is_a_copy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
