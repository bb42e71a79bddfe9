#include "ui-api/advice.h"

#include "trackers/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_kind_that_is_shown_has_advice(void **state)
{
	static const struct {
		const char *word;
		enum err_scope scope;
	} kinds[] = {
#define KIND(name, word, scope) {word, ERR_SCOPE_##scope},
#include "trackers/kinds.def"
#undef KIND
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *advice = advice_on(kinds[i].word);
		assert_int_equal(advice != NULL, kinds[i].scope != ERR_SCOPE_OWN);
		assert_true(advice == NULL || strlen(advice) < 120);
	}
}

static void an_unknown_kind_has_none(void **state)
{
	assert_null(advice_on("of-a-newer-service"));
	assert_null(advice_on(""));
}

/* Adds advice to the object TEXT, and compares. */
static void assert_added(const char *text, const char *expected)
{
	struct json_object *object = json_tokener_parse(text);
	advice_add(object);
	assert_string_equal(
		json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN), expected);
	json_object_put(object);
}

static void advice_is_added_to_errors_alone(void **state)
{
	struct json_object *object = json_tokener_parse("{\"error\":{\"kind\":\"dns\"}}");
	advice_add(object);
	struct json_object *error = json_object_object_get(object, "error");
	assert_string_equal(
		json_object_get_string(json_object_object_get(error, "advice")), advice_on("dns"));
	json_object_put(object);
	assert_added("{\"error\":null}", "{\"error\":null}");
	assert_added("{\"error\":5}", "{\"error\":5}");
	assert_added("{\"error\":{}}", "{\"error\":{}}");
	assert_added("{\"error\":{\"kind\":7}}", "{\"error\":{\"kind\":7}}");
	assert_added("{\"error\":{\"kind\":\"x\"}}", "{\"error\":{\"kind\":\"x\"}}");
	assert_added("{}", "{}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_that_is_shown_has_advice),
		cmocka_unit_test(an_unknown_kind_has_none),
		cmocka_unit_test(advice_is_added_to_errors_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
