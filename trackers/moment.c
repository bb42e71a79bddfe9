#include "trackers/moment.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* Seconds since 1970 of the first moment of year 1, and of year 10000. */
static const int64_t first_second = INT64_C(-62135596800), end_second = INT64_C(253402300800);

/* Reads exactly N digits. */
static bool read_digits(const char **text, int n, int *out)
{
	int value = 0;
	for (; n > 0; n--, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		value = value * 10 + (**text - '0');
	}
	*out = value;
	return true;
}

static bool take(const char **text, const char *literal)
{
	size_t n = strlen(literal);
	if (strncmp(*text, literal, n) != 0)
		return false;
	*text += n;
	return true;
}

static bool take_any(const char **text, const char *letters)
{
	if (**text == '\0' || strchr(letters, **text) == NULL)
		return false;
	(*text)++;
	return true;
}

static bool read_clock(const char **text, struct tm *tm)
{
	return read_digits(text, 2, &tm->tm_hour) && take(text, ":") &&
		read_digits(text, 2, &tm->tm_min) && take(text, ":") &&
		read_digits(text, 2, &tm->tm_sec);
}

/*
 * Seconds since 1970, if there is such a moment: timegm carries an impossible day over into another
 * month. A leap second is the next second's first.
 */
static bool to_seconds(const struct tm *tm, int64_t *out)
{
	struct tm day = {.tm_year = tm->tm_year, .tm_mon = tm->tm_mon, .tm_mday = tm->tm_mday};
	int64_t midnight = timegm(&day);
	*out = midnight + tm->tm_hour * 3600 + tm->tm_min * 60 + tm->tm_sec;
	return day.tm_mon == tm->tm_mon && tm->tm_hour <= 23 && tm->tm_min <= 59 &&
		tm->tm_sec <= 60;
}

static bool to_moment(int64_t seconds, int microseconds, moment *out)
{
	if (seconds < first_second || seconds >= end_second)
		return false;
	*out = seconds * MOMENT_SECOND + microseconds;
	return true;
}

static bool read_date(const char **text, struct tm *tm)
{
	if (!read_digits(text, 4, &tm->tm_year))
		return false;
	bool dashes = take(text, "-");
	if (!read_digits(text, 2, &tm->tm_mon) || (dashes && !take(text, "-")) ||
		!read_digits(text, 2, &tm->tm_mday))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon--;
	return true;
}

/* Maybe a fraction of a second, cut after microseconds. */
static bool read_fraction(const char **text, int *microseconds)
{
	*microseconds = 0;
	if (!take_any(text, "."))
		return true;
	if (**text < '0' || **text > '9')
		return false;
	for (int unit = 100000; **text >= '0' && **text <= '9'; (*text)++, unit /= 10)
		*microseconds += (**text - '0') * unit;
	return true;
}

/* Maybe a zone, up to the text's end; the seconds that it is ahead of UTC. */
static bool read_zone(const char *text, int *ahead)
{
	int hours, minutes = 0;
	*ahead = 0;
	if (*text == '\0' || strcasecmp(text, "Z") == 0)
		return true;
	take_any(&text, " ");
	int sign = *text == '-' ? -1 : 1;
	if (!take_any(&text, "+-") || !read_digits(&text, 2, &hours))
		return false;
	take(&text, ":");
	if (*text != '\0' && !read_digits(&text, 2, &minutes))
		return false;
	*ahead = sign * (hours * 3600 + minutes * 60);
	return *text == '\0' && hours <= 23 && minutes <= 59;
}

bool moment_parse(const char *text, moment *out)
{
	struct tm tm = {0};
	int microseconds, ahead;
	int64_t seconds;
	return read_date(&text, &tm) && take_any(&text, "Tt .") && read_clock(&text, &tm) &&
		read_fraction(&text, &microseconds) && read_zone(text, &ahead) &&
		to_seconds(&tm, &seconds) && to_moment(seconds - ahead, microseconds, out);
}

static bool read_month(const char **text, struct tm *tm)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	for (int i = 0; i < 12; i++) {
		if (strncmp(*text, names + 3 * i, 3) == 0) {
			tm->tm_mon = i;
			*text += 3;
			return true;
		}
	}
	return false;
}

/* `Sun, 06 Nov 1994 08:49:37 GMT` */
static bool read_imf(const char *text, struct tm *tm)
{
	bool good = read_digits(&text, 2, &tm->tm_mday) && take(&text, " ") &&
		read_month(&text, tm) && take(&text, " ") && read_digits(&text, 4, &tm->tm_year) &&
		take(&text, " ") && read_clock(&text, tm) && strcmp(text, " GMT") == 0;
	tm->tm_year -= 1900;
	return good;
}

/* `Sunday, 06-Nov-94 08:49:37 GMT`; years up to 69 are of this century. */
static bool read_rfc850(const char *text, struct tm *tm)
{
	bool good = read_digits(&text, 2, &tm->tm_mday) && take(&text, "-") &&
		read_month(&text, tm) && take(&text, "-") && read_digits(&text, 2, &tm->tm_year) &&
		take(&text, " ") && read_clock(&text, tm) && strcmp(text, " GMT") == 0;
	tm->tm_year += tm->tm_year < 70 ? 100 : 0;
	return good;
}

/* `Sun Nov  6 08:49:37 1994` */
static bool read_asctime(const char *text, struct tm *tm)
{
	if (!read_month(&text, tm) || !take(&text, " "))
		return false;
	int digits = take(&text, " ") ? 1 : 2;
	bool good = read_digits(&text, digits, &tm->tm_mday) && take(&text, " ") &&
		read_clock(&text, tm) && take(&text, " ") && read_digits(&text, 4, &tm->tm_year) &&
		*text == '\0';
	tm->tm_year -= 1900;
	return good;
}

bool moment_parse_http(const char *text, moment *out)
{
	struct tm tm = {0};
	int64_t seconds;
	const char *rest = strpbrk(text, ", ");
	if (rest == NULL || rest - text < 3)
		return false;
	bool comma = take(&rest, ", ");
	bool good = !comma	  ? read_asctime(rest + 1, &tm)
		: rest - text > 5 ? read_rfc850(rest, &tm)
				  : read_imf(rest, &tm);
	return good && to_seconds(&tm, &seconds) && to_moment(seconds, 0, out);
}

const char *moment_format(moment at, char *text)
{
	time_t seconds = at / MOMENT_SECOND - (at % MOMENT_SECOND < 0);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	int n = snprintf(text, MOMENT_TEXT, "%04d", tm.tm_year + 1900);
	strftime(text + n, (size_t)(MOMENT_TEXT - n), "-%m-%dT%H:%M:%SZ", &tm);
	return text;
}
