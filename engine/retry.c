#include "engine/retry.h"

#include <stdlib.h>
#include <string.h>

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, DAY_MS = 86400 * SECOND_MS };

static int64_t clamp(int64_t ms)
{
	return ms < SECOND_MS ? SECOND_MS : ms > DAY_MS ? DAY_MS : ms;
}

int64_t retry_after_ms(const char *value, moment now)
{
	moment until;
	value += strspn(value, " \t");
	size_t digits = strspn(value, "0123456789");
	if (digits > 0 && value[digits + strspn(value + digits, " \t")] == '\0')
		return digits > 6 ? DAY_MS : clamp(strtol(value, NULL, 10) * SECOND_MS);
	if (moment_parse_http(value, &until))
		return clamp((until - now) / (MOMENT_SECOND / SECOND_MS));
	return MINUTE_MS;
}
