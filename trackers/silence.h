/*
 * Bugs that an answer leaves out. Most servers leave out what is missing or private without a word,
 * and all of it when they are broken: silence about everything needs a witness, one bug of which the
 * server itself says why it is missing.
 */
#ifndef TRACKERS_SILENCE_H
#define TRACKERS_SILENCE_H

#include "trackers/conversation.h"

/* The bugs that EXCHANGE asked for and nothing was learnt of, *COUNT; owned by EXCHANGE. */
unsigned *silent_bugs(
	const struct conversation *conversation, const struct exchange *exchange, unsigned *count);

/*
 * Whether the silence about the COUNT bugs at SILENT is suspicious: EXCHANGE was answered by nothing
 * at all, and one of its bugs was read before. That one is then the first, to be the witness.
 */
bool silence_is_suspicious(const struct conversation *conversation, const struct exchange *exchange,
	unsigned *silent, unsigned count);

#endif
