#include "engine/cluster.h"

#include "engine/cluster_data.h"
#include "engine/db_error.h"
#include "engine/log.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <talloc.h>
#include <time.h>
#include <unistd.h>

enum {
	START_S = 60,
	LOOK_MS = 20,
	PAUSE_MS = 500,
	STOP_MS = 5000,
	BACK_OFF_FIRST_MS = 200,
	BACK_OFF_LAST_MS = 5000,
	ATTEMPTS = 5,
	STEADY_S = 60, /* having run for so long, an end is the first again */
	SOCKET_PATH_MAX = 90 /* with the socket's name it must fit into sockaddr_un's 108 bytes */
};

struct cluster {
	struct event_base *base;
	struct cluster_data *data;
	const char *socket_dir;
	bool own_socket_dir; /* it was made for this start, and goes with it */
	const char *conninfo;
	struct cluster_process server;
	struct event *ended; /* on the server's pidfd; NULL while none runs */
	struct event *again; /* timer: start it anew */
	unsigned failures; /* ends in a row, each soon after the start */
	time_t started_at;
};

const char *cluster_conninfo(const struct cluster *cluster)
{
	return cluster->conninfo;
}

static time_t seconds_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* A path that is too long for a socket, or that would be taken for a list of several. */
static bool make_socket_dir(struct cluster *cluster, struct err *err)
{
	const struct cluster_data *data = cluster->data;
	cluster->socket_dir = data->folder;
	if (strlen(data->folder) <= SOCKET_PATH_MAX && strpbrk(data->folder, ",\"") == NULL)
		return true;
	char *path = talloc_strdup(cluster, "/tmp/bugwatch-XXXXXX");
	if (mkdtemp(path) == NULL ||
		(data->user.change && chown(path, data->user.uid, data->user.gid) != 0)) {
		err_set(err, ERR_SYSTEM, "the embedded database's socket: %s: %s", path,
			strerror(errno));
		return false;
	}
	cluster->socket_dir = path;
	cluster->own_socket_dir = true;
	return true;
}

/* VALUE as libpq's connection strings quote it. */
static char *quoted(const void *owner, const char *value)
{
	char *out = talloc_strdup(owner, "'");
	for (; *value != '\0'; value++)
		out = talloc_asprintf_append(
			out, "%s%c", *value == '\'' || *value == '\\' ? "\\" : "", *value);
	return talloc_strdup_append(out, "'");
}

static void name_it(struct cluster *cluster)
{
	char *host = quoted(cluster, cluster->socket_dir);
	cluster->conninfo = talloc_asprintf(
		cluster, "host=%s port=5432 user=bugwatch dbname=bugwatch sslmode=disable", host);
	talloc_free(host);
}

/* Durability as PostgreSQL has it; memory for a small machine; the socket the only way in. */
static bool start_server(struct cluster *cluster, struct err *err)
{
	struct cluster_data *data = cluster->data;
	char *program = talloc_asprintf(NULL, "%s/postgres", data->programs);
	char *sockets =
		talloc_asprintf(program, "unix_socket_directories=\"%s\"", cluster->socket_dir);
	const char *argv[] = {program, "-D", data->data, "-p", "5432", "-c",
		"listen_addresses=", "-c", sockets, "-c", "unix_socket_permissions=0700", "-c",
		"max_connections=50", "-c", "shared_buffers=64MB", "-c", "max_wal_size=512MB", "-c",
		"jit=off", "-c", "log_destination=stderr", "-c", "logging_collector=off", "-c",
		"log_checkpoints=off", NULL};
	int log = cluster_data_log(data, err);
	bool ok = log >= 0 && cluster_process_start(&cluster->server, &data->user, argv, log, err);
	if (log >= 0)
		close(log);
	talloc_free(program);
	cluster->started_at = seconds_now();
	return ok;
}

static void on_ended(evutil_socket_t fd, short what, void *cookie);

/* From here on its end is noticed on the loop. */
static void watch(struct cluster *cluster)
{
	cluster->ended =
		event_new(cluster->base, cluster->server.pidfd, EV_READ, on_ended, cluster);
	event_add(cluster->ended, NULL);
}

