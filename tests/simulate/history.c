#include "tests/simulate/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <zlib.h>

enum { PIECE = 1 << 20, LARGEST = 1 << 30 };

/* The columns of a line. */
enum {
	TRACKER,
	PROJECT,
	BUG_ID,
	CREATED,
	WATCH_START,
	FINAL_STATE,
	QUALITY,
	PRIORITY,
	EVENTS,
	COLUMNS
};

static const char *const column_names[COLUMNS] = {"tracker", "project", "bug_id", "created",
	"watch_start", "final_state", "quality", "priority", "events"};

/* The whole text of FILE, NUL-ended; NULL, having said why, where it can't be read. */
static char *read_all(const void *owner, const char *file)
{
	gzFile in = gzopen(file, "rb");
	char *text = talloc_array(owner, char, PIECE + 1);
	size_t length = 0;
	int got = -1;
	while (in != NULL && length < LARGEST && (got = gzread(in, text + length, PIECE)) > 0) {
		length += (size_t)got;
		text = talloc_realloc(owner, text, char, length + PIECE + 1);
	}
	text[length] = '\0';
	if (in == NULL)
		fprintf(stderr, "simulate: can't open %s: %s\n", file, strerror(errno));
	else if (got != 0)
		fprintf(stderr, "simulate: can't read %s to its end\n", file);
	if (in != NULL)
		gzclose(in);
	return got == 0 ? text : NULL;
}

static bool read_seconds(const char *text, int64_t *out)
{
	char *end;
	errno = 0;
	*out = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *out >= 0;
}

/* Whether LETTER is known; fills EVENT with what it means after RESOLVED. */
static bool read_letter(char letter, bool resolved, struct event *event)
{
	bool closes = letter == 'r' || letter == 'c';
	bool known = letter != '\0' && strchr("oiprcRvmx", letter) != NULL;
	bool says_nothing_new = letter == 'c' && resolved;
	event->kind = letter == 'm'		    ? EVENT_COMMENT
		: letter == 'x' || says_nothing_new ? EVENT_OTHER
						    : EVENT_STATUS;
	event->resolved =
		letter != '\0' && strchr("oipR", letter) != NULL ? false : resolved || closes;
	return known;
}

static bool read_events(const void *owner, char *text, struct bug *bug)
{
	struct event *events = talloc_array(owner, struct event, strlen(text) / 3 + 1);
	int64_t before = bug->created;
	bool resolved = false;
	for (char *word; (word = strsep(&text, " ")) != NULL;) {
		struct event *event = &events[bug->event_count];
		int64_t after;
		if (*word == '\0')
			continue;
		if (!read_letter(*word, resolved, event) || !read_seconds(word + 1, &after))
			return false;
		event->at = bug->created + after;
		if (event->at < before)
			return false;
		before = event->at;
		resolved = event->resolved;
		bug->event_count++;
	}
	bug->events = events;
	return true;
}

/* The history of TRACKER, made where it is new. */
static struct history *history_of(struct histories *all, const char *tracker)
{
	for (size_t i = all->count; i-- > 0;)
		if (strcmp(all->trackers[i].tracker, tracker) == 0)
			return &all->trackers[i];
	all->trackers = talloc_realloc(all, all->trackers, struct history, all->count + 1);
	struct history *made = &all->trackers[all->count++];
	*made = (struct history){.tracker = talloc_strdup(all, tracker)};
	return made;
}

static void add_bug(struct histories *all, struct history *history, const struct bug *bug)
{
	/* Doubled at each power of two. */
	if ((history->count & (history->count - 1)) == 0)
		history->bugs = talloc_realloc(all, history->bugs, struct bug,
			history->count > 0 ? 2 * history->count : 1);
	history->bugs[history->count++] = *bug;
}

static bool split(char *line, char *fields[COLUMNS])
{
	int n = 0;
	for (char *field; (field = strsep(&line, "\t")) != NULL; n++) {
		if (n == COLUMNS)
			return false;
		fields[n] = field;
	}
	return n == COLUMNS;
}

static bool read_line(struct histories *all, char *line)
{
	char *fields[COLUMNS];
	struct bug bug = {0};
	if (!split(line, fields) || !read_seconds(fields[CREATED], &bug.created) ||
		!read_seconds(fields[WATCH_START], &bug.watched) || bug.watched < bug.created ||
		!read_events(all, fields[EVENTS], &bug))
		return false;
	add_bug(all, history_of(all, fields[TRACKER]), &bug);
	return true;
}

static bool is_header(char *line)
{
	char *fields[COLUMNS];
	bool good = split(line, fields);
	for (int i = 0; good && i < COLUMNS; i++)
		good = strcmp(fields[i], column_names[i]) == 0;
	return good;
}

struct histories *history_read(const void *owner, const char *file)
{
	struct histories *all = talloc_zero(owner, struct histories);
	char *text = read_all(all, file);
	unsigned line_number = 0;
	for (char *line; text != NULL && (line = strsep(&text, "\n")) != NULL;) {
		line_number++;
		bool good = line_number == 1 ? is_header(line)
			: *line == '\0'	     ? text == NULL
					     : read_line(all, line);
		if (!good) {
			fprintf(stderr, "simulate: %s, line %u: not a history of a bug\n", file,
				line_number);
			talloc_free(all);
			return NULL;
		}
	}
	if (all->count > 0)
		return all;
	if (line_number > 0)
		fprintf(stderr, "simulate: %s tells of no bug\n", file);
	talloc_free(all);
	return NULL;
}
