/*
 * One batch of claimed bugs: asked, compared, stored.
 *
 * Where a whole batch fails although its tracker answers, one bad bug may have spoilt it: the batch
 * is halved until the bad bug stands alone and the others are read. If both halves fail too, it is
 * the tracker that fails.
 */
#ifndef ENGINE_CHECK_H
#define ENGINE_CHECK_H

#include "engine/settle.h"

struct check;

/*
 * Called once, at the end; the check is then gone. ERR is NULL, the tracker's failure, or our own
 * (ERR_LEASE_LOST, ERR_DATABASE…: nothing more may be written). TALLY counts what was committed.
 */
typedef void check_done(void *cookie, const struct err *err, const struct tally *tally);

/*
 * Starts on the bugs in ROWS (of work_claim), which must not be empty, with the tracker's own WORDS
 * (of work_own_words). FRAME must outlive it. Owned by OWNER; talloc_free calls it off, without
 * `done`.
 */
struct check *check_start(const void *owner, const struct settle_frame *frame,
	const struct db_rows *rows, const struct db_rows *words, check_done *done, void *cookie);

#endif
