/* Comments of a Roundup server, told by small answers. */
#include "talk.h"
#include "trackers/tracker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

#define IDS "@fields=messages&@verbose=0&@pretty=false"
#define TEXTS "@fields=author.username,date,content&@verbose=3&@pretty=false"
#define ANSWER(items) "{\"data\":{\"collection\":[" items "],\"@total_size\":1}}"
#define CUT(items) "{\"data\":{\"collection\":[" items "],\"@total_size\":-1}}"
#define ISSUE(id, messages) "{\"id\":\"" id "\",\"messages\":[" messages "]}"
#define MSG(id)                                                                                    \
	"{\"id\":\"" id "\",\"author.username\":\"ann\",\"date\":\"2026-03-08.07:30:00\","         \
	"\"content\":\"text " id "\"}"

static const struct wanted two[] = {
	{.remote_id = "1", .newest_comment = -1}, {.remote_id = "2", .newest_comment = 9}};

static struct conversation *begin(const struct wanted *wanted, unsigned count)
{
	struct server *server = server_new(NULL);
	struct conversation *conversation =
		conversation_new(NULL, tracker_by_name("roundup"), ERRAND_COMMENTS,
			"https://u@tracker.example.org/", server, NULL, wanted, count, talk_date);
	talloc_free(server);
	return conversation;
}

static void only_new_messages_are_asked_for_in_order(void **state)
{
	struct conversation *conversation = begin(two, 2);
	talk_answer(conversation, "rest/data/issue?id=1&id=2&" IDS, 200,
		ANSWER(ISSUE("2", "\"10\",\"100\",\"11\",\"9\"") "," ISSUE("1", "7,\"5\"")));
	talk_answer(conversation, "rest/data/msg?id=5&id=7&id=10&id=11&id=100&" TEXTS, 200,
		ANSWER(MSG("100") "," MSG("5") "," MSG("10") "," MSG("8")));
	talk_done(conversation);
	talk_learnt(conversation, 0, ERR_NONE);
	talk_learnt(conversation, 1, ERR_NONE);
	assert_int_equal(conversation->comment_count, 3);
	assert_string_equal(conversation->comments[0].text, "text 5");
	assert_int_equal(conversation->comments[0].wanted, 0);
	assert_int_equal(conversation->comments[1].number, 10);
	assert_int_equal(conversation->comments[1].wanted, 1);
	assert_int_equal(conversation->comments[2].number, 100);
	talloc_free(conversation);
}

/* Of a bug whose messages go over two questions nothing is said before the second. */
static void many_messages_are_several_questions(void **state)
{
	struct conversation *conversation = begin(two, 1);
	char *ids = talloc_strdup(NULL, "{\"data\":{\"collection\":[{\"id\":\"1\",\"messages\":[");
	for (int i = 1; i <= 250; i++)
		ids = talloc_asprintf_append_buffer(ids, "%s\"%d\"", i > 1 ? "," : "", i);
	ids = talloc_strdup_append_buffer(ids, "]}]}}");
	talk_answer(conversation, "rest/data/issue?id=1&", 200, ids);
	talk_answer(conversation, "rest/data/msg?id=1&id=2&", 200, ANSWER(MSG("100")));
	assert_int_equal(conversation->observation_count, 0);
	talk_answer(conversation, "rest/data/msg?id=101&", 200, ANSWER(MSG("101")));
	assert_int_equal(conversation->observation_count, 0);
	talk_answer(conversation, "rest/data/msg?id=201&", 200, ANSWER(MSG("250")));
	talk_done(conversation);
	talk_learnt(conversation, 0, ERR_NONE);
	assert_int_equal(conversation->comment_count, 3);
	talloc_free(ids);
	talloc_free(conversation);
}

static void many_bugs_are_several_questions(void **state)
{
	struct wanted *many = talloc_array(NULL, struct wanted, 600);
	for (unsigned i = 0; i < 600; i++)
		many[i] = (struct wanted){.remote_id = talloc_asprintf(many, "%u", 2147480000 + i)};
	struct conversation *conversation = begin(many, 600);
	for (int i = 0; i < 3; i++)
		assert_true(strlen(talk_asked(conversation, "rest/data/issue?")->url) < 8000);
	assert_null(conversation_next(conversation));
	talloc_free(conversation);
	talloc_free(many);
}

static void what_is_too_large_is_halved_to_one_message(void **state)
{
	struct conversation *conversation = begin(two, 2);
	talk_answer(conversation, "rest/data/issue?", 200,
		ANSWER(ISSUE("1", "\"4\",\"5\",\"6\"") "," ISSUE("2", "\"10\"")));
	talk_break(conversation, "rest/data/msg?id=4&id=5&id=6&id=10&", ERR_TOO_LARGE);
	talk_break(conversation, "rest/data/msg?id=4&id=5&@", ERR_TOO_LARGE);
	talk_answer(conversation, "rest/data/msg?id=4&@", 200, ANSWER(MSG("4")));
	talk_break(conversation, "rest/data/msg?id=5&@", ERR_TOO_LARGE);
	talk_answer(conversation, "rest/data/msg?id=6&@", 200, ANSWER(MSG("6")));
	talk_answer(conversation, "rest/data/msg?id=10&@", 200, ANSWER(MSG("10")));
	talk_done(conversation);
	talk_learnt(conversation, 0, ERR_COMMENTS_FAILED);
	talk_learnt(conversation, 1, ERR_NONE);
	assert_int_equal(conversation->comment_count, 3);
	talloc_free(conversation);
}

