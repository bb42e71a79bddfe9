/* Situations at a Debbugs server, told by small answers; and the full recordings where present. */
#include "trackers/debbugs/mapping.h"
#include "trackers/json.h"
#include "trackers/tracker.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

#define BASE "https://bugs.example.org/"
#define BEFORE "<?xml version='1.0'?><e:Envelope xmlns:e='urn:e' xmlns:x='urn:x'><e:Body>"
#define AFTER "</e:Body></e:Envelope>"
#define STATUS(items)                                                                              \
	BEFORE "<get_statusResponse><s-gensym3>" items "</s-gensym3></get_statusResponse>" AFTER
#define BUG(id, fields) "<item><key>" id "</key><value>" fields "</value></item>"
#define STATE(pending) "<pending>" pending "</pending><last_modified>1700000000</last_modified>"
#define LOG(items) BEFORE "<get_bug_logResponse><a:Array xmlns:a='urn:a'>" items AFTER_LOG
#define AFTER_LOG "</a:Array></get_bug_logResponse>" AFTER
#define MAIL(number, header, body)                                                                 \
	"<item><msg_num>" number "</msg_num><header>" header "</header>" BODY(body) "</item>"
#define BODY(body) "<body>" body "</body>"
#define FAULT(words) BEFORE "<e:Fault><faultstring>" words "\nstack</faultstring></e:Fault>" AFTER
#define NEWEST                                                                                     \
	BEFORE "<newest_bugsResponse><Array><item>9</item></Array></newest_bugsResponse>" AFTER

static const struct wanted three[] = {{.remote_id = "1", .known = true},
	{.remote_id = "2", .known = true}, {.remote_id = "3", .known = false}};
static const moment noon = 1800000000 * MOMENT_SECOND;

static const struct tracker *debbugs(void)
{
	return tracker_by_name("debbugs");
}

static struct conversation *begin(enum errand errand, const struct wanted *wanted, unsigned count)
{
	struct server *server = server_new(NULL);
	server->door = talloc_strdup(server, "cgi/soap.cgi");
	struct conversation *conversation = conversation_new(NULL, debbugs(), errand, BASE,
		errand == ERRAND_PROBE ? NULL : server, NULL, wanted, count, noon);
	talloc_free(server);
	return conversation;
}

