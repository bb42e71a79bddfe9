#include "ui-api/progress.h"

#include "ui-api/terminal.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <talloc.h>
#include <time.h>

enum { BAR = 24, SILENCE_MS = 1000, BAR_EVERY_MS = 100, LINE_EVERY_MS = 5000 };

struct progress {
	char *what;
	unsigned columns; /* of the terminal; 0 where there is none */
	int64_t next_ms;
	bool drawn;
};

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int clear(struct progress *progress)
{
	if (progress->drawn && progress->columns > 0)
		fputs("\r\033[K", stderr);
	return 0;
}

struct progress *progress_new(const void *owner, const char *what)
{
	struct progress *progress = talloc_zero(owner, struct progress);
	progress->what = terminal_text(progress, what);
	progress->columns = terminal_columns(stderr);
	progress->next_ms = now_ms() + SILENCE_MS;
	talloc_set_destructor(progress, clear);
	return progress;
}

/* "[######....] 12 of 50", or as much of it as is known; owned by PROGRESS. */
static char *measure(const struct progress *progress, uint64_t done, uint64_t total)
{
	char bar[BAR + 1] = "";
	if (total == 0)
		return talloc_strdup(progress, "");
	if (done > total)
		done = total;
	for (uint64_t i = 0; i < BAR; i++)
		bar[i] = i * total < done * BAR ? '#' : '.';
	return talloc_asprintf(progress, " %s%s%s%" PRIu64 " of %" PRIu64,
		progress->columns > 0 ? "[" : "", progress->columns > 0 ? bar : "",
		progress->columns > 0 ? "] " : "", done, total);
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total, const char *words)
{
	int64_t now = now_ms();
	if (now < progress->next_ms)
		return;
	progress->next_ms = now + (progress->columns > 0 ? BAR_EVERY_MS : LINE_EVERY_MS);
	char *measured = measure(progress, done, total);
	char *safe = terminal_text(measured, words);
	char *line = talloc_asprintf(
		measured, "%s%s%s%s", progress->what, measured, safe[0] != '\0' ? ", " : "", safe);
	unsigned width;
	if (progress->columns > 0)
		fprintf(stderr, "\r%.*s\033[K",
			(int)terminal_fit(line, progress->columns - 1, &width), line);
	else
		fprintf(stderr, "%s\n", line);
	fflush(stderr);
	progress->drawn = true;
	talloc_free(measured);
}
