#include "tests/farm/life.h"

#include <math.h>
#include <stdio.h>

/* Every third change brings a comment. */
enum { CHANGES_A_COMMENT = 3 };

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

/* When the bug changes for the time NUMBER, which counts from 1. */
static double moment_of_change(const struct life *life, uint64_t soul, uint64_t number)
{
	uint64_t period = number - 1;
	return ((double)period + unit(soul ^ period)) * life->tempo * life->bugs;
}

/* The word that stands STEPS after the one where SOUL began. */
static const char *pick(const char *const *words, uint64_t soul, uint64_t steps)
{
	unsigned count = 0;
	while (words != NULL && words[count] != NULL)
		count++;
	return count > 0 ? words[(soul % count + steps) % count] : NULL;
}

/* Out of which everything of bug ID follows. */
static uint64_t soul_of(const struct life *life, unsigned id)
{
	return mix(life->seed + id);
}

/*
 * How often the bug has changed; *CHANGED is when it last did. Time is cut into periods in which
 * every bug changes once, at a moment of its own.
 */
static uint64_t changes_until(const struct life *life, uint64_t soul, double now, double *changed)
{
	if (life->tempo <= 0)
		return 0;
	uint64_t number = (uint64_t)(now / (life->tempo * life->bugs)) + 1;
	*changed = moment_of_change(life, soul, number);
	if (now < *changed)
		*changed = moment_of_change(life, soul, --number);
	return number;
}

static double creation(uint64_t soul)
{
	return BEGINNING + floor(unit(soul + 1) * 8 * YEAR);
}

/* The last change of a bug in a tracker where nothing changes. */
static double first_change(uint64_t soul)
{
	return creation(soul) + floor(unit(soul + 2) * 2 * YEAR);
}

/* How many comments the bug has had for ever. */
static unsigned old_comments(uint64_t soul)
{
	return 1 + (unsigned)(soul >> 32) % 4;
}

/* How often the bug had changed before changes brought comments. */
static uint64_t changes_before(const struct life *life, uint64_t soul)
{
	double ignored;
	return changes_until(life, soul, life->began, &ignored);
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

/* The texts bring what naive programs stumble over, too. */
static void write_text(struct remark *comment, uint64_t soul, unsigned number)
{
	static const char *const words[] = {"I see this as well, in <b>every</b> version.",
		"> Does it happen every time?\n\nYes; & twice a day.",
		"Backtrace:\n#0  0x00 in main () at main.c:1\n#1  <signal handler called>",
		"\xe3\x81\x93\xe3\x82\x8c\xe3\x81\xaf\xe5\x86\x8d\xe7\x8f\xbe",
		"Fixed in \"trunk\"; see C:\\src.\n\tNot tested.", "Any news?", NULL};
	const char *said = number > 0
		? pick(words, mix(soul + number), 0)
		: "Steps to reproduce:\n1. Start it\n2. Wait\n\nIt should not do this.";
	snprintf(comment->made_text, sizeof(comment->made_text), "%s\n\n(%u)", said,
		(unsigned)(mix(soul ^ number) % 1000));
	comment->text = comment->made_text;
}

void life_comment(const struct life *life, unsigned id, unsigned number, struct remark *comment)
{
	uint64_t soul = soul_of(life, id);
	unsigned old = old_comments(soul);
	double created = creation(soul);
	if (number < old) {
		/* They are spread over the time before the first change. */
		double part = (double)number / old;
		comment->at = created + floor((first_change(soul) - created) * part);
	} else {
		uint64_t spoken = changes_before(life, soul) / CHANGES_A_COMMENT + number - old + 1;
		comment->at = moment_of_change(life, soul, spoken * CHANGES_A_COMMENT);
	}
	comment->author = pick(life->plot->authors, mix(soul ^ number) >> 8, 0);
	write_text(comment, soul, number);
}

void life_at(const struct life *life, unsigned id, double now, struct bug *bug)
{
	const struct plot *plot = life->plot;
	uint64_t soul = soul_of(life, id);
	*bug = (struct bug){.id = id, .created = creation(soul), .changed = first_change(soul)};
	uint64_t changes = changes_until(life, soul, now, &bug->changed);
	const struct step *step =
		&plot->steps[(soul % plot->step_count + (changes + 1) / 2) % plot->step_count];
	bug->status = step->status;
	bug->resolution = step->resolution;
	bug->severity = pick(plot->severities, soul >> 8, changes / 2);
	bug->priority = pick(plot->priorities, soul >> 16, changes / 2);
	bug->product = pick(plot->products, soul >> 24, 0);
	uint64_t before = changes_before(life, soul);
	bug->comments = old_comments(soul);
	if (changes > before)
		bug->comments +=
			(unsigned)(changes / CHANGES_A_COMMENT - before / CHANGES_A_COMMENT);
	write_title(bug, soul);
}
