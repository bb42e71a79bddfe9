/* Moments in time: microseconds since 1970 in UTC, and how they are written on the wire. */
#ifndef TRACKERS_MOMENT_H
#define TRACKERS_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

typedef int64_t moment; /* 0 stands for "not known" */

#define MOMENT_SECOND INT64_C(1000000)
#define MOMENT_DAY (86400 * MOMENT_SECOND)

enum { MOMENT_TEXT = 32 }; /* room for any moment as text, with its NUL */

/*
 * Reads RFC 3339 and its looser kin: `2026-03-08T07:30:00Z`, `2026-03-08 07:30:00 -0400`,
 * `20260308T07:30:00`, Roundup's `2026-03-08.07:30:00.123`. Without a zone it is taken as UTC.
 * False for anything else, for impossible dates, and for years before 1 or past 9999.
 */
bool moment_parse(const char *text, moment *out);

/* Reads an HTTP date (RFC 9110, all three forms); false for anything else. */
bool moment_parse_http(const char *text, moment *out);

/* Writes `2026-03-08T07:30:00Z`, whole seconds, into TEXT of MOMENT_TEXT bytes; returns TEXT. */
const char *moment_format(moment at, char *text);

#endif
