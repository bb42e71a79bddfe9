/* What is remembered of a server comes back as it was. */
#include "trackers/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

static struct server *round_trip(const struct server *server)
{
	char *json = server_to_json(server, server);
	assert_null(strchr(json, '\n'));
	return server_from_json(server, json);
}

static void all_of_it_comes_back(void **state)
{
	struct server *server = server_new(NULL);
	server->version = "5.2+ \"x\"";
	server->door = "rest.cgi/";
	server->memory = "a,b\n";
	server->abilities = ABILITY_CHANGES | ABILITY_WHY;
	server->skew_s = -18000;
	struct server *back = round_trip(server);
	assert_string_equal(back->version, server->version);
	assert_string_equal(back->door, "rest.cgi/");
	assert_string_equal(back->memory, "a,b\n");
	assert_int_equal(back->abilities, ABILITY_CHANGES | ABILITY_WHY);
	assert_int_equal(back->skew_s, -18000);
	talloc_free(server);
}

/* The API and the view tracker_status show this very list. */
static void abilities_are_kept_as_words(void **state)
{
	struct server *server = server_new(NULL);
	server->abilities = ABILITY_CHANGES | ABILITY_WHY;
	char *json = server_to_json(server, server);
	assert_non_null(strstr(json, "\"abilities\":[\"changes\",\"why\"]"));
	struct server *newer = server_from_json(server, "{\"abilities\":[\"to fly\",\"why\",1]}");
	assert_int_equal(newer->abilities, ABILITY_WHY);
	talloc_free(server);
}

static void nothing_comes_back_as_nothing(void **state)
{
	struct server *server = server_new(NULL);
	struct server *back = round_trip(server);
	assert_null(back->version);
	assert_null(back->door);
	assert_null(back->memory);
	assert_int_equal(back->abilities, 0);
	assert_int_equal(back->skew_s, 0);
	talloc_free(server);
}

static void what_is_not_ours_is_refused(void **state)
{
	assert_null(server_from_json(NULL, ""));
	assert_null(server_from_json(NULL, "[]"));
	assert_null(server_from_json(NULL, "{\"door\":"));
}

static void abilities_have_words(void **state)
{
	assert_string_equal(ability_word(0), "changes");
	assert_string_equal(ability_word(1), "comments");
	assert_string_equal(ability_word(2), "why");
	assert_null(ability_word(3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_comes_back),
		cmocka_unit_test(abilities_are_kept_as_words),
		cmocka_unit_test(nothing_comes_back_as_nothing),
		cmocka_unit_test(what_is_not_ours_is_refused),
		cmocka_unit_test(abilities_have_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
