/* Which bugs of a Roundup server changed, told by small answers. */
#include "talk.h"
#include "trackers/tracker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

#define SINCE "activity=2026-03-07.19:30:00%3B&@fields=activity&@verbose=0&@pretty=false"
#define LIST(items) "{\"data\":{\"collection\":[" items "],\"@total_size\":1}}"
#define ITEM(id, activity) "{\"id\":\"" id "\",\"activity\":\"" activity "\"}"

/* 2026-03-08T09:30:00Z */
static const moment morning = 1772962200 * MOMENT_SECOND;

static struct conversation *begin_for(const struct wanted *wanted, unsigned count)
{
	struct server *server = server_new(NULL);
	server->skew_s = -30;
	struct conversation *conversation = conversation_new_changes(NULL,
		tracker_by_name("roundup"), "https://tracker.example.org/", server, NULL, wanted,
		count, morning, talk_date - MOMENT_DAY);
	talloc_free(server);
	return conversation;
}

static struct conversation *begin(void)
{
	return begin_for(NULL, 0);
}

static void few_watched_bugs_narrow_the_question(void **state)
{
	static const struct wanted two[] = {{.remote_id = "7"}, {.remote_id = "12"}};
	struct conversation *conversation = begin_for(two, 2);
	talk_answer(conversation, "rest/data/issue?id=7&id=12&" SINCE, 200, LIST(""));
	talk_done(conversation);
	assert_int_equal(conversation->change_count, 0);
	assert_int_equal(conversation->until, talk_date);
	talloc_free(conversation);
}

static void many_watched_bugs_do_not(void **state)
{
	struct wanted *many = talloc_array(NULL, struct wanted, 251);
	for (unsigned i = 0; i < 251; i++)
		many[i] = (struct wanted){.remote_id = talloc_asprintf(many, "%u", i + 1)};
	struct conversation *conversation = begin_for(many, 251);
	talk_answer(conversation, "rest/data/issue?" SINCE, 200, LIST(""));
	talk_done(conversation);
	talloc_free(conversation);
	talloc_free(many);
}

/* What the earlier beginning brings is left out; what is cut to the second of `since` is not. */
static void changes_are_compared_here(void **state)
{
	struct conversation *conversation = begin();
	talk_answer(conversation, "rest/data/issue?" SINCE, 200,
		LIST(ITEM("1", "2026-03-08.09:30:00") "," ITEM("2", "2026-03-08.09:29:59") "," ITEM(
			"3", "2026-03-07.05:30:00") "," ITEM("4", "2030-01-01.00:00:00")));
	talk_done(conversation);
	assert_int_equal(conversation->change_count, 2);
	assert_string_equal(conversation->changes[0].remote_id, "1");
	assert_int_equal(conversation->changes[0].at, morning);
	assert_string_equal(conversation->changes[1].remote_id, "4");
	talloc_free(conversation);
}

static void a_bad_list_fails_the_errand(void **state)
{
	static const struct {
		int status;
		const char *body, *words;
		enum err_kind kind;
	} rows[] = {
		{200, LIST(ITEM("1", "2026-03-07.05:29:58")), "ignores the filter",
			ERR_UNPARSABLE_TRACKER},
		{200, "{\"data\":{\"collection\":[],\"@total_size\":-1}}", "limit cut it",
			ERR_UNPARSABLE_TRACKER},
		{200, LIST(ITEM("1", "2026-03-08.10:00:00") ",{\"id\":\"2\"}"), "no activity",
			ERR_UNPARSABLE_TRACKER},
		{200, LIST("null"), "no id", ERR_UNPARSABLE_TRACKER},
		{200, LIST(ITEM("0", "2026-03-08.10:00:00")), "no id", ERR_UNPARSABLE_TRACKER},
		{200, LIST("{\"id\":\"1\",\"activity\":null}"), "no activity",
			ERR_UNPARSABLE_TRACKER},
		{200, "{\"data\":{}}", "", ERR_UNPARSABLE_TRACKER},
		{200, "<html>", "", ERR_UNPARSABLE_TRACKER},
		{400, "{\"error\":{\"status\":400,\"msg\":\"bad\"}}", "bad", ERR_HTTP},
		{403, "", "", ERR_AUTH},
		{429, "", "", ERR_RATE_LIMITED},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conversation *conversation = begin();
		talk_answer(conversation, "rest/data/issue?", rows[i].status, rows[i].body);
		talk_failed(conversation, rows[i].kind, rows[i].words);
		assert_int_equal(conversation->until, 0);
		talloc_free(conversation);
	}
	struct conversation *conversation = begin();
	talk_break(conversation, "rest/data/issue?", ERR_TIMEOUT);
	talk_failed(conversation, ERR_TIMEOUT, "the line is dead");
	assert_int_equal(conversation->until, 0);
	talloc_free(conversation);
}

static void without_a_date_our_clock_stands_in(void **state)
{
	struct conversation *conversation = begin();
	struct exchange *exchange = talk_asked(conversation, "rest/data/issue?");
	exchange_head(conversation, exchange, 200, NULL, 0);
	exchange_data(conversation, exchange, LIST(""), strlen(LIST("")));
	exchange_end(conversation, exchange, NULL);
	talk_done(conversation);
	assert_int_equal(conversation->until, talk_date - MOMENT_DAY - 30 * MOMENT_SECOND);
	talloc_free(conversation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_watched_bugs_narrow_the_question),
		cmocka_unit_test(many_watched_bugs_do_not),
		cmocka_unit_test(changes_are_compared_here),
		cmocka_unit_test(a_bad_list_fails_the_errand),
		cmocka_unit_test(without_a_date_our_clock_stands_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
