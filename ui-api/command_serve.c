#include "ui-api/command.h"

#include "engine/log.h"
#include "engine/service.h"
#include "engine/settings.h"
#include "ui-api/server.h"
#include "ui-api/token.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { SIGNALS = 3, TOKEN_RETRY_MS = 200, STOP_LIMIT_S = 8 };

/*
 * The service while it runs.
 * States:  STARTING --there is a token--> SERVING --SIGTERM, SIGINT--> STOPPING --stopped--> end
 * The API opens only then, so that whoever reaches it finds the admin token too.
 */
struct serving {
	struct call *call;
	struct event_base *base;
	struct settings *settings;
	struct service *service;
	struct api_server *server;
	struct event *signals[SIGNALS];
	struct event *token_retry; /* the admin token is asked for again */
	struct event *stop_limit;
	bool stopping;
	int status; /* to exit with */
};

static void on_stopped(void *cookie)
{
	struct serving *serving = cookie;
	event_base_loopexit(serving->base, NULL);
}

static void on_stop_limit(evutil_socket_t fd, short what, void *cookie)
{
	struct serving *serving = cookie;
	log_warning("service", "not all runs could be given up in time; their leases will lapse");
	event_base_loopbreak(serving->base);
}

/* A second signal does not wait. */
static void on_stop(evutil_socket_t number, short what, void *cookie)
{
	struct serving *serving = cookie;
	struct timeval limit = {STOP_LIMIT_S, 0};
	if (serving->stopping) {
		event_base_loopbreak(serving->base);
		return;
	}
	serving->stopping = true;
	log_info("service", "stopping (%s)", strsignal((int)number));
	event_add(serving->stop_limit, &limit);
	event_del(serving->token_retry);
	service_stop(serving->service, on_stopped, serving);
}

static void apply_log_level(const struct settings *settings)
{
	enum log_level level;
	if (log_level_of_word(settings->log_level, &level))
		log_set_level(level);
}

static void warn_without_contact(const struct settings *settings)
{
	if (settings->contact[0] == '\0')
		log_warning("service",
			"no contact is set: trackers' administrators can't reach you; "
			"set one with --contact, a URL or a mail address");
}

/*
 * Reads the configuration again. What shapes the running parts waits for the next start; when to ask
 * is taken up with the next run.
 */
static void on_reload(evutil_socket_t number, short what, void *cookie)
{
	struct serving *serving = cookie;
	struct err err = {0};
	struct settings *settings = settings_load(serving, call_settings(serving->call), &err);
	if (settings == NULL) {
		log_error("service", "the configuration stays as it was: %s", err.text);
		return;
	}
	apply_log_level(settings);
	settings_reschedule(serving->settings, settings);
	log_info("service",
		"configuration read again: log level %s, and the schedule; other settings are "
		"taken up at the next start",
		settings->log_level);
	talloc_free(settings);
}

static void listen_for_signals(struct serving *serving)
{
	static const struct {
		int number;
		event_callback_fn heard;
	} signals[SIGNALS] = {{SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGHUP, on_reload}};
	for (int i = 0; i < SIGNALS; i++) {
		serving->signals[i] =
			evsignal_new(serving->base, signals[i].number, signals[i].heard, serving);
		event_add(serving->signals[i], NULL);
	}
}

/* Says where it listens: to clients by a file, to people in words. */
static bool announce(struct serving *serving, struct err *err)
{
	const char *url = api_server_url(serving->server);
	if (!state_write(service_state(serving->service), "url", url, err))
		return false;
	if (serving->call->json) {
		struct json_object *object = json_object_new_object();
		json_object_object_add(object, "url", json_object_new_string(url));
		print_json(object);
		json_object_put(object);
	} else {
		printf("bugwatch " BUGWATCH_VERSION " listens on %s\n"
		       "state folder %s; the first admin token is in its file admin-token\n",
			url, serving->settings->state_dir);
	}
	fflush(stdout);
	return true;
}

