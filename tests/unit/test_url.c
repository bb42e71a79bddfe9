/* URLs taken apart and put together. */
#include "trackers/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

static int setup(void **state)
{
	*state = talloc_new(NULL);
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static void all_parts_are_found(void **state)
{
	struct url *url = url_parse(*state, "HTTPS://Me:p%40w@Bugs.Example.org:8443/a/B?c=D&e#f?g");
	assert_non_null(url);
	assert_string_equal(url->scheme, "https");
	assert_string_equal(url->host, "bugs.example.org");
	assert_int_equal(url->port, 8443);
	assert_string_equal(url->path, "/a/B");
	assert_string_equal(url->query, "c=D&e");
}

static void missing_parts_are_filled_in(void **state)
{
	struct url *url = url_parse(*state, "http://h");
	assert_string_equal(url->path, "/");
	assert_null(url->query);
	assert_int_equal(url->port, 0);
	url = url_parse(*state, "http://h?q");
	assert_string_equal(url->path, "/");
	assert_string_equal(url->query, "q");
	assert_string_equal(url_parse(*state, "http://h/?")->query, "");
	assert_string_equal(url_parse(*state, "http://h#/x?y")->path, "/");
}

static void the_schemes_own_port_is_dropped(void **state)
{
	assert_int_equal(url_parse(*state, "http://h:80/")->port, 0);
	assert_int_equal(url_parse(*state, "http://h:443/")->port, 443);
	assert_int_equal(url_parse(*state, "https://h:0443/")->port, 0);
	assert_int_equal(url_parse(*state, "https://h:/")->port, 0);
}

static void an_ipv6_address_keeps_its_brackets(void **state)
{
	struct url *url = url_parse(*state, "http://[2001:DB8::1]:8080/x");
	assert_string_equal(url->host, "[2001:db8::1]");
	assert_int_equal(url->port, 8080);
}

static void the_last_at_sign_ends_the_userinfo(void **state)
{
	assert_string_equal(url_parse(*state, "http://a@b@c/")->host, "c");
	assert_string_equal(url_parse(*state, "http://h/@x")->host, "h");
}

static void anything_else_is_refused(void **state)
{
	static const char *const wrong[] = {"", "hello", "http:", "http://", "http:///x",
		"https://?q", "ftp://h/", "//h/", "mailto:a@b", " http://h/", "http://h/ x",
		"http://h/\n", "http://h/\x7f", "http://h:x/", "http://h:65536/",
		"http://h:99999999999/", "http://h:-1/", "http://[::1/", "http://[]/",
		"http://[::1]x/", "http://[fe80::1%25e]/", "http://h\\x/", "http://h/\"",
		"http://h/<x>", "http://h/\xc3\xbc", "http://\xc3\xbc/", "http://h%41/",
		"http://u@/", "http://h,x/"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (url_parse(*state, wrong[i]) != NULL)
			fail_msg("taken: %s", wrong[i]);
}

static void a_url_has_2000_bytes_at_most(void **state)
{
	char text[2002];
	memset(text, 'a', sizeof(text));
	memcpy(text, "http://h/", 9);
	text[2001] = '\0';
	assert_null(url_parse(*state, text));
	text[2000] = '\0';
	assert_non_null(url_parse(*state, text));
}

static const char *parameter(void **state, const char *query, const char *name)
{
	struct url *url = url_parse(*state, talloc_asprintf(*state, "http://h/?%s", query));
	assert_non_null(url);
	return url_parameter(url, name);
}

static void parameters_are_decoded(void **state)
{
	assert_string_equal(parameter(state, "id=7", "id"), "7");
	assert_string_equal(parameter(state, "a=b;id=7&c", "id"), "7");
	assert_string_equal(parameter(state, "id=%37%2B1+x", "id"), "7+1 x");
	assert_string_equal(parameter(state, "%69d=7", "id"), "7");
	assert_string_equal(parameter(state, "id=7&id=8", "id"), "7");
	assert_string_equal(parameter(state, "id=a=b", "id"), "a=b");
	assert_string_equal(parameter(state, "id=", "id"), "");
	assert_string_equal(parameter(state, "x&id", "id"), "");
	assert_null(parameter(state, "list_id=7&Id=8", "id"));
	assert_null(parameter(state, "", "id"));
	assert_null(url_parameter(url_parse(*state, "http://h/"), "id"));
}

static void what_can_not_be_decoded_stays(void **state)
{
	assert_string_equal(parameter(state, "id=7%00x", "id"), "7%00x");
	assert_string_equal(parameter(state, "id=7%", "id"), "7%");
	assert_string_equal(parameter(state, "id=7%3", "id"), "7%3");
	assert_string_equal(parameter(state, "id=7%gg", "id"), "7%gg");
	assert_string_equal(parameter(state, "id=7%@7", "id"), "7%@7");
}

static void a_base_ends_in_one_slash(void **state)
{
	struct url *url = url_parse(*state, "http://h:8080/a/b/issue5");
	assert_string_equal(url_base(*state, url, 5), "http://h:8080/a/b/");
	assert_string_equal(url_base(*state, url, 4), "http://h:8080/a/b/");
	assert_string_equal(url_base(*state, url, 0), "http://h:8080/");
	url = url_parse(*state, "https://[::1]//x");
	assert_string_equal(url_base(*state, url, 2), "https://[::1]/");
}

static void a_text_is_escaped_for_a_segment(void **state)
{
	assert_string_equal(url_escape(*state, "aZ09-._~"), "aZ09-._~");
	assert_string_equal(
		url_escape(*state, "a b/c?d&e=%+\r\n"), "a%20b%2Fc%3Fd%26e%3D%25%2B%0D%0A");
	assert_string_equal(url_escape(*state, "\xc3\xbc"), "%C3%BC");
	assert_string_equal(url_escape(*state, ""), "");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(all_parts_are_found),
		test(missing_parts_are_filled_in),
		test(the_schemes_own_port_is_dropped),
		test(an_ipv6_address_keeps_its_brackets),
		test(the_last_at_sign_ends_the_userinfo),
		test(anything_else_is_refused),
		test(a_url_has_2000_bytes_at_most),
		test(parameters_are_decoded),
		test(what_can_not_be_decoded_stays),
		test(a_base_ends_in_one_slash),
		test(a_text_is_escaped_for_a_segment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
