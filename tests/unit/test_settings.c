#include "engine/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const no_flags[] = {NULL};

static int clear_environment(void **state)
{
	static const char *const names[] = {
		"CONFIG", "LISTEN", "LEASE_S", "DATABASE", "LISTN", "URL"};
	char name[64];
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(name, sizeof(name), "BUGWATCH_%s", names[i]);
		unsetenv(name);
	}
	return 0;
}

static char path[32];

/* A configuration file of TEXT; its name is in `path`. */
static void write_file(const char *text)
{
	strcpy(path, "/tmp/bugwatch-conf-XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static struct settings *load_good(const char *const *flags)
{
	struct err err = {0};
	struct settings *settings = settings_load(NULL, flags, &err);
	assert_string_equal(err.text, "");
	assert_non_null(settings);
	return settings;
}

static void load_bad(const char *const *flags, const char *words)
{
	struct err err = {0};
	assert_null(settings_load(NULL, flags, &err));
	assert_int_equal(err.kind, ERR_USAGE);
	if (strstr(err.text, words) == NULL)
		print_error("%s\n", err.text);
	assert_non_null(strstr(err.text, words));
}

static void has_defaults(void **state)
{
	struct settings *settings = load_good(no_flags);
	assert_string_equal(settings->database, "");
	assert_string_equal(settings->log_level, "info");
	assert_int_equal(settings->lease_s, 60);
	assert_int_equal(settings->knobs.check_interval_s, 2592000);
	assert_int_equal(settings->max_body_mb, 32);
	assert_int_equal(settings->idle_timeout_s, 30);
	assert_int_equal(settings->total_timeout_s, 120);
	assert_int_equal(settings->state_dir[0], '/');
	assert_true(strlen(settings->instance) > 0);
	talloc_free(settings);
}

static void takes_its_own_defaults(void **state)
{
	for (const struct setting *at = setting_table; at->name != NULL; at++) {
		const char *const flags[] = {at->name, at->initial, NULL};
		talloc_free(load_good(flags));
		assert_true(strlen(at->unit) > 0 && strlen(at->help) > 0);
	}
}

static void prefers_the_nearer(void **state)
{
	const char *flags[] = {"config", path, NULL, NULL, NULL};
	write_file("# a comment\nlisten = \"127.0.0.1:1\"\nlease_s = 7\n"
		   "database = 'postgresql://h/db?a=b'\ncontact=\"mailto:x@example.org\"\n");
	struct settings *settings = load_good(flags);
	assert_string_equal(settings->listen, "127.0.0.1:1");
	assert_string_equal(settings->database, "postgresql://h/db?a=b");
	assert_string_equal(settings->contact, "mailto:x@example.org");
	assert_int_equal(settings->lease_s, 7);
	talloc_free(settings);
	setenv("BUGWATCH_LISTEN", "127.0.0.1:2", 1);
	setenv("BUGWATCH_LEASE_S", "8", 1);
	setenv("BUGWATCH_DATABASE", "", 1); /* as if not set */
	flags[2] = "lease_s";
	flags[3] = "9";
	settings = load_good(flags);
	assert_string_equal(settings->listen, "127.0.0.1:2");
	assert_string_equal(settings->database, "postgresql://h/db?a=b");
	assert_int_equal(settings->lease_s, 9);
	talloc_free(settings);
	/* The file may be named by a variable as well. */
	setenv("BUGWATCH_CONFIG", path, 1);
	settings = load_good(no_flags);
	assert_string_equal(settings->contact, "mailto:x@example.org");
	talloc_free(settings);
	unlink(path);
}

static void names_file_and_line(void **state)
{
	static const char *const rows[][2] = {
		{"lease_s = 60\n\nlesae_s = 3\n", ":3: "},
		{"\nlease_s = 4\n", ":2: lease_s must be a whole number from 5 to 3600, not \"4\""},
		{"lease_s = 3601\n", ":1: lease_s"},
		{"lease_s = 6x\n", ":1: lease_s"},
		{"lease_s = \" 6\"\n", ":1: lease_s"},
		{"lease_s = 99999999999999999999\n", ":1: lease_s"},
		{"log_level = loud\n", ":1: log_level must be"},
		{"contact = \"a\\nb\"\n", ":1: contact holds a control character"},
		{"listen = \"127.0.0.1\n", ":"},
		{"listen\n", ":"},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char words[128];
		const char *const flags[] = {"config", path, NULL};
		write_file(rows[i][0]);
		snprintf(words, sizeof(words), "%s%s", path, rows[i][1]);
		load_bad(flags, words);
		unlink(path);
	}
}

static void says_which_file_cannot_be_read(void **state)
{
	const char *const missing[] = {"config", "/nonexistent/bugwatch.conf", NULL};
	load_bad(missing, "/nonexistent/bugwatch.conf: No such file");
	const char *const folder[] = {"config", "/tmp", NULL};
	load_bad(folder, "/tmp: Is a directory");
}

static void names_a_bad_flag_or_variable(void **state)
{
	const char *const unknown[] = {"listn", "x", NULL};
	load_bad(unknown, "\"listn\"");
	const char *const bad[] = {"max_runs", "0", NULL};
	load_bad(bad, "max_runs");
	setenv("BUGWATCH_LEASE_S", "soon", 1);
	load_bad(no_flags, "environment: lease_s");
}

static void says_a_mistyped_variable(void **state)
{
	char line[256] = "";
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);
	setenv("BUGWATCH_LISTN", "127.0.0.1:1", 1);
	setenv("BUGWATCH_URL", "http://client", 1); /* the client's, so nothing to say */
	dup2(fileno(file), STDERR_FILENO);
	talloc_free(load_good(no_flags));
	dup2(kept, STDERR_FILENO);
	close(kept);
	rewind(file);
	assert_non_null(fgets(line, sizeof(line), file));
	assert_non_null(strstr(line, "warning settings: the variable BUGWATCH_LISTN "));
	assert_null(fgets(line, sizeof(line), file));
	fclose(file);
}

static void makes_the_state_folder_absolute(void **state)
{
	char here[4096], expected[4200];
	const char *const flags[] = {"state_dir", "some/where", NULL};
	struct settings *settings = load_good(flags);
	snprintf(expected, sizeof(expected), "%s/some/where", getcwd(here, sizeof(here)));
	assert_string_equal(settings->state_dir, expected);
	talloc_free(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(has_defaults, clear_environment),
		cmocka_unit_test_setup(takes_its_own_defaults, clear_environment),
		cmocka_unit_test_setup(prefers_the_nearer, clear_environment),
		cmocka_unit_test_setup(names_file_and_line, clear_environment),
		cmocka_unit_test_setup(says_which_file_cannot_be_read, clear_environment),
		cmocka_unit_test_setup(names_a_bad_flag_or_variable, clear_environment),
		cmocka_unit_test_setup(says_a_mistyped_variable, clear_environment),
		cmocka_unit_test_setup(makes_the_state_folder_absolute, clear_environment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
