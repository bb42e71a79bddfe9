/*
 * Answers from strangers, to the driver DRIVER. An input is a recorded case (tests/data/README.md) in
 * one piece: first what is asked and what is remembered, a line each; then, each after a line `%%`,
 * the answers: status line, headers, an empty line, body; or `!KIND` for a failure of the transport.
 * When they are used up, the connection fails.
 */
#include "tests/fuzz/one.h"
#include "tests/unit/sound.h"
#include "trackers/tracker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

enum { BUGS = 40, AT_ONCE = 8 };
enum { IN_VAIN = 200 }; /* more questions than any errand about BUGS asks where nobody answers */

static const moment now = 1800000000 * MOMENT_SECOND;

/* What is left of the input; cut into texts as it is read. */
struct input {
	char *at;
	size_t left;
};

/* A talloc object, which owns all texts. */
struct script {
	const struct tracker *tracker;
	enum errand errand;
	const char *base_url;
	struct server *server;
	bool recalls; /* the memory is the input's, and no driver's own */
	bool has_mirror;
	struct credentials credentials;
	bool has_credentials;
	moment since;
	struct wanted wanted[BUGS];
	unsigned wanted_count;
	unsigned at_once; /* so many questions are under way, the newest is answered first */
	size_t piece; /* bytes of an answer that come at once */
};

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/* ---- reading ---- */

/* The text up to the next WORD, NUL-ended; its size in *N. */
static char *take(struct input *input, const char *word, size_t *n)
{
	char *text = input->at, *end = memmem(text, input->left, word, strlen(word));
	*n = end != NULL ? (size_t)(end - text) : input->left;
	size_t used = end != NULL ? *n + strlen(word) : input->left;
	text[*n] = '\0';
	input->at += used;
	input->left -= used;
	return text;
}

/* Only one that could be stored. */
static void read_base(struct script *script, const char *text)
{
	struct url *url = url_parse(script, text);
	if (url != NULL && strcmp(url_base(script, url, strlen(url->path)), text) == 0)
		script->base_url = text;
}

/* "ID [known [NUMBER TIME]]" */
static void read_bug(struct script *script, char *text)
{
	const char *id = strsep(&text, " ");
	if (script->wanted_count == BUGS || !script->tracker->valid_id(id))
		return;
	struct wanted *wanted = &script->wanted[script->wanted_count++];
	*wanted = (struct wanted){.remote_id = id, .newest_comment = -1};
	wanted->known = text != NULL && strcmp(strsep(&text, " "), "known") == 0;
	if (text == NULL || *text < '0' || *text > '9')
		return;
	wanted->newest_comment = atoi(strsep(&text, " "));
	if (text != NULL)
		moment_parse(text, &wanted->newest_posted_at);
}

static void read_memory(struct script *script, const char *text)
{
	script->server->memory = text;
	script->recalls = true;
}

static enum errand errand_of(const char *word)
{
	static const char *const words[] = {"probe", "check", "changes", "comments"};
	for (int i = 0; i < 4; i++)
		if (strcmp(words[i], word) == 0)
			return (enum errand)i;
	return ERRAND_CHECK;
}

static void read_login(struct script *script, const char *word, char *text)
{
	script->has_credentials = true;
	if (strcmp(word, "key") == 0) {
		script->credentials.api_key = text;
	} else if (strcmp(word, "cookie") == 0) {
		script->credentials.session->cookie =
			talloc_strdup(script->credentials.session, text);
	} else {
		script->credentials.username = strsep(&text, " ");
		script->credentials.password = text != NULL ? text : "";
	}
}

static size_t number_of(const char *text, size_t most)
{
	size_t number = strtoul(text, NULL, 10);
	return number == 0 ? 1 : number > most ? most : number;
}