/* Opens the API and begins to watch. */
static bool open_doors(struct serving *serving, struct err *err)
{
	serving->server = api_server_new(serving, serving->base, service_db(serving->service),
		service_vault(serving->service), serving->settings->listen, err);
	if (serving->server == NULL || !announce(serving, err))
		return false;
	service_start(serving->service);
	return true;
}

static int give_up(const struct err *err)
{
	complain("%s", err->text);
	return err->kind == ERR_USAGE ? WRONG_USAGE : REFUSED;
}

/* A database that can't be reached just now is asked again until it can. */
static void on_token(void *cookie, const struct err *err)
{
	struct serving *serving = cookie;
	struct timeval pause = {0, TOKEN_RETRY_MS * 1000};
	struct err closed = {0};
	if (serving->stopping)
		return;
	if (err != NULL && err->kind == ERR_DATABASE_GONE) {
		event_add(serving->token_retry, &pause);
		return;
	}
	if (err == NULL && open_doors(serving, &closed))
		return;
	serving->status = give_up(err != NULL ? err : &closed);
	event_base_loopbreak(serving->base);
}

static void ask_token(evutil_socket_t fd, short what, void *cookie)
{
	struct serving *serving = cookie;
	token_ensure_admin(
		service_db(serving->service), service_state(serving->service), on_token, serving);
}

/* Makes all parts but the API; false and ERR where one can't be had. */
static bool start(struct serving *serving, struct err *err)
{
	serving->settings = settings_load(serving, call_settings(serving->call), err);
	if (serving->settings == NULL)
		return false;
	apply_log_level(serving->settings);
	warn_without_contact(serving->settings);
	serving->service = service_new(serving, serving->base, serving->settings, err);
	if (serving->service == NULL)
		return false;
	serving->token_retry = evtimer_new(serving->base, ask_token, serving);
	serving->stop_limit = evtimer_new(serving->base, on_stop_limit, serving);
	listen_for_signals(serving);
	ask_token(-1, 0, serving);
	return true;
}

/* What uses a part goes before it; the file that tells of the address goes first. */
static int end(struct serving *serving)
{
	if (serving->service != NULL)
		state_remove(service_state(serving->service), "url");
	TALLOC_FREE(serving->server);
	TALLOC_FREE(serving->service);
	for (int i = 0; i < SIGNALS; i++)
		if (serving->signals[i] != NULL)
			event_free(serving->signals[i]);
	if (serving->token_retry != NULL)
		event_free(serving->token_retry);
	if (serving->stop_limit != NULL)
		event_free(serving->stop_limit);
	event_base_free(serving->base);
	return 0;
}

static int run(struct call *call)
{
	struct err err = {0};
	struct serving *serving = talloc_zero(call, struct serving);
	serving->call = call;
	serving->base = event_base_new();
	talloc_set_destructor(serving, end);
	signal(SIGPIPE, SIG_IGN);
	if (start(serving, &err))
		event_base_dispatch(serving->base);
	else
		serving->status = give_up(&err);
	int status = serving->status;
	talloc_free(serving);
	if (status == DONE)
		log_info("service", "ended");
	return status;
}

const struct command command_serve = {
	.name = "serve",
	.run = run,
	.usage = "[--config FILE] [--database URL] [--listen ADDRESS:PORT] ...",
	.help = "run the service",
	.examples =
		"Runs the service until SIGTERM or Ctrl-C: it checks watched bugs, and serves\n"
		"the API. Without --database it runs a PostgreSQL of its own in its state\n"
		"folder. SIGHUP reads the configuration again. Where there is no token yet, it\n"
		"makes an admin's and writes it to the file admin-token in the state folder.\n\n"
		"  bugwatch serve --contact mailto:me@example.net\n"
		"  bugwatch serve --database postgresql://bugwatch@db.example.net/bugwatch\n"
		"  bugwatch serve --allow-networks 10.0.0.0/8 --listen 0.0.0.0:7380",
	.settings = true,
};
