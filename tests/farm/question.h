/* One question to a tracker, and the answer while it is made. */
#ifndef TESTS_FARM_QUESTION_H
#define TESTS_FARM_QUESTION_H

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdbool.h>

/* A talloc object; the request is evhttp's. */
struct question {
	struct evhttp_request *request;
	const char *path; /* below the tracker's base URL: "rest/bug/7" */
	struct evkeyvalq query; /* decoded; names may repeat */
	double now; /* the tracker's clock, seconds since 1970 */
	bool signed_in; /* brought the right credentials */
};

/* Begins as 200 and empty JSON; the speeches fill it, and the faults spoil it. */
struct answer {
	int status;
	const char *content_type;
	struct evbuffer *body;
	const char *location; /* NULL for none; owned by the question */
	int retry_after_s; /* 0 for none */
	long total; /* Roundup's X-Count-Total; -1 for none */
	size_t promised; /* a Content-Length that lies, before the end; 0 for the true one */
	bool drip; /* a byte a second */
	bool never; /* says nothing at all */
};

/* Reads REQUEST, whose path begins with PREFIX. NULL where its query can't be read. */
struct question *question_new(
	const void *owner, struct evhttp_request *request, const char *prefix, double now);

/* The first value of the parameter NAME, or NULL. */
const char *question_value(const struct question *question, const char *name);

/*
 * The numbers that the parameter NAME gives, each once and rising, with all its repetitions, and
 * split at commas where COMMAS says so. What is no number is left out. *GIVEN tells whether there was
 * anything at all. Owned by QUESTION.
 */
unsigned *question_ids(
	struct question *question, const char *name, bool commas, unsigned *count, bool *given);

/* Whether the comma-separated LIST has WORD. */
bool list_has(const char *list, const char *word);

/* Add TEXT to OUT as it is, or as a JSON string. */
void say(struct evbuffer *out, const char *text);
void say_json(struct evbuffer *out, const char *text);

/* Makes ANSWER an HTML page of that status. */
void answer_page(struct answer *answer, int status, const char *page);

/* Takes the second half of the body away. */
void answer_halve(struct answer *answer);

#endif
