/* A tracker that this instance may work on, and what it needs to know for it. */
#ifndef ENGINE_LEASE_H
#define ENGINE_LEASE_H

#include "engine/schedule.h"
#include "engine/tools.h"
#include "trackers/tracker.h"

#include <stdint.h>

/* Made from one row of work_take; texts and parts are talloc children. */
struct lease {
	int64_t tracker_id;
	int64_t token; /* what fences our writes */
	const char *name;
	const struct tracker *driver; /* NULL until a probe has told ("auto") */
	const char *base_url;
	unsigned batch_size; /* 0: the driver's */
	unsigned max_connections;
	unsigned min_delay_ms;
	const struct credentials *credentials; /* NULL for none */
	bool has_udd; /* it has a mirror */
	const char *
		udd; /* the mirror's connection string; NULL for none, or one that can't be opened */
	const struct server *server; /* NULL where a probe is wanted */
	bool keeps_comments; /* of some products at least */
	long changes_interval_s; /* from one question what changed to the next; 0: of itself */
	moment changes_since; /* by the tracker's clock; 0 where it was not asked yet */
	bool changes_due; /* it is time to ask, if that is done at all */
	bool forced; /* a forced update of all its bugs waits */
	unsigned failures; /* of the tracker, in a row, before this run */
	int64_t failing_s; /* since the first of them */
	/* When to ask; see reckon.h. */
	struct knobs knobs;
	struct schedule_rules rules; /* of the knobs above */
	int64_t batch_s, changes_s; /* from one batch, or question what changed, to the next */
	bool reckoned; /* the rules hold; if not, each bug is asked about by itself */
	bool reckon_due; /* it was long ago */
};

/* The lease in row ROW of work_take's answer, owned by OWNER. */
struct lease *lease_from_row(
	const void *owner, const struct tools *tools, const struct db_rows *rows, unsigned row);

/* Adds the statement that lets the rest of BATCH be written only while the lease is ours. */
void lease_hold(const struct lease *lease, struct db_batch *batch);

#endif