/* Answers the next question, which must go to DOOR and hold WORDS. */
static void answer_at(struct conversation *conversation, const char *where, const char *words,
	int status, const char *body)
{
	struct exchange *exchange = conversation_next(conversation);
	assert_non_null(exchange);
	assert_string_equal(exchange->method, "POST");
	assert_string_equal(exchange->url + strlen(BASE), where);
	if (strstr(exchange->body, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", exchange->body, words);
	exchange_head(conversation, exchange, status, "text/xml", noon);
	exchange_data(conversation, exchange, body, strlen(body));
	exchange_end(conversation, exchange, NULL);
}

static void answer(
	struct conversation *conversation, const char *words, int status, const char *body)
{
	answer_at(conversation, "cgi/soap.cgi", words, status, body);
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

/* ---- ids and words; addresses are in test_detect.c ---- */

static void ids(void **state)
{
	static const char *const bad[] = {
		"", "0", "01", "-1", "1a", "2147483648", "1</item>", "99999999999999999999"};
	assert_true(debbugs()->valid_id("1"));
	assert_true(debbugs()->valid_id("2147483647"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(debbugs()->valid_id(bad[i]));
}

/* ---- probing ---- */

static void the_probe_finds_either_door(void **state)
{
	static const struct {
		int status;
		const char *body;
	} elsewhere[] = {{404, "<html>Not Found</html>"}, {200, "<html>hello</html>"},
		{200, "<rss/>"}, {403, "no"}, {405, ""}};
	struct conversation *conversation = begin(ERRAND_PROBE, NULL, 0);
	answer_at(conversation, "cgi-bin/soap.cgi", "<newest_bugs ", 200, NEWEST);
	assert_done(conversation, 0);
	assert_string_equal(conversation->server->door, "cgi-bin/soap.cgi");
	assert_int_equal(conversation->server->abilities, ABILITY_COMMENTS);
	talloc_free(conversation);
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++) {
		conversation = begin(ERRAND_PROBE, NULL, 0);
		answer_at(conversation, "cgi-bin/soap.cgi", "", elsewhere[i].status,
			elsewhere[i].body);
		answer(conversation, "", 200, NEWEST);
		assert_done(conversation, 0);
		assert_string_equal(conversation->server->door, "cgi/soap.cgi");
		talloc_free(conversation);
	}
}

static void the_probe_tells_what_is_wrong(void **state)
{
	static const struct {
		int status;
		const char *body;
		bool second; /* whether the other door is tried */
		enum err_kind kind;
	} rows[] = {
		{404, "", true, ERR_UNSUPPORTED_TRACKER},
		{200, "<html>Welcome</html>", true, ERR_UNSUPPORTED_TRACKER},
		{200, "<form><input type=password></form>", true, ERR_AUTH},
		{200, STATUS(""), true, ERR_UNSUPPORTED_TRACKER},
		{401, "", true, ERR_AUTH},
		{429, "", false, ERR_RATE_LIMITED},
		{503, "<html>down</html>", false, ERR_HTTP},
		{500, FAULT("no such method"), false, ERR_HTTP},
		{200, BEFORE, false, ERR_UNPARSABLE_TRACKER},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct conversation *conversation = begin(ERRAND_PROBE, NULL, 0);
		answer_at(conversation, "cgi-bin/soap.cgi", "", rows[i].status, rows[i].body);
		if (rows[i].second)
			answer(conversation, "", rows[i].status, rows[i].body);
		assert_failed(conversation, rows[i].kind, BASE);
		talloc_free(conversation);
	}
}

/* ---- checking ---- */

/* A Map, a struct with base64, and one with an empty field. */
static const char every_type[] = STATUS(BUG("3",
	"<item><key>pending</key><value>pending</value></item>"
	"<item><key>last_modified</key><value>1700000001</value></item>"
	"<item><key>subject</key><value x:type='y:int'>2.10</value></item>") BUG("1",
	STATE("done") "<tags>b  a c</tags><severity>grave</severity>"
		      "<package>src:x</package><found><r7/></found><archived>1</archived>"
		      "<subject x:type='x:base64Binary'>w4QgYQ==</subject>") BUG("2",
	STATE("forwarded") "<forwarded>https://u/1</forwarded>"
			   "<severity>odd</severity><tags/>"));

static void values_of_every_type(void **state)
{
	struct conversation *conversation = begin(ERRAND_CHECK, three, 3);
	answer(conversation,
		"<get_status xmlns=\"Debbugs/SOAP/V1\"><arg0 xsi:type=\"soapenc:Array\" "
		"soapenc:arrayType=\"xsd:int[3]\"><item xsi:type=\"xsd:int\">1</item>",
		200, every_type);
	assert_done(conversation, 3);
	const struct observation *first = seen(conversation, 0);
	assert_string_equal(first->title, "\xc3\x84 a");
	assert_string_equal(first->tags, "a b c");
	assert_string_equal(first->status, "done");
	assert_string_equal(first->product, "src:x");
	assert_int_equal(first->changed_at, 1700000000 * MOMENT_SECOND);
	assert_int_equal(first->mapped_status, STATUS_FIX_RELEASED);
	assert_int_equal(first->mapped_importance, IMPORTANCE_CRITICAL);
	assert_int_equal(seen(conversation, 1)->mapped_status, STATUS_CONFIRMED);
	assert_int_equal(seen(conversation, 1)->mapped_importance, IMPORTANCE_UNKNOWN);
	assert_null(seen(conversation, 1)->tags);
	assert_string_equal(seen(conversation, 2)->title, "2.10");
	assert_int_equal(seen(conversation, 2)->mapped_status, STATUS_NEW);
	talloc_free(conversation);
}

static void bad_answers_teach_nothing(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
	} rows[] = {
		{200, "<html>hello</html>", ERR_UNPARSABLE_TRACKER},
		{200, "<form><input type=password></form>", ERR_AUTH},
		{200, "", ERR_UNPARSABLE_TRACKER},
		{200, NEWEST, ERR_UNPARSABLE_TRACKER},
		{200, BEFORE "<get_statusResponse/>" AFTER, ERR_UNPARSABLE_TRACKER},
		{200, "<get_statusResponse><s/></get_statusResponse>", ERR_UNPARSABLE_TRACKER},
		{200, BEFORE "<get_statusResponse><s>" BUG("1", STATE("done")),
			ERR_UNPARSABLE_TRACKER},
		{500, FAULT("bad id"), ERR_HTTP},
		{500, STATUS(BUG("1", STATE("done"))), ERR_HTTP},
		{404, "", ERR_HTTP},
		{403, "", ERR_AUTH},
		{429, "", ERR_RATE_LIMITED},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct conversation *conversation = begin(ERRAND_CHECK, three, 3);
		answer(conversation, "", rows[i].status, rows[i].body);
		assert_failed(conversation, rows[i].kind, "");
		assert_int_equal(conversation->observation_count, 0);
		talloc_free(conversation);
	}
}

static void a_fault_says_its_words(void **state)
{
	struct conversation *conversation = begin(ERRAND_CHECK, three, 1);
	answer(conversation, "", 500, FAULT("Invalid bug number &lt;x&gt;"));
	assert_failed(conversation, ERR_HTTP, "HTTP 500: Invalid bug number <x>");
	assert_null(strstr(conversation->err.text, "stack"));
	talloc_free(conversation);
}

static void broken_bugs_fail_alone(void **state)
{
	struct conversation *conversation = begin(ERRAND_CHECK, three, 3);
	answer(conversation, "", 200,
		STATUS(BUG("1", "<pending>done</pending>") BUG("2", STATE("done"))
				BUG("3", STATE("")) BUG("4", STATE("never asked for"))));
	assert_done(conversation, 3);
	assert_int_equal(seen(conversation, 0)->err.kind, ERR_UNPARSABLE_BUG);
	assert_int_equal(seen(conversation, 1)->mapped_status, STATUS_FIX_RELEASED);
	assert_int_equal(seen(conversation, 2)->err.kind, ERR_UNPARSABLE_BUG);
	talloc_free(conversation);
}

/* Whose the item without a number is can't be told: none of the silent bugs is called gone. */
static void an_item_without_a_number(void **state)
{
	struct conversation *conversation = begin(ERRAND_CHECK, three, 2);
	answer(conversation, "", 200, STATUS(BUG("", STATE("done")) BUG("2", STATE("done"))));
	assert_done(conversation, 2);
	assert_int_equal(seen(conversation, 0)->err.kind, ERR_UNPARSABLE_BUG);
	assert_int_equal(seen(conversation, 1)->err.kind, ERR_NONE);
	talloc_free(conversation);
}

static void what_is_left_out_twice_is_missing(void **state)
{
	struct conversation *conversation = begin(ERRAND_CHECK, three, 3);
	answer(conversation, "xsd:int[3]", 200, STATUS(BUG("2", STATE("done"))));
	answer(conversation, "xsd:int[2]", 200, STATUS(BUG("3", STATE("pending"))));
	assert_done(conversation, 3);
	assert_int_equal(seen(conversation, 0)->err.kind, ERR_BUG_NOT_FOUND);
	assert_int_equal(seen(conversation, 2)->mapped_status, STATUS_NEW);
	talloc_free(conversation);
	/* One that was never read may be anything. */
	conversation = begin(ERRAND_CHECK, &three[2], 1);
	answer(conversation, "xsd:int[1]", 200, STATUS(""));
	assert_done(conversation, 1);
	assert_int_equal(seen(conversation, 0)->err.kind, ERR_BUG_NOT_FOUND);
	talloc_free(conversation);
}

/* Nothing of COUNT bugs, some of which were read before; then NEWEST and the state of these. */
static struct conversation *hear_nothing(unsigned count, const char *states)
{
	struct conversation *conversation = begin(ERRAND_CHECK, three, count);
	answer(conversation, "<get_status ", 200, STATUS(""));
	answer(conversation, "<newest_bugs ", 200, NEWEST);
	answer(conversation, "xsd:int[1]\"><item xsi:type=\"xsd:int\">9<", 200, states);
	return conversation;
}

static void silence_about_all_needs_a_witness(void **state)
{
	for (unsigned count = 1; count <= 3; count += 2) {
		struct conversation *conversation = hear_nothing(count, STATUS(""));
		assert_failed(conversation, ERR_UNPARSABLE_TRACKER, "lost its bugs");
		assert_int_equal(conversation->observation_count, 0);
		talloc_free(conversation);
	}
	struct conversation *conversation = hear_nothing(3, STATUS(BUG("9", STATE("pending"))));
	answer(conversation, "xsd:int[3]", 200, STATUS(BUG("3", STATE("done"))));
	assert_done(conversation, 3);
	assert_int_equal(seen(conversation, 1)->err.kind, ERR_BUG_NOT_FOUND);
	assert_int_equal(seen(conversation, 2)->err.kind, ERR_NONE);
	talloc_free(conversation);
}

/* ---- comments ---- */

static const struct comment *comment_at(const struct conversation *conversation, unsigned i)
{
	assert_true(i < conversation->comment_count);
	return &conversation->comments[i];
}

#define FROM_ZOE                                                                                   \
	"Received: (at 7) by h; 20 May 2024 11:11:01 +0000\n"                                      \
	"from: =?utf-8?Q?Zo=C3=AB?=\n =?utf-8?Q?_M=2E?= &lt;z@e.org&gt;\n"                         \
	"Date: Mon, 20 May 2024 13:10:55 +0200"
#define FROM_EVE                                                                                   \
	"Received: (at control) by h; 20 May 2024 11:11:01 +0000\n"                                \
	"From: \"O'B, PhD\" &lt;e@x.com&gt;\nDate: whenever"
#define FROM_SERVER "Received: (at fakecontrol) by h; x\nFrom: h"

static const char some_mails[] = LOG(MAIL("5", "From: a@b", "seen") MAIL("8", FROM_ZOE,
	"one&#xd;\ntwo") MAIL("10", "From: a@b", "") MAIL("11", FROM_SERVER, "Bug archived.")
		MAIL("12", FROM_EVE, "severity 7 minor") MAIL("13", "", "x"));

static void new_mails_become_comments(void **state)
{
	static const struct wanted bug[] = {{.remote_id = "7", .known = true, .newest_comment = 5}};
	struct conversation *conversation = begin(ERRAND_COMMENTS, bug, 1);
	answer(conversation, "<get_bug_log xmlns=\"Debbugs/SOAP/V1\"><arg0 xsi:type=\"xsd:int\">7<",
		200, some_mails);
	assert_done(conversation, 1);
	assert_int_equal(seen(conversation, 0)->err.kind, ERR_NONE);
	assert_int_equal(conversation->comment_count, 3);
	const struct comment *comment = comment_at(conversation, 0);
	assert_int_equal(comment->number, 8);
	assert_string_equal(comment->author, "Zo\xc3\xab M. <z@e.org>");
	assert_string_equal(comment->text, "one\ntwo");
	assert_int_equal(comment->posted_at, 1716203455 * MOMENT_SECOND);
	comment = comment_at(conversation, 1);
	assert_string_equal(comment->author, "O'B, PhD <e@x.com>");
	assert_int_equal(comment->posted_at, 1716203461 * MOMENT_SECOND);
	comment = comment_at(conversation, 2);
	assert_null(comment->author);
	assert_int_equal(comment->posted_at, 0);
	talloc_free(conversation);
}

static void odd_senders(void **state)
{
	static const struct {
		const char *from, *author;
	} rows[] = {
		{"a@b.c", "a@b.c"},
		{"&lt;a@b.c&gt;", "a@b.c"},
		{"A B &lt;a@b.c&gt;, C &lt;c@d.e&gt;", "A B <a@b.c>"},
		{"=?iso-8859-1?Q?J=F6rg?= &lt;j@x&gt;", "J\xc3\xb6rg <j@x>"},
		{"=?utf-8?Q?a=1B=5B2Jb=0Ac?= &lt;j@x&gt;", "a [2Jb c <j@x>"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct conversation *conversation = begin(ERRAND_COMMENTS, three, 1);
		char *log = talloc_asprintf(
			conversation, LOG(MAIL("5", "From: %s", "x")), rows[i].from);
		answer(conversation, "", 200, log);
		assert_string_equal(comment_at(conversation, 0)->author, rows[i].author);
		talloc_free(conversation);
	}
}

/* Answers the next question, a GET that must end in WHERE. */
static void answer_get(struct conversation *conversation, const char *where, int status,
	const char *type, const char *body)
{
	struct exchange *exchange = conversation_next(conversation);
	assert_non_null(exchange);
	assert_string_equal(exchange->method, "GET");
	assert_string_equal(exchange->url + strlen(BASE), where);
	exchange_head(conversation, exchange, status, type, noon);
	exchange_data(conversation, exchange, body, strlen(body));
	exchange_end(conversation, exchange, NULL);
}

static void a_log_that_fails_is_one_bugs(void **state)
{
	struct conversation *conversation = begin(ERRAND_COMMENTS, three, 3);
	answer(conversation, "<arg0 xsi:type=\"xsd:int\">1<", 500, FAULT("Unable to open 1.log"));
	answer(conversation, "<arg0 xsi:type=\"xsd:int\">2<", 200,
		LOG(MAIL("5", "", "x") MAIL("", "", "x")));
	answer(conversation, "<arg0 xsi:type=\"xsd:int\">3<", 200, LOG(""));
	answer_get(conversation, "cgi/bugreport.cgi?bug=1;mbox=yes", 500, "text/html", "oops");
	answer_get(conversation, "cgi/bugreport.cgi?bug=2;mbox=yes", 200, "text/html", "<html>");
	assert_done(conversation, 3);
	assert_int_equal(seen(conversation, 0)->err.kind, ERR_COMMENTS_FAILED);
	assert_non_null(strstr(seen(conversation, 0)->err.text, "HTTP 500 in place"));
	assert_non_null(strstr(seen(conversation, 0)->err.text, "Unable to open 1.log"));
	assert_int_equal(seen(conversation, 1)->err.kind, ERR_COMMENTS_FAILED);
	assert_int_equal(seen(conversation, 2)->err.kind, ERR_NONE);
	assert_int_equal(conversation->comment_count, 0);
	talloc_free(conversation);
}

static void a_server_that_fails_fails_the_errand(void **state)
{
	static const struct {
		int status;
		const char *body;
		bool mbox; /* whether the mbox is tried */
		enum err_kind kind;
	} rows[] = {{500, "<html>oops</html>", true, ERR_HTTP},
		{503, "<html>later</html>", false, ERR_HTTP}, {429, "", false, ERR_RATE_LIMITED},
		{403, "", false, ERR_AUTH}, {200, STATUS(""), true, ERR_UNPARSABLE_TRACKER},
		{200, BEFORE, true, ERR_UNPARSABLE_TRACKER}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct conversation *conversation = begin(ERRAND_COMMENTS, three, 1);
		answer(conversation, "", rows[i].status, rows[i].body);
		if (rows[i].mbox)
			answer_get(conversation, "cgi/bugreport.cgi?bug=1;mbox=yes", rows[i].status,
				"text/html", rows[i].body);
		assert_failed(conversation, rows[i].kind, "");
		assert_int_equal(conversation->observation_count, 0);
		talloc_free(conversation);
	}
}

/* ---- the full recordings ---- */

#define RECORDINGS "../shared/fixtures/debbugs/"

static char *read_file(const void *owner, const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		return NULL;
	char *bytes = talloc_array(owner, char, 4 * 1024 * 1024);
	*size = fread(bytes, 1, 4 * 1024 * 1024 - 1, file);
	bytes[*size] = '\0';
	fclose(file);
	return bytes;
}

static void feed_recording(struct conversation *conversation, const char *name)
{
	size_t size;
	char *body = read_file(
		conversation, talloc_asprintf(conversation, RECORDINGS "%s.body", name), &size);
	struct exchange *exchange = conversation_next(conversation);
	assert_non_null(body);
	exchange_head(conversation, exchange, 200, "text/xml", noon);
	for (size_t at = 0; at < size; at += 4096)
		exchange_data(
			conversation, exchange, body + at, size - at < 4096 ? size - at : 4096);
	exchange_end(conversation, exchange, NULL);
}

static const char *member(struct json_object *object, const char *name)
{
	return json_object_get_string(json_object_object_get(object, name));
}

static void assert_same(const char *is, const char *expected)
{
	assert_string_equal(is != NULL ? is : "", expected != NULL ? expected : "");
}

static void compare_status(const char *name, struct json_object *bugs)
{
	struct wanted *wanted = talloc_zero_array(NULL, struct wanted, 250);
	unsigned count = 0;
	json_object_object_foreach (bugs, id, bug) {
		(void)bug;
		wanted[count++].remote_id = id;
	}
	struct conversation *conversation = begin(ERRAND_CHECK, wanted, count);
	feed_recording(conversation, name);
	assert_done(conversation, count);
	for (unsigned i = 0; i < count; i++) {
		const struct observation *is = seen(conversation, i);
		struct json_object *due = json_object_object_get(bugs, wanted[i].remote_id);
		struct json_object *tags = json_object_object_get(due, "tags");
		char *sorted = talloc_strdup(conversation, "");
		for (size_t tag = 0; tag < json_object_array_length(tags); tag++)
			sorted = talloc_asprintf_append(sorted, "%s%s", tag > 0 ? " " : "",
				json_object_get_string(json_object_array_get_idx(tags, tag)));
		assert_same(is->title, member(due, "subject"));
		assert_same(is->product, member(due, "package"));
		assert_same(is->status, member(due, "pending"));
		assert_same(is->severity, member(due, "severity"));
		assert_same(is->tags, sorted);
		assert_int_equal(is->changed_at / MOMENT_SECOND,
			json_object_get_int64(json_object_object_get(due, "last_modified")));
	}
	talloc_free(conversation);
	talloc_free(wanted);
}

static void compare_log(const char *name, struct json_object *mails)
{
	struct conversation *conversation = begin(ERRAND_COMMENTS, three, 1);
	unsigned at = 0;
	feed_recording(conversation, name);
	assert_done(conversation, 1);
	for (size_t i = 0; i < json_object_array_length(mails); i++) {
		struct json_object *mail = json_object_array_get_idx(mails, i);
		size_t size =
			(size_t)json_object_get_int64(json_object_object_get(mail, "body_bytes"));
		if (size == 0)
			continue;
		const struct comment *comment = comment_at(conversation, at++);
		assert_int_equal(comment->number,
			json_object_get_int64(json_object_object_get(mail, "msg_num")));
		assert_non_null(comment->author);
		assert_true(comment->posted_at > 0);
		if (strncmp(name, "45", 2) == 0) /* has CRLF, which becomes LF */
			continue;
		assert_int_equal(strlen(comment->text), size);
		char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, comment->text, -1);
		assert_string_equal(sum, member(mail, "body_sha256"));
		g_free(sum);
	}
	assert_int_equal(conversation->comment_count, at);
	talloc_free(conversation);
}

static void every_recording_is_read(void **state)
{
	size_t size;
	void *owner = talloc_new(NULL);
	char *text = read_file(owner, RECORDINGS "expected.json", &size);
	unsigned statuses = 0, logs = 0;
	if (text == NULL) {
		talloc_free(owner);
		skip();
	}
	struct json_object *all = json_tokener_parse(text);
	json_object_object_foreach (all, name, result) {
		struct json_object *bugs = json_object_object_get(result, "get_status");
		struct json_object *log = json_object_object_get(result, "get_bug_log");
		if (strncmp(name, "44", 2) == 0) /* compressed */
			continue;
		if (json_object_is_type(bugs, json_type_object) &&
			json_object_object_length(bugs) > 0) {
			compare_status(name, bugs);
			statuses++;
		} else if (json_object_is_type(log, json_type_array)) {
			compare_log(name, log);
			logs++;
		}
	}
	assert_true(statuses >= 12 && logs >= 7);
	json_object_put(all);
	talloc_free(owner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids),
		cmocka_unit_test(the_probe_finds_either_door),
		cmocka_unit_test(the_probe_tells_what_is_wrong),
		cmocka_unit_test(values_of_every_type),
		cmocka_unit_test(bad_answers_teach_nothing),
		cmocka_unit_test(a_fault_says_its_words),
		cmocka_unit_test(broken_bugs_fail_alone),
		cmocka_unit_test(an_item_without_a_number),
		cmocka_unit_test(what_is_left_out_twice_is_missing),
		cmocka_unit_test(silence_about_all_needs_a_witness),
		cmocka_unit_test(new_mails_become_comments),
		cmocka_unit_test(odd_senders),
		cmocka_unit_test(a_log_that_fails_is_one_bugs),
		cmocka_unit_test(a_server_that_fails_fails_the_errand),
		cmocka_unit_test(every_recording_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
