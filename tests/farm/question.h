/* One question to a tracker, and the answer while it is made. */
#ifndef TESTS_FARM_QUESTION_H
#define TESTS_FARM_QUESTION_H

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdbool.h>
#include <time.h>

/* What a question is about, for the faults that are about some questions only. */
enum topic { TOPIC_ANY, TOPIC_BUGS, TOPIC_COMMENTS };

/* A talloc object; the request is evhttp's. */
struct question {
	struct evhttp_request *request;
	const char *path; /* below the tracker's base URL: "rest/bug/7" */
	struct evkeyvalq query; /* decoded; names may repeat */
	double now; /* the tracker's clock, seconds since 1970 */
	bool signed_in; /* brought the right credentials */
	/* set by who answers */
	enum topic topic;
	const char *
		call; /* what its body calls ("ticket.get"), NULL where none; owned by the question */
};

/* Begins as 200 and empty JSON; the speeches fill it, and the faults spoil it. */
struct answer {
	int status;
	const char *content_type;
	struct evbuffer *body;
	const char *location; /* NULL for none; owned by the question */
	const char *etag; /* NULL for none; owned by the question */
	const char *next; /* the next page's address, NULL for none; owned by the question */
	int retry_after_s; /* 0 for none */
	long total; /* Roundup's X-Count-Total; -1 for none */
	size_t promised; /* a Content-Length that lies, before the end; 0 for the true one */
	bool drip; /* a byte a second */
	bool never; /* says nothing at all */
};

/* Reads REQUEST, whose path begins with PREFIX. NULL where its query can't be read. */
struct question *question_new(
	const void *owner, struct evhttp_request *request, const char *prefix, double now);

/* The same question with the parameters of QUERY in place of its own; NULL where it can't be read. */
struct question *question_instead(struct question *question, const char *query);

/* The first value of the parameter NAME, or NULL. */
const char *question_value(const struct question *question, const char *name);

/*
 * The numbers that the parameter NAME gives, each once and rising, with all its repetitions, and
 * split at commas where COMMAS says so. What is no number is left out. *GIVEN tells whether there was
 * anything at all. Owned by QUESTION.
 */
unsigned *question_ids(
	struct question *question, const char *name, bool commas, unsigned *count, bool *given);

/* The body as a NUL-ended text, owned by QUESTION. */
char *question_body(struct question *question);

/* The header NAME, or NULL. */
const char *question_header(const struct question *question, const char *name);

/* Whether HTTP Basic brings CREDENTIALS, NAME:PASSWORD. */
bool question_signs_in(const struct question *question, const char *credentials);

/* Whether the comma-separated LIST has WORD. */
bool list_has(const char *list, const char *word);

/* Add TEXT to OUT as it is, or as a JSON string. */
void say(struct evbuffer *out, const char *text);
void say_json(struct evbuffer *out, const char *text);

/* Reads `2026-03-08T07:30:00.5Z`, with or without fraction and zone, into seconds since 1970. */
bool read_time(const char *text, double *at);

/* Add TEXT with the markup of XML as entities, or the bytes there as base64. */
void say_xml(struct evbuffer *out, const char *text);
void say_base64(struct evbuffer *out, const char *text);

/* AT in UTC. */
struct tm in_utc(double at);

/* Adds AT in UTC, as strftime's FORMAT says; no function, so that the compiler can check FORMAT. */
#define say_time(out, format, at)                                                                  \
	({                                                                                         \
		char say_text[64];                                                                 \
		struct tm say_broken = in_utc(at);                                                 \
		strftime(say_text, sizeof(say_text), format, &say_broken);                         \
		say(out, say_text);                                                                \
	})

/* Makes ANSWER an HTML page of that status. */
void answer_page(struct answer *answer, int status, const char *page);

/* Takes the second half of the body away. */
void answer_halve(struct answer *answer);

#endif
