#include "engine/lease.h"

#include "engine/log.h"

#include <inttypes.h>
#include <stdio.h>
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
};

static void tell_unreadable(const struct lease *lease, const char *setting)
{
	log_error(lease->name,
		"its setting %s can't be opened with this service's secret-key: set it again",
		setting);
}

struct lease *lease_from_row(
	const void *owner, const struct vault *vault, const struct db_rows *rows, unsigned row)
{
	struct lease *lease = talloc_zero(owner, struct lease);
	lease->tracker_id = db_integer(rows, row, TRACKER_ID);
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
	if (lease->driver != NULL && !db_null(rows, row, SERVER))
		lease->server = server_from_json(lease, db_text(rows, row, SERVER));
	if (!db_null(rows, row, CREDENTIALS)) {
		lease->credentials = vault_unseal(lease, vault, db_text(rows, row, CREDENTIALS));
		if (lease->credentials == NULL)
			tell_unreadable(lease, "credentials");
	}
	if (!db_null(rows, row, UDD)) {
		lease->has_udd = true;
		lease->udd = vault_unseal_text(lease, vault, db_text(rows, row, UDD));
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
