/*
 * Settings of the service, from one table: defaults, then the configuration file, then environment
 * variables BUGWATCH_*, then flags.
 */
#ifndef ENGINE_SETTINGS_H
#define ENGINE_SETTINGS_H

#include "engine/schedule.h"
#include "trackers/err.h"

#include <stddef.h>

/* Read-only once loaded, but for settings_reschedule; owned by the talloc context it was loaded for. */
struct settings {
	const char *database; /* libpq connection string or URL; "" = embedded */
	const char *listen; /* ADDRESS:PORT; port 0 picks a free one */
	const char *state_dir; /* absolute */
	const char *allow_networks; /* CIDR list, comma-separated */
	const char *contact; /* URL or mail address in the User-Agent; "" = none given */
	const char *ca_file; /* certificates to trust; "" = the system's */
	const char *log_level; /* a word that log_level_of_word knows */
	const char *instance; /* a name for people; the host's name unless set */
	long lease_s;
	long keep_events_days, keep_runs_days;
	long max_runs; /* runs under way at once */
	long max_body_mb; /* decoded size of one answer, MiB */
	long idle_timeout_s; /* without a byte */
	long total_timeout_s; /* for one request */
	long database_connections;
	const char *policy; /* a word that schedule_policy_of_word knows */
	struct knobs knobs; /* of the schedule */
};

/* One setting, for help, the manual and the loader. */
struct setting {
	const char *name; /* "state_dir": flag --state-dir, variable BUGWATCH_STATE_DIR */
	const char *unit; /* what the value is, for help: "SECONDS", "DIR" */
	const char *initial; /* default, as text */
	const char *help;
	size_t offset; /* in struct settings; a long if maximum > 0, else const char * */
	long minimum, maximum;
};
extern const struct setting setting_table[]; /* ended by a NULL name */

/*
 * Loads the settings. FLAGS are "name", "value" pairs, NULL-ended; a "config" among them (or else
 * the variable BUGWATCH_CONFIG) names the file. An empty variable counts as not set. NULL and
 * ERR_USAGE (naming the setting, and file and line where there is one) if a value can't be taken, a
 * flag or a key of the file is unknown, or the file is unreadable. A variable BUGWATCH_* that
 * nobody knows is logged as a warning: it may be a newer program's.
 */
struct settings *settings_load(const void *owner, const char *const *flags, struct err *err);

/* Takes the policy and the knobs of the schedule FROM other settings. */
void settings_reschedule(struct settings *settings, const struct settings *from);

/* The state folder where nothing names one: /var/lib/bugwatch for root, else under $XDG_STATE_HOME. */
char *settings_default_state_dir(const void *owner);

#endif
