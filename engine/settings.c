#include "engine/settings.h"

#include "engine/log.h"

#include <confuse.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

#define TEXT(name, unit, initial, help)                                                            \
	{                                                                                          \
#name, unit, initial, help, offsetof(struct settings, name), 0, 0                  \
	}
#define NUMBER(name, unit, initial, minimum, maximum, help)                                        \
	{                                                                                          \
#name, unit, initial, help, offsetof(struct settings, name), minimum, maximum      \
	}

const struct setting setting_table[] = {
	TEXT(database, "URL", "", "PostgreSQL to use; without one the service runs its own"),
	TEXT(listen, "ADDRESS:PORT", "127.0.0.1:7380", "where the API and the pages are served"),
	TEXT(state_dir, "DIR", "", "state folder; /var/lib/bugwatch or under the home folder"),
	TEXT(allow_networks, "CIDR,...", "", "special networks where trackers may live"),
	TEXT(contact, "URL|MAIL", "", "whom a tracker's administrator may ask about us"),
	TEXT(ca_file, "FILE", "", "certificates to trust instead of the system's"),
	TEXT(log_level, "LEVEL", "info", "debug, info, warning or error"),
	TEXT(instance, "NAME", "", "this instance's name for people; the host's name"),
	NUMBER(lease_s, "SECONDS", "60", 5, 3600, "how long a silent instance keeps a tracker"),
	NUMBER(keep_events_days, "DAYS", "400", 1, 36500, "how long events are kept, at least"),
	NUMBER(keep_runs_days, "DAYS", "90", 1, 36500, "how long ended runs are kept, at least"),
	NUMBER(max_runs, "N", "64", 1, 10000, "trackers asked at once"),
	NUMBER(max_body_mb, "MIB", "32", 1, 1024, "largest answer of a tracker, decoded"),
	NUMBER(idle_timeout_s, "SECONDS", "30", 1, 600, "longest silence of a tracker"),
	NUMBER(total_timeout_s, "SECONDS", "120", 1, 3600, "longest time for one answer"),
	NUMBER(database_connections, "N", "4", 1, 100,
		"connections to PostgreSQL, half of them for small statements"),
	TEXT(policy, "NAME", "sqrt", "how bugs' intervals follow from their state: sqrt or ladder"),
#define KNOB(name, unit, initial, least, most, help)                                               \
	{#name, unit, #initial, help, offsetof(struct settings, knobs.name), least, most},
#include "engine/knobs.def"
#undef KNOB
	{NULL, NULL, NULL, NULL, 0, 0, 0},
};

enum { SETTINGS = sizeof(setting_table) / sizeof(setting_table[0]) - 1, FILE_LIMIT = 1 << 20 };

#define VARIABLE_PREFIX "BUGWATCH_"

/* Variables of ours that are no settings of the service. */
static const char *const other_variables[] = {"CONFIG", "URL", "TOKEN"};

/*
 * A configuration file being read. libconfuse's callbacks have no cookie, but each option knows
 * where its text goes: texts comes first, so that the first option leads to the whole.
 */
struct config_file {
	char *texts[SETTINGS]; /* libconfuse's, from malloc */
	const char *name;
	struct settings *settings;
	struct err *err;
};

static const struct setting *find_setting(const char *name)
{
	for (const struct setting *setting = setting_table; setting->name != NULL; setting++)
		if (strcmp(setting->name, name) == 0)
			return setting;
	return NULL;
}

static bool store_number(
	void *field, const struct setting *setting, const char *text, struct err *err)
{
	char *end;
	errno = 0;
	long value = strtol(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end != '\0' || errno != 0 ||
		value < setting->minimum || value > setting->maximum) {
		err_set(err, ERR_USAGE, "%s must be a whole number from %ld to %ld, not \"%.40s\"",
			setting->name, setting->minimum, setting->maximum, text);
		return false;
	}
	memcpy(field, &value, sizeof(value));
	return true;
}

static bool store_text(struct settings *settings, void *field, const struct setting *setting,
	const char *text, struct err *err)
{
	for (const char *at = text; *at != '\0'; at++) {
		if (iscntrl((unsigned char)*at)) {
			err_set(err, ERR_USAGE, "%s holds a control character", setting->name);
			return false;
		}
	}
	enum log_level level;
	if (strcmp(setting->name, "log_level") == 0 && !log_level_of_word(text, &level)) {
		err_set(err, ERR_USAGE,
			"log_level must be debug, info, warning or error, not \"%.40s\"", text);
		return false;
	}
	enum schedule_policy policy;
	if (strcmp(setting->name, "policy") == 0 && !schedule_policy_of_word(text, &policy)) {
		err_set(err, ERR_USAGE, "policy must be sqrt or ladder, not \"%.40s\"", text);
		return false;
	}
	const char *copy = talloc_strdup(settings, text);
	memcpy(field, &copy, sizeof(copy));
	return true;
}

static bool store(
	struct settings *settings, const struct setting *setting, const char *text, struct err *err)
{
	void *field = (char *)settings + setting->offset;
	return setting->maximum > 0 ? store_number(field, setting, text, err)
				    : store_text(settings, field, setting, text, err);
}

static struct config_file *config_file_of(const cfg_t *cfg)
{
	return (struct config_file *)(void *)cfg->opts[0].simple_value.string;
}

__attribute__((format(printf, 2, 0))) static void hear_error(
	cfg_t *cfg, const char *format, va_list args)
{
	struct config_file *file = config_file_of(cfg);
	char text[160];
	vsnprintf(text, sizeof(text), format, args);
	err_set(file->err, ERR_USAGE, "%s:%d: %s", file->name, cfg->line, text);
}

/* Called as each value is read, when the line is known. */
static int hear_value(cfg_t *cfg, cfg_opt_t *option)
{
	struct config_file *file = config_file_of(cfg);
	struct err err = {0};
	if (store(file->settings, find_setting(option->name), *option->simple_value.string, &err))
		return 0;
	cfg_error(cfg, "%s", err.text);
	return -1;
}

/* The text of the file; NULL and ERR_USAGE if it can't be read. */
static char *read_file(const void *owner, const char *name, struct err *err)
{
	FILE *in = fopen(name, "re");
	char *text = talloc_array(owner, char, FILE_LIMIT + 1);
	size_t n = in != NULL ? fread(text, 1, FILE_LIMIT + 1, in) : 0;
	if (in == NULL || ferror(in))
		err_set(err, ERR_USAGE, "can't read the configuration file %s: %s", name,
			strerror(errno));
	else if (n > FILE_LIMIT)
		err_set(err, ERR_USAGE, "the configuration file %s is larger than 1 MiB", name);
	else
		text[n] = '\0';
	bool good = in != NULL && !ferror(in) && n <= FILE_LIMIT;
	if (in != NULL)
		fclose(in);
	return good ? text : NULL;
}

/* Blanks lines that are comments: libconfuse 3.3 counts each of them as three. */
static void blank_comments(char *text)
{
	while (*text != '\0') {
		size_t indent = strspn(text, " \t"), n = strcspn(text, "\n");
		if (text[indent] == '#')
			memset(text, ' ', n);
		text += n + (text[n] == '\n');
	}
}

static bool parse_file(struct config_file *file, const char *text)
{
	cfg_opt_t options[SETTINGS + 1] = {[SETTINGS] = CFG_END()};
	for (int i = 0; i < SETTINGS; i++) {
		cfg_opt_t option = CFG_SIMPLE_STR(setting_table[i].name, &file->texts[i]);
		option.validcb = hear_value;
		options[i] = option;
	}
	cfg_t *cfg = cfg_init(options, CFGF_NONE);
	cfg_set_error_function(cfg, hear_error);
	bool good = cfg_parse_buf(cfg, text) == CFG_SUCCESS;
	cfg_free(cfg);
	return good;
}

static bool load_file(struct settings *settings, const char *name, struct err *err)
{
	struct config_file file = {.name = name, .settings = settings, .err = err};
	char *text = read_file(settings, name, err);
	if (text != NULL)
		blank_comments(text);
	bool good = text != NULL && parse_file(&file, text);
	if (text != NULL && !good)
		err_set(err, ERR_USAGE, "can't understand the configuration file %s", name);
	for (int i = 0; i < SETTINGS; i++)
		free(file.texts[i]);
	talloc_free(text);
	return good;
}

/* The setting of a variable's name without its prefix: LEASE_S is lease_s. */
static const struct setting *setting_of_variable(const char *name, size_t n)
{
	char lower[64];
	if (n >= sizeof(lower))
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (islower((unsigned char)name[i]))
			return NULL;
		lower[i] = (char)tolower((unsigned char)name[i]);
	}
	lower[n] = '\0';
	return find_setting(lower);
}

