/* `./dev simulate`: how soon the schedule sees what changed, and what that costs. */
#include "tests/simulate/report.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <time.h>

enum { DAY = 86400, YEARS = 6, ANY = -1, DEFAULT_BATCH = 500 };

struct options {
	const char *file, *tracker;
	int mode; /* ANY: all */
	bool json;
	struct plan plan; /* for one mode; from and until are 0 where nobody set them */
};

static void usage(FILE *to)
{
	fputs("usage: ./dev simulate FILE [OPTIONS]\n"
	      "  --mode changes|batch|single     only that one\n"
	      "  --policy sqrt|ladder|daily      how intervals follow from a bug's state (sqrt)\n"
	      "  --batch N                       bugs in a request (500)\n"
	      "  --every SECONDS                 from one batch or question what changed to the "
	      "next\n"
	      "  --tracker NAME                  only that one\n"
	      "  --from TIME, --until TIME       what counts, seconds since 1970; without them "
	      "the\n"
	      "                                  last six whole years of a tracker's history\n"
	      "  --KNOB=N                        a constant of the schedule, as in docs/manual.md\n"
	      "  --json                          for programs\n",
		to);
}

static void die(const char *what, const char *value)
{
	fprintf(stderr, "simulate: %s: %s\n", what, value);
	exit(2);
}

static int64_t read_number(const char *name, const char *text, int64_t least, int64_t most)
{
	char *end;
	errno = 0;
	int64_t value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < least || value > most) {
		fprintf(stderr, "simulate: %s must be a whole number from %lld to %lld, not %s\n",
			name, (long long)least, (long long)most, text);
		exit(2);
	}
	return value;
}

static int read_word(const char *name, const char *text, const char *(*word)(unsigned))
{
	for (unsigned i = 0; word(i) != NULL; i++)
		if (strcmp(word(i), text) == 0)
			return (int)i;
	die(name, text);
	return ANY;
}

/* ---- options ---- */

enum { MODE = 256, POLICY, BATCH, EVERY, TRACKER, FROM, UNTIL, JSON, HELP, FIRST_KNOB };

/* What may be set, and where it goes. */
static const struct knob {
	const char *name;
	size_t offset;
	long least, most;
} knobs[] = {
#define KNOB(name, unit, initial, least, most, help)                                               \
	{#name, offsetof(struct knobs, name), least, most},
#include "engine/knobs.def"
#undef KNOB
};

enum { KNOBS = sizeof(knobs) / sizeof(knobs[0]) };

static void set_knob(struct plan *plan, const struct knob *knob, const char *text)
{
	long value = (long)read_number(knob->name, text, knob->least, knob->most);
	memcpy((char *)&plan->knobs + knob->offset, &value, sizeof(value));
}

static void set_option(struct options *options, int option, const char *text)
{
	struct plan *plan = &options->plan;
	if (option == MODE)
		options->mode = read_word("--mode", text, schedule_mode_word);
	else if (option == POLICY)
		plan->policy =
			(enum schedule_policy)read_word("--policy", text, schedule_policy_word);
	else if (option == BATCH)
		plan->batch = (unsigned)read_number("--batch", text, 1, 1000000);
	else if (option == EVERY)
		plan->every_s = read_number("--every", text, 60, 30 * DAY);
	else if (option == TRACKER)
		options->tracker = text;
	else if (option == FROM)
		plan->from = read_number("--from", text, 1, INT32_MAX);
	else if (option == UNTIL)
		plan->until = read_number("--until", text, 1, INT32_MAX);
	else if (option == JSON)
		options->json = true;
	else
		set_knob(plan, &knobs[option - FIRST_KNOB], text);
}

static struct options read_options(int argc, char **argv)
{
	static struct option known[] = {
		{"mode", required_argument, NULL, MODE},
		{"policy", required_argument, NULL, POLICY},
		{"batch", required_argument, NULL, BATCH},
		{"every", required_argument, NULL, EVERY},
		{"tracker", required_argument, NULL, TRACKER},
		{"from", required_argument, NULL, FROM},
		{"until", required_argument, NULL, UNTIL},
		{"json", no_argument, NULL, JSON},
		{"help", no_argument, NULL, HELP},
		[FIRST_KNOB - MODE + KNOBS] = {NULL, 0, NULL, 0},
	};
	struct options options = {
		.mode = ANY,
		.plan = {.batch = DEFAULT_BATCH, .knobs = schedule_knobs},
	};
	for (int i = 0; i < KNOBS; i++)
		known[FIRST_KNOB - MODE + i] =
			(struct option){knobs[i].name, required_argument, NULL, FIRST_KNOB + i};
	for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		if (option == HELP || option == '?') {
			usage(option == HELP ? stdout : stderr);
			exit(option == HELP ? 0 : 2);
		}
		set_option(&options, option, optarg);
	}
	if (argc - optind != 1) {
		usage(stderr);
		exit(2);
	}
	options.file = argv[optind];
	return options;
}

