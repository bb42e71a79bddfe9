#include "engine/outage.h"

#include "engine/log.h"

#include <talloc.h>

enum { LATELY_S = 600, KEPT = 64, FEW = 3 };

struct trial {
	int64_t tracker_id;
	moment at; /* 0 for none */
	bool reached;
};

struct outage {
	struct trial trials[KEPT]; /* the last of each tracker */
	bool ours;
};

struct outage *outage_new(const void *owner)
{
	return talloc_zero(owner, struct outage);
}

static bool is_of_network(enum err_kind kind)
{
	return kind == ERR_DNS || kind == ERR_CONNECTION || kind == ERR_TIMEOUT;
}

/* Where TRACKER_ID stands, or else the oldest. */
static struct trial *place_of(struct outage *outage, int64_t tracker_id)
{
	struct trial *oldest = &outage->trials[0];
	for (int i = 0; i < KEPT; i++) {
		struct trial *trial = &outage->trials[i];
		if (trial->at != 0 && trial->tracker_id == tracker_id)
			return trial;
		if (trial->at < oldest->at)
			oldest = trial;
	}
	return oldest;
}

static bool most_fail(const struct outage *outage, moment now)
{
	unsigned tried = 0, failed = 0;
	for (int i = 0; i < KEPT; i++) {
		const struct trial *trial = &outage->trials[i];
		if (trial->at == 0 || trial->at < now - LATELY_S * MOMENT_SECOND)
			continue;
		tried++;
		failed += !trial->reached;
	}
	return tried >= FEW && failed * 2 > tried;
}

bool outage_note(struct outage *outage, int64_t tracker_id, enum err_kind kind, moment now)
{
	bool reached = !is_of_network(kind);
	*place_of(outage, tracker_id) = (struct trial){tracker_id, now, reached};
	bool ours = most_fail(outage, now);
	if (ours && !outage->ours)
		log_error("network",
			"most trackers can't be reached: it is taken for an outage of ours and "
			"counts "
			"for none of them; do the resolver and the network work?");
	else if (!ours && outage->ours)
		log_info("network", "trackers can be reached again");
	outage->ours = ours;
	return ours && !reached;
}