static bool is_other_variable(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof(other_variables) / sizeof(other_variables[0]); i++)
		if (strlen(other_variables[i]) == n && memcmp(other_variables[i], name, n) == 0)
			return true;
	return false;
}

static bool load_variable(struct settings *settings, const char *assignment, struct err *err)
{
	const char *name = assignment + strlen(VARIABLE_PREFIX);
	size_t n = strcspn(name, "=");
	const char *value = name[n] == '=' ? name + n + 1 : "";
	const struct setting *setting = setting_of_variable(name, n);
	if (setting == NULL && !is_other_variable(name, n))
		log_warning("settings", "the variable %.*s means nothing to this program",
			(int)(strlen(VARIABLE_PREFIX) + n), assignment);
	if (setting == NULL || *value == '\0')
		return true;
	struct err why = {0};
	if (store(settings, setting, value, &why))
		return true;
	err_set(err, ERR_USAGE, "in the environment: %s", why.text);
	return false;
}

static bool load_environment(struct settings *settings, struct err *err)
{
	for (char **at = environ; *at != NULL; at++)
		if (strncmp(*at, VARIABLE_PREFIX, strlen(VARIABLE_PREFIX)) == 0 &&
			!load_variable(settings, *at, err))
			return false;
	return true;
}

static bool load_flags(struct settings *settings, const char *const *flags, struct err *err)
{
	for (; flags[0] != NULL; flags += 2) {
		const struct setting *setting = find_setting(flags[0]);
		if (setting == NULL && strcmp(flags[0], "config") == 0)
			continue;
		if (setting == NULL) {
			err_set(err, ERR_USAGE, "there is no setting \"%.60s\"", flags[0]);
			return false;
		}
		if (!store(settings, setting, flags[1], err))
			return false;
	}
	return true;
}

