/* Which bugs of a Bugzilla server changed, told by small answers. */
#include "talk.h"
#include "trackers/tracker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

#define ALL                                                                                        \
	"rest/bug?last_change_time=2026-03-08T09:30:00Z&include_fields=id,alias,last_change_time&"
#define PAGES ALL "order=bug_id&limit=500"

/* 2026-03-08T09:30:00Z */
static const moment morning = 1772962200 * MOMENT_SECOND;

static struct conversation *begin_for(const struct wanted *wanted, unsigned count)
{
	struct server *server = server_new(NULL);
	server->door = "rest/";
	server->skew_s = 30;
	struct conversation *conversation = conversation_new_changes(NULL,
		tracker_by_name("bugzilla"), "https://bugs.example.org/", server, NULL, wanted,
		count, morning, talk_date - MOMENT_DAY);
	talloc_free(server);
	return conversation;
}

static struct conversation *begin(void)
{
	return begin_for(NULL, 0);
}

/* Answers with COUNT bugs, FIRST and those that follow it by STEP. */
static void answer_page(
	struct conversation *conversation, const char *path, int first, int step, unsigned count)
{
	char *body = talloc_strdup(NULL, "{\"bugs\":[");
	for (unsigned i = 0; i < count; i++)
		body = talloc_asprintf_append_buffer(body,
			"%s{\"last_change_time\":\"2026-03-08T09:30:00Z\",\"id\":%d}",
			i > 0 ? "," : "", first + (int)i * step);
	body = talloc_strdup_append_buffer(body, "]}");
	talk_answer(conversation, path, 200, body);
	talloc_free(body);
}

static void assert_all(struct conversation *conversation, unsigned changes)
{
	talk_done(conversation);
	assert_int_equal(conversation->change_count, changes);
	assert_int_equal(conversation->until, talk_date);
	talloc_free(conversation);
}

static void assert_given_up(
	struct conversation *conversation, enum err_kind kind, const char *words)
{
	talk_failed(conversation, kind, words);
	assert_int_equal(conversation->until, 0);
	talloc_free(conversation);
}

static void few_watched_bugs_narrow_the_question(void **state)
{
	static const struct wanted two[] = {{.remote_id = "7"}, {.remote_id = "12"}};
	struct conversation *conversation = begin_for(two, 2);
	answer_page(
		conversation, "rest/bug?id=7,12&last_change_time=2026-03-08T09:30:00Z&", 7, 5, 2);
	assert_string_equal(conversation->changes[1].remote_id, "12");
	assert_int_equal(conversation->changes[1].at, morning);
	assert_all(conversation, 2);
}

static void many_watched_bugs_do_not(void **state)
{
	struct wanted *many = talloc_array(NULL, struct wanted, 301);
	for (unsigned i = 0; i < 301; i++)
		many[i] = (struct wanted){.remote_id = talloc_asprintf(many, "%u", i + 1)};
	struct conversation *conversation = begin_for(many, 301);
	answer_page(conversation, PAGES, 1, 1, 0);
	assert_all(conversation, 0);
	talloc_free(many);
}

static void pages_are_read_to_the_end(void **state)
{
	struct conversation *conversation = begin();
	answer_page(conversation, PAGES, 1, 1, 500);
	answer_page(conversation, PAGES "&offset=499", 500, 1, 500);
	answer_page(conversation, PAGES "&offset=998", 999, 1, 3);
	assert_all(conversation, 1001);
}

/* A page that is as long as a site's own limit may be is followed by another. */
static void a_round_page_may_be_cut(void **state)
{
	struct conversation *conversation = begin();
	answer_page(conversation, PAGES, 1, 1, 20);
	answer_page(conversation, PAGES "&offset=19", 20, 1, 1);
	assert_all(conversation, 20);
}

static void a_bug_that_came_into_the_list_is_no_trouble(void **state)
{
	struct conversation *conversation = begin();
	answer_page(conversation, PAGES, 2, 2, 500);
	answer_page(conversation, PAGES "&offset=499", 998, 1, 4);
	assert_string_equal(conversation->changes[500].remote_id, "1001");
	assert_all(conversation, 501);
}

/* Bug 501 may have moved to the page before, which was read already. */
static void a_bug_that_left_the_list_is(void **state)
{
	struct conversation *conversation = begin();
	answer_page(conversation, PAGES, 1, 1, 500);
	answer_page(conversation, PAGES "&offset=499", 502, 1, 3);
	assert_given_up(conversation, ERR_UNPARSABLE_TRACKER, "do not join");
	conversation = begin();
	answer_page(conversation, PAGES, 1, 1, 500);
	answer_page(conversation, PAGES "&offset=499", 1, 1, 0);
	assert_given_up(conversation, ERR_UNPARSABLE_TRACKER, "do not join");
}

static void the_same_page_again_is_no_end(void **state)
{
	static const unsigned sizes[] = {500, 20};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct conversation *conversation = begin();
		answer_page(conversation, PAGES, 1, 1, sizes[i]);
		answer_page(conversation, PAGES "&offset=", 1, 1, sizes[i]);
		assert_given_up(conversation, ERR_UNPARSABLE_TRACKER, "the same page");
	}
}

