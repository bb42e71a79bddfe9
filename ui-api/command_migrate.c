#include "ui-api/command.h"

#include "engine/cluster.h"
#include "engine/migrate.h"
#include "engine/settings.h"
#include "engine/state.h"

#include <talloc.h>

static void on_step(void *cookie, int version, const char *name)
{
	const struct call *call = cookie;
	if (!call->json) {
		printf("version %d: %s\n", version, name);
		return;
	}
	struct json_object *step = json_object_new_object();
	json_object_object_add(step, "version", json_object_new_int(version));
	json_object_object_add(step, "name", json_object_new_string(name));
	print_json(step);
	json_object_put(step);
}

/* Starts the embedded database for as long as OWNER lives; its connection string. */
static const char *start_embedded(
	const void *owner, struct event_base *base, const char *state_dir, struct err *err)
{
	if (state_open(owner, state_dir, err) == NULL)
		return NULL;
	struct cluster *cluster = cluster_start(owner, base, state_dir, err);
	return cluster != NULL ? cluster_conninfo(cluster) : NULL;
}

static int migrate_settings(struct call *call, struct event_base *base)
{
	struct err err = {0};
	void *memory = talloc_new(call);
	struct settings *settings = settings_load(memory, call_settings(call), &err);
	const char *conninfo = settings != NULL ? settings->database : NULL;
	if (conninfo != NULL && conninfo[0] == '\0')
		conninfo = start_embedded(memory, base, settings->state_dir, &err);
	int applied = conninfo != NULL ? migrate(conninfo, on_step, call, &err) : -1;
	if (applied < 0)
		complain("%s", err.text);
	else if (!call->json)
		printf("the database is at version %d (%s applied)\n", migrate_newest(),
			counted(call, applied, "step"));
	talloc_free(memory);
	if (applied >= 0)
		return DONE;
	if (err.kind == ERR_DATABASE_GONE)
		return NOT_REACHED;
	return err.kind == ERR_USAGE ? WRONG_USAGE : REFUSED;
}

static int run(struct call *call)
{
	struct event_base *base = event_base_new();
	int status = migrate_settings(call, base);
	event_base_free(base);
	return status;
}

const struct command command_migrate = {
	.name = "migrate",
	.run = run,
	.usage = "[--database URL]",
	.help = "bring the database to this program's schema",
	.examples = "Brings the database to the schema of this program, as \"bugwatch serve\"\n"
		    "does when it starts. Without --database it is the embedded one, while no\n"
		    "service runs on it.\n\n"
		    "  bugwatch migrate --database postgresql://bugwatch@db.example.net/bugwatch",
	.settings = true,
};
