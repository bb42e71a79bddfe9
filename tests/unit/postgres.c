#include "tests/unit/postgres.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <talloc.h>
#include <time.h>

static PGresult *last_result(PGresult *result)
{
	static PGresult *last;
	PQclear(last);
	last = result;
	return result;
}

int postgres_setup(void **state)
{
	struct err err = {0};
	struct postgres *postgres = talloc_zero(NULL, struct postgres);
	snprintf(postgres->dir, sizeof(postgres->dir), "/tmp/bugwatch-test-XXXXXX");
	if (mkdtemp(postgres->dir) == NULL || chmod(postgres->dir, 0711) != 0)
		return -1;
	postgres->base = event_base_new();
	postgres->resolver = resolver_new(postgres, postgres->base, NULL, &err);
	postgres->cluster = cluster_start(postgres, postgres->base, postgres->dir, &err);
	if (postgres->cluster == NULL || postgres->resolver == NULL) {
		fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	postgres->conn = PQconnectdb(cluster_conninfo(postgres->cluster));
	*state = postgres;
	return PQstatus(postgres->conn) == CONNECTION_OK ? 0 : -1;
}

int postgres_teardown(void **state)
{
	struct postgres *postgres = *state;
	struct event_base *base = postgres->base;
	char dir[sizeof(postgres->dir)];
	last_result(NULL);
	PQfinish(postgres->conn);
	memcpy(dir, postgres->dir, sizeof(dir));
	talloc_free(postgres);
	event_base_free(base);
	postgres_remove(dir);
	return 0;
}

const char *postgres_sql(struct postgres *postgres, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *sql = talloc_vasprintf(postgres, format, args);
	va_end(args);
	if (PQstatus(postgres->conn) != CONNECTION_OK)
		PQreset(postgres->conn);
	PGresult *result = last_result(PQexec(postgres->conn, sql));
	talloc_free(sql);
	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
		fprintf(stderr, "%s", PQresultErrorMessage(result));
	return PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
}

int postgres_pid(const char *dir)
{
	char path[256], line[32] = "";
	snprintf(path, sizeof(path), "%s/postgres/data/postmaster.pid", dir);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return 0;
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	fclose(file);
	return (int)strtol(line, NULL, 10);
}

static void on_tick(evutil_socket_t fd, short what, void *cookie)
{
}

bool postgres_loop(struct event_base *base, int seconds, bool (*holds)(void *cookie), void *cookie)
{
	struct event *tick = event_new(base, -1, EV_PERSIST, on_tick, NULL);
	time_t until = time(NULL) + seconds;
	bool held;
	event_add(tick, &(struct timeval){0, 20000});
	while (!(held = holds(cookie)) && time(NULL) <= until)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(tick);
	return held;
}

static int remove_one(const char *path, const struct stat *ignored, int kind, struct FTW *at)
{
	return remove(path);
}

void postgres_remove(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
