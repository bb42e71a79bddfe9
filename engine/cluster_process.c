#include "engine/cluster_process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { QUIT_MS = 2000, KILL_MS = 5000 };

/* glibc has it since 2.36, but declares it in a header that clashes with others. */
static int open_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

bool cluster_user_find(struct cluster_user *user, const char *folder, struct err *err)
{
	struct stat there;
	struct passwd *entry;
	memset(user, 0, sizeof(*user));
	user->uid = geteuid();
	user->gid = getegid();
	if (user->uid != 0)
		return true;
	if (stat(folder, &there) == 0 && there.st_uid != 0)
		entry = getpwuid(there.st_uid);
	else if ((entry = getpwnam("postgres")) == NULL)
		entry = getpwnam("nobody");
	if (entry == NULL || entry->pw_uid == 0) {
		err_set(err, ERR_SYSTEM,
			"the embedded database can't run as root, and there is no user for it "
			"(owner "
			"of %s, postgres, or nobody): add the user postgres",
			folder);
		return false;
	}
	user->change = true;
	user->uid = entry->pw_uid;
	user->gid = entry->pw_gid;
	snprintf(user->name, sizeof(user->name), "%s", entry->pw_name);
	user->group_count = CLUSTER_GROUPS_MAX;
	if (getgrouplist(entry->pw_name, user->gid, user->groups, &user->group_count) < 0)
		user->group_count = 0; /* more than we hold: its own group will do */
	return true;
}

/* Between fork and exec: only what is safe after a signal. */
static bool become(const struct cluster_user *user)
{
	return !user->change ||
		(setgroups((size_t)user->group_count, user->groups) == 0 &&
			setgid(user->gid) == 0 && setuid(user->uid) == 0);
}

/* In the child: how many bytes of FOLDER name the first folder that can't be entered; 0: none. */
static size_t first_closed(char *folder)
{
	for (size_t n = 1; n <= strlen(folder); n++) {
		char next = folder[n];
		if (next != '/' && next != '\0')
			continue;
		folder[n] = '\0';
		int closed = chdir(folder);
		folder[n] = next;
		if (closed != 0)
			return n;
	}
	return 0;
}

/* The kernel knows best (modes, lists, mounts): a child asks it as that user. */
bool cluster_user_enters(const struct cluster_user *user, const char *folder, struct err *err)
{
	size_t closed = 0;
	int ends[2];
	char *path = strdup(folder);
	if (path == NULL || pipe2(ends, O_CLOEXEC) != 0) {
		free(path);
		err_set(err, ERR_SYSTEM, "the embedded database: %s", strerror(errno));
		return false;
	}
	pid_t pid = fork();
	if (pid == 0) {
		closed = become(user) ? first_closed(path) : 1;
		_exit(write(ends[1], &closed, sizeof(closed)) == (ssize_t)sizeof(closed) ? 0 : 1);
	}
	close(ends[1]);
	bool asked = pid > 0 && read(ends[0], &closed, sizeof(closed)) == (ssize_t)sizeof(closed);
	close(ends[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	free(path);
	if (asked && closed == 0)
		return true;
	err_set(err, ERR_SYSTEM,
		"the embedded database runs as the user %s, who can't enter %.*s: open that folder "
		"to "
		"others (chmod o+x), or name a state folder elsewhere with --state-dir",
		user->name, asked ? (int)closed : (int)strlen(folder), folder);
	return false;
}

static void run(const struct cluster_user *user, const char *const *argv, int log, pid_t parent)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGCHLD, SIGUSR1, SIGUSR2};
	/* PG… of our surroundings are meant for clients. */
	char *environment[] = {
		(char[]){"PATH=/usr/bin:/bin"}, (char[]){"LC_ALL=C"}, (char[]){"TZ=UTC"}, NULL};
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	setsid();
	int nothing = open("/dev/null", O_RDONLY);
	if (!become(user) || nothing < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0 ||
		dup2(nothing, 0) < 0 || chdir("/") != 0)
		_exit(126);
	close_range(3, ~0U, 0);
	/* After setuid, which forgets it. Who asked may be gone already. */
	prctl(PR_SET_PDEATHSIG, SIGINT);
	if (getppid() != parent)
		_exit(126);
	/* execve does not write to it; POSIX keeps the type for old callers. */
	execve(argv[0], (char *const *)(uintptr_t)argv, environment);
	_exit(127);
}

bool cluster_process_start(struct cluster_process *process, const struct cluster_user *user,
	const char *const *argv, int log, struct err *err)
{
	pid_t parent = getpid();
	process->pid = fork();
	if (process->pid == 0)
		run(user, argv, log, parent);
	if (process->pid > 0 && (process->pidfd = open_pidfd(process->pid)) >= 0) {
		fcntl(process->pidfd, F_SETFD, FD_CLOEXEC);
		return true;
	}
	err_set(err, ERR_SYSTEM, "%s can't be started: %s", argv[0], strerror(errno));
	if (process->pid > 0) {
		kill(process->pid, SIGKILL);
		waitpid(process->pid, NULL, 0);
	}
	process->pid = 0;
	return false;
}

static bool ended(const struct cluster_process *process, int milliseconds)
{
	struct pollfd poll_fd = {.fd = process->pidfd, .events = POLLIN};
	int n;
	do
		n = poll(&poll_fd, 1, milliseconds);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

bool cluster_process_wait(struct cluster_process *process, int milliseconds, int *status)
{
	if (!ended(process, milliseconds))
		return false;
	*status = 0;
	waitpid(process->pid, status, 0); /* not our child: it fails and changes nothing */
	close(process->pidfd);
	process->pid = 0;
	return true;
}

bool cluster_process_stop(struct cluster_process *process, int milliseconds)
{
	const struct {
		int signal, milliseconds;
	} steps[] = {{SIGINT, milliseconds}, {SIGQUIT, QUIT_MS}, {SIGKILL, KILL_MS}};
	int status;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		syscall(SYS_pidfd_send_signal, process->pidfd, steps[i].signal, NULL, 0);
		if (cluster_process_wait(process, steps[i].milliseconds, &status))
			return true;
	}
	close(process->pidfd);
	process->pid = 0;
	return false;
}

bool cluster_process_open(struct cluster_process *process, pid_t pid)
{
	process->pid = pid;
	process->pidfd = open_pidfd(pid);
	if (process->pidfd < 0) {
		process->pid = 0;
		return false;
	}
	fcntl(process->pidfd, F_SETFD, FD_CLOEXEC);
	return true;
}
