#include "engine/cluster_data.h"

#include "engine/cluster_programs.h"
#include "engine/log.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <talloc.h>
#include <unistd.h>

enum {
	INITDB_MS = 60000,
	LEFT_OVER_MS = 10000,
	LOG_MAX_BYTES = 10 * 1024 * 1024,
};

static bool fail(struct err *err, const char *doing, const char *path)
{
	err_set(err, ERR_SYSTEM, "the embedded database: %s %s: %s", doing, path, strerror(errno));
	return false;
}

int cluster_data_log(const struct cluster_data *data, struct err *err)
{
	struct stat now;
	int log = open(data->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (log < 0)
		fail(err, "can't write", data->log);
	else if (fstat(log, &now) == 0 && now.st_size > LOG_MAX_BYTES && ftruncate(log, 0) != 0)
		log_warning("database", "%s can't be emptied: %s", data->log, strerror(errno));
	return log;
}

const char *cluster_data_last_words(const struct cluster_data *data, char *words)
{
	int log = open(data->log, O_RDONLY | O_CLOEXEC);
	off_t size = log < 0 ? 0 : lseek(log, 0, SEEK_END);
	off_t from = size >= CLUSTER_WORDS ? size - (CLUSTER_WORDS - 1) : 0;
	ssize_t n = log < 0 ? 0 : pread(log, words, CLUSTER_WORDS - 1, from);
	if (log >= 0)
		close(log);
	while (n > 0 && words[n - 1] == '\n')
		n--;
	words[n > 0 ? n : 0] = '\0';
	const char *last = strrchr(words, '\n');
	return last != NULL ? last + 1 : words;
}

/* Only its user (and root) may enter: that is what guards the socket, see initdb below. */
static bool make_folder(const struct cluster_data *data, struct err *err)
{
	if (mkdir(data->folder, 0700) != 0 && errno != EEXIST)
		return fail(err, "can't make", data->folder);
	if (chmod(data->folder, 0700) != 0)
		return fail(err, "can't close to others", data->folder);
	if (data->user.change && chown(data->folder, data->user.uid, data->user.gid) != 0)
		return fail(err, "can't give away", data->folder);
	return !data->user.change || cluster_user_enters(&data->user, data->folder, err);
}

static int remove_one(const char *path, const struct stat *ignored, int kind, struct FTW *at)
{
	return remove(path);
}

/*
 * Trust, because whoever reaches the socket went through a folder that only the server's user and
 * root can enter; peer would lock root out, who is not that user. There is no other way in.
 */
static bool run_initdb(const struct cluster_data *data, const char *fresh, struct err *err)
{
	locale_t utf8 = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);
	char *program = talloc_asprintf(NULL, "%s/initdb", data->programs);
	const char *argv[] = {program, "-D", fresh, "-U", "bugwatch", "--auth=trust", "-E", "UTF8",
		utf8 != (locale_t)0 ? "--locale=C.UTF-8" : "--locale=C", NULL};
	struct cluster_process process = {0};
	int status = -1, log = cluster_data_log(data, err);
	if (utf8 != (locale_t)0)
		freelocale(utf8);
	bool ok = log >= 0 && cluster_process_start(&process, &data->user, argv, log, err);
	talloc_free(program);
	if (log >= 0)
		close(log);
	if (!ok)
		return false;
	if (!cluster_process_wait(&process, INITDB_MS, &status))
		cluster_process_stop(&process, 1000);
	if (status == 0)
		return true;
	char words[CLUSTER_WORDS];
	err_set(err, ERR_SYSTEM, "the embedded database: initdb %s (more in %s): %s",
		status < 0 ? "took too long" : "failed", data->log,
		cluster_data_last_words(data, words));
	return false;
}

/* Under another name until it is complete: a killed initdb leaves nothing that looks like one. */
static bool make_data(const struct cluster_data *data, struct err *err)
{
	char *fresh = talloc_asprintf(NULL, "%s.new", data->data);
	log_info("database", "making the embedded database in %s", data->folder);
	nftw(fresh, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	bool ok = run_initdb(data, fresh, err);
	if (ok && rename(fresh, data->data) != 0)
		ok = fail(err, "can't rename", fresh);
	int folder = ok ? open(data->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (folder >= 0) {
		fsync(folder);
		close(folder);
	}
	talloc_free(fresh);
	return ok;
}

/* The number in the first line of FOLDER/NAME; 0 where there is none. */
static long number_in(const char *folder, const char *name)
{
	long number = 0;
	char line[32] = "", *path = talloc_asprintf(NULL, "%s/%s", folder, name);
	FILE *file = fopen(path, "re");
	if (file != NULL) {
		if (fgets(line, sizeof(line), file) != NULL)
			number = strtol(line, NULL, 10);
		fclose(file);
	}
	talloc_free(path);
	return number > 0 && number <= INT_MAX ? number : 0;
}

/* A server stands in its data folder; any other process got the number later. */
static bool is_server_of(const struct cluster_data *data, long pid)
{
	char link[32], folder[PATH_MAX];
	snprintf(link, sizeof(link), "/proc/%ld/cwd", pid);
	ssize_t n = readlink(link, folder, sizeof(folder) - 1);
	if (n < 0)
		return false;
	folder[n] = '\0';
	return strcmp(folder, data->data) == 0;
}

static bool stop_left_over(const struct cluster_data *data, struct err *err)
{
	struct cluster_process process;
	long pid = number_in(data->data, "postmaster.pid");
	if (pid == 0 || !cluster_process_open(&process, (pid_t)pid))
		return true;
	if (!is_server_of(data, pid)) {
		close(process.pidfd);
		return true;
	}
	log_info("database", "stopping the embedded server %ld that an earlier start left", pid);
	if (cluster_process_stop(&process, LEFT_OVER_MS))
		return true;
	err_set(err, ERR_SYSTEM,
		"the embedded database: process %ld still runs on %s and can't be stopped: end it",
		pid, data->data);
	return false;
}

static bool fill(struct cluster_data *data, const char *state_dir, struct err *err)
{
	char absolute[PATH_MAX];
	if (realpath(state_dir, absolute) == NULL)
		return fail(err, "can't find", state_dir);
	data->folder = talloc_asprintf(data, "%s/postgres", absolute);
	data->data = talloc_asprintf(data, "%s/data", data->folder);
	data->log = talloc_asprintf(data, "%s/log", data->folder);
	if (!cluster_user_find(&data->user, data->folder, err) || !make_folder(data, err))
		return false;
	int version = (int)number_in(data->data, "PG_VERSION");
	data->programs = cluster_programs_find(data, version, err);
	if (data->programs == NULL)
		return false;
	return version != 0 ? stop_left_over(data, err) : make_data(data, err);
}

struct cluster_data *cluster_data_open(const void *owner, const char *state_dir, struct err *err)
{
	struct cluster_data *data = talloc_zero(owner, struct cluster_data);
	if (fill(data, state_dir, err))
		return data;
	talloc_free(data);
	return NULL;
}
