/* Retry-After: how long a server wants to be left alone. */
#ifndef ENGINE_RETRY_H
#define ENGINE_RETRY_H

#include "trackers/moment.h"

/*
 * The wait in milliseconds that the value of a Retry-After header asks for: seconds, or an HTTP
 * date, taken relative to NOW (the server's own Date where it sent one). Held to 1 s … 1 day; a
 * minute where the value can't be read.
 */
int64_t retry_after_ms(const char *value, moment now);

#endif
