/* What a URL means: every row of tests/data/url-forms.tsv that a driver here can know. */
#include "trackers/tracker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

enum { URL, RECOGNISED, TYPE, BASE_URL, REMOTE_ID, COLUMNS };

static void assert_recognised(const char *const *cells, const struct remote_bug *bug)
{
	assert_string_equal(bug->tracker->name, cells[TYPE]);
	assert_string_equal(bug->base_url, cells[BASE_URL]);
	assert_string_equal(bug->remote_id, cells[REMOTE_ID]);
	assert_true(bug->tracker->valid_id(bug->remote_id));
}

/* Whether the row could be judged. */
static bool try_row(const char *const *cells)
{
	struct remote_bug bug = {0};
	void *owner = talloc_new(NULL);
	bool expected = strcmp(cells[RECOGNISED], "yes") == 0;
	bool known = !expected || tracker_by_name(cells[TYPE]) != NULL;
	bool found = tracker_recognise(owner, cells[URL], &bug);
	if (found != (expected && known))
		fail_msg("%s: %srecognised", cells[URL], found ? "" : "not ");
	if (found)
		assert_recognised(cells, &bug);
	talloc_free(owner);
	return known;
}

static void every_row_means_what_it_says(void **state)
{
	FILE *in = fopen("tests/data/url-forms.tsv", "r");
	char *line = NULL;
	size_t room = 0;
	int judged = 0;
	assert_non_null(in);
	assert_true(getline(&line, &room, in) > 0 && getline(&line, &room, in) > 0);
	while (getline(&line, &room, in) > 0) {
		const char *cells[COLUMNS] = {"", "", "", "", ""};
		char *rest = line;
		line[strcspn(line, "\n")] = '\0';
		for (int i = 0; i < COLUMNS && rest != NULL; i++)
			cells[i] = strsep(&rest, "\t");
		judged += try_row(cells);
	}
	fclose(in);
	free(line);
	assert_true(judged >= 45);
}

static void odd_forms_are_not_taken(void **state)
{
	static const char *const odd[] = {
		"https://h/xshow_bug.cgi?id=1",
		"https://h/show_bug.cgi/?id=1",
		"https://h/show_bug.cgi?id=0",
		"https://h/show_bug.cgi?id=01",
		"https://h/show_bug.cgi?id=1%00",
		"https://h/show_bug.cgi?id=-1",
		"https://h/show_bug.cgi?id=+1",
		"https://h/show_bug.cgi?id=1,2",
		"https://h/show_bug.cgi?id=2147483648",
		"https://h/show_bug.cgi?id=99999999999999999999",
		"https://h/show_bug.cgi?x#id=1",
		"https://h/issue55/x",
		"https://h/issue055",
		"https://h/issue",
		"https://h/ticket/0",
		"https://h/ticket/055",
		"https://h/ticket/55/x",
		"https://h/xticket/55",
		"https://h/ticket55",
		"https://h/trac/attachment/ticket/55",
		"https://h/trac/raw-attachment/ticket/55/",
		"https://h/ticket/2147483648",
	};
	struct remote_bug bug;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		if (tracker_recognise(NULL, odd[i], &bug))
			fail_msg("recognised: %s", odd[i]);
}

struct form {
	const char *url, *base_url, *id; /* base_url NULL: no form of a bug's address */
};

/* What a page of GitHub looks like other trackers' pages do, too. */
static void shared_forms_are_bugs_only_below_a_tracker(void **state)
{
	static const struct form forms[] = {
		{"https://github.com/octo/anvil/issues/7", "https://github.com/octo/anvil/", "7"},
		{"https://github.com/octo/anvil/issues/7/", "https://github.com/octo/anvil/", "7"},
		{"https://github.com/octo/anvil/issues/7?q=x#issuecomment-12",
			"https://github.com/octo/anvil/", "7"},
		{"http://www.github.com/octo/anvil.js/pull/7", "https://github.com/octo/anvil.js/",
			"7"},
		{"http://127.0.0.1:8080/octo/anvil/issues/7", "http://127.0.0.1:8080/octo/anvil/",
			"7"},
		{"https://github.com/octo/anvil/issues", NULL, NULL},
		{"https://github.com/octo/anvil/issues/", NULL, NULL},
		{"https://github.com/octo/anvil/issues/07", NULL, NULL},
		{"https://github.com/octo/anvil/issues/new", NULL, NULL},
		{"https://github.com/octo/anvil/issues/7/events", NULL, NULL},
		{"https://github.com/octo/anvil/-/issues/7", NULL, NULL},
		{"https://github.com/octo/anvil/discussions/7", NULL, NULL},
		{"https://github.com/octo/issues/7", NULL, NULL},
		{"https://github.com//anvil/issues/7", NULL, NULL},
		{"https://github.com/octo/an%2Fvil/issues/7", NULL, NULL},
		{"https://api.github.com/octo/anvil/issues/7", NULL, NULL},
	};
	void *owner = talloc_new(NULL);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct remote_bug bug;
		assert_false(tracker_recognise(owner, forms[i].url, &bug));
		bool found = tracker_recognise_below(owner, forms[i].url, &bug);
		if (found != (forms[i].base_url != NULL))
			fail_msg("%s: %srecognised", forms[i].url, found ? "" : "not ");
		if (!found)
			continue;
		assert_true(bug.is_shared_form);
		assert_string_equal(bug.base_url, forms[i].base_url);
		assert_string_equal(bug.remote_id, forms[i].id);
	}
	talloc_free(owner);
}

static void trackers_have_names_of_their_own(void **state)
{
	assert_null(tracker_by_name(""));
	assert_null(tracker_by_name("Bugzilla"));
	for (int i = 0; trackers[i] != NULL; i++) {
		assert_ptr_equal(tracker_by_name(trackers[i]->name), trackers[i]);
		assert_true(trackers[i]->batch_size > 0);
		assert_true(strlen(trackers[i]->title) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_means_what_it_says),
		cmocka_unit_test(odd_forms_are_not_taken),
		cmocka_unit_test(shared_forms_are_bugs_only_below_a_tracker),
		cmocka_unit_test(trackers_have_names_of_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
