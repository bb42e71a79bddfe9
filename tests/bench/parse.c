/*
 * What reading answers costs: each driver hears the farm's answers to a check, whole and without a
 * socket, beside json-c or libxml2 alone on the same bytes. Prints a line of JSON for each kind.
 */
#include "tests/unit/stage.h"
#include "trackers/conversation.h"

#include <json-c/json.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <time.h>

#include <cmocka.h>

enum { BUGS = 250, ROUNDS = 9 };

/* What one check was answered. */
struct answers {
	unsigned count;
	struct {
		char *bytes;
		size_t n;
		bool xml;
	} each[STAGE_PATIENCE];
	double driver_us;
};

static double now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static struct wanted *want(const void *owner)
{
	struct wanted *wanted = talloc_zero_array(owner, struct wanted, BUGS);
	for (unsigned i = 0; i < BUGS; i++)
		wanted[i] = (struct wanted){.remote_id = talloc_asprintf(wanted, "%u", i + 1),
			.known = true,
			.newest_comment = -1};
	return wanted;
}

/* Keeps the answer to EXCHANGE, and lets the driver hear it on the clock. */
static void hear(struct answers *answers, const struct stage *stage,
	struct conversation *conversation, struct exchange *exchange)
{
	struct answer answer = stage_ask(stage, exchange);
	size_t n = evbuffer_get_length(answer.body);
	const char *bytes = (const char *)evbuffer_pullup(answer.body, -1);
	char *type =
		talloc_strndup(answers, answer.content_type, strcspn(answer.content_type, "; "));
	if (answers->count == STAGE_PATIENCE)
		fail_msg("more than %d answers", STAGE_PATIENCE);
	answers->each[answers->count].bytes = talloc_strndup(answers, bytes, n);
	answers->each[answers->count].n = n;
	answers->each[answers->count++].xml = strstr(type, "xml") != NULL;
	double began = now_us();
	exchange_head(conversation, exchange, answer.status, type, 1);
	exchange_data(conversation, exchange, bytes, n);
	exchange_end(conversation, exchange, NULL);
	answers->driver_us += now_us() - began;
	evbuffer_free(answer.body);
}

/* A whole check of BUGS bugs. */
static struct answers *check(const void *owner, const struct stage *stage)
{
	struct answers *answers = talloc_zero(owner, struct answers);
	struct exchange *exchange;
	struct conversation *conversation = conversation_new(answers, stage->tracker, ERRAND_CHECK,
		stage->site->base_url, stage->server, NULL, want(answers), BUGS, 1);
	while ((exchange = conversation_next(conversation)) != NULL)
		hear(answers, stage, conversation, exchange);
	if (conversation->err.kind != ERR_NONE || conversation->observation_count != BUGS)
		fail_msg("%s: %u bugs: %s", stage->site->speech->word,
			conversation->observation_count, conversation->err.text);
	talloc_free(conversation);
	return answers;
}

static void parse_json(const char *bytes, size_t n)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object = json_tokener_parse_ex(tokener, bytes, (int)n);
	if (object == NULL)
		fail_msg("json-c can't read what the driver could");
	json_object_put(object);
	json_tokener_free(tokener);
}

/* Into no tree: events that nobody hears. */
static void parse_xml(const char *bytes, size_t n)
{
	xmlSAXHandler deaf = {.initialized = XML_SAX2_MAGIC};
	if (xmlSAXUserParseMemory(&deaf, NULL, bytes, (int)n) != 0)
		fail_msg("libxml2 can't read what the driver could");
}

/* Microseconds that the libraries alone need; CSV has none, there newlines are counted. */
static double plain(const struct answers *answers)
{
	double began = now_us();
	for (unsigned i = 0; i < answers->count; i++) {
		const char *bytes = answers->each[i].bytes;
		if (answers->each[i].xml)
			parse_xml(bytes, answers->each[i].n);
		else if (*bytes == '{' || *bytes == '[')
			parse_json(bytes, answers->each[i].n);
	}
	return now_us() - began;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void measure(const struct subject *subject)
{
	double driver[ROUNDS], library[ROUNDS];
	size_t bytes = 0;
	unsigned count = 0;
	const char *library_name = "none";
	struct stage *stage = stage_new(NULL, subject, BUGS + 1);
	for (int i = 0; i < ROUNDS; i++) {
		struct answers *answers = check(stage, stage);
		driver[i] = answers->driver_us;
		library[i] = plain(answers);
		bytes = 0;
		for (unsigned j = 0; j < answers->count; j++)
			bytes += answers->each[j].n;
		count = answers->count;
		const char *first = answers->each[0].bytes;
		if (answers->each[0].xml)
			library_name = "libxml2";
		else if (*first == '{' || *first == '[')
			library_name = "json-c";
		talloc_free(answers);
	}
	qsort(driver, ROUNDS, sizeof(*driver), by_size);
	qsort(library, ROUNDS, sizeof(*library), by_size);
	printf("{\"kind\":\"%s\",\"bugs\":%d,\"answers\":%u,\"bytes\":%zu,\"driver_us\":%.1f,"
	       "\"library\":\"%s\",\"library_us\":%.1f}\n",
		stage->site->speech->word, BUGS, count, bytes, driver[ROUNDS / 2], library_name,
		library[ROUNDS / 2]);
	talloc_free(stage);
}

int main(void)
{
	for (const struct subject *subject = subjects; subject->speech != NULL; subject++)
		if (subject->credentials == NULL)
			measure(subject);
	return 0;
}
