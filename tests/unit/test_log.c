#include "engine/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char written[16384];

/* What SAY writes to standard error. */
static void capture(void (*say)(void))
{
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	say();
	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	close(kept);
	rewind(file);
	written[fread(written, 1, sizeof(written) - 1, file)] = '\0';
	fclose(file);
}

static void say_one(void)
{
	log_warning("gnome", "%d of %s", 3, "four");
}

static void writes_one_line_a_fact(void **state)
{
	int year, end = 0;
	capture(say_one);
	sscanf(written, "%4d-%*2d-%*2dT%*2d:%*2d:%*2dZ warning gnome: 3 of four\n%n", &year, &end);
	assert_true(year >= 2024);
	assert_int_equal(end, strlen(written));
}

static void say_all_levels(void)
{
	log_debug("a", "debug text");
	log_info("b", "info text");
	log_error("c", "error text");
}

static void drops_what_is_below_its_level(void **state)
{
	capture(say_all_levels);
	assert_null(strstr(written, "debug text"));
	assert_non_null(strstr(written, "info text"));
	log_set_level(LOG_LEVEL_DEBUG);
	capture(say_all_levels);
	assert_non_null(strstr(written, "debug text"));
	log_set_level(LOG_LEVEL_ERROR);
	capture(say_all_levels);
	assert_null(strstr(written, "info text"));
	assert_non_null(strstr(written, "error text"));
	log_set_level(LOG_LEVEL_INFO);
}

static void say_hostile(void)
{
	log_info("x\ny", "%s",
		"a\r\n2026 error: forged\t\x1b[31m\x7f|"
		"\xc2\x9b|\xe2\x80\xae|\xe2\x81\xa6|\xd8\x9c|\xe2\x80\xa8|"
		"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9b|\xe2");
}

static void lets_no_control_through(void **state)
{
	capture(say_hostile);
	assert_non_null(
		strstr(written, "x\\x0ay: a\\x0d\\x0a2026 error: forged\\x09\\x1b[31m\\x7f|"));
	assert_non_null(strstr(written, "|\\xc2\\x9b|\\xe2\\x80\\xae|\\xe2\\x81\\xa6|\\xd8\\x9c|"));
	assert_non_null(strstr(written, "|\\xe2\\x80\\xa8|\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9b|"));
	assert_ptr_equal(strchr(written, '\n'), written + strlen(written) - 1);
}

static void say_much(void)
{
	char much[10000];
	memset(much, 'x', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	log_info("much", "%s", much);
}

static void bounds_a_line(void **state)
{
	capture(say_much);
	assert_true(strlen(written) < 3000);
	assert_int_equal(written[strlen(written) - 1], '\n');
}

static void knows_its_levels(void **state)
{
	enum log_level level = LOG_LEVEL_INFO;
	assert_true(log_level_of_word("debug", &level));
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_true(log_level_of_word("error", &level));
	assert_int_equal(level, LOG_LEVEL_ERROR);
	assert_false(log_level_of_word("Error", &level));
	assert_false(log_level_of_word("", &level));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_one_line_a_fact),
		cmocka_unit_test(drops_what_is_below_its_level),
		cmocka_unit_test(lets_no_control_through),
		cmocka_unit_test(bounds_a_line),
		cmocka_unit_test(knows_its_levels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
