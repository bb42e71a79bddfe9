/* Comments of a Bugzilla server, told by small answers. */
#include "talk.h"
#include "trackers/tracker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

#define COMMENT(count, text)                                                                       \
	"{\"count\":" count ",\"creator\":\"ann@example.org\",\"is_private\":false,"               \
	"\"time\":\"2026-03-08T07:30:00Z\",\"text\":" text "}"
#define BUG(id, comments) "\"" id "\":{\"comments\":[" comments "]}"
#define ANSWER(bugs) "{\"comments\":{},\"bugs\":{" bugs "}}"
#define MISSING(id) "{\"error\":true,\"code\":101,\"message\":\"Bug #" id " does not exist.\"}"

/* 2026-03-08T09:30:00Z */
static const moment morning = 1772962200 * MOMENT_SECOND;
static const struct wanted none[] = {{.remote_id = "1", .newest_comment = -1},
	{.remote_id = "2", .newest_comment = -1}, {.remote_id = "12", .newest_comment = -1}};

static struct conversation *begin(const struct wanted *wanted, unsigned count)
{
	struct server *server = server_new(NULL);
	server->door = "rest/";
	struct conversation *conversation =
		conversation_new(NULL, tracker_by_name("bugzilla"), ERRAND_COMMENTS,
			"https://bugs.example.org/", server, NULL, wanted, count, talk_date);
	talloc_free(server);
	return conversation;
}

static void the_oldest_that_is_stored_says_from_when(void **state)
{
	struct wanted bugs[] = {
		{.remote_id = "7", .newest_comment = 24, .newest_posted_at = morning + MOMENT_DAY},
		{.remote_id = "8", .newest_comment = -1},
		{.remote_id = "9", .newest_comment = 20, .newest_posted_at = morning}};
	struct conversation *conversation = begin(bugs, 3);
	talk_answer(conversation,
		"rest/bug/7/comment?ids=9&include_fields=count,creator,time,text,is_private"
		"&new_since=2026-03-08T07:30:00Z",
		200, ANSWER(BUG("7", "") "," BUG("9", COMMENT("1", "\"yes\""))));
	struct exchange *exchange = talk_asked(conversation, "rest/bug/8/comment?");
	assert_null(strstr(exchange->url, "new_since"));
	struct exchange *numbers = talk_asked(
		conversation, "rest/bug/7/comment?ids=9&include_fields=count,is_private");
	static const char all[] = "{\"bugs\":{\"7\":{\"comments\":[]},\"9\":{\"comments\":["
				  "{\"count\":0},{\"count\":1,\"is_private\":true}]}}}";
	exchange_head(conversation, numbers, 200, "application/json", talk_date);
	exchange_data(conversation, numbers, all, strlen(all));
	exchange_end(conversation, numbers, NULL);
	exchange_end(conversation, exchange, &(struct err){.kind = ERR_TIMEOUT});
	talk_failed(conversation, ERR_TIMEOUT, "");
	assert_int_equal(conversation->observation_count, 2);
	assert_true(conversation->observations[0].whole && conversation->observations[1].whole);
	assert_int_equal(conversation->comment_count, 2);
	assert_int_equal(conversation->comments[1].number, 0);
	assert_null(conversation->comments[1].text);
	assert_int_equal(conversation->comments[0].wanted, 2);
	assert_int_equal(conversation->comments[0].number, 1);
	assert_string_equal(conversation->comments[0].text, "yes");
	talloc_free(conversation);
}

static void many_bugs_are_several_questions(void **state)
{
	struct wanted *many = talloc_array(NULL, struct wanted, 250);
	for (unsigned i = 0; i < 250; i++)
		many[i] = (struct wanted){.remote_id = talloc_asprintf(many, "%u", 2147483000 + i),
			.newest_comment = i < 150 ? 20
				: i < 200	  ? 19
						  : -1,
			.newest_posted_at = i < 200 ? morning : 0};
	struct conversation *conversation = begin(many, 250);
	static const unsigned counts[] = {100, 50, 50, 20, 20, 10};
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct exchange *exchange = talk_asked(conversation, "rest/bug/");
		assert_int_equal(exchange->wanted_count, counts[i]);
		assert_true(strlen(exchange->url) < 8000);
	}
	assert_null(conversation_next(conversation));
	talloc_free(conversation);
	talloc_free(many);
}