static void start_later(struct cluster *cluster)
{
	unsigned ms = BACK_OFF_LAST_MS;
	if (cluster->failures < 5)
		ms = BACK_OFF_FIRST_MS << cluster->failures;
	cluster->failures++;
	event_add(cluster->again, &(struct timeval){ms / 1000, ms % 1000 * 1000});
}

static void on_ended(evutil_socket_t fd, short what, void *cookie)
{
	struct cluster *cluster = cookie;
	int status = 0;
	event_free(cluster->ended);
	cluster->ended = NULL;
	cluster_process_wait(&cluster->server, 0, &status);
	char words[CLUSTER_WORDS];
	log_warning("database", "the embedded server ended by itself (%s %d): %s",
		WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		cluster_data_last_words(cluster->data, words));
	if (seconds_now() - cluster->started_at >= STEADY_S)
		cluster->failures = 0;
	start_later(cluster);
}

static void on_again(evutil_socket_t fd, short what, void *cookie)
{
	struct cluster *cluster = cookie;
	struct err err = {0};
	if (start_server(cluster, &err)) {
		watch(cluster);
		return;
	}
	log_error("database", "%s", err.text);
	start_later(cluster);
}

static bool start_failed(const struct cluster *cluster, const char *why, struct err *err)
{
	char words[CLUSTER_WORDS];
	err_set(err, ERR_SYSTEM, "the embedded database %s (more in %s): %s", why,
		cluster->data->log, cluster_data_last_words(cluster->data, words));
	return false;
}

/*
 * Starts the server and waits until it takes connections. One that was killed leaves processes
 * behind that end by themselves, but hold its memory until then: so an early end is tried again.
 */
static bool start_and_wait(struct cluster *cluster, struct err *err)
{
	time_t until = seconds_now() + START_S;
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		int status = 0;
		if (attempt > 0)
			poll(NULL, 0, PAUSE_MS);
		if (!start_server(cluster, err))
			return false;
		while (!cluster_process_wait(&cluster->server, LOOK_MS, &status)) {
			if (PQping(cluster->conninfo) == PQPING_OK)
				return true;
			if (seconds_now() >= until)
				return start_failed(cluster, "did not get ready in a minute", err);
		}
	}
	return start_failed(cluster, "can't be started", err);
}

/* True also where it is there already. */
static bool make_database(const struct cluster *cluster, struct err *err)
{
	char *conninfo = talloc_asprintf(NULL, "%s dbname=postgres", cluster->conninfo);
	PGconn *conn = PQconnectdb(conninfo);
	talloc_free(conninfo);
	bool ok = PQstatus(conn) == CONNECTION_OK;
	if (!ok) {
		db_error_of_connection(err, "the embedded database", conn);
	} else {
		PGresult *result =
			PQexec(conn, "SELECT FROM pg_database WHERE datname = 'bugwatch'");
		if (PQntuples(result) == 0) {
			PQclear(result);
			result = PQexec(conn, "CREATE DATABASE bugwatch");
		}
		ok = PQresultErrorField(result, PG_DIAG_SQLSTATE) == NULL;
		if (!ok)
			db_error_of_result(err, "CREATE DATABASE bugwatch", result);
		PQclear(result);
	}
	PQfinish(conn);
	return ok;
}

static int stop(struct cluster *cluster)
{
	if (cluster->ended != NULL)
		event_free(cluster->ended);
	event_free(cluster->again);
	if (cluster->server.pid != 0)
		cluster_process_stop(&cluster->server, STOP_MS);
	if (cluster->own_socket_dir)
		rmdir(cluster->socket_dir);
	return 0;
}

struct cluster *cluster_start(
	const void *owner, struct event_base *base, const char *state_dir, struct err *err)
{
	struct cluster *cluster = talloc_zero(owner, struct cluster);
	cluster->base = base;
	cluster->again = evtimer_new(base, on_again, cluster);
	talloc_set_destructor(cluster, stop);
	cluster->data = cluster_data_open(cluster, state_dir, err);
	if (cluster->data != NULL && make_socket_dir(cluster, err)) {
		name_it(cluster);
		if (start_and_wait(cluster, err) && make_database(cluster, err)) {
			watch(cluster);
			return cluster;
		}
	}
	talloc_free(cluster);
	return NULL;
}