/* ---- the window ---- */

/* The beginning of the year that lies YEARS before that of AT. */
static int64_t year_before(int64_t at, int years)
{
	time_t seconds = (time_t)at;
	struct tm tm;
	gmtime_r(&seconds, &tm);
	tm = (struct tm){.tm_year = tm.tm_year - years, .tm_mday = 1};
	return (int64_t)timegm(&tm);
}

/* What counts of HISTORY: its last six whole years, or all of it where it has none. */
static void set_window(struct plan *plan, const struct history *history)
{
	int64_t first = INT64_MAX, last = 0;
	for (size_t i = 0; i < history->count; i++) {
		const struct bug *bug = &history->bugs[i];
		unsigned n = bug->event_count;
		int64_t end = n > 0 ? bug->events[n - 1].at : bug->created;
		first = bug->watched < first ? bug->watched : first;
		last = end > last ? end : last;
	}
	bool whole = year_before(last, 1) >= first;
	if (plan->until == 0)
		plan->until = whole ? year_before(last, 0) : last + 1;
	int64_t from = year_before(plan->until, YEARS);
	if (plan->from == 0)
		plan->from = from > first ? from : first;
}

static void run(const struct options *options, const struct history *history, struct report *report)
{
	struct plan plan = options->plan;
	set_window(&plan, history);
	if (plan.from >= plan.until) {
		fprintf(stderr, "simulate: %s has no history in that time\n", history->tracker);
		return;
	}
	for (int mode = 0; schedule_mode_word((unsigned)mode) != NULL; mode++) {
		if (options->mode != ANY && options->mode != mode)
			continue;
		void *scratch = talloc_new(NULL);
		plan.mode = (enum schedule_mode)mode;
		struct outcome outcome = simulate(scratch, history, &plan);
		report_add(report, history->tracker, &plan, &outcome);
		talloc_free(scratch);
	}
}

/* Simulates all that was asked for; whether there was any of it. */
static bool run_all(
	const struct options *options, const struct histories *histories, struct report *report)
{
	bool found = false;
	for (size_t i = 0; i < histories->count; i++) {
		const struct history *history = &histories->trackers[i];
		if (options->tracker == NULL || strcmp(options->tracker, history->tracker) == 0) {
			run(options, history, report);
			found = true;
		}
	}
	if (!found)
		fprintf(stderr, "simulate: there is no tracker %s in %s\n", options->tracker,
			options->file);
	return found;
}

int main(int argc, char **argv)
{
	struct options options = read_options(argc, argv);
	void *all = talloc_new(NULL);
	struct report *report = report_new(all);
	struct histories *histories = history_read(all, options.file);
	bool found = histories != NULL && run_all(&options, histories, report);
	if (found)
		report_write(report, options.json);
	talloc_free(all);
	return found ? 0 : 2;
}
