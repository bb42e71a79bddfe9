#include "engine/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

enum { TEXT_MAX = 65536 };

struct state {
	const char *dir;
	int lock;
};

/*
 * Under root others may pass through, because the embedded database runs as another user in a
 * folder below; each file is closed to them by itself.
 */
static bool make_folders(const char *dir)
{
	mode_t mode = geteuid() == 0 ? 0755 : 0700;
	char *path = talloc_strdup(NULL, dir);
	for (char *slash = path + 1; *path != '\0' && (slash = strchr(slash, '/')) != NULL;
		slash++) {
		*slash = '\0';
		mkdir(path, mode); /* the last one tells */
		*slash = '/';
	}
	bool ok = mkdir(path, mode) == 0 || errno == EEXIST;
	talloc_free(path);
	return ok;
}

static bool fail(struct err *err, const char *path)
{
	err_set(err, ERR_SYSTEM,
		"the state folder: %s: %s; name one that can be written with --state-dir", path,
		strerror(errno));
	return false;
}

static void refuse(struct err *err, const char *dir, int lock)
{
	char pid[16] = "";
	ssize_t n = pread(lock, pid, sizeof(pid) - 1, 0);
	if (n > 0)
		pid[strspn(pid, "0123456789")] = '\0';
	err_set(err, ERR_SYSTEM,
		"the state folder %s is held by process %s: stop that bugwatch first, or give this "
		"one "
		"another folder with --state-dir",
		dir, *pid != '\0' ? pid : "(unknown)");
}

/* The lock is the kernel's: it ends with the process however that ends. The number is for people. */
static bool take_lock(struct state *state, struct err *err)
{
	char *path = talloc_asprintf(state, "%s/lock", state->dir);
	state->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (state->lock < 0)
		return fail(err, path);
	if (flock(state->lock, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return fail(err, path);
		refuse(err, state->dir, state->lock);
		return false;
	}
	if (ftruncate(state->lock, 0) != 0 || dprintf(state->lock, "%d\n", getpid()) < 0)
		return fail(err, path);
	return true;
}

static int state_free(struct state *state)
{
	if (state->lock >= 0)
		close(state->lock);
	return 0;
}

struct state *state_open(const void *owner, const char *dir, struct err *err)
{
	if (!make_folders(dir)) {
		fail(err, dir);
		return NULL;
	}
	struct state *state = talloc_zero(owner, struct state);
	state->dir = talloc_strdup(state, dir);
	state->lock = -1;
	talloc_set_destructor(state, state_free);
	if (!take_lock(state, err)) {
		talloc_free(state);
		return NULL;
	}
	return state;
}

static bool write_all(int fd, const char *text)
{
	size_t left = strlen(text);
	while (left > 0) {
		ssize_t n = write(fd, text, left);
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			text += n;
			left -= (size_t)n;
		}
	}
	return fsync(fd) == 0;
}

/* Makes what was renamed in DIR outlive a power failure. */
static void sync_folder(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

bool state_write(const struct state *state, const char *name, const char *text, struct err *err)
{
	char *path = talloc_asprintf(NULL, "%s/%s", state->dir, name);
	char *fresh = talloc_asprintf(path, "%s.new", path);
	unlink(fresh); /* of a process that was killed here; O_EXCL below follows no link */
	int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && write_all(fd, text);
	if (fd >= 0)
		ok = close(fd) == 0 && ok;
	ok = ok && rename(fresh, path) == 0;
	if (ok)
		sync_folder(state->dir);
	else
		fail(err, path);
	talloc_free(path);
	return ok;
}

void state_remove(const struct state *state, const char *name)
{
	char *path = talloc_asprintf(NULL, "%s/%s", state->dir, name);
	if (unlink(path) == 0)
		sync_folder(state->dir);
	talloc_free(path);
}

char *state_read(const void *owner, const char *dir, const char *name)
{
	char *path = talloc_asprintf(NULL, "%s/%s", dir, name);
	FILE *file = fopen(path, "re");
	talloc_free(path);
	if (file == NULL)
		return NULL;
	char *text = talloc_array(owner, char, TEXT_MAX + 2);
	size_t n = fread(text, 1, TEXT_MAX + 1, file);
	bool ok = !ferror(file) && n <= TEXT_MAX;
	fclose(file);
	if (!ok) {
		talloc_free(text);
		return NULL;
	}
	if (n > 0 && text[n - 1] == '\n')
		n--;
	text[n] = '\0';
	return talloc_realloc(owner, text, char, n + 1);
}
