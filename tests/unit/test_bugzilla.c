/* Situations at a Bugzilla server, told by small answers. */
#include "trackers/tracker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

#define BASE "https://bugs.example.org/bz/"
#define NONE "{\"bugs\":[]}"
#define MISSING "{\"error\":true,\"code\":101,\"message\":\"Bug #1 does not exist.\"}"
#define PRIVATE "{\"error\":true,\"code\":102,\"message\":\"You are not authorized.\"}"
#define LOGIN_WANTED "{\"error\":true,\"code\":410,\"message\":\"You must log in.\"}"
#define HTML "<!DOCTYPE html><title>Hello</title>"
#define LOGIN_PAGE "<form><input name=\"p\" type=\"password\"></form>"
#define REST                                                                                       \
	"\"status\":\"RESOLVED\",\"resolution\":\"FIXED\",\"severity\":\"major\","                 \
	"\"priority\":\"Low\",\"summary\":\"A bug\",\"product\":\"Widgets\","                      \
	"\"last_change_time\":\"2026-03-08T07:30:00Z\"}"
#define BUG(id) "{\"id\":" id "," REST

static const struct wanted three[] = {
	{.remote_id = "1", .known = true}, {.remote_id = "2", .known = true}, {.remote_id = "3"}};
static const struct wanted fresh[] = {{.remote_id = "1"}, {.remote_id = "2"}};
static const moment noon = 1800000000 * MOMENT_SECOND;

struct setting {
	const char *door, *version;
	const struct credentials *credentials;
};

static struct conversation *begin_check_at(
	const struct setting *setting, const struct wanted *wanted, unsigned count)
{
	struct server *server = server_new(NULL);
	server->door = talloc_strdup(server, setting->door);
	server->version = talloc_strdup(server, setting->version);
	struct conversation *conversation = conversation_new(NULL, tracker_by_name("bugzilla"),
		ERRAND_CHECK, BASE, server, setting->credentials, wanted, count, noon);
	talloc_free(server);
	return conversation;
}

static struct conversation *begin_check(const struct wanted *wanted, unsigned count)
{
	static const struct setting setting = {.door = "rest/", .version = "5.2"};
	return begin_check_at(&setting, wanted, count);
}

/* The next question, which must be for PATH. */
static struct exchange *asked(struct conversation *conversation, const char *path)
{
	struct exchange *exchange = conversation_next(conversation);
	if (exchange == NULL)
		fail_msg("nothing is asked in place of %s", path);
	else if (strncmp(exchange->url, BASE, strlen(BASE)) != 0 ||
		strncmp(exchange->url + strlen(BASE), path, strlen(path)) != 0)
		fail_msg("%s is asked in place of %s", exchange->url, path);
	return exchange;
}

static void answer(
	struct conversation *conversation, const char *path, int status, const char *body)
{
	struct exchange *exchange = asked(conversation, path);
	exchange_head(conversation, exchange, status, "application/json", noon);
	exchange_data(conversation, exchange, body, strlen(body));
	exchange_end(conversation, exchange, NULL);
}

static void fail_transport(struct conversation *conversation, const char *path, enum err_kind kind)
{
	struct err failure = {0};
	err_set(&failure, kind, "the line is dead");
	exchange_end(conversation, asked(conversation, path), &failure);
}

static void assert_seen(
	const struct conversation *conversation, unsigned wanted, enum err_kind kind)
{
	for (unsigned i = 0; i < conversation->observation_count; i++) {
		if (conversation->observations[i].wanted == wanted) {
			assert_string_equal(
				err_word(conversation->observations[i].err.kind), err_word(kind));
			return;
		}
	}
	fail_msg("nothing was learnt of bug %u", wanted);
}

/* Ends CONVERSATION, which must have succeeded with so many observations. */
static void assert_done(struct conversation *conversation, unsigned observations)
{
	assert_null(conversation_next(conversation));
	assert_true(conversation_over(conversation));
	assert_string_equal(conversation->err.text, "");
	assert_int_equal(conversation->observation_count, observations);
	talloc_free(conversation);
}

