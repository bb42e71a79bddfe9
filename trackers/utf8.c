#include "trackers/utf8.h"

/* Unicode's table 3-7: after E0, ED, F0 and F4 the second byte has a narrower range. */
static bool begin_character(struct utf8 *at, unsigned char byte)
{
	at->low = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
	at->high = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
	if (byte < 0x80)
		at->need = 0;
	else if (byte >= 0xc2 && byte <= 0xdf)
		at->need = 1;
	else if (byte >= 0xe0 && byte <= 0xef)
		at->need = 2;
	else if (byte >= 0xf0 && byte <= 0xf4)
		at->need = 3;
	else
		return false;
	return true;
}

bool utf8_step(struct utf8 *at, unsigned char byte)
{
	if (at->need == 0)
		return begin_character(at, byte);
	if (byte < at->low || byte > at->high)
		return false;
	at->low = 0x80;
	at->high = 0xbf;
	at->need--;
	return true;
}

bool utf8_is_valid(const char *text)
{
	struct utf8 at = {0};
	for (; *text != '\0'; text++)
		if (!utf8_step(&at, (unsigned char)*text))
			return false;
	return at.need == 0;
}
