/*
 * What every driver must do, with its abilities as the only parameter: each row of `subjects`
 * (stage.c) against a server of its kind.
 */
#include "sound.h"
#include "stage.h"
#include "told.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

enum { FEW = 9, MANY = 700, CUTS = 40, SAID = 300 };
enum { SPOILT = 24 }; /* about so many answers of an errand are spoilt in many ways */

static const enum errand errands[] = {ERRAND_PROBE, ERRAND_CHECK, ERRAND_CHANGES, ERRAND_COMMENTS};
enum { ERRANDS = sizeof(errands) / sizeof(errands[0]) };

static const struct observation *observation_of(
	const struct conversation *conversation, unsigned wanted)
{
	for (unsigned i = 0; i < conversation->observation_count; i++)
		if (conversation->observations[i].wanted == wanted)
			return &conversation->observations[i];
	return NULL;
}

/* Ids that are none anywhere are refused before they are sent. */
static void test_malformed(void **state)
{
	static const char *const none[] = {"", " ", "1 2", "1,2", "1&id=2", "1\r\nX: 1", "../2",
		"<1>", "1'", "1;2", "\"", "%31", "1#2", "\x01", "\xff"};
	const struct subject *subject = *state;
	const struct tracker *tracker = tracker_by_name(subject->speech->type);
	char *endless = talloc_strdup(NULL, "");
	for (int i = 0; i < 2000; i++)
		endless = talloc_strdup_append(endless, "9");
	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (tracker->valid_id(none[i]))
			fail_msg("%s takes the id \"%s\"", tracker->name, none[i]);
	assert_false(tracker->valid_id(endless));
	assert_true(tracker->valid_id("1"));
	talloc_free(endless);
}

/* A missing and a private one among others: these are read, each bad one has its own kind. */
static void test_batch(void **state)
{
	const struct subject *subject = *state;
	struct stage *stage = stage_new(NULL, subject, FEW);
	struct conversation *conversation =
		stage_play(stage, stage, ERRAND_CHECK, &honest)->conversation;
	bool hidden = subject->speech->signs_in != NULL && subject->credentials == NULL;
	assert_string_equal(conversation->err.text, "");
	assert_int_equal(conversation->observation_count, stage->wanted_count);
	for (unsigned i = 0; i < stage->wanted_count; i++) {
		const struct observation *seen = observation_of(conversation, i);
		enum err_kind kind = ERR_NONE;
		if (i == STAGE_MISSING)
			kind = ERR_BUG_NOT_FOUND;
		else if (i == STAGE_PRIVATE && hidden)
			kind = ERR_PRIVATE_BUG;
		assert_non_null(seen);
		assert_string_equal(err_word(seen->err.kind), err_word(kind));
		if (kind == ERR_NONE) {
			assert_non_null(seen->status);
			assert_non_null(seen->title);
		}
	}
	talloc_free(stage);
}

/*
 * Silence about all of several known bugs says nothing of any: the errand fails, or it asks until it
 * knows.
 */
static void test_silence(void **state)
{
	const struct subject *subject = *state;
	if (subject->speech->nothing == NULL)
		skip();
	struct stage *stage = stage_new(NULL, subject, FEW);
	struct play play = {.spoilt = 0,
		.body = subject->speech->nothing,
		.body_size = strlen(subject->speech->nothing)};
	stage->wanted_count = STAGE_PRIVATE;
	struct conversation *conversation =
		stage_play(stage, stage, ERRAND_CHECK, &play)->conversation;
	bool failed = conversation->err.kind != ERR_NONE;
	assert_int_equal(conversation->observation_count, failed ? 0 : conversation->wanted_count);
	for (unsigned i = 0; i < conversation->observation_count; i++)
		assert_string_equal(err_word(conversation->observations[i].err.kind), "none");
	talloc_free(stage);
}