/* The name of the configuration file, or NULL where none is named. */
static const char *config_name(const char *const *flags)
{
	for (; flags[0] != NULL; flags += 2)
		if (strcmp(flags[0], "config") == 0)
			return flags[1];
	const char *name = getenv(VARIABLE_PREFIX "CONFIG");
	return name != NULL && *name != '\0' ? name : NULL;
}

static void load_defaults(struct settings *settings)
{
	for (const struct setting *setting = setting_table; setting->name != NULL; setting++)
		store(settings, setting, setting->initial, NULL);
}

/* What no constant can say: where we are and who we are. */
static bool complete(struct settings *settings, struct err *err)
{
	char here[PATH_MAX], host[HOST_NAME_MAX + 1] = "";
	if (*settings->state_dir == '\0')
		settings->state_dir = settings_default_state_dir(settings);
	if (*settings->state_dir != '/') {
		if (getcwd(here, sizeof(here)) == NULL) {
			err_set(err, ERR_USAGE,
				"state_dir is relative, and the current folder is gone");
			return false;
		}
		settings->state_dir = talloc_asprintf(settings, "%s/%s", here, settings->state_dir);
	}
	if (*settings->instance == '\0') {
		gethostname(host, sizeof(host) - 1);
		settings->instance = talloc_strdup(settings, *host != '\0' ? host : "unnamed");
	}
	return true;
}

struct settings *settings_load(const void *owner, const char *const *flags, struct err *err)
{
	struct settings *settings = talloc_zero(owner, struct settings);
	const char *file = config_name(flags);
	load_defaults(settings);
	if ((file == NULL || load_file(settings, file, err)) && load_environment(settings, err) &&
		load_flags(settings, flags, err) && complete(settings, err))
		return settings;
	talloc_free(settings);
	return NULL;
}

void settings_reschedule(struct settings *settings, const struct settings *from)
{
	settings->policy = talloc_strdup(settings, from->policy);
	settings->knobs = from->knobs;
}

char *settings_default_state_dir(const void *owner)
{
	if (geteuid() == 0)
		return talloc_strdup(owner, "/var/lib/bugwatch");
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	/* The base directory specification wants a relative value ignored. */
	if (state != NULL && *state == '/')
		return talloc_asprintf(owner, "%s/bugwatch", state);
	if (home == NULL || *home != '/') {
		const struct passwd *user = getpwuid(geteuid());
		home = user != NULL ? user->pw_dir : "/tmp";
	}
	return talloc_asprintf(owner, "%s/.local/state/bugwatch", home);
}
