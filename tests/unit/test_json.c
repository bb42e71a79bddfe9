/* JSON from strangers: what is taken, what is refused, in one piece or byte by byte. */
#include "trackers/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

typedef struct json_reader *reader_new(const void *owner);

static bool reads(reader_new *new_reader, const char *text, size_t n, size_t piece, struct err *err)
{
	struct json_reader *reader = new_reader(NULL);
	err_clear(err);
	for (size_t at = 0; at < n; at += piece)
		json_reader_feed(reader, text + at, n - at < piece ? n - at : piece);
	bool good = json_reader_end(reader, err) != NULL;
	assert_int_equal(err->kind, good ? ERR_NONE : ERR_UNPARSABLE_TRACKER);
	talloc_free(reader);
	return good;
}

static void assert_judged(reader_new *new_reader, const char *text, size_t n, bool expected)
{
	struct err err;
	if (reads(new_reader, text, n, n + 1, &err) != expected ||
		reads(new_reader, text, n, 1, &err) != expected)
		fail_msg("wrongly judged: %s (%s)", text, err.text);
}

#define assert_taken(text) assert_judged(json_reader_new, text, sizeof(text) - 1, true)
#define assert_refused(text) assert_judged(json_reader_new, text, sizeof(text) - 1, false)

static void json_is_taken(void **state)
{
	assert_taken("{}");
	assert_taken(" [1, -2.5e3, true, false, null, \"x\"] \r\n\t");
	assert_taken("12");
	assert_taken("\"N I '\"");
	assert_taken("{\"a\": {\"b\": [\"\\\"\\\\\\u00fc\\ud83d\\udc1b\"]}}");
	assert_taken("\"\xc3\xbc\xf0\x9f\x90\x9b\"");
	assert_taken("[123456789012345678901234567890]");
}

static void everything_else_is_refused(void **state)
{
	assert_refused("");
	assert_refused("  ");
	assert_refused("null");
	assert_refused("[1");
	assert_refused("{\"a\":");
	assert_refused("\"a");
	assert_refused("nul");
	assert_refused("[NaN]");
	assert_refused("[Infinity]");
	assert_refused("[-Infinity]");
	assert_refused("[nan]");
	assert_refused("{'a': 1}");
	assert_refused("['a']");
	assert_refused("[1,]");
	assert_refused("[1] x");
	assert_refused("[1][2]");
	assert_refused("[01]");
	assert_refused("[TRUE]");
	assert_refused("/* */ [1]");
	assert_refused("[\"\\q\"]");
	assert_refused("[\"a\nb\"]");
	assert_refused("[1\0]");
	assert_refused("<html>");
	assert_refused("\xef\xbb\xbf[1]");
}

static void bad_utf8_is_refused(void **state)
{
	assert_refused("[\"\xff\"]");
	assert_refused("[\"\xe2\x82\"]");
	assert_refused("[\"\xed\xa0\x80\"]");
	assert_refused("\"\xc0\x80\"");
	assert_refused("{\"\xff\": 1}");
}

static char *nested(int depth)
{
	char *text = talloc_zero_array(NULL, char, 2 * (size_t)depth + 1);
	memset(text, '[', (size_t)depth);
	memset(text + depth, ']', (size_t)depth);
	return text;
}

static void depth_is_bounded(void **state)
{
	char *text = nested(JSON_DEPTH), *deeper = nested(JSON_DEPTH + 1);
	assert_judged(json_reader_new, text, strlen(text), true);
	assert_judged(json_reader_new, deeper, strlen(deeper), false);
	talloc_free(text);
	talloc_free(deeper);
}

/* `[1,1,...]` with so many commas. */
static char *ones(size_t commas)
{
	size_t n = 2 * commas + 3;
	char *text = talloc_zero_array(NULL, char, n + 1);
	for (size_t i = 0; i < n; i++)
		text[i] = i % 2 == 0 ? ',' : '1';
	text[0] = '[';
	text[n - 1] = ']';
	return text;
}

static void weight_is_bounded(void **state)
{
	char *text = ones(JSON_WEIGHT - 8), *heavier = ones(JSON_WEIGHT - 7);
	struct err err;
	assert_judged(json_reader_new, text, strlen(text), true);
	assert_false(reads(json_reader_new, heavier, strlen(heavier), 4096, &err));
	assert_string_equal(err.text, "not JSON: more values than are taken");
	talloc_free(text);
	talloc_free(heavier);
}

static void the_lenient_reader_takes_broken_texts(void **state)
{
	static const char text[] = "{\"a\": \"x\xff\xed\xa0\x80\x01y\"}";
	assert_judged(json_reader_new_lenient, text, sizeof(text) - 1, true);
	struct json_reader *reader = json_reader_new_lenient(NULL);
	json_reader_feed(reader, text, sizeof(text) - 1);
	struct json_object *object = json_reader_end(reader, NULL);
	assert_string_equal(json_text_of(reader, object, "a"), "x\xef\xbf\xbd\xef\xbf\xbd y");
	talloc_free(reader);
	assert_judged(json_reader_new_lenient, "[NaN]", 5, false);
	assert_judged(json_reader_new_lenient, "[1\0]", 4, false);
}

static void feed_says_when_it_is_over(void **state)
{
	struct json_reader *reader = json_reader_new(NULL);
	assert_true(json_reader_feed(reader, "[1", 2));
	assert_false(json_reader_feed(reader, "x", 1));
	assert_false(json_reader_feed(reader, "]", 1));
	assert_null(json_reader_end(reader, NULL));
	talloc_free(reader);
}

static void members_are_read_by_type(void **state)
{
	static const char text[] =
		"{\"s\": \" a\\u0000\\nb \", \"n\": 12, \"f\": 1.50, \"b\": true, "
		"\"o\": {}, \"z\": null, \"big\": 123456789012345678901, "
		"\"low\": -99999999999999999999, \"u\": 18446744073709551614}";
	struct json_reader *reader = json_reader_new(NULL);
	json_reader_feed(reader, text, sizeof(text) - 1);
	struct json_object *object = json_reader_end(reader, NULL);
	assert_non_null(object);
	assert_string_equal(json_text_of(reader, object, "s"), "a\xef\xbf\xbd b");
	assert_string_equal(json_text_of(reader, object, "n"), "12");
	assert_string_equal(json_text_of(reader, object, "f"), "1.50");
	assert_string_equal(json_text_of(reader, object, "u"), "18446744073709551614");
	assert_null(json_text_of(reader, object, "big"));
	assert_null(json_text_of(reader, object, "low"));
	assert_null(json_text_of(reader, object, "b"));
	assert_null(json_text_of(reader, object, "o"));
	assert_null(json_text_of(reader, object, "z"));
	assert_null(json_text_of(reader, object, "none"));
	assert_null(json_text_of(reader, NULL, "s"));
	assert_non_null(json_member(object, "o", json_type_object));
	assert_null(json_member(object, "o", json_type_array));
	assert_null(json_member(json_member(object, "s", json_type_string), "s", json_type_int));
	talloc_free(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_taken),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(bad_utf8_is_refused),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(weight_is_bounded),
		cmocka_unit_test(the_lenient_reader_takes_broken_texts),
		cmocka_unit_test(feed_says_when_it_is_over),
		cmocka_unit_test(members_are_read_by_type),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
