#include "engine/cluster.h"

#include "tests/unit/postgres.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <talloc.h>
#include <unistd.h>

#include <cmocka.h>

static bool answers(void *cookie)
{
	return PQping(cluster_conninfo(cookie)) == PQPING_OK;
}

struct change {
	const char *dir;
	int from;
};

static bool another_runs(void *cookie)
{
	struct change *change = cookie;
	int pid = postgres_pid(change->dir);
	return pid != 0 && pid != change->from;
}

static bool process_ended(void *cookie)
{
	return kill(*(int *)cookie, 0) != 0;
}

static void it_comes_back_when_killed(void **state)
{
	struct postgres *postgres = *state;
	postgres_sql(postgres, "CREATE TABLE kept (n integer); INSERT INTO kept VALUES (42)");
	struct change change = {postgres->dir, postgres_pid(postgres->dir)};
	assert_int_equal(kill(change.from, SIGKILL), 0);
	assert_true(postgres_loop(postgres->base, 30, another_runs, &change));
	assert_true(postgres_loop(postgres->base, 30, answers, postgres->cluster));
	postgres_sql(postgres, "SELECT 1"); /* the connection notices that it died */
	assert_string_equal(postgres_sql(postgres, "SELECT n FROM kept"), "42");
}

static void it_has_no_descriptor_of_ours(void **state)
{
	struct postgres *postgres = *state;
	char path[64], target[256];
	DIR *folder;
	struct dirent *entry;
	/* Restarted while this is open, without close-on-exec. */
	int ours = open("/proc/self/status", O_RDONLY);
	struct change change = {postgres->dir, postgres_pid(postgres->dir)};
	kill(change.from, SIGINT);
	assert_true(postgres_loop(postgres->base, 30, another_runs, &change));
	assert_true(postgres_loop(postgres->base, 30, answers, postgres->cluster));
	close(ours);
	snprintf(path, sizeof(path), "/proc/%d/fd", postgres_pid(postgres->dir));
	folder = opendir(path);
	assert_non_null(folder);
	int seen = 0;
	while ((entry = readdir(folder)) != NULL) {
		ssize_t n = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		seen++;
		assert_null(strstr(target, "/status"));
	}
	closedir(folder);
	assert_true(seen > 2);
}

static void a_left_over_server_is_taken_over(void **state)
{
	struct postgres *postgres = *state;
	struct err err = {0};
	int before = postgres_pid(postgres->dir);
	/* What a start finds whose forerunner died without its server. */
	struct cluster *second = cluster_start(NULL, postgres->base, postgres->dir, &err);
	assert_string_equal(err.text, "");
	assert_non_null(second);
	assert_true(process_ended(&before));
	assert_true(answers(second));
	talloc_free(postgres->cluster);
	postgres->cluster = talloc_steal(postgres, second);
}

static void freeing_stops_it(void **state)
{
	struct postgres *postgres = *state;
	struct err err = {0};
	int pid = postgres_pid(postgres->dir);
	TALLOC_FREE(postgres->cluster);
	assert_true(process_ended(&pid));
	postgres->cluster = cluster_start(postgres, postgres->base, postgres->dir, &err);
	assert_non_null(postgres->cluster);
}

