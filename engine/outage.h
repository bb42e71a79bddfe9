/*
 * Whether it is us who are cut off: most of the trackers that were tried lately could not be reached.
 * Such failures count for no tracker's back-off; they are said once.
 */
#ifndef ENGINE_OUTAGE_H
#define ENGINE_OUTAGE_H

#include "trackers/err.h"
#include "trackers/moment.h"

#include <stdbool.h>
#include <stdint.h>

struct outage;

/* Nothing was tried yet. Owned by OWNER. */
struct outage *outage_new(const void *owner);

/*
 * Notes that TRACKER_ID was tried at NOW, and KIND, ERR_NONE where it was reached. Returns whether
 * its failure is ours: it is one of the network's, and so are those of most other trackers that were
 * tried in the last ten minutes, of at least three.
 */
bool outage_note(struct outage *outage, int64_t tracker_id, enum err_kind kind, moment now);

#endif
