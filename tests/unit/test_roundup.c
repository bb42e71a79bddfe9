/* Situations at a Roundup server, told by small answers. */
#include "trackers/roundup/mapping.h"
#include "trackers/tracker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

#define BASE "https://tracker.example.org/"
#define EMPTY "{\"data\":{\"collection\":[],\"@total_size\":0}}"
#define FORBIDDEN "{ \"error\": { \"status\": 403, \"msg\": \"Forbidden.\" } }"

static const struct wanted three[] = {{"1", true}, {"2", true}, {"3", false}};
static const moment noon = 1800000000 * MOMENT_SECOND;

static const struct tracker *roundup(void)
{
	return tracker_by_name("roundup");
}

static struct conversation *begin_check(const struct wanted *wanted, unsigned count)
{
	struct server *server = server_new(NULL);
	server->door = "rest/";
	server->memory = "status.name,priority.name,keyword";
	struct conversation *conversation = conversation_new(
		server, roundup(), ERRAND_CHECK, BASE, server, NULL, wanted, count, noon);
	return conversation;
}

static struct conversation *begin_probe(const struct credentials *credentials)
{
	return conversation_new(
		NULL, roundup(), ERRAND_PROBE, BASE, NULL, credentials, NULL, 0, noon);
}

static void end(struct conversation *conversation)
{
	void *server = talloc_parent(conversation);
	talloc_free(conversation);
	talloc_free(server);
}

/* Answers the next question, which must be for PATH. */
static void answer(struct conversation *conversation, const char *path, int status,
	const char *type, const char *body)
{
	struct exchange *exchange = conversation_next(conversation);
	assert_non_null(exchange);
	assert_memory_equal(exchange->url, BASE, strlen(BASE));
	assert_memory_equal(exchange->url + strlen(BASE), path, strlen(path));
	exchange_head(conversation, exchange, status, type, noon);
	exchange_data(conversation, exchange, body, strlen(body));
	exchange_end(conversation, exchange, NULL);
}

static void answer_json(
	struct conversation *conversation, const char *path, int status, const char *body)
{
	answer(conversation, path, status, "application/json", body);
}

static const struct observation *seen(const struct conversation *conversation, unsigned wanted)
{
	for (unsigned i = 0; i < conversation->observation_count; i++)
		if (conversation->observations[i].wanted == wanted)
			return &conversation->observations[i];
	fail_msg("nothing was learnt of bug %u", wanted);
	return NULL;
}

