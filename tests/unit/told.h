/* What an errand told, as text. Tests of drivers share it. */
#ifndef TESTS_TOLD_H
#define TESTS_TOLD_H

#include "trackers/conversation.h"

/*
 * One line an observation, in the order of the wanted bugs; then the comments, the changes, and the
 * server, or the failure. KNOWN is what was remembered of the server before. Owned by OWNER.
 */
char *told(const void *owner, const struct conversation *conversation, const struct server *known);

/* Checks that every line of PART, but a failure, is also in FULL. PART is cut into pieces. */
void told_nothing_new(const char *full, char *part);

#endif
