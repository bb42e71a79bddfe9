/*
 * Answers from strangers, to every driver. The first bytes choose the driver, the errand, the
 * remembered door and the size of the pieces fed; then each answer is a byte for its HTTP status,
 * one for its content type, and a text up to the next NUL; a status from MORE on has headers, too. When
 * the bytes are used up, the connection fails.
 */
#include "tests/fuzz/one.h"
#include "trackers/tracker.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { MORE = 132 }; /* a multiple of the number of statuses */
enum { MANY = 200 }; /* more questions than any errand about this few bugs may ask */

static const struct wanted wanted[] = {{.remote_id = "1", .known = true},
	{.remote_id = "2", .known = true}, {.remote_id = "3"},
	{.remote_id = "17",
		.known = true,
		.newest_comment = 3,
		.newest_posted_at = 1700000000 * MOMENT_SECOND}};
enum { WANTED = sizeof(wanted) / sizeof(wanted[0]) };

struct input {
	const uint8_t *bytes;
	size_t left;
};

static uint8_t take(struct input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->bytes++;
}

static void feed_headers(struct exchange *exchange)
{
	exchange_hear_header(exchange, "Link",
		"<http://tracker.example.org/api/v3/repositories/1/issues?page=2>; rel=\"next\"");
	exchange_hear_header(exchange, "ETag", "W/\"0a1b\"");
	exchange_hear_header(exchange, "X-RateLimit-Remaining", "0");
	exchange_hear_header(exchange, "X-RateLimit-Reset", "1800001800");
}

static void feed(struct conversation *conversation, struct exchange *exchange, struct input *input,
	size_t piece)
{
	static const int statuses[] = {200, 200, 200, 200, 200, 400, 401, 403, 404, 429, 500, 0};
	static const char *const types[] = {
		"application/json", "text/html", "text/xml", "text/csv", "text/plain", NULL};
	uint8_t choice = take(input);
	int status = statuses[choice % (sizeof(statuses) / sizeof(statuses[0]))];
	const char *type = types[take(input) % (sizeof(types) / sizeof(types[0]))];
	const char *text = (const char *)input->bytes;
	size_t n = strnlen(text, input->left);
	input->bytes += n;
	input->left -= n;
	take(input);
	if (choice >= MORE && exchange->hear_headers)
		feed_headers(exchange);
	exchange_head(conversation, exchange, status, type, 1800000000 * MOMENT_SECOND);
	for (size_t at = 0; at < n; at += piece)
		exchange_data(conversation, exchange, text + at, n - at < piece ? n - at : piece);
	exchange_end(conversation, exchange, NULL);
}

/* What reaches the database and the terminal has no control characters. */
static void require_clean(const char *text)
{
	for (; text != NULL && *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			abort();
}

static void inspect_texts(const struct observation *observation)
{
	require_clean(observation->err.text);
	require_clean(observation->title);
	require_clean(observation->product);
	require_clean(observation->status);
	require_clean(observation->resolution);
	require_clean(observation->severity);
	require_clean(observation->priority);
	require_clean(observation->tags);
}

static void inspect_comments(const struct conversation *conversation)
{
	for (unsigned i = 0; i < conversation->comment_count; i++) {
		const struct comment *comment = &conversation->comments[i];
		if (comment->wanted >= conversation->wanted_count ||
			strlen(comment->text) > COMMENT_LIMIT)
			abort();
		require_clean(comment->author);
	}
}

/* One word on a bug at most, and none of a bug that was not asked for. */
static void inspect(const struct conversation *conversation)
{
	bool seen[WANTED] = {false};
	for (unsigned i = 0; i < conversation->observation_count; i++) {
		unsigned bug = conversation->observations[i].wanted;
		if (bug >= conversation->wanted_count || seen[bug])
			abort();
		seen[bug] = true;
		inspect_texts(&conversation->observations[i]);
	}
	inspect_comments(conversation);
	require_clean(conversation->err.text);
	if (!conversation_over(conversation))
		abort();
}

static void talk(struct conversation *conversation, struct input *input, size_t piece)
{
	static const struct err gone = {.kind = ERR_CONNECTION, .text = "the connection is gone"};
	struct exchange *exchange;
	for (int asked = 0; (exchange = conversation_next(conversation)) != NULL; asked++) {
		if (asked == MANY)
			abort();
		if (input->left > 0)
			feed(conversation, exchange, input, piece);
		else
			exchange_end(conversation, exchange, &gone);
	}
	inspect(conversation);
}

static struct conversation *begin(
	const struct tracker *tracker, enum errand errand, const struct server *server)
{
	static const char base[] = "http://tracker.example.org/tracker/one/";
	static const moment now = 1800000000 * MOMENT_SECOND;
	if (errand == ERRAND_PROBE)
		return conversation_new(server, tracker, errand, base, NULL, NULL, NULL, 0, now);
	if (errand == ERRAND_CHANGES)
		return conversation_new_changes(
			server, tracker, base, server, NULL, wanted, WANTED, now - MOMENT_DAY, now);
	return conversation_new(server, tracker, errand, base, server, NULL, wanted, WANTED, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const char *const doors[] = {NULL, "rest/", "rest.cgi/", "rpc", "query",
		"cgi/soap.cgi", "xmlrpc", "export_csv_id"};
	static const enum errand errands[] = {
		ERRAND_PROBE, ERRAND_CHECK, ERRAND_COMMENTS, ERRAND_CHANGES};
	struct input input = {bytes, n};
	unsigned drivers = 0;
	while (trackers[drivers] != NULL)
		drivers++;
	const struct tracker *tracker = trackers[take(&input) % drivers];
	enum errand errand = errands[take(&input) % 4];
	struct server *server = server_new(NULL);
	server->door = doors[take(&input) % (sizeof(doors) / sizeof(doors[0]))];
	if (server->door != NULL && strcmp(server->door, "xmlrpc") == 0)
		server->memory = "xml";
	struct conversation *conversation = begin(tracker, errand, server);
	talk(conversation, &input, 1 + take(&input) * 16u);
	talloc_free(server);
	return 0;
}
