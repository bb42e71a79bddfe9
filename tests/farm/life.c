#include "tests/farm/life.h"

#include <math.h>
#include <stdio.h>

static const double BEGINNING = 1420070400, /* 2015 */
	YEAR = 31536000;

/* The finisher of splitmix64: every bit of X moves every bit of the result. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

/* A number of [0, 1) out of X. */
static double unit(uint64_t x)
{
	return (double)(mix(x) >> 11) * 0x1p-53;
}

uint64_t life_seed(uint64_t seed, const char *name)
{
	for (; *name != '\0'; name++)
		seed = mix(seed ^ (unsigned char)*name);
	return seed;
}

/* The word that stands STEPS after the one where SOUL began. */
static const char *pick(const char *const *words, uint64_t soul, uint64_t steps)
{
	unsigned count = 0;
	while (words != NULL && words[count] != NULL)
		count++;
	return count > 0 ? words[(soul % count + steps) % count] : NULL;
}

/*
 * How often the bug has changed; *CHANGED is when it last did. Time is cut into periods in which
 * every bug changes once, at a moment of its own.
 */
static uint64_t changes_until(const struct life *life, uint64_t soul, double now, double *changed)
{
	if (life->tempo <= 0)
		return 0;
	double period = life->tempo * life->bugs;
	uint64_t whole = (uint64_t)(now / period);
	double moment = ((double)whole + unit(soul ^ whole)) * period;
	if (now < moment) {
		whole--;
		moment = ((double)whole + unit(soul ^ whole)) * period;
	}
	*changed = moment;
	return whole + 1;
}

/* Some titles bring what naive programs stumble over. */
static void write_title(struct bug *bug, uint64_t soul)
{
	static const char *const things[] = {"The toolbar", "Printing", "Caf\xc3\xa9 menu",
		"\"Save as\"", "The <b>bold</b> button", "Sync & backup", "C:\\temp", "Search",
		"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e input", "The parser", NULL};
	static const char *const troubles[] = {"crashes on start", "is slow", "loses data",
		"shows nothing", "ignores the locale", "needs 100% of a processor",
		"can't be closed", NULL};
	snprintf(bug->made_title, sizeof(bug->made_title), "%s %s (%u)", pick(things, soul >> 7, 0),
		pick(troubles, soul >> 19, 0), bug->id);
	bug->title = bug->made_title;
}

void life_at(const struct life *life, unsigned id, double now, struct bug *bug)
{
	const struct plot *plot = life->plot;
	uint64_t soul = mix(life->seed + id);
	double created = BEGINNING + floor(unit(soul + 1) * 8 * YEAR);
	*bug = (struct bug){.id = id, .created = created};
	bug->changed = created + floor(unit(soul + 2) * 2 * YEAR);
	uint64_t changes = changes_until(life, soul, now, &bug->changed);
	const struct step *step =
		&plot->steps[(soul % plot->step_count + (changes + 1) / 2) % plot->step_count];
	bug->status = step->status;
	bug->resolution = step->resolution;
	bug->severity = pick(plot->severities, soul >> 8, changes / 2);
	bug->priority = pick(plot->priorities, soul >> 16, changes / 2);
	bug->product = pick(plot->products, soul >> 24, 0);
	write_title(bug, soul);
}
