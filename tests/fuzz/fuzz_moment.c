/* Dates from strangers: whatever is read as one is written and read back as the same second. */
#include "tests/fuzz/one.h"
#include "trackers/moment.h"

#include <stdlib.h>
#include <string.h>

static void there_and_back(moment at)
{
	char text[MOMENT_TEXT];
	moment again;
	if (!moment_parse(moment_format(at, text), &again) || (at - again) / MOMENT_SECOND != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	char *text = malloc(n + 1);
	memcpy(text, bytes, n);
	text[n] = '\0';
	moment at;
	if (moment_parse(text, &at))
		there_and_back(at);
	if (moment_parse_http(text, &at))
		there_and_back(at);
	free(text);
	return 0;
}