/* All that changed, however many pages that takes; the errand has no error only then. */
static void test_all_changes(void **state)
{
	struct stage *stage = stage_new(NULL, *state, MANY);
	if (stage_can(stage, ERRAND_CHANGES)) {
		struct conversation *conversation =
			stage_play(stage, stage, ERRAND_CHANGES, &honest)->conversation;
		bool found[MANY + 1] = {false};
		assert_string_equal(conversation->err.text, "");
		assert_int_not_equal(conversation->until, 0);
		for (unsigned i = 0; i < conversation->change_count; i++)
			found[atoi(conversation->changes[i].remote_id) % (MANY + 1)] = true;
		for (unsigned id = 1; id <= MANY - stage->site->private_bugs; id++)
			if (!found[id])
				fail_msg("bug %u changed, and is not told of", id);
	}
	talloc_free(stage);
}

/* Every comment of a bug where much was said. */
static void test_all_comments(void **state)
{
	struct stage *stage = stage_new(NULL, *state, FEW);
	struct hand *hand = site_hand(stage->site, 1);
	for (int i = 0; i < SAID; i++)
		site_say(stage->site, hand, "ada", "said by hand");
	stage->wanted_count = 1;
	struct conversation *conversation =
		stage_play(stage, stage, ERRAND_COMMENTS, &honest)->conversation;
	unsigned said = 0;
	assert_string_equal(conversation->err.text, "");
	assert_int_equal(observation_of(conversation, 0)->err.kind, ERR_NONE);
	for (unsigned i = 0; i < conversation->comment_count; i++)
		said += strcmp(conversation->comments[i].text, "said by hand") == 0;
	assert_int_equal(said, SAID);
	talloc_free(stage);
}

/* A server that gives the same page again and again is found out. */
static void test_loop_of_pages(void **state)
{
	struct stage *stage = stage_new(NULL, *state, MANY);
	for (unsigned i = 0; i < ERRANDS; i++) {
		if (errands[i] == ERRAND_PROBE || !stage_can(stage, errands[i]))
			continue;
		struct played *full = stage_play(stage, stage, errands[i], &honest);
		struct play play = {.spoilt = 0, .again = true};
		struct conversation *conversation =
			stage_play(stage, stage, errands[i], &play)->conversation;
		assert_null(unsound(conversation));
		if (errands[i] == ERRAND_CHECK)
			told_nothing_new(told(full, full->conversation, stage->server),
				told(stage, conversation, stage->server));
		if (errands[i] == ERRAND_CHANGES && full->answers > 1)
			assert_string_equal(
				err_word(conversation->err.kind), err_word(ERR_UNPARSABLE_TRACKER));
	}
	talloc_free(stage);
}

/* What was told of a play in which one answer was not whole is true, and all of it or a failure. */
static void check_part(
	struct stage *stage, enum errand errand, const char *full, const struct play *play)
{
	struct played *part = stage_play(stage, stage, errand, play);
	struct conversation *conversation = part->conversation;
	const char *wrong = unsound(conversation);
	char *text = told(part, conversation, stage->server);
	if (wrong != NULL)
		fail_msg("answer %d, %zu bytes of it: %s", play->spoilt, play->cut_at, wrong);
	/* A probe may find another door; others may go another way, and learn in another order. */
	if (conversation->err.kind == ERR_NONE && errand != ERRAND_PROBE)
		told_nothing_new(text, talloc_strdup(part, full));
	if (errand != ERRAND_PROBE)
		told_nothing_new(full, text);
	talloc_free(part);
}

/* Calls CHECK for each errand that STAGE can. */
static void for_each_errand(struct stage *stage,
	void (*check)(struct stage *stage, enum errand errand, const struct played *full,
		const char *text))
{
	for (unsigned i = 0; i < ERRANDS; i++) {
		if (!stage_can(stage, errands[i]))
			continue;
		struct played *full = stage_play(stage, stage, errands[i], &honest);
		check(stage, errands[i], full, told(full, full->conversation, stage->server));
		talloc_free(full);
	}
}

