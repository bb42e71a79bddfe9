#include "engine/cluster_programs.h"

#include <errno.h> /* TEMP_FAILURE_RETRY needs it */
#include <fcntl.h>
#include <glob.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <talloc.h>
#include <unistd.h>

enum { OUTPUT_MAX = 1024 };

struct search {
	char *best;
	int best_version;
	int wanted;
	char seen[64]; /* versions that did not fit */
};

/* What PROGRAM (a path, or a name in PATH) prints, without its last newline; "" where it fails. */
static void output_of(const char *program, const char *option, char *out)
{
	int ends[2], status;
	size_t n = 0;
	pid_t pid;
	void *copies = talloc_new(NULL);
	char *argv[] = {talloc_strdup(copies, program), talloc_strdup(copies, option), NULL};
	posix_spawn_file_actions_t actions;
	*out = '\0';
	if (pipe2(ends, O_CLOEXEC) != 0)
		goto nothing;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	int failed = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	ssize_t got = 1;
	while (!failed && got > 0 && n < OUTPUT_MAX - 1) {
		got = TEMP_FAILURE_RETRY(read(ends[0], out + n, OUTPUT_MAX - 1 - n));
		n += got > 0 ? (size_t)got : 0;
	}
	close(ends[0]);
	if (failed || waitpid(pid, &status, 0) < 0 || status != 0)
		n = 0;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
nothing:
	talloc_free(copies);
}

/* The major version of the programs in FOLDER; 0 where they are not (all) there. */
static int version_of(const char *folder)
{
	static const char prefix[] = "postgres (PostgreSQL) ";
	char out[OUTPUT_MAX] = "";
	char *server = talloc_asprintf(NULL, "%s/postgres", folder);
	char *initdb = talloc_asprintf(server, "%s/initdb", folder);
	if (access(server, X_OK) == 0 && access(initdb, X_OK) == 0)
		output_of(server, "--version", out);
	talloc_free(server);
	if (strncmp(out, prefix, strlen(prefix)) != 0)
		return 0;
	return (int)strtol(out + strlen(prefix), NULL, 10);
}

static void consider(struct search *search, const char *folder)
{
	int version = version_of(folder);
	if (version == 0)
		return;
	if (search->wanted != 0 && version != search->wanted) {
		size_t n = strlen(search->seen);
		snprintf(search->seen + n, sizeof(search->seen) - n, "%s%d", n > 0 ? ", " : "",
			version);
	} else if (version > search->best_version) {
		talloc_free(search->best);
		search->best = talloc_strdup(NULL, folder);
		search->best_version = version;
	}
}

/* Debian's and Red Hat's homes of several versions side by side. */
static void consider_homes(struct search *search)
{
	glob_t found = {0};
	if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) == 0)
		glob("/usr/pgsql-*/bin", GLOB_APPEND, NULL, &found);
	else
		glob("/usr/pgsql-*/bin", 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++)
		consider(search, found.gl_pathv[i]);
	globfree(&found);
}

static void consider_path(struct search *search)
{
	const char *path = getenv("PATH");
	char *folders = talloc_strdup(NULL, path != NULL ? path : ""), *rest = NULL;
	for (char *folder = strtok_r(folders, ":", &rest); folder != NULL;
		folder = strtok_r(NULL, ":", &rest))
		consider(search, folder);
	talloc_free(folders);
}

char *cluster_programs_find(const void *owner, int wanted, struct err *err)
{
	struct search search = {.wanted = wanted};
	char told[OUTPUT_MAX];
	output_of("pg_config", "--bindir", told);
	consider(&search, told);
	consider_homes(&search);
	consider_path(&search);
	if (search.best != NULL)
		return talloc_steal(owner, search.best);
	if (wanted != 0)
		err_set(err, ERR_SYSTEM,
			"the embedded database was made by PostgreSQL %d, whose server is not here "
			"(found: %s): install postgresql-%d",
			wanted, *search.seen != '\0' ? search.seen : "none", wanted);
	else
		err_set(err, ERR_SYSTEM,
			"no PostgreSQL server was found for the embedded database: install the "
			"package postgresql, or name a database with --database");
	return NULL;
}