static void order_matters_between_pages_only(void **state)
{
	struct conversation *conversation = begin();
	answer_page(conversation, PAGES, 9, -1, 3);
	assert_all(conversation, 3);
	conversation = begin();
	answer_page(conversation, PAGES, 500, -1, 500);
	assert_given_up(conversation, ERR_UNPARSABLE_TRACKER, "order");
	conversation = begin();
	answer_page(conversation, PAGES, 1, 1, 500);
	answer_page(conversation, PAGES "&offset=499", 500, -1, 3);
	assert_given_up(conversation, ERR_UNPARSABLE_TRACKER, "order");
}

static void a_server_that_sends_too_much_is_given_up(void **state)
{
	struct conversation *conversation = begin();
	answer_page(conversation, PAGES, 1, 1, 600);
	assert_given_up(conversation, ERR_UNPARSABLE_TRACKER, "more of them");
	static const unsigned sizes[] = {500, 10};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned asked = 0;
		for (conversation = begin(); !conversation_over(conversation); asked++) {
			int last = conversation->change_count > 0
				? atoi(conversation->changes[conversation->change_count - 1]
						  .remote_id)
				: 1;
			answer_page(conversation, PAGES, last, 1, sizes[i]);
		}
		assert_int_equal(asked, 200);
		assert_given_up(conversation, ERR_UNPARSABLE_TRACKER, "do not end");
	}
}

static void a_bad_page_fails_the_errand(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
	} rows[] = {
		{200, "{\"bugs\":[{\"id\":500}]}", ERR_UNPARSABLE_TRACKER},
		{200, "{\"bugs\":[{\"last_change_time\":\"2026-03-08T09:30:00Z\"}]}",
			ERR_UNPARSABLE_TRACKER},
		{200, "{\"bugs\":[{\"id\":\"x\",\"last_change_time\":\"2026-03-08T09:30:00Z\"}]}",
			ERR_UNPARSABLE_TRACKER},
		{200, "{\"bugs\":[{\"id\":500,\"last_change_time\":\"yesterday\"}]}",
			ERR_UNPARSABLE_TRACKER},
		{200, "{\"bugs\":[null]}", ERR_UNPARSABLE_TRACKER},
		{200, "{\"bugs\":{}}", ERR_UNPARSABLE_TRACKER},
		{200, "{\"bugs\":[", ERR_UNPARSABLE_TRACKER},
		{200, "", ERR_UNPARSABLE_TRACKER},
		{200, "<html>", ERR_UNPARSABLE_TRACKER},
		{401, "{\"error\":true,\"code\":410,\"message\":\"Log in.\"}", ERR_AUTH},
		{429, "", ERR_RATE_LIMITED},
		{503, "", ERR_HTTP},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conversation *conversation = begin();
		answer_page(conversation, PAGES, 1, 1, 500);
		talk_answer(conversation, PAGES "&offset=499", rows[i].status, rows[i].body);
		assert_given_up(conversation, rows[i].kind, "");
	}
	struct conversation *conversation = begin();
	answer_page(conversation, PAGES, 1, 1, 500);
	talk_break(conversation, PAGES "&offset=499", ERR_TIMEOUT);
	assert_given_up(conversation, ERR_TIMEOUT, "the line is dead");
}

/* An hour that comes twice a year may be told wrong by an hour, which is no reason to complain. */
static void a_filter_that_is_ignored_is_seen(void **state)
{
	struct conversation *conversation = begin();
	talk_answer(conversation, PAGES, 200,
		"{\"bugs\":[{\"id\":1,\"last_change_time\":\"2026-03-08T08:30:00Z\"}]}");
	assert_all(conversation, 1);
	conversation = begin();
	talk_answer(conversation, PAGES, 200,
		"{\"bugs\":[{\"id\":1,\"last_change_time\":\"2026-03-08T07:29:59Z\"}]}");
	assert_given_up(conversation, ERR_UNPARSABLE_TRACKER, "ignores last_change_time");
}

static void without_a_date_our_clock_stands_in(void **state)
{
	struct conversation *conversation = begin();
	struct exchange *exchange = talk_asked(conversation, PAGES);
	exchange_head(conversation, exchange, 200, NULL, 0);
	exchange_data(conversation, exchange, "{\"bugs\":[]}", 11);
	exchange_end(conversation, exchange, NULL);
	talk_done(conversation);
	assert_int_equal(conversation->until, talk_date - MOMENT_DAY + 30 * MOMENT_SECOND);
	talloc_free(conversation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_watched_bugs_narrow_the_question),
		cmocka_unit_test(many_watched_bugs_do_not),
		cmocka_unit_test(pages_are_read_to_the_end),
		cmocka_unit_test(a_round_page_may_be_cut),
		cmocka_unit_test(a_bug_that_came_into_the_list_is_no_trouble),
		cmocka_unit_test(a_bug_that_left_the_list_is),
		cmocka_unit_test(the_same_page_again_is_no_end),
		cmocka_unit_test(order_matters_between_pages_only),
		cmocka_unit_test(a_server_that_sends_too_much_is_given_up),
		cmocka_unit_test(a_bad_page_fails_the_errand),
		cmocka_unit_test(a_filter_that_is_ignored_is_seen),
		cmocka_unit_test(without_a_date_our_clock_stands_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
