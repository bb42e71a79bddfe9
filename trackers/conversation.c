#include "trackers/conversation.h"

#include "trackers/json.h"
#include "trackers/text.h"
#include "trackers/tracker.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <talloc.h>

/* Of the answer's headers so many are kept; the head as a whole is bounded by the engine. */
enum { HEADERS_KEPT = 100 };

/* Bytes for what a conversation usually keeps, taken at once: its parts are many, small, and freed with it. */
enum { POOL_LEAST = 4096, POOL_OF_ONE = 1200 };

struct header {
	const char *name, *value;
};

struct exchange_state {
	struct exchange *exchange;
	struct json_reader *json; /* FORMAT_JSON */
	struct xml_reader *xml; /* FORMAT_XML */
	char *bytes; /* what came; of what is parsed only its beginning */
	size_t room;
	struct header *headers; /* of the answer, in their order */
	unsigned header_count;
	bool heard_whole; /* the transport brought the answer to its end */
	TAILQ_ENTRY(exchange_state) link;
};

TAILQ_HEAD(exchange_queue, exchange_state);

struct conversation_state {
	struct exchange_queue queued;
	unsigned under_way;
	bool *observed;
	struct observation spare; /* takes the second word on a bug, and is not read */
};

static struct server *copy_server(const void *owner, const struct server *server)
{
	struct server *copy = server_new(owner);
	if (server == NULL)
		return copy;
	*copy = *server;
	copy->version = talloc_strdup(copy, server->version);
	copy->door = talloc_strdup(copy, server->door);
	copy->memory = talloc_strdup(copy, server->memory);
	return copy;
}

static struct conversation *prepare(const void *owner, const struct tracker *tracker,
	enum errand errand, const char *base_url, const struct server *server,
	const struct credentials *credentials, const struct wanted *wanted, unsigned wanted_count,
	moment now)
{
	size_t room = POOL_LEAST + (size_t)wanted_count * POOL_OF_ONE;
	struct conversation *conversation =
		talloc_pooled_object(owner, struct conversation, 0, room);
	*conversation = (struct conversation){0};
	conversation->errand = errand;
	conversation->tracker = tracker;
	conversation->base_url = base_url;
	conversation->server = copy_server(conversation, server);
	conversation->credentials = credentials;
	conversation->now = now;
	conversation->wanted = wanted;
	conversation->wanted_count = wanted_count;
	conversation->observations =
		talloc_zero_array(conversation, struct observation, wanted_count);
	conversation->state = talloc_zero(conversation, struct conversation_state);
	conversation->state->observed = talloc_zero_array(conversation->state, bool, wanted_count);
	TAILQ_INIT(&conversation->state->queued);
	return conversation;
}

struct conversation *conversation_new(const void *owner, const struct tracker *tracker,
	enum errand errand, const char *base_url, const struct server *server,
	const struct credentials *credentials, const struct wanted *wanted, unsigned wanted_count,
	moment now)
{
	struct conversation *conversation = prepare(
		owner, tracker, errand, base_url, server, credentials, wanted, wanted_count, now);
	tracker->begin(conversation);
	return conversation;
}

struct conversation *conversation_new_changes(const void *owner, const struct tracker *tracker,
	const char *base_url, const struct server *server, const struct credentials *credentials,
	const struct wanted *wanted, unsigned wanted_count, moment since, moment now)
{
	struct conversation *conversation = prepare(owner, tracker, ERRAND_CHANGES, base_url,
		server, credentials, wanted, wanted_count, now);
	conversation->since = since;
	tracker->begin(conversation);
	return conversation;
}

/* ---- for the engine ---- */

static void begin_reading(struct exchange *exchange)
{
	if (exchange->format == FORMAT_JSON)
		exchange->state->json = json_reader_new_lenient(exchange->state);
	else if (exchange->format == FORMAT_XML)
		exchange->state->xml = xml_reader_new(exchange->state);
	exchange->state->bytes = talloc_zero(exchange->state, char);
	exchange->state->room = 1;
	exchange->text = exchange->state->bytes;
}

struct exchange *conversation_next(struct conversation *conversation)
{
	struct exchange_state *next = TAILQ_FIRST(&conversation->state->queued);
	if (next == NULL)
		return NULL;
	TAILQ_REMOVE(&conversation->state->queued, next, link);
	conversation->state->under_way++;
	begin_reading(next->exchange);
	return next->exchange;
}

