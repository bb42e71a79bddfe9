/* The programs that the embedded database runs, and the user they run as. */
#ifndef ENGINE_CLUSTER_PROCESS_H
#define ENGINE_CLUSTER_PROCESS_H

#include "trackers/err.h"

#include <stdbool.h>
#include <sys/types.h>

enum { CLUSTER_GROUPS_MAX = 64 };

struct cluster_user {
	bool change; /* false: it is who we are */
	uid_t uid;
	gid_t gid;
	gid_t groups[CLUSTER_GROUPS_MAX];
	int group_count;
	char name[64];
};

struct cluster_process {
	pid_t pid; /* 0 where none runs */
	int pidfd; /* readable when it ended */
};

/*
 * Who owns FOLDER, or where it is missing or root's: the user postgres, else nobody. Without root
 * it is always who we are. False and ERR_SYSTEM if there is no such user.
 */
bool cluster_user_find(struct cluster_user *user, const char *folder, struct err *err);

/* Whether USER may enter the absolute FOLDER; if not ERR_SYSTEM names the folder that is closed. */
bool cluster_user_enters(const struct cluster_user *user, const char *folder, struct err *err);

/*
 * Starts ARGV (NULL-ended, with the program's path first) as USER, with its output going to LOG and
 * no other descriptor, in a session of its own (a terminal's Ctrl-C is ours alone). It is
 * interrupted when we die, however that comes.
 */
bool cluster_process_start(struct cluster_process *process, const struct cluster_user *user,
	const char *const *argv, int log, struct err *err);

/* Waits for the end of our own child; *STATUS as of waitpid. False if it still runs then. */
bool cluster_process_wait(struct cluster_process *process, int milliseconds, int *status);

/*
 * Interrupts PROCESS (a fast shutdown of PostgreSQL), and after so many milliseconds kills it. It
 * needs not be our child. Blocks until it is gone; false if it can't be ended.
 */
bool cluster_process_stop(struct cluster_process *process, int milliseconds);

/* Another one's process by its number; false if there is none. */
bool cluster_process_open(struct cluster_process *process, pid_t pid);

#endif