static void check_bytewise(
	struct stage *stage, enum errand errand, const struct played *full, const char *text)
{
	struct play play = {.spoilt = -1, .piece = 1};
	struct played *same = stage_play(stage, stage, errand, &play);
	assert_string_equal(told(same, same->conversation, stage->server), text);
	talloc_free(same);
}

static void test_bytewise(void **state)
{
	struct stage *stage = stage_new(NULL, *state, FEW);
	for_each_errand(stage, check_bytewise);
	talloc_free(stage);
}

/* An answer that never comes, each in turn. */
static void check_broken(
	struct stage *stage, enum errand errand, const struct played *full, const char *text)
{
	for (unsigned i = 0; i < full->answers; i++) {
		struct play play = {.spoilt = (int)i, .cut = true, .broken = true};
		check_part(stage, errand, text, &play);
	}
}

static void test_answer_that_never_comes(void **state)
{
	struct stage *stage = stage_new(NULL, *state, FEW);
	for_each_errand(stage, check_broken);
	talloc_free(stage);
	stage = stage_new(NULL, *state, MANY);
	for_each_errand(stage, check_broken);
	talloc_free(stage);
}

/* What is missing of CSV and mails only the transport notices. */
static void check_cuts(
	struct stage *stage, enum errand errand, const struct played *full, const char *text)
{
	for (unsigned i = 0; i < full->answers; i += full->answers / SPOILT + 1) {
		size_t step = full->sizes[i] / CUTS + 1;
		for (size_t at = 0; at + 1 < full->sizes[i]; at += step) {
			struct play play = {.spoilt = (int)i, .cut = true, .cut_at = at};
			if (full->endings[i] == ENDING_SEEN ||
				(full->endings[i] == ENDING_BEGUN && at == 0))
				check_part(stage, errand, text, &play);
			play.broken = true;
			check_part(stage, errand, text, &play);
		}
	}
}

static void test_cuts(void **state)
{
	struct stage *stage = stage_new(NULL, *state, FEW);
	for_each_errand(stage, check_cuts);
	talloc_free(stage);
}

/* ---- hostile answers ---- */

struct body {
	const char *name;
	char *bytes;
	size_t size;
};

static char *repeat(const void *owner, const char *begin, const char *word, unsigned count)
{
	size_t first = strlen(begin), n = strlen(word);
	char *text = talloc_array(owner, char, first + n * count + 1);
	memcpy(text, begin, first);
	for (unsigned i = 0; i < count; i++)
		memcpy(text + first + i * n, word, n);
	text[first + n * count] = '\0';
	return text;
}

static struct body *hostile_bodies(const void *owner, unsigned *count)
{
	static const char bomb[] =
		"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"boom\"><!ENTITY c "
		"\"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;\">"
		"<!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;&d;\"><!ENTITY f \"&e;&e;&e;&e;&e;&e;\">]>"
		"<a>&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;</a>";
	static const char outside[] = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM "
				      "\"file:///etc/passwd\">]><a>&b;</a>";
	const struct body bodies[] = {
		{"nothing", repeat(owner, "", "", 0), 0},
		{"deep lists", repeat(owner, "", "[", 10000), 0},
		{"deep objects", repeat(owner, "", "{\"bugs\":", 10000), 0},
		{"deep elements", repeat(owner, "", "<a>", 10000), 0},
		{"many lists", repeat(owner, "{\"bugs\":[", "[],", 100000), 0},
		{"many elements", repeat(owner, "<a>", "<b/>", 100000), 0},
		{"many rows", repeat(owner, "id,Status\r\n", "1,new\r\n", 100000), 0},
		{"many columns", repeat(owner, "id,Status", ",a", 100000), 0},
		{"one long word", repeat(owner, "\"", "x", 1000000), 0},
		{"entity bomb", talloc_strdup(owner, bomb), 0},
		{"entity from outside", talloc_strdup(owner, outside), 0},
		{"big number", repeat(owner, "{\"bugs\":[{\"id\":1", "0", 5000), 0},
		{"bad UTF-8", repeat(owner, "{\"bugs\":\"", "\xff\xc0\x80", 100), 0},
	};
	struct body *copy = talloc_memdup(owner, bodies, sizeof(bodies));
	*count = sizeof(bodies) / sizeof(bodies[0]);
	for (unsigned i = 0; i < *count; i++)
		copy[i].size = strlen(copy[i].bytes);
	return copy;
}

