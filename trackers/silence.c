#include "trackers/silence.h"

#include <talloc.h>

unsigned *silent_bugs(
	const struct conversation *conversation, const struct exchange *exchange, unsigned *count)
{
	unsigned *silent = talloc_array(exchange, unsigned, exchange->wanted_count);
	*count = 0;
	for (unsigned i = 0; i < exchange->wanted_count; i++)
		if (!conversation_observed(conversation, exchange->wanted[i]))
			silent[(*count)++] = exchange->wanted[i];
	return silent;
}

/* Brings the first bug that was read before to the front; false where none was. */
static bool known_first(const struct conversation *conversation, unsigned *wanted, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (conversation->wanted[wanted[i]].known) {
			unsigned first = wanted[i];
			wanted[i] = wanted[0];
			wanted[0] = first;
			return true;
		}
	}
	return false;
}

bool silence_is_suspicious(const struct conversation *conversation, const struct exchange *exchange,
	unsigned *silent, unsigned count)
{
	bool answered_none = count == exchange->wanted_count && count > 1;
	return answered_none && known_first(conversation, silent, count);
}
