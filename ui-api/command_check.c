#include "ui-api/command.h"

#include "ui-api/command_wait.h"

#include <string.h>
#include <talloc.h>

/* A forcing under way: what was asked for, and the runs that came of it. */
struct forcing {
	struct call *call;
	bool wait;
	char **runs; /* ids, each once */
	size_t run_count;
	const char *about; /* the argument being seen to */
	long found;
	int status; /* of the latest question */
};

static void remember_run(struct forcing *forcing, const char *id)
{
	for (size_t i = 0; i < forcing->run_count; i++)
		if (strcmp(forcing->runs[i], id) == 0)
			return;
	forcing->runs =
		talloc_realloc(forcing->call, forcing->runs, char *, forcing->run_count + 1);
	forcing->runs[forcing->run_count++] = talloc_strdup(forcing->call, id);
}

/* Says or prints what was started. */
static void started(struct forcing *forcing, struct json_object *body)
{
	char *id = field_text(forcing->call, body, "run.id");
	remember_run(forcing, id);
	if (forcing->wait)
		return;
	if (forcing->call->json)
		print_json(body);
	else
		printf("%s: run %s is %s\n", field_text(forcing->call, body, "run.tracker"), id,
			field_text(forcing->call, body, "run.state"));
}

/* Forces what is at PREFIX + NAME; not found is left unsaid, as HTTP's 404, where QUIET. */
static int force(struct forcing *forcing, const char *prefix, const char *name, bool quiet)
{
	struct call *call = forcing->call;
	char *path = with_segment(call, prefix, name, "/check");
	struct client_answer *answer = call_ask(call, call, "POST", path, NULL);
	int http = answer->status;
	forcing->status = call_status(answer, quiet && http == 404 ? NULL : forcing->about);
	if (forcing->status == DONE)
		started(forcing, answer->body);
	talloc_free(answer);
	return http;
}

static void force_watch(void *cookie, struct json_object *watch)
{
	struct forcing *forcing = cookie;
	forcing->found++;
	if (forcing->status == DONE)
		force(forcing, "/watches/", field_text(forcing->call, watch, "id"), false);
}

/* All watches with this URL. */
static void force_url(struct forcing *forcing, const char *url)
{
	struct call *call = forcing->call;
	forcing->found = 0;
	forcing->status = DONE;
	int status =
		call_each(call, with_query(call, "/watches", "url", url), 0, force_watch, forcing);
	if (status == DONE && forcing->found == 0) {
		complain("%s is not watched; \"bugwatch add\" begins to", url);
		status = REFUSED;
	}
	if (status != DONE)
		forcing->status = status;
}

/* A word of digits is a watch's id first, but may be a tracker's name as well. */
static void force_argument(struct forcing *forcing, const char *word)
{
	bool digits = word[strspn(word, "0123456789")] == '\0';
	forcing->about = word;
	if (strstr(word, "://") != NULL)
		force_url(forcing, word);
	else if (!digits || force(forcing, "/watches/", word, true) == 404)
		force(forcing, "/trackers/", word, false);
}

static int run(struct call *call)
{
	struct forcing forcing = {.call = call, .wait = call_option(call, "wait") != NULL};
	long done = 0, refused = 0;
	for (int i = 0; i < call->count; i++) {
		force_argument(&forcing, call->arguments[i]);
		if (forcing.status == NOT_REACHED)
			return NOT_REACHED;
		done += forcing.status == DONE;
		refused += forcing.status != DONE;
	}
	if (!forcing.wait)
		return call_outcome(done, refused);
	done = 0;
	for (size_t i = 0; i < forcing.run_count; i++) {
		int status = wait_for_run(call, forcing.runs[i]);
		if (status == NOT_REACHED)
			return NOT_REACHED;
		done += status == DONE;
		refused += status != DONE;
	}
	return call_outcome(done, refused);
}

static const struct command_option options[] = {
	{"wait", 'w', NULL, "show progress, and end when the run has ended"},
	{0},
};

const struct command command_check = {
	.name = "check",
	.run = run,
	.usage = "NAME|WATCH|URL... [--wait]",
	.help = "force an update, now",
	.examples = "Has every watched bug of a tracker (NAME), or one of them (WATCH, URL),\n"
		    "checked now, whatever the schedule says. With --wait it fails (1) if the\n"
		    "run does.\n\n"
		    "  bugwatch check bugs.gentoo.org --wait\n"
		    "  bugwatch check 12",
	.options = options,
	.least = 1,
	.most = -1,
};
