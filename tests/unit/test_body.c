#include "ui-api/body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

static const char *const colours[] = {"red", "blue", NULL};

static const struct body_field inner[] = {
	{.name = "key", .kind = BODY_TEXT, .minimum = 1, .maximum = 4},
	{.name = NULL},
};

static const struct body_field fields[] = {
	{.name = "name", .kind = BODY_TEXT, .required = true, .minimum = 1, .maximum = 4},
	{.name = "title", .kind = BODY_TEXT, .nullable = true, .maximum = 4},
	{.name = "size", .kind = BODY_INTEGER, .minimum = 1, .maximum = 10},
	{.name = "limit", .kind = BODY_INTEGER, .nullable = true, .minimum = 1, .maximum = 10},
	{.name = "on", .kind = BODY_BOOLEAN},
	{.name = "colour", .kind = BODY_CHOICE, .choices = colours},
	{.name = "more", .kind = BODY_OBJECT, .nullable = true, .fields = inner},
	{.name = "id", .kind = BODY_READ_ONLY},
	{.name = NULL},
};

/* The fields at fault in TEXT, in the order told, separated by blanks; "!" where it is no JSON. */
static char *faults_of(const char *text, size_t n)
{
	void *owner = talloc_new(NULL);
	struct problem *fault = NULL;
	struct json_object *body = body_parse(owner, text, n, &fault);
	if (body == NULL) {
		assert_non_null(fault);
		assert_int_equal(problem_status(fault), 400);
		talloc_free(owner);
		return strdup("!");
	}
	fault = problem_new(owner, 400, "wrong");
	char *names = strdup("");
	bool right = body_check(body, fields, fault);
	assert_int_equal(right, !problem_has_fields(fault));
	struct json_object *told = json_tokener_parse(problem_text(fault)), *errors = NULL;
	json_object_object_get_ex(told, "errors", &errors);
	for (size_t i = 0; errors != NULL && i < json_object_array_length(errors); i++) {
		struct json_object *error = json_object_array_get_idx(errors, i);
		const char *name = json_object_get_string(json_object_object_get(error, "field"));
		char *longer = NULL;
		assert_true(asprintf(&longer, "%s%s%s", names, i > 0 ? " " : "", name) >= 0);
		free(names);
		names = longer;
	}
	json_object_put(told);
	talloc_free(owner);
	return names;
}

static void assert_faults(const char *text, const char *expected)
{
	char *found = faults_of(text, strlen(text));
	if (strcmp(found, expected) != 0)
		print_error("%s\n", text);
	assert_string_equal(found, expected);
	free(found);
}

static void what_is_right_is_taken(void **state)
{
	assert_faults("{\"name\":\"a\"}", "");
	assert_faults(" {\"name\" : \"\\u00e4\\u00f6\\u00fc!\"} \n", "");
	assert_faults("{\"name\":\"a\",\"title\":null,\"limit\":null,\"more\":null}", "");
	assert_faults("{\"name\":\"a:b\",\"size\":10,\"on\":false,\"colour\":\"blue\"}", "");
	assert_faults("{\"name\":\"a\",\"more\":{\"key\":\"k\"}}", "");
	assert_faults("{\"name\":\"\\\":\",\"title\":\"\"}", "");
}

static void what_is_wrong_is_named(void **state)
{
	assert_faults("{}", "name");
	assert_faults("{\"name\":null}", "name");
	assert_faults("{\"name\":\"\"}", "name");
	assert_faults("{\"name\":\"abcde\"}", "name");
	assert_faults("{\"name\":\"a\\u0000b\"}", "name");
	assert_faults("{\"name\":1}", "name");
	assert_faults("{\"name\":\"a\",\"size\":0}", "size");
	assert_faults("{\"name\":\"a\",\"size\":11}", "size");
	assert_faults("{\"name\":\"a\",\"size\":99999999999999999999}", "size");
	assert_faults("{\"name\":\"a\",\"size\":1.0}", "size");
	assert_faults("{\"name\":\"a\",\"size\":\"1\"}", "size");
	assert_faults("{\"name\":\"a\",\"size\":null}", "size");
	assert_faults("{\"name\":\"a\",\"size\":true}", "size");
	assert_faults("{\"name\":\"a\",\"on\":1}", "on");
	assert_faults("{\"name\":\"a\",\"on\":null}", "on");
	assert_faults("{\"name\":\"a\",\"colour\":\"green\"}", "colour");
	assert_faults("{\"name\":\"a\",\"colour\":\"red\\u0000\"}", "colour");
	assert_faults("{\"name\":\"a\",\"colour\":null}", "colour");
	assert_faults("{\"name\":\"a\",\"more\":[]}", "more");
	assert_faults("{\"name\":\"a\",\"more\":{\"key\":5,\"lock\":6}}", "more.key more.lock");
	assert_faults("{\"name\":\"a\",\"id\":\"7\"}", "id");
	assert_faults("{\"name\":\"a\",\"shape\":0}", "shape");
	assert_faults("{\"size\":0,\"shape\":0}", "size shape name");
}

static void what_is_no_json_is_refused(void **state)
{
	static const char *const texts[] = {"", " ", "{", "{\"name\":\"a\"}x", "{\"name\":\"a\"}{}",
		"{'name':'a'}", "{\"name\":NaN}", "{\"name\":-Infinity}", "{\"name\":\"\xff\"}",
		"{\"name\":\"a\",\"name\":\"a\"}", "{\"name\":\"a\",\"n\\u0061me\":\"b\"}",
		"{\"name\":\"a\",\"more\":{\"key\":\"a\",\"key\":\"b\"}}", "{\"name\":\"a\",}",
		"/**/{\"name\":\"a\"}",
		("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
		 "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]")};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_faults(texts[i], "!");
	char *with_nul = faults_of("{\"name\":\"a\"}\0", 13);
	assert_string_equal(with_nul, "!");
	free(with_nul);
}

static void many_faults_are_bounded(void **state)
{
	char *text = talloc_strdup(NULL, "{\"name\":\"a\"");
	for (int i = 0; i < 1000; i++)
		text = talloc_asprintf_append(text, ",\"x%d\":0", i);
	text = talloc_asprintf_append(text, "}");
	char *found = faults_of(text, strlen(text));
	assert_true(strlen(found) < 1000);
	assert_memory_equal(found, "x0 x1 x2 ", 9);
	free(found);
	talloc_free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_right_is_taken),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(many_faults_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