/* Ends CONVERSATION, which must have failed in these words, with so many observations. */
static void assert_failed(struct conversation *conversation, enum err_kind kind, const char *words,
	unsigned observations)
{
	assert_true(conversation_over(conversation));
	assert_string_equal(err_word(conversation->err.kind), err_word(kind));
	if (strstr(conversation->err.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", conversation->err.text, words);
	assert_int_equal(conversation->observation_count, observations);
	talloc_free(conversation);
}

/* ---- checking ---- */

static void a_check_reads_all_there_is(void **state)
{
	struct conversation *conversation = begin_check(three, 1);
	answer(conversation,
		"rest/bug?id=1&limit=1&include_fields=id,status,resolution,severity,priority,"
		"last_change_time,summary,product",
		200, "{\"bugs\":[" BUG("1") "]}");
	const struct observation *seen = &conversation->observations[0];
	assert_string_equal(seen->status, "RESOLVED");
	assert_string_equal(seen->resolution, "FIXED");
	assert_string_equal(seen->severity, "major");
	assert_string_equal(seen->priority, "Low");
	assert_string_equal(seen->title, "A bug");
	assert_string_equal(seen->product, "Widgets");
	assert_int_equal(seen->changed_at, 1772955000 * MOMENT_SECOND);
	assert_int_equal(seen->mapped_status, STATUS_FIX_RELEASED);
	assert_int_equal(seen->mapped_importance, IMPORTANCE_HIGH);
	assert_done(conversation, 1);
}

static void what_is_empty_is_not_there(void **state)
{
	struct conversation *conversation = begin_check(three, 1);
	answer(conversation, "rest/bug?id=1&", 200,
		"{\"bugs\":[{\"id\":\"1\",\"status\":\"NEW\",\"resolution\":\"\",\"severity\":null,"
		"\"summary\":\"a\xff\\u0007\"}]}");
	const struct observation *seen = &conversation->observations[0];
	assert_null(seen->resolution);
	assert_null(seen->severity);
	assert_null(seen->priority);
	assert_null(seen->product);
	assert_string_equal(seen->title, "a\xef\xbf\xbd");
	assert_int_equal(seen->changed_at, 0);
	assert_int_equal(seen->mapped_importance, IMPORTANCE_UNDECIDED);
	assert_done(conversation, 1);
}

static void a_missing_bug_is_looked_up_once(void **state)
{
	struct conversation *conversation = begin_check(three, 3);
	answer(conversation, "rest/bug?id=1,2,3&limit=3&", 200, "{\"bugs\":[" BUG("2") "]}");
	answer(conversation, "rest/bug/1?include_fields=", 404, MISSING);
	answer(conversation, "rest/bug/3?include_fields=", 401, PRIVATE);
	assert_seen(conversation, 0, ERR_BUG_NOT_FOUND);
	assert_seen(conversation, 1, ERR_NONE);
	assert_seen(conversation, 2, ERR_PRIVATE_BUG);
	assert_done(conversation, 3);
}

static void a_bug_that_the_search_lost_is_read_by_itself(void **state)
{
	struct conversation *conversation = begin_check(three, 1);
	answer(conversation, "rest/bug?id=1&", 200, NONE);
	answer(conversation, "rest/bug/1?", 200, "{\"bugs\":[" BUG("1") "],\"faults\":[]}");
	assert_seen(conversation, 0, ERR_NONE);
	assert_done(conversation, 1);
}

static void a_single_answer_is_about_its_bug(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
	} rows[] = {
		{404, "{\"error\":true,\"code\":\"101\",\"message\":\"Bug #1.\"}",
			ERR_BUG_NOT_FOUND},
		{404, "{\"error\":true,\"code\":101}", ERR_BUG_NOT_FOUND},
		{400, "{\"error\":true,\"code\":100,\"message\":\"?\"}", ERR_INVALID_BUG_ID},
		{400, "{\"error\":true,\"code\":53,\"message\":\"?\"}", ERR_INVALID_BUG_ID},
		{200, NONE, ERR_UNPARSABLE_BUG},
		{200, "{\"bugs\":[" BUG("2") "]}", ERR_UNPARSABLE_BUG},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conversation *conversation = begin_check(three, 1);
		answer(conversation, "rest/bug?id=1&", 200, NONE);
		answer(conversation, "rest/bug/1?", rows[i].status, rows[i].body);
		assert_seen(conversation, 0, rows[i].kind);
		assert_done(conversation, 1);
	}
}

static void a_lookup_that_fails_leaves_its_bug_unsaid(void **state)
{
	struct conversation *conversation = begin_check(three, 2);
	answer(conversation, "rest/bug?id=1,2&", 200, "{\"bugs\":[" BUG("2") "]}");
	fail_transport(conversation, "rest/bug/1?", ERR_TIMEOUT);
	assert_seen(conversation, 1, ERR_NONE);
	assert_failed(conversation, ERR_TIMEOUT, "the line is dead", 1);
	conversation = begin_check(three, 2);
	answer(conversation, "rest/bug?id=1,2&", 200, "{\"bugs\":[" BUG("2") "]}");
	answer(conversation, "rest/bug/1?", 401, LOGIN_WANTED);
	assert_failed(conversation, ERR_AUTH, "You must log in.", 1);
	conversation = begin_check(three, 2);
	answer(conversation, "rest/bug?id=1,2&", 200, "{\"bugs\":[" BUG("2") "]}");
	answer(conversation, "rest/bug/1?", 404, HTML);
	assert_failed(conversation, ERR_HTTP, "rest/bug/1", 1);
}

static void odd_items_spoil_nothing(void **state)
{
	static const char *const items[] = {
		BUG("2"),
		"{\"id\":2,\"status\":\"NEW\",\"resolution\":\"\"}",
		BUG("99"),
		"null,7,[],{},{\"id\":true}",
		BUG("12345678901234567890"),
		BUG("123456789012345678901"),
		BUG("1.0"),
		BUG("\"1\""),
	};
	struct conversation *conversation = begin_check(three, 3);
	char *body = talloc_strdup(conversation, "{\"bugs\":[");
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		body = talloc_asprintf_append(body, "%s,", items[i]);
	body = talloc_asprintf_append(body, "%s]}", BUG("3"));
	answer(conversation, "rest/bug?id=1,2,3&", 200, body);
	assert_seen(conversation, 0, ERR_NONE);
	assert_string_equal(conversation->observations[0].status, "RESOLVED");
	assert_done(conversation, 3);
}

static void a_bug_that_can_not_be_read_is_one_bugs_failure(void **state)
{
	static const char *const bad[] = {
		"\"resolution\":\"\"",
		"\"status\":\"\",\"resolution\":\"\"",
		"\"status\":null,\"resolution\":\"\"",
		"\"status\":{},\"resolution\":\"\"",
		"\"status\":\"RESOLVED\"",
		"\"status\":\"NEW\",\"resolution\":[]",
		"\"status\":\"NEW\",\"resolution\":\"\",\"severity\":true",
		"\"status\":\"NEW\",\"resolution\":\"\",\"priority\":{}",
		"\"status\":\"NEW\",\"resolution\":\"\",\"summary\":[\"x\"]",
		"\"status\":\"NEW\",\"resolution\":\"\",\"product\":false",
		"\"status\":\"NEW\",\"resolution\":\"\",\"last_change_time\":\"yesterday\"",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct conversation *conversation = begin_check(three, 2);
		char *body = talloc_asprintf(
			conversation, "{\"bugs\":[{\"id\":1,%s}," BUG("2") "]}", bad[i]);
		answer(conversation, "rest/bug?id=1,2&", 200, body);
		assert_seen(conversation, 0, ERR_UNPARSABLE_BUG);
		assert_seen(conversation, 1, ERR_NONE);
		assert_done(conversation, 2);
	}
}

/* ---- silence ---- */

static void silence_about_known_bugs_is_not_believed(void **state)
{
	static const struct {
		int status;
		const char *body, *words;
		enum err_kind kind;
	} rows[] = {
		{200, "{\"bugs\":[" BUG("1") "]}", "answered none of the 3",
			ERR_UNPARSABLE_TRACKER},
		{200, NONE, "answered none of the 3", ERR_UNPARSABLE_TRACKER},
		{400, "{\"error\":true,\"code\":100}", "answered none", ERR_UNPARSABLE_TRACKER},
		{404, HTML, "HTTP 404", ERR_HTTP},
		{401, LOGIN_WANTED, "You must log in.", ERR_AUTH},
		{429, "", "HTTP 429", ERR_RATE_LIMITED},
		{200, "", "empty", ERR_UNPARSABLE_TRACKER},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conversation *conversation = begin_check(three, 3);
		answer(conversation, "rest/bug?id=1,2,3&", 200, NONE);
		answer(conversation, "rest/bug/1?", rows[i].status, rows[i].body);
		assert_failed(conversation, rows[i].kind, rows[i].words, 0);
	}
}

static void silence_is_believed_after_one_bug_is_gone(void **state)
{
	static const struct wanted last_known[] = {
		{.remote_id = "1"}, {.remote_id = "2"}, {.remote_id = "3", .known = true}};
	struct conversation *conversation = begin_check(last_known, 3);
	answer(conversation, "rest/bug?id=1,2,3&", 200, NONE);
	struct exchange *witness = asked(conversation, "rest/bug/3?");
	assert_null(conversation_next(conversation));
	exchange_head(conversation, witness, 401, NULL, 0);
	exchange_data(conversation, witness, PRIVATE, sizeof(PRIVATE) - 1);
	exchange_end(conversation, witness, NULL);
	answer(conversation, "rest/bug/2?", 404, MISSING);
	answer(conversation, "rest/bug/1?", 404, MISSING);
	assert_seen(conversation, 2, ERR_PRIVATE_BUG);
	assert_done(conversation, 3);
}

static void silence_about_new_bugs_is_asked_about(void **state)
{
	struct conversation *conversation = begin_check(fresh, 2);
	answer(conversation, "rest/bug?id=1,2&", 200, NONE);
	answer(conversation, "rest/bug/1?", 404, MISSING);
	answer(conversation, "rest/bug/2?", 404, MISSING);
	assert_done(conversation, 2);
}

/* ---- failures of the tracker ---- */

static void a_bad_answer_says_nothing_about_bugs(void **state)
{
	static const struct {
		int status;
		const char *body, *words;
		enum err_kind kind;
	} rows[] = {
		{200, HTML, "markup", ERR_UNPARSABLE_TRACKER},
		{200, LOGIN_PAGE, "login page", ERR_AUTH},
		{200, "", "empty", ERR_UNPARSABLE_TRACKER},
		{200, "{\"bugs\":[" BUG("1"), "cut short", ERR_UNPARSABLE_TRACKER},
		{200, "{}", "not what Bugzilla", ERR_UNPARSABLE_TRACKER},
		{200, "[]", "not what Bugzilla", ERR_UNPARSABLE_TRACKER},
		{200, "{\"bugs\":{}}", "not what Bugzilla", ERR_UNPARSABLE_TRACKER},
		{200, "{\"error\":true,\"code\":100500,\"message\":\"Oops\",\"bugs\":[]}", "Oops",
			ERR_UNPARSABLE_TRACKER},
		{500, HTML, "HTTP 500", ERR_HTTP},
		{404, "{\"error\":true,\"code\":32614,\"message\":\"No such\"}", "No such",
			ERR_HTTP},
		{429, HTML, "429", ERR_RATE_LIMITED},
		{401, LOGIN_WANTED, "Set credentials", ERR_AUTH},
		{400, "{\"error\":true,\"code\":\"306\",\"message\":\"Bad key.\"}", "Bad key.",
			ERR_AUTH},
		{401, HTML, "HTTP 401", ERR_AUTH},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conversation *conversation = begin_check(three, 3);
		answer(conversation, "rest/bug?id=1,2,3&", rows[i].status, rows[i].body);
		assert_failed(conversation, rows[i].kind, rows[i].words, 0);
	}
}

static void a_question_that_is_too_long_is_halved(void **state)
{
	struct conversation *conversation = begin_check(three, 3);
	answer(conversation, "rest/bug?id=1,2,3&", 414, HTML);
	answer(conversation, "rest/bug?id=1&limit=1&", 200, "{\"bugs\":[" BUG("1") "]}");
	answer(conversation, "rest/bug?id=2,3&limit=2&", 200,
		"{\"bugs\":[" BUG("2") "," BUG("3") "]}");
	assert_done(conversation, 3);
	conversation = begin_check(three, 1);
	answer(conversation, "rest/bug?id=1&", 414, HTML);
	assert_failed(conversation, ERR_HTTP, "HTTP 414", 0);
}

/* Every bug is asked for exactly once, in questions that a web server takes. */
static void assert_covered(struct conversation *conversation, unsigned expected, unsigned questions)
{
	struct exchange *exchange;
	unsigned asked_for = 0, count = 0;
	while ((exchange = conversation_next(conversation)) != NULL) {
		assert_true(strlen(exchange->url) < 8000);
		assert_in_range(exchange->wanted_count, 1, 300);
		for (unsigned i = 0; i < exchange->wanted_count; i++)
			assert_int_equal(exchange->wanted[i], asked_for++);
		count++;
	}
	assert_int_equal(asked_for, expected);
	assert_int_equal(count, questions);
	talloc_free(conversation);
}

static void many_bugs_are_several_questions(void **state)
{
	struct wanted *many = talloc_zero_array(NULL, struct wanted, 700);
	for (unsigned i = 0; i < 700; i++)
		many[i].remote_id = talloc_asprintf(many, "%u", 1000000000 + i);
	assert_covered(begin_check(many, 300), 300, 1);
	assert_covered(begin_check(many, 700), 700, 3);
	struct credentials credentials = {.api_key = talloc_zero_size(many, 5001)};
	memset((char *)(uintptr_t)credentials.api_key, 'p', 5000);
	struct setting setting = {.credentials = &credentials};
	assert_covered(begin_check_at(&setting, many, 300), 300, 2);
	talloc_free(many);
}

/* ---- signing in ---- */

static void assert_signs_in(const struct setting *setting, const char *tail, const char *header)
{
	struct conversation *conversation = begin_check_at(setting, three, 1);
	struct exchange *exchange = conversation_next(conversation);
	assert_string_equal(exchange->headers[0], "Accept: application/json");
	if (header != NULL)
		assert_string_equal(exchange->headers[1], header);
	else
		assert_null(exchange->headers[1]);
	const char *last = setting->credentials != NULL ? ",groups" : ",product";
	const char *end = strstr(exchange->url, last) + strlen(last);
	assert_string_equal(end, tail);
	assert_false(exchange->basic_login);
	talloc_free(conversation);
}

static void credentials_go_where_the_version_looks(void **state)
{
	struct session session = {.cookie = "Bugzilla_login=3; Bugzilla_logincookie=x"};
	struct credentials key = {.api_key = "K\r\n1"},
			   login = {.username = "a@b", .password = "p&q", .session = &session};
	struct setting setting = {.door = "rest.cgi/", .version = "5.2"};
	assert_signs_in(&setting, "", NULL);
	setting.credentials = &key;
	assert_signs_in(&setting, "&Bugzilla_api_key=K%0D%0A1", "X-BUGZILLA-API-KEY: K%0D%0A1");
	setting.version = "5.0.4.rh103";
	assert_signs_in(&setting, "", "Authorization: Bearer K%0D%0A1");
	setting.credentials = &login;
	assert_signs_in(&setting, "&Bugzilla_token=3-x", NULL);
}

static void a_refused_login_says_to_set_another(void **state)
{
	struct credentials key = {.api_key = "secret"};
	struct setting setting = {.door = "rest.cgi/", .version = "5.2", .credentials = &key};
	struct conversation *conversation = begin_check_at(&setting, three, 1);
	answer(conversation, "rest.cgi/bug?id=1&", 400,
		"{\"error\":true,\"code\":306,\"message\":\"The API key is invalid.\"}");
	assert_null(strstr(conversation->err.text, "secret"));
	assert_failed(conversation, ERR_AUTH, "The API key is invalid. Set other credentials", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_check_reads_all_there_is),
		cmocka_unit_test(what_is_empty_is_not_there),
		cmocka_unit_test(a_missing_bug_is_looked_up_once),
		cmocka_unit_test(a_bug_that_the_search_lost_is_read_by_itself),
		cmocka_unit_test(a_single_answer_is_about_its_bug),
		cmocka_unit_test(a_lookup_that_fails_leaves_its_bug_unsaid),
		cmocka_unit_test(odd_items_spoil_nothing),
		cmocka_unit_test(a_bug_that_can_not_be_read_is_one_bugs_failure),
		cmocka_unit_test(silence_about_known_bugs_is_not_believed),
		cmocka_unit_test(silence_is_believed_after_one_bug_is_gone),
		cmocka_unit_test(silence_about_new_bugs_is_asked_about),
		cmocka_unit_test(a_bad_answer_says_nothing_about_bugs),
		cmocka_unit_test(a_question_that_is_too_long_is_halved),
		cmocka_unit_test(many_bugs_are_several_questions),
		cmocka_unit_test(credentials_go_where_the_version_looks),
		cmocka_unit_test(a_refused_login_says_to_set_another),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
