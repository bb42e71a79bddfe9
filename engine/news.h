/*
 * Asks a tracker what changed since it was last asked, and makes those bugs due.
 *
 * The cursor is the server's own clock when it was asked, less an overlap; it moves only when the
 * last page was read, in the transaction that makes the changed bugs due.
 */
#ifndef ENGINE_NEWS_H
#define ENGINE_NEWS_H

#include "engine/settle.h"

struct news;

/*
 * Called once, at the end; the news is then gone. ERR is NULL, the tracker's failure, or our own.
 * TOLD is how many watched bugs changed, COST what it took (nothing where the tracker was not asked).
 */
typedef void news_done(
	void *cookie, const struct err *err, unsigned told, const struct fetch_cost *cost);

/*
 * Starts in the run of FRAME, which must outlive it. Does nothing where the tracker has no more
 * watched bugs than one batch, and nobody set an interval or a mirror. A mirror that fails is noted
 * as the tracker's error, and no failure here. Owned by OWNER; talloc_free calls it off,
 * without `done`.
 */
struct news *news_start(
	const void *owner, const struct settle_frame *frame, news_done *done, void *cookie);

/* Whether it is time to ask in this run. */
bool news_due(const struct settle_frame *frame);

#endif