static void read_line(struct script *script, const char *word, char *text)
{
	if (strcmp(word, "errand") == 0)
		script->errand = errand_of(text);
	else if (strcmp(word, "base") == 0)
		read_base(script, text);
	else if (strcmp(word, "since") == 0)
		moment_parse(text, &script->since);
	else if (strcmp(word, "door") == 0 && strchr(text, ' ') == NULL)
		script->server->door = text;
	else if (strcmp(word, "memory") == 0)
		read_memory(script, text);
	else if (strcmp(word, "version") == 0)
		script->server->version = text;
	else if (strcmp(word, "mirror") == 0)
		script->has_mirror = true;
	else if (strcmp(word, "bug") == 0)
		read_bug(script, text);
	else if (strcmp(word, "user") == 0 || strcmp(word, "key") == 0 ||
		strcmp(word, "cookie") == 0)
		read_login(script, word, text);
	else if (strcmp(word, "at-once") == 0)
		script->at_once = (unsigned)number_of(text, AT_ONCE);
	else if (strcmp(word, "piece") == 0)
		script->piece = number_of(text, 65536);
}

static bool is_plain(const char *text)
{
	while (*text >= ' ' && *text <= '~')
		text++;
	return *text == '\0';
}

/* What is remembered and configured was checked before; other lines are none. */
static struct script *read_script(const void *owner, struct input *input)
{
	struct script *script = talloc_zero(owner, struct script);
	script->tracker = tracker_by_name(DRIVER);
	size_t n;
	char *lines = take(input, "\n%%\n", &n);
	script->server = server_new(script);
	script->credentials.session = talloc_zero(script, struct session);
	script->base_url = "https://bugs.example.org/";
	script->at_once = 1;
	script->piece = 65536;
	for (char *line; (line = strsep(&lines, "\n")) != NULL;) {
		if (!is_plain(line))
			continue;
		char *word = strsep(&line, " ");
		read_line(script, word, line != NULL ? line : word + strlen(word));
	}
	return script;
}

/* ---- questions ---- */

/* A driver asks its own tracker's host, or the one beside it that has its API; nobody else. */
static void inspect_origin(const struct conversation *conversation, const struct exchange *exchange)
{
	struct url *asked = url_parse(exchange, exchange->url);
	struct url *base = url_parse(exchange, conversation->base_url);
	if (asked == NULL) /* longer than what url_parse takes, or none: see below */
		return;
	const char *host = base->host + (strncmp(base->host, "www.", 4) == 0 ? 4 : 0);
	require(strcmp(asked->scheme, base->scheme) == 0 && asked->port == base->port &&
			(strcmp(asked->host, base->host) == 0 ||
				strcmp(asked->host, talloc_asprintf(base, "api.%s", host)) == 0),
		"a stranger is asked");
}

/* Nothing breaks out of an address or a header, unless an input's own memory brought it. */
static void inspect_question(const struct conversation *conversation,
	const struct exchange *exchange, const struct script *script)
{
	if (exchange->sql != NULL)
		return;
	inspect_origin(conversation, exchange);
	for (const char *at = exchange->url; *at != '\0' && !script->recalls; at++)
		require((unsigned char)*at > ' ' && *at != 0x7f, "an address is none");
	for (int i = 0; i < EXCHANGE_HEADERS && exchange->headers[i] != NULL; i++)
		require(script->recalls || strpbrk(exchange->headers[i], "\r\n") == NULL,
			"a line too many in a header");
}

/* ---- answers ---- */

static void fail(struct conversation *conversation, struct exchange *exchange, enum err_kind kind)
{
	struct err failure = {.kind = kind, .text = "the connection is gone"};
	exchange_end(conversation, exchange, &failure);
}

