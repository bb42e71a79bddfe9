#include "ui-api/command_wait.h"

#include "trackers/moment.h"
#include "ui-api/progress.h"
#include "ui-api/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <time.h>

enum { FIRST_PAUSE_MS = 200, LONGEST_PAUSE_MS = 1000 };

static void pause_ms(long ms)
{
	struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
	nanosleep(&pause, NULL);
}

static long field_number(struct json_object *run, const char *field)
{
	return (long)json_object_get_int64(json_object_object_get(run, field));
}

static bool state_is(struct json_object *run, const char *state)
{
	const char *text = json_object_get_string(json_object_object_get(run, "state"));
	return text != NULL && strcmp(text, state) == 0;
}

/* How long RUN took, "12 s"; owned by OWNER. */
static char *duration_words(const void *owner, struct json_object *run)
{
	moment from, to;
	if (!moment_parse(field_text(owner, run, "started_at"), &from) ||
		!moment_parse(field_text(owner, run, "finished_at"), &to))
		return talloc_strdup(owner, "no time");
	return talloc_asprintf(owner, "%ld s", (long)((to - from) / MOMENT_SECOND));
}

/* What a person may do about a run that came to ERROR_KIND. */
static const char *advice(const char *error_kind)
{
	static const struct {
		enum err_kind kind;
		const char *words;
	} advices[] = {
		{ERR_BLOCKED_ADDRESS, "list its network in --allow-networks if it may be asked"},
		{ERR_AUTH, "give it credentials with \"bugwatch tracker set\""},
		{ERR_MOVED, "if that is right, add a tracker at the new address"},
		{ERR_RATE_LIMITED, "it asked to be left alone for a while; it is tried again then"},
		{ERR_UNSUPPORTED_TRACKER, "see whether its base URL and type are right"},
		{ERR_UNPARSABLE_TRACKER, "see whether its base URL and type are right"},
	};
	enum err_kind kind = err_of_word(error_kind);
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		if (advices[i].kind == kind)
			return advices[i].words;
	return "it is tried again by itself; \"bugwatch tracker show\" tells when";
}

/* Prints how RUN ended. */
static int print_end(struct call *call, struct json_object *run)
{
	char *tracker = field_text(call, run, "tracker");
	if (call->json)
		print_json(run);
	if (!state_is(run, "done")) {
		char *kind = field_text(call, run, "error.kind");
		complain("%s: the run %s %s: %s: %s\n  %s", tracker, field_text(call, run, "id"),
			state_is(run, "failed") ? "failed" : "was abandoned and stays due", kind,
			field_text(call, run, "error.message"), advice(kind));
		return REFUSED;
	}
	if (call->json)
		return DONE;
	long errors = field_number(run, "errors");
	printf("%s: checked %s, %ld changed, %s, %s, %s\n", terminal_text(call, tracker),
		counted(call, field_number(run, "checked"), "bug"), field_number(run, "changed"),
		counted(call, errors, "error"),
		counted(call, field_number(run, "requests"), "request"), duration_words(call, run));
	fflush(stdout);
	if (errors > 0)
		fprintf(stderr, "see \"bugwatch list --tracker %s --errors\"\n",
			terminal_text(call, tracker));
	return DONE;
}

static void show_run(struct progress *progress, struct json_object *run)
{
	bool queued = state_is(run, "queued");
	progress_show(progress, (uint64_t)field_number(run, "checked"),
		queued ? 0 : (uint64_t)field_number(run, "due"),
		queued ? "waiting for its turn" : "checking");
}

int wait_for_run(struct call *call, const char *id)
{
	char *path = with_segment(call, "/runs/", id, "");
	struct progress *progress = NULL;
	struct client_answer *answer = NULL;
	long pause = FIRST_PAUSE_MS;
	int status;
	for (;; pause_ms(pause),
		pause = pause * 3 / 2 > LONGEST_PAUSE_MS ? LONGEST_PAUSE_MS : pause * 3 / 2) {
		talloc_free(answer);
		answer = call_ask(call, call, "GET", path, NULL);
		if (answer->refusal != NULL)
			break;
		if (!state_is(answer->body, "queued") && !state_is(answer->body, "running"))
			break;
		if (progress == NULL)
			progress = progress_new(call, field_text(call, answer->body, "tracker"));
		show_run(progress, answer->body);
	}
	talloc_free(progress);
	status = call_status(answer, "");
	return status != DONE ? status : print_end(call, answer->body);
}
