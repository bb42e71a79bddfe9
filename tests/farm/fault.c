#include "tests/farm/fault.h"

#include <string.h>
#include <talloc.h>

struct fault {
	const char *word;
	enum topic topic; /* spoils answers about nothing else */
	void (*spoil)(struct site *site, struct question *question, struct answer *answer);
};

static void spoil_html(struct site *site, struct question *question, struct answer *answer)
{
	answer_page(answer, 200,
		"<!DOCTYPE html>\n<html><head><title>Checking your browser</title></head>"
		"<body><h1>One moment, please</h1></body></html>\n");
}

static void spoil_login(struct site *site, struct question *question, struct answer *answer)
{
	answer_page(answer, 200,
		"<!DOCTYPE html>\n<html><head><title>Log in</title></head><body>"
		"<form method=\"post\" action=\"login\"><input name=\"user\">"
		"<input type=\"password\" name=\"password\"><input type=\"submit\" value=\"Log "
		"in\">"
		"</form></body></html>\n");
}

/* Half of the answer under an honest Content-Length. */
static void spoil_cut(struct site *site, struct question *question, struct answer *answer)
{
	answer_halve(answer);
}

static void spoil_cut_connection(
	struct site *site, struct question *question, struct answer *answer)
{
	answer->promised = evbuffer_get_length(answer->body);
	answer_halve(answer);
}

/* The speeches themselves write the bad bugs, see fault_has_bad_bugs. */
static void spoil_badbug(struct site *site, struct question *question, struct answer *answer)
{
}

static void spoil_hang(struct site *site, struct question *question, struct answer *answer)
{
	answer->never = true;
}

static void spoil_slow(struct site *site, struct question *question, struct answer *answer)
{
	answer->drip = true;
}

/* A list of nothing, in the speech's own words. */
static void spoil_empty(struct site *site, struct question *question, struct answer *answer)
{
	evbuffer_drain(answer->body, evbuffer_get_length(answer->body));
	answer->status = 200;
	say(answer->body, site->speech->nothing);
}

static void spoil_500(struct site *site, struct question *question, struct answer *answer)
{
	answer_page(answer, 500, "<html><h1>Internal Server Error</h1></html>\n");
}

static void spoil_503(struct site *site, struct question *question, struct answer *answer)
{
	answer_page(answer, 503, "<html><h1>Service Unavailable</h1></html>\n");
	answer->retry_after_s = 2;
}

static void spoil_429(struct site *site, struct question *question, struct answer *answer)
{
	answer_page(answer, 429, "<html><h1>Too Many Requests</h1></html>\n");
	answer->retry_after_s = 2;
}

static void spoil_redirect(struct site *site, struct question *question, struct answer *answer)
{
	answer_page(answer, 302, "<html><h1>Found</h1></html>\n");
	answer->location =
		site->fault_to != NULL ? site->fault_to : "http://elsewhere.example/bugs/";
}

static void spoil_loop(struct site *site, struct question *question, struct answer *answer)
{
	answer_page(answer, 302, "<html><h1>Found</h1></html>\n");
	answer->location = evhttp_request_get_uri(question->request);
}

static const struct fault faults[] = {
	{"html", TOPIC_ANY, spoil_html},
	{"login", TOPIC_ANY, spoil_login},
	{"cut", TOPIC_ANY, spoil_cut},
	{"cut-connection", TOPIC_ANY, spoil_cut_connection},
	{"badbug", TOPIC_ANY, spoil_badbug},
	{"hang", TOPIC_ANY, spoil_hang},
	{"slow", TOPIC_ANY, spoil_slow},
	{"empty", TOPIC_BUGS, spoil_empty},
	{"500", TOPIC_ANY, spoil_500},
	{"comments", TOPIC_COMMENTS, spoil_500},
	{"503", TOPIC_ANY, spoil_503},
	{"429", TOPIC_ANY, spoil_429},
	{"redirect", TOPIC_ANY, spoil_redirect},
	{"loop", TOPIC_ANY, spoil_loop},
};

enum { FAULTS = sizeof(faults) / sizeof(faults[0]) };

const struct fault *fault_of_word(const char *word)
{
	for (unsigned i = 0; i < FAULTS; i++)
		if (strcmp(faults[i].word, word) == 0)
			return &faults[i];
	return NULL;
}

const char *fault_word(const struct fault *fault)
{
	return fault != NULL ? fault->word : NULL;
}

char *fault_words(const void *owner)
{
	char *words = talloc_strdup(owner, faults[0].word);
	for (unsigned i = 1; i < FAULTS; i++)
		words = talloc_asprintf_append_buffer(words, " %s", faults[i].word);
	return words;
}

void fault_spoil(struct site *site, struct question *question, struct answer *answer)
{
	const char *only = site->fault_only;
	if (site->fault == NULL || site->fault_times == 0)
		return;
	enum topic topic = site->fault->topic;
	if ((only != NULL && strncmp(question->path, only, strlen(only)) != 0) ||
		(topic != TOPIC_ANY && question->topic != topic))
		return;
	if (site->fault_times > 0)
		site->fault_times--;
	site->fault->spoil(site, question, answer);
}

bool fault_has_bad_bugs(const struct site *site)
{
	return site->fault != NULL && site->fault->spoil == spoil_badbug;
}
