/* What the schedule goes by at one tracker: reckoned now and then from the states of its bugs. */
#ifndef ENGINE_RECKON_H
#define ENGINE_RECKON_H

#include "engine/lease.h"

/*
 * Sets the mode, the stretch and the intervals of LEASE, whose driver and server are known, from
 * work_reckon's answer ROWS, for batches of BATCH bugs.
 */
void reckon(struct lease *lease, unsigned batch, const struct db_rows *rows);

/* Fills KNOBS and POLICY with what a tracker's own SCHEDULE (JSON, as stored) says of them. */
void reckon_own_knobs(struct knobs *knobs, enum schedule_policy *policy, const char *schedule);

#endif
