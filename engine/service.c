#include "engine/service.h"

#include "engine/cluster.h"
#include "engine/dispatcher.h"
#include "engine/house.h"
#include "engine/log.h"
#include "engine/migrate.h"
#include "engine/postman.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <sodium.h>
#include <talloc.h>

enum { STOP_S = 5, MIB = 1024 * 1024 };

struct service {
	const struct settings *settings;
	struct event_base *base;
	struct state *state;
	struct cluster *cluster; /* NULL where the settings name a database */
	struct tools tools;
	struct house *house;
	struct dispatcher *dispatcher;
	struct postman *postman;
	struct event *deadline;
	void (*stopped)(void *cookie);
	void *cookie;
};

struct db *service_db(const struct service *service)
{
	return service->tools.db;
}

struct vault *service_vault(const struct service *service)
{
	return service->tools.vault;
}

const struct state *service_state(const struct service *service)
{
	return service->state;
}

static void on_step(void *cookie, int version, const char *name)
{
	log_info("database", "schema brought to version %d (%s)", version, name);
}

/* The database, at this program's schema. */
static bool open_database(struct service *service, struct err *err)
{
	const struct settings *settings = service->settings;
	const char *conninfo = settings->database;
	if (*conninfo == '\0') {
		service->cluster = cluster_start(service, service->base, settings->state_dir, err);
		if (service->cluster == NULL)
			return false;
		conninfo = cluster_conninfo(service->cluster);
	}
	if (migrate(conninfo, on_step, NULL, err) < 0)
		return false;
	service->tools.db = db_new(service, service->base, service->tools.resolver, conninfo,
		(unsigned)settings->database_connections, err);
	return service->tools.db != NULL;
}

static bool open_fetcher(struct service *service, struct err *err)
{
	const struct settings *settings = service->settings;
	service->tools.policy = network_policy_new(service, settings->allow_networks, err);
	if (service->tools.policy == NULL)
		return false;
	const char *contact = *settings->contact != '\0' ? settings->contact : "no contact set";
	struct fetcher_settings fetching = {
		.user_agent =
			talloc_asprintf(service, "bugwatch/%s (+%s)", BUGWATCH_VERSION, contact),
		.ca_file = *settings->ca_file != '\0' ? settings->ca_file : NULL,
		.max_body = (size_t)settings->max_body_mb * MIB,
		.idle_timeout_s = settings->idle_timeout_s,
		.total_timeout_s = settings->total_timeout_s,
	};
	service->tools.fetcher = fetcher_new(service, service->base, service->tools.resolver,
		service->tools.policy, &fetching, err);
	return service->tools.fetcher != NULL;
}

static bool open_parts(struct service *service, struct err *err)
{
	const struct settings *settings = service->settings;
	service->state = state_open(service, settings->state_dir, err);
	if (service->state == NULL)
		return false;
	service->tools.vault = vault_open(service, service->state, settings->state_dir, err);
	if (service->tools.vault == NULL)
		return false;
	service->tools.resolver = resolver_new(service, service->base, NULL, err);
	return service->tools.resolver != NULL && open_fetcher(service, err) &&
		open_database(service, err);
}

/* The order matters: what uses a part goes before it. */
static int service_free(struct service *service)
{
	TALLOC_FREE(service->postman);
	TALLOC_FREE(service->dispatcher);
	TALLOC_FREE(service->house);
	TALLOC_FREE(service->tools.db);
	TALLOC_FREE(service->tools.fetcher);
	TALLOC_FREE(service->tools.resolver);
	TALLOC_FREE(service->cluster);
	TALLOC_FREE(service->state);
	if (service->deadline != NULL)
		event_free(service->deadline);
	curl_global_cleanup();
	return 0;
}

struct service *service_new(const void *owner, struct event_base *base,
	const struct settings *settings, struct err *err)
{
	if (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		err_set(err, ERR_SYSTEM, "libsodium or libcurl can't be used on this machine");
		return NULL;
	}
	struct service *service = talloc_zero(owner, struct service);
	talloc_set_destructor(service, service_free);
	service->settings = settings;
	service->base = base;
	service->tools.base = base;
	service->tools.outage = outage_new(service);
	service->tools.settings = settings;
	service->tools.owner = talloc_asprintf(service, "%s-%08" PRIx32 "%08" PRIx32,
		settings->instance, randombytes_random(), randombytes_random());
	if (!open_parts(service, err)) {
		talloc_free(service);
		return NULL;
	}
	return service;
}

void service_start(struct service *service)
{
	service->house = house_start(service, &service->tools);
	service->dispatcher = dispatcher_start(service, &service->tools);
	service->postman = postman_start(service, &service->tools);
}

static void finish(struct service *service)
{
	void (*stopped)(void *cookie) = service->stopped;
	service->stopped = NULL;
	if (stopped != NULL)
		stopped(service->cookie);
}

static void on_stopped(void *cookie)
{
	finish(cookie);
}

static void on_deadline(evutil_socket_t fd, short what, void *cookie)
{
	log_warning("service", "the database does not answer: ending without its leave");
	finish(cookie);
}

void service_stop(struct service *service, void (*stopped)(void *cookie), void *cookie)
{
	struct timeval wait = {.tv_sec = STOP_S};
	service->stopped = stopped;
	service->cookie = cookie;
	service->deadline = event_new(service->base, -1, 0, on_deadline, service);
	event_add(service->deadline, &wait);
	TALLOC_FREE(service->postman);
	if (service->dispatcher != NULL)
		dispatcher_stop(service->dispatcher, on_stopped, service);
	else
		event_active(service->deadline, 0, 0);
}