static void a_killed_service_takes_it_along(void **state)
{
	struct postgres *postgres = *state;
	struct err err = {0};
	int status, ready[2];
	char byte;
	TALLOC_FREE(postgres->cluster);
	assert_int_equal(pipe(ready), 0);
	pid_t service = fork();
	if (service == 0) {
		struct event_base *base = event_base_new();
		byte = cluster_start(NULL, base, postgres->dir, &err) != NULL ? 'y' : 'n';
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	assert_int_equal(byte, 'y');
	int pid = postgres_pid(postgres->dir);
	kill(service, SIGKILL);
	waitpid(service, &status, 0);
	assert_true(postgres_loop(postgres->base, 10, process_ended, &pid));
	postgres->cluster = cluster_start(postgres, postgres->base, postgres->dir, &err);
	assert_non_null(postgres->cluster);
}

static void a_long_path_gets_its_socket_elsewhere(void **state)
{
	struct postgres *postgres = *state;
	struct err err = {0};
	struct stat there;
	char from[96], folder[192], to[256], socket[256];
	TALLOC_FREE(postgres->cluster);
	snprintf(folder, sizeof(folder), "%s/%0100d", postgres->dir, 0);
	snprintf(from, sizeof(from), "%s/postgres", postgres->dir);
	snprintf(to, sizeof(to), "%s/postgres", folder);
	assert_int_equal(mkdir(folder, 0711), 0);
	assert_int_equal(rename(from, to), 0);
	struct cluster *cluster = cluster_start(NULL, postgres->base, folder, &err);
	assert_non_null(cluster);
	assert_int_equal(sscanf(cluster_conninfo(cluster), "host='%255[^']'", socket), 1);
	assert_null(strstr(socket, postgres->dir));
	assert_int_equal(stat(socket, &there), 0);
	assert_int_equal(there.st_mode & 0777, 0700);
	talloc_free(cluster);
	assert_int_not_equal(stat(socket, &there), 0);
	assert_int_equal(rename(to, from), 0);
	postgres->cluster = cluster_start(postgres, postgres->base, postgres->dir, &err);
	assert_non_null(postgres->cluster);
}

static void an_initdb_that_was_killed_is_begun_anew(void **state)
{
	struct postgres *postgres = *state;
	struct err err = {0};
	char path[96], half[128];
	snprintf(path, sizeof(path), "%s/half", postgres->dir);
	assert_int_equal(mkdir(path, 0711), 0);
	snprintf(half, sizeof(half), "%s/postgres", path);
	assert_int_equal(mkdir(half, 0700), 0);
	snprintf(half, sizeof(half), "%s/postgres/data.new", path);
	assert_int_equal(mkdir(half, 0700), 0);
	snprintf(half, sizeof(half), "%s/postgres/data.new/PG_VERSION", path);
	close(open(half, O_CREAT | O_WRONLY, 0600));
	struct cluster *cluster = cluster_start(NULL, postgres->base, path, &err);
	assert_string_equal(err.text, "");
	assert_non_null(cluster);
	assert_int_not_equal(access(half, F_OK), 0);
	talloc_free(cluster);
}

static void a_version_that_is_not_here_is_named(void **state)
{
	struct postgres *postgres = *state;
	struct err err = {0};
	char path[128];
	snprintf(path, sizeof(path), "%s/half/postgres/data/PG_VERSION", postgres->dir);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs("7\n", file);
	fclose(file);
	snprintf(path, sizeof(path), "%s/half", postgres->dir);
	assert_null(cluster_start(NULL, postgres->base, path, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_non_null(strstr(err.text, "postgresql-7"));
}

static void a_closed_folder_is_named(void **state)
{
	struct postgres *postgres = *state;
	struct err err = {0};
	char closed[64], path[96];
	if (geteuid() != 0)
		skip(); /* the server runs as who we are */
	snprintf(closed, sizeof(closed), "%s/closed", postgres->dir);
	snprintf(path, sizeof(path), "%s/state", closed);
	assert_int_equal(mkdir(closed, 0700), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_null(cluster_start(NULL, postgres->base, path, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	snprintf(path, sizeof(path), "can't enter %s:", closed);
	assert_non_null(strstr(err.text, path));
	assert_non_null(strstr(err.text, "--state-dir"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_back_when_killed),
		cmocka_unit_test(it_has_no_descriptor_of_ours),
		cmocka_unit_test(a_left_over_server_is_taken_over),
		cmocka_unit_test(freeing_stops_it),
		cmocka_unit_test(a_killed_service_takes_it_along),
		cmocka_unit_test(a_long_path_gets_its_socket_elsewhere),
		cmocka_unit_test(an_initdb_that_was_killed_is_begun_anew),
		cmocka_unit_test(a_version_that_is_not_here_is_named),
		cmocka_unit_test(a_closed_folder_is_named),
	};
	return cmocka_run_group_tests(tests, postgres_setup, postgres_teardown);
}