static void assert_failed(
	const struct conversation *conversation, enum err_kind kind, const char *words)
{
	assert_true(conversation_over(conversation));
	assert_string_equal(err_word(conversation->err.kind), err_word(kind));
	if (strstr(conversation->err.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", conversation->err.text, words);
}

static void assert_done(const struct conversation *conversation, unsigned observations)
{
	assert_true(conversation_over(conversation));
	assert_string_equal(conversation->err.text, "");
	assert_int_equal(conversation->observation_count, observations);
}

/* ---- ids, addresses and words; tests of the tables are in test_detect.c and test_mapping.c ---- */

static void test_ids(void **state)
{
	static const char *const good[] = {"1", "55", "2147483647"};
	static const char *const bad[] = {"", "0", "007", "-1", "1a", "1 ", "2147483648",
		"9999999999", "99999999999999999999", "issue1", "1&id=2"};
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(roundup()->valid_id(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (roundup()->valid_id(bad[i]))
			fail_msg("taken as an id: \"%s\"", bad[i]);
}

static void test_leaves_other_addresses(void **state)
{
	static const char *const others[] = {"http://bugs.example.org/issue",
		"http://bugs.example.org/issue1a", "http://bugs.example.org/msg1",
		"http://bugs.example.org/reissue1", "http://bugs.example.org/issue/55",
		"http://bugs.example.org/issues/9", "http://bugs.example.org/issue1/x",
		"http://bugs.example.org/issue0", "http://bugs.example.org/issue1//",
		"http://bugs.example.org/?issue1", "http://bugs.example.org/#issue1"};
	void *owner = talloc_new(NULL);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		struct remote_bug bug;
		if (tracker_recognise(owner, others[i], &bug))
			fail_msg("recognised: %s", others[i]);
	}
	talloc_free(owner);
}

static void test_words(void **state)
{
	static const struct {
		const char *status, *resolution;
		enum bug_status to;
	} rows[] = {
		{"Done CBB", NULL, STATUS_FIX_COMMITTED},
		{"need_eg", "", STATUS_INCOMPLETE},
		{"closed", "wont fix", STATUS_WONT_FIX},
		{"closed", "Not-A-Bug", STATUS_INVALID},
		{"closed", "shipped never", STATUS_UNKNOWN},
		{"languishing", "anything", STATUS_INCOMPLETE},
		{"pending", "fixed", STATUS_UNKNOWN},
		{NULL, NULL, STATUS_UNKNOWN},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(
			map_status(roundup_status_rows, rows[i].status, rows[i].resolution),
			rows[i].to);
}

/* ---- probing ---- */

static void test_probe_says_how_to_get_in(void **state)
{
	struct conversation *conversation = begin_probe(NULL);
	answer(conversation, "rest/", 403, "text/html", FORBIDDEN);
	answer(conversation, "issue?@action=export_csv_id&", 403, "text/html", FORBIDDEN);
	assert_failed(conversation, ERR_AUTH, "a login that may view issues is wanted");
	talloc_free(conversation);
}

static void test_probe_tells_wrong_login(void **state)
{
	struct credentials login = {.username = "u", .password = "p"};
	struct conversation *conversation = begin_probe(&login);
	answer(conversation, "rest/", 401, "text/plain", "Invalid Login");
	assert_failed(conversation, ERR_AUTH, "HTTP 401");
	talloc_free(conversation);
}

static void test_probe_elsewhere(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
	} rows[] = {
		{200, "<html>Welcome</html>", ERR_UNPARSABLE_TRACKER},
		{200, "<html><form><input type=\"password\" name=p></form></html>", ERR_AUTH},
		{200, "{}", ERR_UNPARSABLE_TRACKER},
		{200, "[]", ERR_UNPARSABLE_TRACKER},
		{200, "{\"data\":{\"default_version\":\"1\"}}", ERR_UNPARSABLE_TRACKER},
		{429, "{\"error\":{\"status\":429,\"msg\":\"wait\"}}", ERR_RATE_LIMITED},
		{500, "oops", ERR_HTTP},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct conversation *conversation = begin_probe(NULL);
		answer_json(conversation, "rest/", rows[i].status, rows[i].body);
		assert_failed(conversation, rows[i].kind, "rest/");
		talloc_free(conversation);
	}
}

/* A refusal that names none of the fields asked for would be asked again for ever. */
static void test_probe_ends_on_strange_refusal(void **state)
{
	struct conversation *conversation = begin_probe(NULL);
	answer_json(conversation, "rest/", 200, "{\"data\":{\"default_version\":1}}");
	answer_json(conversation, "rest/data", 200, "{\"data\":{\"issue\":{},\"status\":{}}}");
	answer_json(conversation, "rest/data/issue?id=0&@fields=title,activity,status.name&", 400,
		"{\"error\":{\"status\":400,\"msg\":\"Unknown property: colour\"}}");
	assert_failed(conversation, ERR_HTTP, "Unknown property: colour");
	talloc_free(conversation);
}

static void test_probe_without_issues(void **state)
{
	struct conversation *conversation = begin_probe(NULL);
	answer_json(conversation, "rest/", 200, "{\"data\":{\"default_version\":1}}");
	answer_json(conversation, "rest/data", 200, "{\"data\":{\"user\":{}}}");
	answer_json(conversation, "rest/data/issue?id=0&", 404,
		"{\"error\":{\"status\":404,\"msg\":\"Class issue not found\"}}");
	assert_failed(conversation, ERR_UNSUPPORTED_TRACKER, "Class issue not found");
	talloc_free(conversation);
}

static void test_probe_learns(void **state)
{
	struct conversation *conversation = begin_probe(NULL);
	answer_json(conversation, "rest/", 200, "{\"data\":{\"default_version\":1}}");
	answer_json(conversation, "rest/data", 200,
		"{\"data\":{\"issue\":{},\"status\":{},\"priority\":{}}}");
	answer_json(conversation, "rest/data/issue?id=0&", 400,
		"{\"error\":{\"status\":400,\"msg\":\"'Unknown property: priority.name'\"}}");
	answer_json(conversation, "rest/data/issue?id=0&@fields=title,activity,status.name&", 400,
		"{\"error\":{\"status\":400,\"msg\":\"Property status can not be "
		"dereferenced in status.name.\"}}");
	answer_json(conversation, "rest/data/issue?id=0&@fields=title,activity&", 200, EMPTY);
	assert_done(conversation, 0);
	assert_string_equal(conversation->server->memory, "");
	assert_string_equal(conversation->server->door, "rest/");
	assert_int_equal(
		conversation->server->abilities, ABILITY_WHY | ABILITY_COMMENTS | ABILITY_CHANGES);
	assert_int_equal(conversation->server->skew_s, 0);
	talloc_free(conversation);
}

/* ---- checking ---- */

static void test_long_lists_are_split(void **state)
{
	struct wanted *many = talloc_array(NULL, struct wanted, 600);
	for (unsigned i = 0; i < 600; i++)
		many[i] = (struct wanted){talloc_asprintf(many, "%u", 2147480000 + i), false};
	struct conversation *conversation = begin_check(many, 600);
	struct exchange *exchange;
	unsigned asked = 0, questions = 0;
	while ((exchange = conversation_next(conversation)) != NULL) {
		assert_true(strlen(exchange->url) < 8000);
		assert_true(exchange->wanted_count <= roundup()->batch_size);
		asked += exchange->wanted_count;
		questions++;
	}
	assert_int_equal(asked, 600);
	assert_int_equal(questions, 3);
	end(conversation);
	talloc_free(many);
}

static void test_unusable_answers_teach_nothing(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
	} rows[] = {
		{200, "<html>Just a moment</html>", ERR_UNPARSABLE_TRACKER},
		{200, "<form><input type=password></form>", ERR_AUTH},
		{200, "{}", ERR_UNPARSABLE_TRACKER},
		{200, "{\"data\":[]}", ERR_UNPARSABLE_TRACKER},
		{200, "{\"data\":{\"collection\":{}}}", ERR_UNPARSABLE_TRACKER},
		{400, "{\"error\":{\"status\":400,\"msg\":\"Unknown property: keyword\"}}",
			ERR_HTTP},
		{401, "Invalid Login", ERR_AUTH},
		{403, FORBIDDEN, ERR_AUTH},
		{404, "{\"error\":{\"status\":404,\"msg\":\"no such issue 1\"}}", ERR_HTTP},
		{429, "", ERR_RATE_LIMITED},
		{500, "<html>Internal Server Error</html>", ERR_HTTP},
		{503, "<html>Maintenance</html>", ERR_HTTP},
		{200, "", ERR_UNPARSABLE_TRACKER},
		{200, "null", ERR_UNPARSABLE_TRACKER},
		{200, "{\"data\":{\"collection\":[]", ERR_UNPARSABLE_TRACKER},
		{200, EMPTY "x", ERR_UNPARSABLE_TRACKER},
		{200, "{\"data\":{\"collection\":[{\"id\":\"1\",\"x\":NaN}]}}",
			ERR_UNPARSABLE_TRACKER},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct conversation *conversation = begin_check(three, 3);
		answer_json(conversation, "rest/data/issue?id=1&id=2&id=3&", rows[i].status,
			rows[i].body);
		assert_failed(conversation, rows[i].kind, "");
		assert_int_equal(conversation->observation_count, 0);
		end(conversation);
	}
}

static void test_depth(void **state)
{
	struct conversation *conversation = begin_check(three, 2);
	char *deep = talloc_strdup(NULL, "{\"data\":{\"collection\":[{\"id\":\"1\",\"x\":");
	for (int i = 0; i < 10000; i++)
		deep = talloc_strdup_append_buffer(deep, "[");
	answer_json(conversation, "rest/data/issue?id=1&id=2&@", 200, deep);
	assert_failed(conversation, ERR_UNPARSABLE_TRACKER, "");
	assert_int_equal(conversation->observation_count, 0);
	talloc_free(deep);
	end(conversation);
}

static void test_items_of_wrong_shape(void **state)
{
	struct conversation *conversation = begin_check(three, 3);
	answer_json(conversation, "rest/data/issue?", 200,
		"{\"data\":{\"collection\":["
		"{\"id\":\"1\",\"status.name\":{}},"
		"{\"id\":2,\"status.name\":\"unread\",\"title\":7,\"extra\":[[[]]]},"
		"{\"id\":\"3\",\"activity\":\"2026-13-45.99:00:00\"},"
		"{\"id\":\"4\",\"status.name\":\"never asked for\"}]}}");
	assert_done(conversation, 3);
	assert_int_equal(seen(conversation, 0)->err.kind, ERR_UNPARSABLE_BUG);
	assert_non_null(strstr(seen(conversation, 0)->err.text, "issue1"));
	assert_int_equal(seen(conversation, 1)->err.kind, ERR_NONE);
	assert_int_equal(seen(conversation, 1)->mapped_status, STATUS_NEW);
	assert_string_equal(seen(conversation, 1)->title, "7");
	assert_int_equal(seen(conversation, 2)->err.kind, ERR_UNPARSABLE_BUG);
	end(conversation);
}

/* Whose the item without an id is can't be told: none of the silent bugs is called gone. */
static void test_item_without_id(void **state)
{
	struct conversation *conversation = begin_check(three, 3);
	answer_json(conversation, "rest/data/issue?", 200,
		"{\"data\":{\"collection\":[null,{\"id\":\"2\",\"status.name\":\"testing\"}]}}");
	assert_done(conversation, 3);
	assert_int_equal(seen(conversation, 0)->err.kind, ERR_UNPARSABLE_BUG);
	assert_int_equal(seen(conversation, 1)->mapped_status, STATUS_IN_PROGRESS);
	assert_int_equal(seen(conversation, 2)->err.kind, ERR_UNPARSABLE_BUG);
	end(conversation);
}

/* A tracker without priorities has its severities stand in; components go before keywords. */
static void test_other_schema(void **state)
{
	struct server *server = server_new(NULL);
	server->memory = "status.name,severity.name,components,keyword";
	struct conversation *conversation = conversation_new(
		server, roundup(), ERRAND_CHECK, BASE, server, NULL, three, 2, noon);
	answer_json(conversation,
		"rest/data/issue?id=1&id=2&@fields=title,activity,status.name,"
		"severity.name,components,keyword&@verbose=2&",
		200,
		"{\"data\":{\"collection\":["
		"{\"id\":\"1\",\"severity.name\":\"crash\",\"components\":[{\"name\":\"core\"}],"
		"\"keyword\":[{\"name\":\"ui\"}]},"
		"{\"id\":\"2\",\"severity.name\":\"odd\",\"keyword\":[{\"name\":\"ui\"}]}]}}");
	assert_done(conversation, 2);
	assert_int_equal(seen(conversation, 0)->mapped_importance, IMPORTANCE_HIGH);
	assert_string_equal(seen(conversation, 0)->product, "core");
	assert_int_equal(seen(conversation, 1)->mapped_importance, IMPORTANCE_UNKNOWN);
	assert_string_equal(seen(conversation, 1)->product, "ui");
	end(conversation);
}

/* An answer that was cut is asked for again only while that brings more. */
static void test_cut_answers_end(void **state)
{
	struct conversation *conversation = begin_check(three, 2);
	answer_json(conversation, "rest/data/issue?id=1&id=2&@", 200,
		"{\"data\":{\"collection\":[{\"id\":\"1\"},{\"id\":\"2\"}],\"@total_size\":-1}}");
	assert_done(conversation, 2);
	end(conversation);
	conversation = begin_check(three, 2);
	answer_json(conversation, "rest/data/issue?id=1&id=2&@", 200,
		"{\"data\":{\"collection\":[],\"@total_size\":-1}}");
	answer_json(conversation, "rest/data/issue/1?", 200, "{\"data\":{\"id\":\"1\"}}");
	assert_failed(conversation, ERR_UNPARSABLE_TRACKER, "answered none");
	end(conversation);
}

/* The connection broke: no bug is to blame, and nothing more is asked. */
static void test_broken_connection(void **state)
{
	static const struct err gone = {.kind = ERR_CONNECTION, .text = "reset by peer"};
	static const int statuses[] = {0, 200, 500};
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		struct conversation *conversation = begin_check(three, 3);
		struct exchange *exchange = conversation_next(conversation);
		if (statuses[i] != 0)
			exchange_head(conversation, exchange, statuses[i], NULL, 0);
		exchange_end(conversation, exchange, &gone);
		assert_failed(conversation, ERR_CONNECTION, "reset by peer");
		assert_null(conversation_next(conversation));
		end(conversation);
	}
}

static void test_first_word_counts(void **state)
{
	struct conversation *conversation = begin_check(three, 1);
	answer_json(conversation, "rest/data/issue?", 200,
		"{\"data\":{\"collection\":[{\"id\":\"1\",\"status.name\":\"resolved\"},"
		"{\"id\":\"1\",\"status.name\":\"unread\"}]}}");
	assert_done(conversation, 1);
	assert_int_equal(seen(conversation, 0)->mapped_status, STATUS_FIX_RELEASED);
	end(conversation);
}

static void test_hostile_words_are_cleaned(void **state)
{
	struct conversation *conversation = begin_check(three, 1);
	answer_json(conversation, "rest/data/issue?", 200,
		"{\"data\":{\"collection\":[{\"id\":\"1\",\"title\":\"a\\u0000b\\ud800c\\u001b["
		"2J\","
		"\"status.name\":\"new\\nline\"}]}}");
	assert_done(conversation, 1);
	const char *title = seen(conversation, 0)->title;
	assert_null(strchr(title, '\033'));
	assert_non_null(strstr(title, "b"));
	assert_string_equal(seen(conversation, 0)->status, "new line");
	assert_int_equal(seen(conversation, 0)->mapped_status, STATUS_UNKNOWN);
	end(conversation);
}

static void test_one_missing_bug(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
		const char *words;
	} rows[] = {
		{404, "{\"error\":{\"status\":404,\"msg\":\"no such issue 1\"}}", ERR_BUG_NOT_FOUND,
			"issue1: no such issue 1"},
		{403, "{\"error\":{\"status\":403,\"msg\":\"Permission to view issue1 denied\"}}",
			ERR_PRIVATE_BUG, "Permission to view issue1 denied"},
		{200, "{\"data\":{\"id\":\"1\",\"type\":\"issue\"}}", ERR_BUG_NOT_FOUND, "retired"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct conversation *conversation = begin_check(three, 1);
		answer_json(conversation, "rest/data/issue?id=1&@fields=", 200, EMPTY);
		answer_json(conversation, "rest/data/issue/1?", rows[i].status, rows[i].body);
		assert_done(conversation, 1);
		assert_int_equal(seen(conversation, 0)->err.kind, rows[i].kind);
		assert_non_null(strstr(seen(conversation, 0)->err.text, rows[i].words));
		end(conversation);
	}
}

static void test_unclear_word_on_a_missing_bug(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
	} rows[] = {
		{404, "<html>Not Found</html>", ERR_HTTP},
		{404, "{\"error\":{\"status\":403,\"msg\":\"no such issue 1\"}}", ERR_HTTP},
		{404, "{\"error\":{\"status\":404}}", ERR_HTTP},
		{403, FORBIDDEN, ERR_AUTH},
		{403, "<html>Forbidden</html>", ERR_AUTH},
		{200, "{\"data\":{\"id\":\"2\",\"type\":\"issue\"}}", ERR_UNPARSABLE_TRACKER},
		{200, "<html>Hello</html>", ERR_UNPARSABLE_TRACKER},
		{500, "", ERR_HTTP},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct conversation *conversation = begin_check(three, 1);
		answer_json(conversation, "rest/data/issue?id=1&@fields=", 200, EMPTY);
		answer_json(conversation, "rest/data/issue/1?", rows[i].status, rows[i].body);
		assert_failed(conversation, rows[i].kind, "");
		assert_int_equal(conversation->observation_count, 0);
		end(conversation);
	}
}

