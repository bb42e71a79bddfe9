/* What a mirror of UDD says changed, told by small answers. */
#include "trackers/tracker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

enum { PAGE = 1000, HOUR_S = 3600 };

static const struct wanted two[] = {{.remote_id = "7"}, {.remote_id = "9"}};
static const moment noon = 1800000000 * MOMENT_SECOND, since = 1799990000 * MOMENT_SECOND;

static struct conversation *begin(unsigned wanted_count)
{
	struct server *server = server_new(NULL);
	struct conversation *conversation = conversation_new_changes(NULL,
		tracker_by_name("debbugs"), "https://bugs.example.org/", server, NULL,
		wanted_count > 0 ? two : NULL, wanted_count, since, noon);
	talloc_free(server);
	return conversation;
}

/* Answers the next question, which must ask for what comes after AT and ID, with ROWS. */
static void answer(struct conversation *conversation, moment at, const char *id, const char *rows)
{
	char text[32];
	struct exchange *exchange = conversation_next(conversation);
	assert_non_null(exchange);
	snprintf(text, sizeof(text), "%lld", (long long)at);
	assert_non_null(exchange->sql);
	assert_string_equal(exchange->parameters[0], text);
	assert_string_equal(exchange->parameters[1], id);
	exchange_head(conversation, exchange, 200, NULL, 0);
	exchange_data(conversation, exchange, rows, strlen(rows));
	exchange_end(conversation, exchange, NULL);
}

static void rows_are_changes(void **state)
{
	struct conversation *conversation = begin(2);
	answer(conversation, since - HOUR_S * MOMENT_SECOND, "0",
		"7\t1799995000000000\n9\t1799995000000001\n");
	assert_true(conversation_over(conversation));
	assert_string_equal(conversation->err.text, "");
	assert_int_equal(conversation->change_count, 2);
	assert_string_equal(conversation->changes[1].remote_id, "9");
	assert_int_equal(conversation->changes[1].at, 1799995000000001);
	assert_int_equal(conversation->until, 1799995000000001);
	talloc_free(conversation);
}

/* The mirror may be hours behind: that it shows nothing does not say that nothing changed. */
static void the_cursor_stays_where_nothing_is_shown(void **state)
{
	static const char *const rows[] = {"", "7\t1799988000000000\n"};
	for (int i = 0; i < 2; i++) {
		struct conversation *conversation = begin(0);
		answer(conversation, since - HOUR_S * MOMENT_SECOND, "0", rows[i]);
		assert_int_equal(conversation->until, since);
		talloc_free(conversation);
	}
}

static void a_stamp_of_tomorrow_moves_no_further_than_now(void **state)
{
	struct conversation *conversation = begin(0);
	answer(conversation, since - HOUR_S * MOMENT_SECOND, "0", "7\t1800086400000000\n");
	assert_int_equal(conversation->until, noon);
	talloc_free(conversation);
}

static void pages_go_on_behind_their_last_row(void **state)
{
	struct conversation *conversation = begin(0);
	char *rows = talloc_strdup(conversation, "");
	for (int i = 1; i <= PAGE; i++)
		rows = talloc_asprintf_append(rows, "%d\t1799995000000000\n", i);
	answer(conversation, since - HOUR_S * MOMENT_SECOND, "0", rows);
	assert_int_equal(conversation->until, 0);
	answer(conversation, 1799995000000000, "1000", "3\t1799995000000005\n");
	assert_int_equal(conversation->change_count, PAGE + 1);
	assert_int_equal(conversation->until, 1799995000000005);
	talloc_free(conversation);
}

static void rows_that_are_none(void **state)
{
	static const char *const bad[] = {"7", "7\t", "7\t1", "\t1\n", "7\tx\n", "-7\t1\n",
		"7\t1\t2\n", "7 1\n", "7\t1799990000000000\n7\t1799980000000000\n",
		"1234567890123456789\t1\n", "\n"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct conversation *conversation = begin(0);
		answer(conversation, since - HOUR_S * MOMENT_SECOND, "0", bad[i]);
		assert_int_equal(conversation->err.kind, ERR_UNPARSABLE_TRACKER);
		assert_memory_equal(conversation->err.text, "UDD: ", 5);
		assert_int_equal(conversation->until, 0);
		talloc_free(conversation);
	}
}

static void pages_without_end(void **state)
{
	struct conversation *conversation = begin(0);
	char *rows = talloc_strdup(conversation, "");
	for (int i = 1; i <= PAGE; i++)
		rows = talloc_strdup_append(rows, "7\t1799995000000000\n");
	answer(conversation, since - HOUR_S * MOMENT_SECOND, "0", rows);
	answer(conversation, 1799995000000000, "7", rows);
	assert_int_equal(conversation->err.kind, ERR_UNPARSABLE_TRACKER);
	talloc_free(conversation);
}

static void a_failure_keeps_its_words(void **state)
{
	struct conversation *conversation = begin(0);
	struct err failure = {0};
	err_set(&failure, ERR_TIMEOUT, "UDD: it does not answer");
	exchange_end(conversation, conversation_next(conversation), &failure);
	assert_int_equal(conversation->err.kind, ERR_TIMEOUT);
	assert_string_equal(conversation->err.text, "UDD: it does not answer");
	talloc_free(conversation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_changes),
		cmocka_unit_test(the_cursor_stays_where_nothing_is_shown),
		cmocka_unit_test(a_stamp_of_tomorrow_moves_no_further_than_now),
		cmocka_unit_test(pages_go_on_behind_their_last_row),
		cmocka_unit_test(rows_that_are_none),
		cmocka_unit_test(pages_without_end),
		cmocka_unit_test(a_failure_keeps_its_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