static char *plain_type(char *type)
{
	type[strcspn(type, "; ")] = '\0';
	for (char *at = type; *at != '\0'; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at += 'a' - 'A';
	return type;
}

/* Hears the lines of HEAD after the first. */
static void feed_head(struct conversation *conversation, struct exchange *exchange, char *head)
{
	const char *status = strchr(strsep(&head, "\n"), ' ');
	char *type = NULL;
	moment date = 0;
	for (char *line; (line = strsep(&head, "\n")) != NULL;) {
		char *name = strsep(&line, ":");
		if (line == NULL)
			continue;
		line[strcspn(line, "\r")] = '\0';
		line += strspn(line, " ");
		if (exchange->hear_headers)
			exchange_hear_header(exchange, name, line);
		if (strcasecmp(name, "Content-Type") == 0)
			type = plain_type(line);
		else if (strcasecmp(name, "Date") == 0)
			moment_parse_http(line, &date);
	}
	exchange_head(conversation, exchange, status != NULL ? atoi(status) : 200, type, date);
}

static void feed(struct conversation *conversation, struct exchange *exchange, struct input *input,
	size_t piece)
{
	struct input answer = {.at = NULL};
	size_t n;
	if (input->left == 0 || (exchange->sql != NULL && !conversation->has_mirror)) {
		fail(conversation, exchange,
			input->left == 0 ? ERR_CONNECTION : ERR_UNSUPPORTED_TRACKER);
		return;
	}
	answer.at = take(input, "\n%%\n", &answer.left);
	char *head = take(&answer, "\n\n", &n);
	if (head[0] == '!') {
		enum err_kind kind = err_of_word(head + 1);
		fail(conversation, exchange, kind != ERR_NONE ? kind : ERR_TIMEOUT);
		return;
	}
	feed_head(conversation, exchange, head);
	for (; answer.left > 0; answer.at += n, answer.left -= n) {
		n = answer.left < piece ? answer.left : piece;
		exchange_data(conversation, exchange, answer.at, n);
	}
	exchange_end(conversation, exchange, NULL);
}

/* ---- errands ---- */

static struct conversation *begin(const struct script *script)
{
	const struct tracker *tracker = script->tracker;
	const struct credentials *login = script->has_credentials ? &script->credentials : NULL;
	struct conversation *conversation;
	if (script->errand == ERRAND_CHANGES)
		conversation =
			conversation_new_changes(script, tracker, script->base_url, script->server,
				login, script->wanted, script->wanted_count, script->since, now);
	else if (script->errand == ERRAND_PROBE)
		conversation = conversation_new(script, tracker, script->errand, script->base_url,
			NULL, login, NULL, 0, now);
	else
		conversation = conversation_new(script, tracker, script->errand, script->base_url,
			script->server, login, script->wanted, script->wanted_count, now);
	conversation->has_mirror = script->has_mirror;
	return conversation;
}

static void talk(
	struct conversation *conversation, struct input *input, const struct script *script)
{
	struct exchange *under_way[AT_ONCE], *next;
	unsigned count = 0;
	for (int in_vain = 0; !conversation_over(conversation);) {
		while (count < script->at_once &&
			(next = conversation_next(conversation)) != NULL) {
			inspect_question(conversation, next, script);
			under_way[count++] = next;
		}
		require(count > 0, "nothing is asked, but it is not over");
		in_vain += input->left == 0;
		require(in_vain < IN_VAIN, "asks without an end");
		feed(conversation, under_way[--count], input, script->piece);
	}
	const char *wrong = unsound(conversation);
	require(wrong == NULL, wrong);
}

/* The errand; a probe is followed by all that the server was found to be able to. */
static void play(struct script *script, struct input *input)
{
	static const enum errand errands[] = {ERRAND_CHECK, ERRAND_COMMENTS, ERRAND_CHANGES};
	static const unsigned abilities[] = {0, ABILITY_COMMENTS, ABILITY_CHANGES};
	struct conversation *conversation = begin(script);
	bool probed = script->errand == ERRAND_PROBE;
	talk(conversation, input, script);
	if (!probed || conversation->err.kind != ERR_NONE || script->wanted_count == 0)
		return;
	script->server = conversation->server;
	script->recalls = false;
	for (int i = 0; i < 3; i++) {
		script->errand = errands[i];
		if (i == 0 || (script->server->abilities & abilities[i]) != 0)
			talk(begin(script), input, script);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	void *owner = talloc_new(NULL);
	struct input input = {talloc_size(owner, n + 1), n};
	memcpy(input.at, bytes, n);
	play(read_script(owner, &input), &input);
	talloc_free(owner);
	return 0;
}
