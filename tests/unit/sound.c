#include "tests/unit/sound.h"

#include <stdlib.h>
#include <string.h>

/* The first and the last second that are read: of the years 1 and 9999. */
static const moment earliest = -62135596800 * MOMENT_SECOND;
static const moment latest = 253402300799 * MOMENT_SECOND;

/* What reaches the database and the terminal has no control characters. */
static bool is_clean(const char *text)
{
	for (; text != NULL && *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

static bool is_moment(moment at)
{
	return at >= earliest && at <= latest + MOMENT_SECOND;
}

static bool is_clean_observation(const struct observation *observation)
{
	return is_clean(observation->err.text) && is_clean(observation->title) &&
		is_clean(observation->product) && is_clean(observation->status) &&
		is_clean(observation->resolution) && is_clean(observation->severity) &&
		is_clean(observation->priority) && is_clean(observation->tags);
}

static const char *wrong_observation(const struct conversation *conversation)
{
	bool *seen = calloc(conversation->wanted_count + 1, sizeof(*seen));
	const char *wrong = NULL;
	for (unsigned i = 0; i < conversation->observation_count; i++) {
		const struct observation *observation = &conversation->observations[i];
		unsigned bug = observation->wanted;
		if (bug >= conversation->wanted_count || seen[bug])
			wrong = "a word on a bug that was not asked for, or a second one";
		else if (!is_clean_observation(observation))
			wrong = "control characters in an observation";
		else if (!is_moment(observation->changed_at))
			wrong = "a bug changed out of time";
		if (wrong != NULL)
			break;
		seen[bug] = true;
	}
	free(seen);
	return wrong;
}

static const char *wrong_comment(const struct conversation *conversation)
{
	for (unsigned i = 0; i < conversation->comment_count; i++) {
		const struct comment *comment = &conversation->comments[i];
		if (comment->wanted >= conversation->wanted_count)
			return "a comment of a bug that was not asked for";
		if ((comment->text != NULL && strlen(comment->text) > COMMENT_LIMIT) ||
			!is_clean(comment->author))
			return "a comment that can't be stored";
		if (comment->number < 0 || !is_moment(comment->posted_at))
			return "a comment out of time, or without a number";
	}
	return NULL;
}

static const char *wrong_change(const struct conversation *conversation)
{
	for (unsigned i = 0; i < conversation->change_count; i++)
		if (!is_clean(conversation->changes[i].remote_id) ||
			!is_moment(conversation->changes[i].at))
			return "a change out of time, or of no bug";
	return is_moment(conversation->until) ? NULL : "an end out of time";
}

const char *unsound(const struct conversation *conversation)
{
	const char *wrong = wrong_observation(conversation);
	if (wrong == NULL)
		wrong = wrong_comment(conversation);
	if (wrong == NULL)
		wrong = wrong_change(conversation);
	if (wrong == NULL && !is_clean(conversation->err.text))
		wrong = "control characters in an error";
	if (wrong == NULL && !conversation_over(conversation))
		wrong = "not over";
	return wrong;
}
