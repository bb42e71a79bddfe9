/* What must hold of every errand, whatever strangers answered. */
#ifndef TESTS_SOUND_H
#define TESTS_SOUND_H

#include "trackers/conversation.h"

/*
 * What is wrong with CONVERSATION, which is over, in words; NULL for nothing. One word on a bug at
 * most, and none of a bug that was not asked for; texts without control characters; moments that can
 * be stored.
 */
const char *unsound(const struct conversation *conversation);

#endif