/* Bug 1 is named, not bug 12, and then bug 12, not bug 2. */
static void a_bug_that_is_gone_is_dropped(void **state)
{
	static const struct wanted bugs[] = {{.remote_id = "12", .newest_comment = -1},
		{.remote_id = "1", .newest_comment = -1}, {.remote_id = "2", .newest_comment = -1}};
	struct conversation *conversation = begin(bugs, 3);
	talk_answer(conversation, "rest/bug/12/comment?ids=1&ids=2&", 404, MISSING("1"));
	talk_answer(conversation, "rest/bug/12/comment?ids=2&include", 404, MISSING("12"));
	talk_answer(conversation, "rest/bug/2/comment?include", 401,
		"{\"error\":true,\"code\":102,\"message\":\"You may not see it.\"}");
	talk_done(conversation);
	for (unsigned i = 0; i < 3; i++)
		talk_learnt(conversation, i, ERR_COMMENTS_FAILED);
	talloc_free(conversation);
}

static void a_refusal_without_a_name_is_looked_into(void **state)
{
	struct conversation *conversation = begin(none, 2);
	talk_answer(conversation, "rest/bug/1/comment?ids=2&", 400,
		"{\"error\":true,\"code\":\"100\",\"message\":\"No such thing\"}");
	talk_answer(conversation, "rest/bug/1/comment?include", 404, MISSING("1"));
	talk_answer(conversation, "rest/bug/2/comment?include", 200, ANSWER(BUG("2", "")));
	talk_done(conversation);
	talk_learnt(conversation, 0, ERR_COMMENTS_FAILED);
	talk_learnt(conversation, 1, ERR_NONE);
	talloc_free(conversation);
}

static void what_is_too_long_is_halved(void **state)
{
	struct conversation *conversation = begin(none, 3);
	talk_answer(conversation, "rest/bug/1/comment?ids=2&ids=12&", 414, "");
	talk_answer(conversation, "rest/bug/1/comment?include", 200, ANSWER(BUG("1", "")));
	talk_break(conversation, "rest/bug/2/comment?ids=12&", ERR_TOO_LARGE);
	talk_break(conversation, "rest/bug/2/comment?include", ERR_TOO_LARGE);
	talk_answer(conversation, "rest/bug/12/comment?include", 200, ANSWER(BUG("12", "")));
	talk_done(conversation);
	talk_learnt(conversation, 0, ERR_NONE);
	talk_learnt(conversation, 1, ERR_COMMENTS_FAILED);
	talk_learnt(conversation, 2, ERR_NONE);
	talloc_free(conversation);
}

static void a_single_bug_too_long_for_a_url_fails_the_errand(void **state)
{
	struct conversation *conversation = begin(none, 1);
	talk_answer(conversation, "rest/bug/1/comment?", 414, "");
	talk_failed(conversation, ERR_HTTP, "414");
	talloc_free(conversation);
}

static void odd_comments_fail_their_bug_alone(void **state)
{
	static const char *const odd[] = {"null", "{}", COMMENT("-1", "\"x\""),
		COMMENT("\"1\"", "\"x\""), COMMENT("1", "null"), COMMENT("1", "[]"),
		"{\"count\":1,\"text\":\"x\"}", "{\"count\":1,\"text\":\"x\",\"time\":\"today\"}"};
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct conversation *conversation = begin(none, 3);
		char *body = talloc_asprintf(NULL,
			"{\"bugs\":{\"1\":{\"comments\":[%s,%s]},\"2\":{\"comments\":{}},"
			"\"12\":{\"comments\":[%s]},\"99\":{\"comments\":[%s]}}}",
			odd[i], COMMENT("3", "\"good\""), COMMENT("0", "\"fine\""), odd[i]);
		talk_answer(conversation, "rest/bug/1/comment?", 200, body);
		talk_done(conversation);
		talk_learnt(conversation, 0, ERR_COMMENTS_FAILED);
		talk_learnt(conversation, 1, ERR_COMMENTS_FAILED);
		talk_learnt(conversation, 2, ERR_NONE);
		assert_int_equal(conversation->comment_count, 2);
		assert_string_equal(conversation->comments[1].text, "fine");
		talloc_free(body);
		talloc_free(conversation);
	}
}

