#include "engine/state.h"

#include "tests/unit/postgres.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <talloc.h>
#include <unistd.h>

#include <cmocka.h>

static char root[32], dir[64];

static int setup(void **unused)
{
	snprintf(root, sizeof(root), "/tmp/bugwatch-test-XXXXXX");
	if (mkdtemp(root) == NULL)
		return -1;
	snprintf(dir, sizeof(dir), "%s/a/b/state", root);
	return 0;
}

static int teardown(void **unused)
{
	postgres_remove(root);
	return 0;
}

static void folders_are_made(void **unused)
{
	struct stat there;
	struct err err = {0};
	struct state *state = state_open(NULL, dir, &err);
	assert_non_null(state);
	assert_int_equal(stat(dir, &there), 0);
	assert_int_equal(there.st_mode & 0777, geteuid() == 0 ? 0755 : 0700);
	talloc_free(state);
	state = state_open(NULL, dir, &err);
	assert_non_null(state);
	talloc_free(state);
}

static void a_second_holder_is_refused(void **unused)
{
	struct err err = {0};
	char pid[32];
	struct state *state = state_open(NULL, dir, &err);
	assert_non_null(state);
	assert_null(state_open(NULL, dir, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	snprintf(pid, sizeof(pid), "process %d:", getpid());
	assert_non_null(strstr(err.text, pid));
	assert_non_null(strstr(err.text, dir));
	assert_non_null(strstr(err.text, "--state-dir"));
	talloc_free(state);
	err_clear(&err);
	state = state_open(NULL, dir, &err);
	assert_non_null(state);
	talloc_free(state);
}

static void a_killed_holder_holds_no_more(void **unused)
{
	struct err err = {0};
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		if (state_open(NULL, dir, &err) == NULL)
			_exit(1);
		kill(getpid(), SIGKILL);
		_exit(2);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status));
	struct state *state = state_open(NULL, dir, &err);
	assert_non_null(state);
	talloc_free(state);
}

static void files_are_replaced_whole_and_private(void **unused)
{
	struct err err = {0};
	struct stat there;
	char path[96];
	struct state *state = state_open(NULL, dir, &err);
	assert_true(state_write(state, "word", "first and longer\n", &err));
	assert_true(state_write(state, "word", "second\n", &err));
	char *text = state_read(state, dir, "word");
	assert_string_equal(text, "second");
	snprintf(path, sizeof(path), "%s/word", dir);
	assert_int_equal(stat(path, &there), 0);
	assert_int_equal(there.st_mode & 0777, 0600);
	snprintf(path, sizeof(path), "%s/word.new", dir);
	assert_int_not_equal(stat(path, &there), 0);
	state_remove(state, "word");
	assert_null(state_read(state, dir, "word"));
	talloc_free(state);
}

static void only_short_texts_are_read(void **unused)
{
	struct err err = {0};
	struct state *state = state_open(NULL, dir, &err);
	char *text = talloc_zero_array(state, char, 65538);
	memset(text, 'x', 65537);
	assert_true(state_write(state, "long", text, &err));
	assert_null(state_read(state, dir, "long"));
	text[65536] = '\0';
	assert_true(state_write(state, "long", text, &err));
	assert_string_equal(state_read(state, dir, "long"), text);
	assert_true(state_write(state, "empty", "", &err));
	assert_string_equal(state_read(state, dir, "empty"), "");
	talloc_free(state);
}

static void what_cannot_be_made_is_named(void **unused)
{
	struct err err = {0};
	assert_null(state_open(NULL, "/dev/null/state", &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_non_null(strstr(err.text, "/dev/null/state"));
	err_clear(&err);
	assert_null(state_open(NULL, "", &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folders_are_made),
		cmocka_unit_test(a_second_holder_is_refused),
		cmocka_unit_test(a_killed_holder_holds_no_more),
		cmocka_unit_test(files_are_replaced_whole_and_private),
		cmocka_unit_test(only_short_texts_are_read),
		cmocka_unit_test(what_cannot_be_made_is_named),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