static void what_the_administrators_limit_cuts_is_asked_again(void **state)
{
	struct conversation *conversation = begin(two, 2);
	talk_answer(conversation, "rest/data/issue?id=1&id=2&" IDS, 200, CUT(ISSUE("2", "\"10\"")));
	talk_answer(conversation, "rest/data/issue?id=1&" IDS, 200, ANSWER(ISSUE("1", "\"5\",6")));
	talk_answer(conversation, "rest/data/msg?id=10&@", 200, ANSWER(MSG("10")));
	talk_answer(conversation, "rest/data/msg?id=5&id=6&@", 200, CUT(MSG("5")));
	talk_answer(conversation, "rest/data/msg?id=5&@", 200, ANSWER(MSG("5")));
	talk_answer(conversation, "rest/data/msg?id=6&@", 200, ANSWER(MSG("6")));
	talk_done(conversation);
	talk_learnt(conversation, 0, ERR_NONE);
	talk_learnt(conversation, 1, ERR_NONE);
	assert_int_equal(conversation->comment_count, 3);
	talloc_free(conversation);
	conversation = begin(two, 2);
	talk_answer(conversation, "rest/data/issue?id=1&id=2&" IDS, 200, CUT(""));
	talk_done(conversation);
	talk_learnt(conversation, 0, ERR_COMMENTS_FAILED);
	talloc_free(conversation);
}

static void odd_issues_fail_alone(void **state)
{
	static const char *const odd[] = {"null", "{}", "[\"x\"]", "[null]", "[0]", "[[]]",
		"[{\"id\":\"5\"}]", "[\"5\",\"-1\"]", "[99999999999]"};
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct conversation *conversation = begin(two, 2);
		char *body = talloc_asprintf(NULL,
			"{\"data\":{\"collection\":[null,{\"id\":\"1\",\"messages\":%s},%s]}}",
			odd[i], ISSUE("2", "\"8\""));
		talk_answer(conversation, "rest/data/issue?", 200, body);
		talk_done(conversation);
		talk_learnt(conversation, 0, ERR_COMMENTS_FAILED);
		talk_learnt(conversation, 1, ERR_NONE);
		talloc_free(body);
		talloc_free(conversation);
	}
}

static void odd_messages_fail_their_bug_alone(void **state)
{
	static const char *const odd[] = {"\"date\":\"2026-03-08.07:30:00\"", "\"content\":null",
		"\"content\":{\"link\":\"x\"}", "\"content\":\"x\",\"date\":\"today\""};
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct conversation *conversation = begin(two, 2);
		talk_answer(conversation, "rest/data/issue?", 200,
			ANSWER(ISSUE("1", "5,6") "," ISSUE("2", "10")));
		char *body = talloc_asprintf(NULL,
			"{\"data\":{\"collection\":[%s,{\"id\":\"5\",%s},%s]}}", MSG("10"), odd[i],
			MSG("6"));
		talk_answer(conversation, "rest/data/msg?id=5&id=6&id=10&", 200, body);
		talk_done(conversation);
		talk_learnt(conversation, 0, ERR_COMMENTS_FAILED);
		talk_learnt(conversation, 1, ERR_NONE);
		assert_int_equal(conversation->comment_count, 2);
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
		{200, "<html>Hello</html>", ERR_UNPARSABLE_TRACKER},
		{200, "{}", ERR_UNPARSABLE_TRACKER},
		{200, "{\"data\":{\"collection\":{}}}", ERR_UNPARSABLE_TRACKER},
		{200, "{\"data\":", ERR_UNPARSABLE_TRACKER},
		{403, "{\"error\":{\"status\":403,\"msg\":\"Forbidden.\"}}", ERR_AUTH},
		{429, "", ERR_RATE_LIMITED},
		{500, "", ERR_HTTP},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conversation *conversation = begin(two, 2);
		talk_answer(conversation, "rest/data/issue?", rows[i].status, rows[i].body);
		talk_failed(conversation, rows[i].kind, "");
		assert_int_equal(conversation->observation_count, 0);
		talloc_free(conversation);
		conversation = begin(two, 2);
		talk_answer(conversation, "rest/data/issue?", 200,
			ANSWER(ISSUE("1", "5") "," ISSUE("2", "9")));
		talk_answer(conversation, "rest/data/msg?", rows[i].status, rows[i].body);
		talk_failed(conversation, rows[i].kind, "");
		assert_int_equal(conversation->observation_count, 1);
		talk_learnt(conversation, 1, ERR_NONE);
		assert_int_equal(conversation->comment_count, 0);
		talloc_free(conversation);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_new_messages_are_asked_for_in_order),
		cmocka_unit_test(many_messages_are_several_questions),
		cmocka_unit_test(many_bugs_are_several_questions),
		cmocka_unit_test(what_is_too_large_is_halved_to_one_message),
		cmocka_unit_test(what_the_administrators_limit_cuts_is_asked_again),
		cmocka_unit_test(odd_issues_fail_alone),
		cmocka_unit_test(odd_messages_fail_their_bug_alone),
		cmocka_unit_test(a_bad_answer_says_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
