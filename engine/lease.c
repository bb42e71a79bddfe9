#include "engine/lease.h"

#include "engine/log.h"
#include "engine/reckon.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

/* The columns of work_take. */
enum {
	TRACKER_ID,
	TOKEN,
	NAME,
	TYPE,
	BASE_URL,
	BATCH_SIZE,
	MAX_CONNECTIONS,
	MIN_DELAY_MS,
	CREDENTIALS,
	SERVER,
	FAILURES,
	KEEPS_COMMENTS,
	CHANGES_INTERVAL,
	CHANGES_SINCE,
	CHANGES_DUE,
	UDD,
	MODE,
	STRETCH,
	BATCH_S,
	CHANGES_S,
	DOUBTFUL,
	RECKON_DUE,
	FAILING_S,
	SCHEDULE,
	STORE_PRIVATE,
	FORCED,
};

static void tell_unreadable(const struct lease *lease, const char *setting)
{
	log_error(lease->name,
		"its setting %s can't be opened with this service's secret-key: set it again",
		setting);
}

/* When to ask: as it was reckoned last, with the knobs that hold now. */
static void read_schedule(struct lease *lease, const struct settings *settings,
	const struct db_rows *rows, unsigned row)
{
	struct schedule_rules *rules = &lease->rules;
	lease->knobs = settings->knobs;
	rules->knobs = &lease->knobs;
	schedule_policy_of_word(settings->policy, &rules->policy);
	reckon_own_knobs(&lease->knobs, &rules->policy, db_text(rows, row, SCHEDULE));
	rules->stretch_s = strtod(db_text(rows, row, STRETCH), NULL);
	rules->doubtful = *db_text(rows, row, DOUBTFUL) == 't';
	lease->batch_s = db_integer(rows, row, BATCH_S);
	lease->changes_s = db_integer(rows, row, CHANGES_S);
	lease->reckon_due = *db_text(rows, row, RECKON_DUE) == 't';
	lease->failing_s = db_integer(rows, row, FAILING_S);
	for (unsigned mode = 0; !db_null(rows, row, MODE) && schedule_mode_word(mode) != NULL;
		mode++) {
		if (strcmp(schedule_mode_word(mode), db_text(rows, row, MODE)) == 0) {
			rules->mode = (enum schedule_mode)mode;
			lease->reckoned = true;
		}
	}
}

struct lease *lease_from_row(
	const void *owner, const struct tools *tools, const struct db_rows *rows, unsigned row)
{
	struct lease *lease = talloc_zero(owner, struct lease);
	lease->tracker_id = db_integer(rows, row, TRACKER_ID);
	lease->forced = *db_text(rows, row, FORCED) == 't';
	lease->token = db_integer(rows, row, TOKEN);
	lease->name = talloc_strdup(lease, db_text(rows, row, NAME));
	lease->driver = tracker_by_name(db_text(rows, row, TYPE));
	lease->base_url = talloc_strdup(lease, db_text(rows, row, BASE_URL));
	lease->batch_size = (unsigned)db_integer(rows, row, BATCH_SIZE);
	lease->max_connections = (unsigned)db_integer(rows, row, MAX_CONNECTIONS);
	lease->min_delay_ms = (unsigned)db_integer(rows, row, MIN_DELAY_MS);
	lease->failures = (unsigned)db_integer(rows, row, FAILURES);
	lease->keeps_comments = *db_text(rows, row, KEEPS_COMMENTS) == 't';
	lease->changes_interval_s = db_integer(rows, row, CHANGES_INTERVAL);
	lease->changes_since = db_integer(rows, row, CHANGES_SINCE);
	lease->changes_due = *db_text(rows, row, CHANGES_DUE) == 't';
	read_schedule(lease, tools->settings, rows, row);
	if (lease->driver != NULL && !db_null(rows, row, SERVER))
		lease->server = server_from_json(lease, db_text(rows, row, SERVER));
	if (!db_null(rows, row, CREDENTIALS)) {
		struct credentials *credentials =
			vault_unseal(lease, tools->vault, db_text(rows, row, CREDENTIALS));
		lease->credentials = credentials;
		if (credentials != NULL)
			credentials->store_private = *db_text(rows, row, STORE_PRIVATE) == 't';
		else
			tell_unreadable(lease, "credentials");
	}
	if (!db_null(rows, row, UDD)) {
		lease->has_udd = true;
		lease->udd = vault_unseal_text(lease, tools->vault, db_text(rows, row, UDD));
		if (lease->udd == NULL)
			tell_unreadable(lease, "udd");
	}
	return lease;
}

void lease_hold(const struct lease *lease, struct db_batch *batch)
{
	char tracker[24], token[24];
	snprintf(tracker, sizeof(tracker), "%" PRId64, lease->tracker_id);
	snprintf(token, sizeof(token), "%" PRId64, lease->token);
	db_add(batch, QUERY_work_hold, (const char *[]){tracker, token});
}
