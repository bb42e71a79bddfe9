/* XML-RPC: calls from JSON, answers into it. */
#include "trackers/xmlrpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

static void writes_calls(void **state)
{
	struct json_object *params = json_tokener_parse(
		"[{\"ids\": [1, 5000000000], \"a<b\": \"x&y\", \"on\": true, \"half\": 0.5, "
		"\"none\": null}, [], "
		"{\"__jsonclass__\": [\"datetime\", \"2026-11-22T11:05:10\"]}]");
	char *call = xmlrpc_call(NULL, "Bug.get", params);
	assert_string_equal(call,
		"<?xml version=\"1.0\"?><methodCall><methodName>Bug.get</methodName><params>"
		"<param><value><struct>"
		"<member><name>ids</name><value><array><data><value><int>1</int></value>"
		"<value><string>5000000000</string></value></data></array></value></member>"
		"<member><name>a&lt;b</name><value><string>x&amp;y</string></value></member>"
		"<member><name>on</name><value><boolean>1</boolean></value></member>"
		"<member><name>half</name><value><double>0.5</double></value></member>"
		"<member><name>none</name><value><string></string></value></member>"
		"</struct></value></param>"
		"<param><value><array><data></data></array></value></param>"
		"<param><value><dateTime.iso8601>20261122T11:05:10</dateTime.iso8601></value></"
		"param>"
		"</params></methodCall>");
	talloc_free(call);
	json_object_put(params);
}

/* What TEXT brings, as JSON; "-" where it is no answer, "!" before a fault. */
static char *heard(const char *text)
{
	struct err err = {0};
	struct xml_reader *reader = xml_reader_new(NULL);
	xml_reader_feed(reader, text, strlen(text));
	struct element *root = xml_reader_end(reader, &err);
	assert_non_null(root);
	bool fault = false;
	struct json_object *answer = xmlrpc_answer(root, &fault);
	char *shown = talloc_asprintf(NULL, "%s%s", fault ? "!" : "",
		answer == NULL
			? "-"
			: json_object_to_json_string_ext(answer, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(answer);
	talloc_free(reader);
	return shown;
}

static void assert_heard(const char *value, const char *expected)
{
	char *text = talloc_asprintf(
		NULL, "<methodResponse><params><param>%s</param></params></methodResponse>", value);
	char *shown = heard(text);
	assert_string_equal(shown, expected);
	talloc_free(shown);
	talloc_free(text);
}

static void reads_values(void **state)
{
	assert_heard("<value>bare</value>", "\"bare\"");
	assert_heard("<value><string/></value>", "\"\"");
	assert_heard("<value><i4>-7</i4></value>", "-7");
	assert_heard("<value><int> 7 </int></value>", "7");
	assert_heard("<value><i8>5000000000</i8></value>", "5000000000");
	assert_heard("<value><boolean>1</boolean></value>", "true");
	assert_heard("<value><double>0.5</double></value>", "0.5");
	assert_heard("<value><base64>Z3LDvG4=</base64></value>", "\"gr\xc3\xbcn\"");
	assert_heard("<value><dateTime.iso8601>20261122T11:05:10</dateTime.iso8601></value>",
		"\"20261122T11:05:10\"");
	assert_heard("<value><array><data> <value><nil/></value><value>a</value></data></array>"
		     "</value>",
		"[null,\"a\"]");
	assert_heard("<value>\n<struct>\n<member><name>a</name><value><struct/></value></member>"
		     "</struct></value>",
		"{\"a\":{}}");
}

static void reads_faults(void **state)
{
	char *shown = heard("<methodResponse><fault><value><struct>"
			    "<member><name>faultCode</name><value><int>101</int></value></member>"
			    "<member><name>faultString</name><value>gone</value></member>"
			    "</struct></value></fault></methodResponse>");
	assert_string_equal(shown, "!{\"faultCode\":101,\"faultString\":\"gone\"}");
	talloc_free(shown);
}

static void refuses_what_is_none(void **state)
{
	static const char *const broken[] = {"<html/>", "<methodCall/>", "<methodResponse/>",
		"<methodResponse><params/></methodResponse>",
		"<methodResponse><params><param/></params></methodResponse>"};
	for (unsigned i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		char *shown = heard(broken[i]);
		assert_string_equal(shown, "-");
		talloc_free(shown);
	}
	assert_heard("<value><int>seven</int></value>", "-");
	assert_heard("<value><int></int></value>", "-");
	assert_heard("<value><double>nan</double></value>", "-");
	assert_heard("<value><array/></value>", "-");
	assert_heard("<value><struct><member><name>a</name></member></struct></value>", "-");
	assert_heard("<value><array><data><value><odd/></value></data></array></value>", "-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_calls),
		cmocka_unit_test(reads_values),
		cmocka_unit_test(reads_faults),
		cmocka_unit_test(refuses_what_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