static void a_bad_answer_says_nothing(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
	} rows[] = {
		{200, "<!DOCTYPE html><title>Hello</title>", ERR_UNPARSABLE_TRACKER},
		{200, "<input name=p type=password>", ERR_AUTH},
		{200, "", ERR_UNPARSABLE_TRACKER},
		{200, "{}", ERR_UNPARSABLE_TRACKER},
		{200, "{\"bugs\":{},\"error\":true,\"code\":100500}", ERR_UNPARSABLE_TRACKER},
		{401, "{\"error\":true,\"code\":410,\"message\":\"Log in.\"}", ERR_AUTH},
		{429, "", ERR_RATE_LIMITED},
		{500, "", ERR_HTTP},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conversation *conversation = begin(none, 3);
		talk_answer(conversation, "rest/bug/1/comment?", rows[i].status, rows[i].body);
		talk_failed(conversation, rows[i].kind, "");
		assert_int_equal(conversation->observation_count, 0);
		assert_int_equal(conversation->comment_count, 0);
		talloc_free(conversation);
	}
}

/* A door that is not there is no failure of any bug's. */
static void no_comments_at_all_is_said_so(void **state)
{
	static const struct {
		int status;
		const char *body;
	} answers[] = {{404, "<html>not here</html>"}, {405, ""}, {200, "{\"bugs\":[]}"}};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct conversation *conversation = begin(none, 1);
		talk_answer(
			conversation, "rest/bug/1/comment?", answers[i].status, answers[i].body);
		talk_failed(conversation, ERR_UNSUPPORTED_TRACKER, "gives no comments");
		talloc_free(conversation);
	}
}

static void a_bug_known_by_its_alias_is_asked_for_alone(void **state)
{
	static const struct wanted bugs[] = {{.remote_id = "7", .newest_comment = -1},
		{.remote_id = "crash", .newest_comment = -1},
		{.remote_id = "8", .newest_comment = -1}};
	struct conversation *conversation = begin(bugs, 3);
	talk_answer(conversation, "rest/bug/crash/comment?include", 200,
		ANSWER(BUG("7", COMMENT("0", "\"mine\""))));
	talk_answer(conversation, "rest/bug/7/comment?ids=8&", 200,
		ANSWER(BUG("7", COMMENT("0", "\"mine\"")) "," BUG("8", "")));
	talk_done(conversation);
	for (unsigned i = 0; i < 3; i++)
		talk_learnt(conversation, i, ERR_NONE);
	assert_int_equal(conversation->comment_count, 2);
	talloc_free(conversation);
}

/* What only the credentials may see is kept where that is wanted, and else as if it was not there. */
static void private_comments_are_kept_where_that_is_wanted(void **state)
{
	static const char body[] = ANSWER(BUG("7",
		COMMENT("0", "\"open\"") ",{\"count\":1,\"creator\":\"ann\",\"is_private\":true,"
					 "\"time\":\"2026-03-08T07:30:00Z\",\"text\":\"closed\"}"));
	for (int kept = 0; kept < 2; kept++) {
		struct credentials login = {.api_key = "K", .store_private = kept == 1};
		struct wanted bug = {.remote_id = "7", .newest_comment = -1};
		struct server *server = server_new(NULL);
		struct conversation *conversation =
			conversation_new(NULL, tracker_by_name("bugzilla"), ERRAND_COMMENTS,
				"https://bugs.example.org/", server, &login, &bug, 1, talk_date);
		talk_answer(conversation, "rest/bug/7/comment?", 200, body);
		talk_done(conversation);
		assert_int_equal(conversation->comment_count, 1 + kept);
		assert_true(conversation->observations[0].whole);
		talloc_free(conversation);
		talloc_free(server);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oldest_that_is_stored_says_from_when),
		cmocka_unit_test(a_bug_known_by_its_alias_is_asked_for_alone),
		cmocka_unit_test(private_comments_are_kept_where_that_is_wanted),
		cmocka_unit_test(many_bugs_are_several_questions),
		cmocka_unit_test(a_bug_that_is_gone_is_dropped),
		cmocka_unit_test(a_refusal_without_a_name_is_looked_into),
		cmocka_unit_test(what_is_too_long_is_halved),
		cmocka_unit_test(a_single_bug_too_long_for_a_url_fails_the_errand),
		cmocka_unit_test(odd_comments_fail_their_bug_alone),
		cmocka_unit_test(a_bad_answer_says_nothing),
		cmocka_unit_test(no_comments_at_all_is_said_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