bool conversation_over(const struct conversation *conversation)
{
	const struct conversation_state *state = conversation->state;
	return conversation->err.kind != ERR_NONE ||
		(TAILQ_EMPTY(&state->queued) && state->under_way == 0);
}

void exchange_hear_header(struct exchange *exchange, const char *name, const char *value)
{
	struct exchange_state *state = exchange->state;
	if (state->header_count == HEADERS_KEPT)
		return;
	state->headers =
		talloc_realloc(state, state->headers, struct header, state->header_count + 1);
	state->headers[state->header_count++] = (struct header){
		talloc_strdup(state, name),
		talloc_strdup(state, value),
	};
}

void exchange_head(struct conversation *conversation, struct exchange *exchange, int status,
	const char *content_type, moment date)
{
	exchange->status = status;
	exchange->date = date;
	if (content_type != NULL)
		exchange->content_type = talloc_strdup(exchange, content_type);
}

static void keep(struct exchange *exchange, const char *bytes, size_t n)
{
	struct exchange_state *state = exchange->state;
	if (exchange->format != FORMAT_TEXT && n > EXCHANGE_PEEK - exchange->text_size)
		n = EXCHANGE_PEEK - exchange->text_size;
	if (exchange->text_size + n + 1 > state->room) {
		state->room = 2 * (exchange->text_size + n + 1);
		state->bytes = talloc_realloc(state, state->bytes, char, state->room);
		exchange->text = state->bytes;
	}
	memcpy(state->bytes + exchange->text_size, bytes, n);
	exchange->text_size += n;
	state->bytes[exchange->text_size] = '\0';
}

void exchange_data(
	struct conversation *conversation, struct exchange *exchange, const char *bytes, size_t n)
{
	keep(exchange, bytes, n);
	if (exchange->format == FORMAT_JSON)
		json_reader_feed(exchange->state->json, bytes, n);
	else if (exchange->format == FORMAT_XML)
		xml_reader_feed(exchange->state->xml, bytes, n);
}

void exchange_end(
	struct conversation *conversation, struct exchange *exchange, const struct err *failure)
{
	assert(conversation->state->under_way > 0);
	conversation->state->under_way--;
	exchange->state->heard_whole = failure == NULL;
	if (failure != NULL)
		exchange->failure = *failure;
	else if (exchange->format == FORMAT_JSON)
		exchange->json = json_reader_end(exchange->state->json, &exchange->failure);
	else if (exchange->format == FORMAT_XML)
		exchange->xml = xml_reader_end(exchange->state->xml, &exchange->failure);
	if (conversation->err.kind == ERR_NONE)
		conversation->tracker->hear(conversation, exchange);
	talloc_free(exchange);
}

/* ---- for drivers ---- */

struct exchange *conversation_ask(struct conversation *conversation, int purpose, char *url)
{
	struct exchange *exchange = talloc_zero(conversation, struct exchange);
	exchange->purpose = purpose;
	exchange->method = "GET";
	exchange->url = talloc_steal(exchange, url);
	exchange->content_type = "";
	exchange->state = talloc_zero(exchange, struct exchange_state);
	exchange->state->exchange = exchange;
	TAILQ_INSERT_TAIL(&conversation->state->queued, exchange->state, link);
	return exchange;
}

struct observation *conversation_observe(struct conversation *conversation, unsigned wanted)
{
	assert(wanted < conversation->wanted_count);
	if (conversation->state->observed[wanted])
		return &conversation->state->spare;
	conversation->state->observed[wanted] = true;
	struct observation *observation =
		&conversation->observations[conversation->observation_count++];
	observation->wanted = wanted;
	return observation;
}

void conversation_observe_error(struct conversation *conversation, unsigned wanted,
	enum err_kind kind, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = talloc_vasprintf(NULL, format, args);
	va_end(args);
	struct observation *observation = conversation_observe(conversation, wanted);
	err_set(&observation->err, kind, "%s", text);
	talloc_free(text);
}

/* ITEMS with room for one more of SIZE bytes; the room doubles. */
static void *grow(struct conversation *conversation, void *items, unsigned count, size_t size)
{
	if (count > 0 && (count & (count - 1)) != 0)
		return items;
	size_t room = count > 0 ? 2 * (size_t)count : 1;
	return talloc_realloc_size(conversation, items, room * size);
}

bool conversation_stores_private(const struct conversation *conversation)
{
	return conversation->credentials != NULL && conversation->credentials->store_private;
}

