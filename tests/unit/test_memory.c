/*
 * Memory ends in the middle of an errand, at each allocation in turn: the program ends with its own
 * word and status, and neither crashes nor goes on with half of what it heard. A fork each.
 */
#include "stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <talloc.h>
#include <unistd.h>

#include <cmocka.h>

/* The next so many allocations of an errand succeed; -1: all. */
static long left = -1;

/* Before the sanitizer is ready, code that it looks into crashes. */
#define EARLY __attribute__((no_sanitize("address", "undefined")))

/* Whether the one that is wanted now fails. */
EARLY static bool fails(void)
{
	if (!stage_acting || left < 0)
		return false;
	return left == 0 || --left == 0;
}

/* The linker puts these between memory.c and the allocator (see CMakeLists.txt). */
#ifdef BUGWATCH_SANITIZE
#define WRAP(name) __wrap___interceptor_##name
#define REAL(name) __real___interceptor_##name
#else
#define WRAP(name) __wrap___libc_##name
#define REAL(name) __real___libc_##name
#endif

extern void *REAL(malloc)(size_t n);
extern void *REAL(calloc)(size_t count, size_t n);
extern void *REAL(realloc)(void *bytes, size_t n);
void *WRAP(malloc)(size_t n);
void *WRAP(calloc)(size_t count, size_t n);
void *WRAP(realloc)(void *bytes, size_t n);

EARLY void *WRAP(malloc)(size_t n)
{
	return fails() ? NULL : REAL(malloc)(n);
}

EARLY void *WRAP(calloc)(size_t count, size_t n)
{
	return fails() ? NULL : REAL(calloc)(count, n);
}

EARLY void *WRAP(realloc)(void *bytes, size_t n)
{
	return n > 0 && fails() ? NULL : REAL(realloc)(bytes, n);
}

/* The exit status of ERRAND when its allocation COUNT fails, what it says in WORDS. */
static int play_without(
	struct stage *stage, enum errand errand, long count, char *words, size_t size)
{
	int ends[2], status;
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		left = count;
		stage_play(stage, stage, errand, &honest);
		_exit(left == 0 ? EX_SOFTWARE : EX_OK);
	}
	assert_true(child > 0);
	close(ends[1]);
	ssize_t n = read(ends[0], words, size - 1);
	words[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_each_allocation(void **state)
{
	static const enum errand errands[] = {
		ERRAND_PROBE, ERRAND_CHECK, ERRAND_CHANGES, ERRAND_COMMENTS};
	struct stage *stage = stage_new(NULL, *state, 2);
	stage->wanted_count = 1;
	for (unsigned i = 0; i < sizeof(errands) / sizeof(errands[0]); i++) {
		char words[400];
		int status = EX_OSERR;
		long count = 0;
		while (stage_can(stage, errands[i]) && status == EX_OSERR) {
			status = play_without(stage, errands[i], ++count, words, sizeof(words));
			if (status == EX_OSERR)
				assert_non_null(strstr(words, "no memory is left"));
			else if (status != EX_OK)
				fail_msg("allocation %ld: status %d\n%s", count, status, words);
		}
		if (stage_can(stage, errands[i]) && count < 5)
			fail_msg("an errand without allocations: this test has no teeth");
	}
	talloc_free(stage);
}

int main(void)
{
	struct CMUnitTest *all = talloc_array(NULL, struct CMUnitTest, 0);
	for (const struct subject *subject = subjects; subject->speech != NULL; subject++) {
		size_t n = talloc_array_length(all);
		all = talloc_realloc(NULL, all, struct CMUnitTest, n + 1);
		all[n] = (struct CMUnitTest){.name = subject->speech->word,
			.test_func = test_each_allocation,
			.initial_state = (void *)(uintptr_t)subject};
	}
	int failed = _cmocka_run_group_tests("memory", all, talloc_array_length(all), NULL, NULL);
	talloc_free(all);
	return failed;
}
