/* How far something has come, on standard error: a bar on a terminal, now and then a line else. */
#ifndef UI_API_PROGRESS_H
#define UI_API_PROGRESS_H

#include <stdint.h>

struct progress;

/* Progress of WHAT ("adding"). A talloc object; freeing it clears the bar away. */
struct progress *progress_new(const void *owner, const char *what);

/*
 * DONE of TOTAL are done (TOTAL 0: not known yet), with a few more words or "". Nothing is seen in
 * the first second, so that what is quick stays silent.
 */
void progress_show(struct progress *progress, uint64_t done, uint64_t total, const char *words);

#endif