static void test_silence_about_all(void **state)
{
	struct conversation *conversation = begin_check(three, 3);
	answer_json(conversation, "rest/data/issue?", 200, EMPTY);
	answer_json(conversation, "rest/data/issue/1?", 200, "{\"data\":{\"id\":\"1\"}}");
	assert_failed(conversation, ERR_UNPARSABLE_TRACKER, "answered none of the 3 bugs asked");
	assert_int_equal(conversation->observation_count, 0);
	end(conversation);
}

/* Nobody ever saw these bugs, so their absence is no surprise. */
static void test_silence_about_unknown_bugs(void **state)
{
	static const struct wanted fresh[] = {{"8", false}, {"9", false}};
	static const char missing[] = "{\"error\":{\"status\":404,\"msg\":\"no such issue\"}}";
	struct conversation *conversation = begin_check(fresh, 2);
	answer_json(conversation, "rest/data/issue?", 200, EMPTY);
	answer_json(conversation, "rest/data/issue/8?", 404, missing);
	answer_json(conversation, "rest/data/issue/9?", 404, missing);
	assert_done(conversation, 2);
	end(conversation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_leaves_other_addresses),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_probe_says_how_to_get_in),
		cmocka_unit_test(test_probe_tells_wrong_login),
		cmocka_unit_test(test_probe_elsewhere),
		cmocka_unit_test(test_probe_ends_on_strange_refusal),
		cmocka_unit_test(test_probe_without_issues),
		cmocka_unit_test(test_probe_learns),
		cmocka_unit_test(test_long_lists_are_split),
		cmocka_unit_test(test_unusable_answers_teach_nothing),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_items_of_wrong_shape),
		cmocka_unit_test(test_item_without_id),
		cmocka_unit_test(test_other_schema),
		cmocka_unit_test(test_cut_answers_end),
		cmocka_unit_test(test_broken_connection),
		cmocka_unit_test(test_first_word_counts),
		cmocka_unit_test(test_hostile_words_are_cleaned),
		cmocka_unit_test(test_one_missing_bug),
		cmocka_unit_test(test_unclear_word_on_a_missing_bug),
		cmocka_unit_test(test_silence_about_all),
		cmocka_unit_test(test_silence_about_unknown_bugs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