static void check_hostile(
	struct stage *stage, enum errand errand, const struct played *full, const char *text)
{
	unsigned count;
	struct body *bodies = hostile_bodies(full, &count);
	for (unsigned i = 0; i < full->answers; i += full->answers / SPOILT + 1) {
		for (unsigned j = 0; j < count; j++) {
			struct play play = {.spoilt = (int)i,
				.piece = 16384,
				.body = bodies[j].bytes,
				.body_size = bodies[j].size};
			struct played *part = stage_play(stage, stage, errand, &play);
			const char *wrong = unsound(part->conversation);
			if (wrong != NULL)
				fail_msg("answer %u, %s: %s", i, bodies[j].name, wrong);
			talloc_free(part);
		}
	}
}

static void test_hostile_sizes(void **state)
{
	struct stage *stage = stage_new(NULL, *state, FEW);
	for_each_errand(stage, check_hostile);
	talloc_free(stage);
}

/* Ids, counts and times that are none, or out of every range. */
static void check_numbers(
	struct stage *stage, enum errand errand, const struct played *full, const char *text)
{
	static const char *const numbers[] = {"0", "-1", "9", "32", "99999999999999999999999",
		"9223372036854775807", "1e999", "NaN", "null", "[]", "\"", "\xff"};
	for (unsigned i = 0; i < full->answers; i += full->answers / SPOILT + 1) {
		for (unsigned j = 0; j < sizeof(numbers) / sizeof(numbers[0]); j++) {
			struct play play = {.spoilt = (int)i, .numbers = numbers[j]};
			struct played *part = stage_play(stage, stage, errand, &play);
			const char *wrong = unsound(part->conversation);
			if (wrong != NULL)
				fail_msg("answer %u, all numbers are %s: %s", i, numbers[j], wrong);
			talloc_free(part);
		}
	}
}

static void test_odd_numbers(void **state)
{
	struct stage *stage = stage_new(NULL, *state, FEW);
	for_each_errand(stage, check_numbers);
	talloc_free(stage);
}

int main(void)
{
	static const struct {
		const char *name;
		CMUnitTestFunction function;
	} tests[] = {
		{"malformed ids", test_malformed},
		{"a missing and a private bug", test_batch},
		{"silence about all", test_silence},
		{"all changes", test_all_changes},
		{"all comments", test_all_comments},
		{"a loop of pages", test_loop_of_pages},
		{"byte by byte", test_bytewise},
		{"an answer that never comes", test_answer_that_never_comes},
		{"answers cut short", test_cuts},
		{"hostile sizes", test_hostile_sizes},
		{"odd numbers", test_odd_numbers},
	};
	enum { TESTS = sizeof(tests) / sizeof(tests[0]) };
	struct CMUnitTest *all = talloc_array(NULL, struct CMUnitTest, 0);
	for (const struct subject *subject = subjects; subject->speech != NULL; subject++) {
		for (unsigned i = 0; i < TESTS; i++) {
			size_t n = talloc_array_length(all);
			all = talloc_realloc(NULL, all, struct CMUnitTest, n + 1);
			all[n] = (struct CMUnitTest){
				.name = talloc_asprintf(all, "%s%s%s: %s", subject->speech->word,
					subject->also != NULL ? " " : "",
					subject->also != NULL ? subject->also : "", tests[i].name),
				.test_func = tests[i].function,
				.initial_state = (void *)(uintptr_t)subject};
		}
	}
	int failed =
		_cmocka_run_group_tests("conformance", all, talloc_array_length(all), NULL, NULL);
	talloc_free(all);
	return failed;
}