struct comment *conversation_comment(
	struct conversation *conversation, unsigned wanted, int64_t number)
{
	assert(wanted < conversation->wanted_count);
	conversation->comments = grow(conversation, conversation->comments,
		conversation->comment_count, sizeof(struct comment));
	struct comment *comment = &conversation->comments[conversation->comment_count++];
	*comment = (struct comment){.wanted = wanted, .number = number};
	return comment;
}

void conversation_change(struct conversation *conversation, const char *remote_id, moment at)
{
	conversation->changes = grow(conversation, conversation->changes,
		conversation->change_count, sizeof(struct change));
	conversation->changes[conversation->change_count++] =
		(struct change){talloc_strdup(conversation, remote_id), at};
}

bool conversation_observed(const struct conversation *conversation, unsigned wanted)
{
	return conversation->state->observed[wanted];
}

void conversation_fail(
	struct conversation *conversation, enum err_kind kind, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = talloc_vasprintf(NULL, format, args);
	va_end(args);
	err_set(&conversation->err, kind, "%s", text);
	talloc_free(text);
	struct exchange_state *queued;
	while ((queued = TAILQ_FIRST(&conversation->state->queued)) != NULL) {
		TAILQ_REMOVE(&conversation->state->queued, queued, link);
		talloc_free(queued->exchange);
	}
}

/* ---- judging answers ---- */

const char *exchange_header(const struct exchange *exchange, const char *name, unsigned index)
{
	const struct exchange_state *state = exchange->state;
	for (unsigned i = 0; i < state->header_count; i++)
		if (strcasecmp(state->headers[i].name, name) == 0 && index-- == 0)
			return state->headers[i].value;
	return NULL;
}

/* URLs are shown without their query, which may hold a key. */
static int shown(const struct exchange *exchange)
{
	return (int)strcspn(exchange->url, "?");
}

static void judge_status(const struct exchange *exchange, struct err *why)
{
	int status = exchange->status;
	if (status == 429)
		err_set(why, ERR_RATE_LIMITED,
			"%.*s: asked too often (HTTP 429); it is left alone for a while",
			shown(exchange), exchange->url);
	else if (status == 401 || status == 403)
		err_set(why, ERR_AUTH,
			"%.*s: HTTP %d, a login with more rights is wanted; check the credentials",
			shown(exchange), exchange->url, status);
	else if (status != 200)
		err_set(why, ERR_HTTP, "%.*s: HTTP %d in place of 200", shown(exchange),
			exchange->url, status);
}

/* Whether the answer is a page for people. XML is markup itself: there it must look like HTML. */
static bool is_page(const struct exchange *exchange)
{
	if (exchange->format == FORMAT_XML && exchange->xml != NULL)
		return strcasecmp(exchange->xml->name, "html") == 0;
	if (!text_is_markup(exchange->text, exchange->text_size))
		return false;
	return exchange->format != FORMAT_XML || strncmp(exchange->text, "<?xml", 5) != 0 ||
		strcasestr(exchange->text, "<html") != NULL;
}

static void judge_body(const struct exchange *exchange, struct err *why)
{
	static const char *const due[] = {[FORMAT_JSON] = "JSON", [FORMAT_XML] = "XML"};
	bool page = is_page(exchange);
	if (page && text_is_login_page(exchange->text, exchange->text_size))
		err_set(why, ERR_AUTH, "%.*s: a login page in place of an answer; set credentials",
			shown(exchange), exchange->url);
	else if (exchange->format == FORMAT_TEXT || exchange->json != NULL)
		return;
	else if (page)
		err_set(why, ERR_UNPARSABLE_TRACKER,
			"%.*s: markup where %s is due; is this the right address?", shown(exchange),
			exchange->url, due[exchange->format]);
	else if (exchange->xml == NULL)
		err_set(why, ERR_UNPARSABLE_TRACKER, "%.*s: %s", shown(exchange), exchange->url,
			exchange->failure.text);
}

bool exchange_good(const struct exchange *exchange, struct err *why)
{
	struct err wrong = {0};
	if (!exchange->state->heard_whole)
		wrong = exchange->failure;
	else
		judge_status(exchange, &wrong);
	if (wrong.kind == ERR_NONE)
		judge_body(exchange, &wrong);
	if (wrong.kind != ERR_NONE)
		err_set(why, wrong.kind, "%s", wrong.text);
	return wrong.kind == ERR_NONE;
}
