/*
 * The drivers against recorded exchanges: every folder tests/data/KIND/NAME with a file `case`.
 * The format stands in tests/data/README.md.
 */
#include "told.h"
#include "trackers/tracker.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

enum { BUGS = 300, ASKS = 40, HEADERS = 6, CUTS = 200 };

struct reply {
	enum err_kind failure; /* of the transport; then the rest is empty */
	int status;
	const char *content_type;
	const char *headers; /* as recorded */
	moment date;
	const char *body;
	size_t size;
};

struct question {
	const char *method, *url, *body, *headers[HEADERS];
	unsigned header_count;
	bool basic_login, stay;
	struct reply reply;
};

struct script {
	const char *folder;
	const struct tracker *tracker;
	enum errand errand;
	const char *base_url;
	struct server *server;
	struct credentials credentials;
	bool has_credentials;
	const char *cookie; /* of an earlier sign-in, NULL for none */
	moment now, since;
	struct wanted wanted[BUGS];
	unsigned wanted_count;
	struct question questions[ASKS];
	unsigned question_count;
	const char *expected;
};

/* How the answers are fed. */
struct feeding {
	size_t piece; /* bytes at once; 0 for all */
	int cut_reply; /* which answer is cut short, -1 for none */
	size_t cut_at; /* after how many bytes */
	bool cut_seen; /* whether the transport notices */
};

static const struct feeding whole = {.cut_reply = -1};
static const struct feeding bytewise = {.cut_reply = -1, .piece = 1};

/* ---- reading a case ---- */

/* All of FILE, NUL-ended; the caller closes it. */
static char *read_all(const void *owner, FILE *file, size_t *size)
{
	char *bytes = talloc_strdup(owner, "");
	size_t n = 0, got;
	char piece[4096];
	while ((got = fread(piece, 1, sizeof(piece), file)) > 0) {
		bytes = talloc_realloc(owner, bytes, char, n + got + 1);
		memcpy(bytes + n, piece, got);
		bytes[n += got] = '\0';
	}
	if (size != NULL)
		*size = n;
	return bytes;
}

static char *read_file(const void *owner, const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		return NULL;
	char *bytes = read_all(owner, file, size);
	fclose(file);
	return bytes;
}

/* The engine's HTTP client undoes compression before a driver hears; here it is done by hand. */
static char *gunzip(const void *owner, const char *path, size_t *size)
{
	FILE *pipe = popen(talloc_asprintf(owner, "gzip -dc < '%s'", path), "r");
	assert_non_null(pipe);
	char *bytes = read_all(owner, pipe, size);
	assert_int_equal(pclose(pipe), 0);
	return bytes;
}

static const char *header_value(const void *owner, const char *headers, const char *name)
{
	const char *found = strcasestr(headers, talloc_asprintf(owner, "\n%s:", name));
	if (found == NULL)
		return NULL;
	found += strlen(name) + 2;
	found += strspn(found, " ");
	return talloc_strndup(owner, found, strcspn(found, "\r\n"));
}

static void parse_headers(const void *owner, struct reply *reply, const char *headers)
{
	assert_int_equal(sscanf(headers, "HTTP/%*s %d", &reply->status), 1);
	reply->headers = headers;
	const char *said = header_value(owner, headers, "Content-Type");
	char *type = said == NULL ? NULL : talloc_strndup(owner, said, strcspn(said, "; "));
	for (char *at = type; at != NULL && *at != '\0'; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at += 'a' - 'A';
	reply->content_type = type;
	const char *date = header_value(owner, headers, "Date");
	if (date != NULL)
		assert_true(moment_parse_http(date, &reply->date));
}

/* `!KIND` fails in the transport, `@NAME` is one of the shared recordings, NAME is in the folder. */
static void read_reply(struct script *script, struct reply *reply, const char *name)
{
	if (name[0] == '!') {
		reply->failure = err_of_word(name + 1);
		assert_int_not_equal(reply->failure, ERR_NONE);
		return;
	}
	char *stem = name[0] == '@' ? talloc_asprintf(script, "../shared/fixtures/%s/%s",
					      script->tracker->name, name + 1)
				    : talloc_asprintf(script, "%s/%s", script->folder, name);
	const char *path = talloc_asprintf(script, "%s.body", stem);
	char *headers = read_file(script, talloc_asprintf(script, "%s.headers", stem), NULL);
	reply->body = read_file(script, path, &reply->size);
	if (name[0] == '@' && (headers == NULL || reply->body == NULL))
		skip();
	if (headers == NULL || reply->body == NULL)
		fail_msg("%s: no reply %s", script->folder, stem);
	parse_headers(script, reply, headers);
	const char *coding = header_value(script, headers, "Content-Encoding");
	if (coding != NULL && strcmp(coding, "gzip") == 0)
		reply->body = gunzip(script, path, &reply->size);
}

static struct question *last_question(struct script *script)
{
	assert_true(script->question_count > 0);
	return &script->questions[script->question_count - 1];
}

/* "REPLY METHOD URL", the URL relative to the base URL where it is not whole. */
static void read_question(struct script *script, char *text)
{
	assert_true(script->question_count < ASKS);
	char *rest, *reply = strtok_r(text, " ", &rest), *method = strtok_r(NULL, " ", &rest);
	struct question *question = &script->questions[script->question_count++];
	question->method = method;
	bool is_whole = strstr(rest, "://") != NULL;
	question->url = talloc_asprintf(script, "%s%s", is_whole ? "" : script->base_url, rest);
	read_reply(script, &question->reply, reply);
}

/* "ID [known [NUMBER TIME]]": the newest comment that is stored */
static void read_bug(struct script *script, char *text)
{
	assert_true(script->wanted_count < BUGS);
	struct wanted *wanted = &script->wanted[script->wanted_count++];
	char *rest;
	*wanted = (struct wanted){.remote_id = strtok_r(text, " ", &rest), .newest_comment = -1};
	const char *known = strtok_r(NULL, " ", &rest), *number = strtok_r(NULL, " ", &rest);
	wanted->known = known != NULL && strcmp(known, "known") == 0;
	if (number == NULL)
		return;
	wanted->newest_comment = strtoll(number, NULL, 10);
	assert_true(moment_parse(rest, &wanted->newest_posted_at));
}

static void read_login(struct script *script, const char *word, char *text)
{
	char *rest;
	script->has_credentials = true;
	if (strcmp(word, "key") == 0) {
		script->credentials.api_key = text;
		return;
	}
	script->credentials.username = strtok_r(text, " ", &rest);
	script->credentials.password = rest;
}

static enum errand errand_of(const char *word)
{
	static const char *const words[] = {"probe", "check", "changes", "comments"};
	for (int i = 0; i < 4; i++)
		if (strcmp(words[i], word) == 0)
			return (enum errand)i;
	fail_msg("no errand %s", word);
	return ERRAND_PROBE;
}

static void read_line(struct script *script, const char *word, char *text)
{
	if (strcmp(word, "errand") == 0)
		script->errand = errand_of(text);
	else if (strcmp(word, "base") == 0)
		script->base_url = text;
	else if (strcmp(word, "now") == 0)
		assert_true(moment_parse(text, &script->now));
	else if (strcmp(word, "since") == 0)
		assert_true(moment_parse(text, &script->since));
	else if (strcmp(word, "door") == 0)
		script->server->door = text;
	else if (strcmp(word, "memory") == 0)
		script->server->memory = text;
	else if (strcmp(word, "version") == 0)
		script->server->version = text;
	else if (strcmp(word, "bug") == 0)
		read_bug(script, text);
	else if (strcmp(word, "user") == 0 || strcmp(word, "key") == 0)
		read_login(script, word, text);
	else if (strcmp(word, "ask") == 0)
		read_question(script, text);
	else if (strcmp(word, "header") == 0)
		last_question(script)->headers[last_question(script)->header_count++] = text;
	else if (strcmp(word, "body") == 0)
		last_question(script)->body = text;
	else if (strcmp(word, "basic") == 0)
		last_question(script)->basic_login = true;
	else if (strcmp(word, "stay") == 0)
		last_question(script)->stay = true;
	else if (strcmp(word, "cookie") == 0)
		script->cookie = text;
	else
		fail_msg("%s/case: no word %s", script->folder, word);
}

static struct script *read_script(const char *folder)
{
	struct script *script = talloc_zero(folder, struct script);
	script->folder = folder;
	char *rest, *copy = talloc_strdup(script, folder + strlen("tests/data/"));
	script->tracker = tracker_by_name(strtok_r(copy, "/", &rest));
	assert_non_null(script->tracker);
	script->server = server_new(script);
	char *text = read_file(script, talloc_asprintf(script, "%s/case", folder), NULL);
	script->expected = read_file(script, talloc_asprintf(script, "%s/expected", folder), NULL);
	assert_non_null(text);
	assert_non_null(script->expected);
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (line[0] == '#')
			continue;
		size_t n = strcspn(line, " ");
		bool bare = line[n] == '\0';
		line[n] = '\0';
		read_line(script, line, bare ? line + n : line + n + 1);
	}
	return script;
}

/* ---- playing a case ---- */

static bool has_header(const struct exchange *exchange, const char *header)
{
	for (int i = 0; i < EXCHANGE_HEADERS && exchange->headers[i] != NULL; i++)
		if (strcmp(exchange->headers[i], header) == 0)
			return true;
	return false;
}

static void compare_question(const struct exchange *exchange, const struct question *question)
{
	assert_string_equal(exchange->url, question->url);
	assert_string_equal(exchange->method, question->method);
	if (question->body != NULL)
		assert_string_equal(exchange->body, question->body);
	else
		assert_null(exchange->body);
	for (unsigned i = 0; i < question->header_count; i++)
		if (!has_header(exchange, question->headers[i]))
			fail_msg("%s: not sent: %s", exchange->url, question->headers[i]);
	assert_int_equal(exchange->basic_login, question->basic_login);
	assert_int_equal(exchange->stay, question->stay);
}

static void fail_transport(
	struct conversation *conversation, struct exchange *exchange, enum err_kind kind)
{
	struct err failure = {0};
	err_set(&failure, kind, "%s: the connection failed", exchange->url);
	exchange_end(conversation, exchange, &failure);
}

/* All headers of a recorded head, a line each. */
static void feed_headers(struct exchange *exchange, const struct reply *reply)
{
	char *rest, *copy = talloc_strdup(exchange, reply->headers);
	strtok_r(copy, "\r\n", &rest);
	for (char *line; (line = strtok_r(NULL, "\r\n", &rest)) != NULL;) {
		char *colon = strchr(line, ':');
		assert_non_null(colon);
		*colon = '\0';
		exchange_hear_header(exchange, line, colon + 1 + strspn(colon + 1, " "));
	}
}

static void feed(struct conversation *conversation, struct exchange *exchange,
	const struct reply *reply, const struct feeding *feeding, bool cut)
{
	if (reply->failure != ERR_NONE) {
		fail_transport(conversation, exchange, reply->failure);
		return;
	}
	size_t size = cut ? feeding->cut_at : reply->size;
	size_t piece = feeding->piece != 0 ? feeding->piece : size;
	if (exchange->hear_headers)
		feed_headers(exchange, reply);
	exchange_head(conversation, exchange, reply->status, reply->content_type, reply->date);
	for (size_t at = 0; at < size; at += piece)
		exchange_data(conversation, exchange, reply->body + at,
			size - at < piece ? size - at : piece);
	if (cut && feeding->cut_seen)
		fail_transport(conversation, exchange, ERR_CONNECTION);
	else
		exchange_end(conversation, exchange, NULL);
}

static struct conversation *begin(struct script *script)
{
	script->credentials.session = talloc_zero(script, struct session);
	script->credentials.session->cookie = script->cookie;
	const struct server *server = script->errand == ERRAND_PROBE ? NULL : script->server;
	const struct credentials *login = script->has_credentials ? &script->credentials : NULL;
	if (script->errand == ERRAND_CHANGES)
		return conversation_new_changes(script, script->tracker, script->base_url, server,
			login, script->wanted, script->wanted_count, script->since, script->now);
	return conversation_new(script, script->tracker, script->errand, script->base_url, server,
		login, script->wanted, script->wanted_count, script->now);
}

/*
 * Plays SCRIPT to its end. What is asked after an answer that was cut short is not in the script:
 * the connection is gone for it.
 */
static struct conversation *play(struct script *script, const struct feeding *feeding)
{
	struct conversation *conversation = begin(script);
	int asked = 0;
	struct exchange *exchange;
	while ((exchange = conversation_next(conversation)) != NULL) {
		bool cut = asked == feeding->cut_reply;
		if (feeding->cut_reply >= 0 && asked > feeding->cut_reply) {
			fail_transport(conversation, exchange, ERR_CONNECTION);
			continue;
		}
		if (asked >= (int)script->question_count)
			fail_msg("%s: not expected: %s", script->folder, exchange->url);
		const struct question *question = &script->questions[asked++];
		compare_question(exchange, question);
		unsigned before = conversation->observation_count;
		feed(conversation, exchange, &question->reply, feeding, cut);
		for (unsigned i = before; cut && i < conversation->observation_count; i++)
			assert_int_not_equal(conversation->observations[i].err.kind, ERR_NONE);
	}
	assert_true(conversation_over(conversation));
	if (feeding->cut_reply < 0 && asked != (int)script->question_count)
		fail_msg("%s: not asked: %s", script->folder, script->questions[asked].url);
	return conversation;
}

static bool is_type(const struct reply *reply, const char *type)
{
	return reply->content_type != NULL && strcmp(reply->content_type, type) == 0;
}

/*
 * Whether only the transport can notice that the answer is cut: CSV has no end of its own, and mail
 * neither; of a page that says "not found" the status is enough.
 */
static bool is_cut_unseen(const struct reply *reply, size_t at)
{
	if (is_type(reply, "text/csv"))
		return at > 0 && (reply->body[at - 1] == '\n' || reply->body[at] == '\n');
	return is_type(reply, "application/mbox") || is_type(reply, "message/rfc822") ||
		(is_type(reply, "text/html") && reply->status == 404);
}

/* The first and the last bytes of the answer and some between, up to its last that is not blank. */
static void play_cuts(struct script *script, int reply)
{
	const struct reply *full = &script->questions[reply].reply;
	size_t size = full->size;
	while (size > 0 && strchr(" \r\n\t", full->body[size - 1]) != NULL)
		size--;
	for (size_t at = 0; at < size; at += at < size - 1 && size > CUTS ? size / CUTS : 1)
		for (int seen = 0; seen < 2; seen++) {
			struct feeding feeding = {
				.cut_reply = reply, .cut_at = at, .cut_seen = seen == 1};
			if (seen == 0 && is_cut_unseen(full, at))
				continue;
			struct conversation *cut = play(script, &feeding);
			/* A bug's own failure may be all that even the whole answer tells. */
			if (cut->err.kind == ERR_NONE)
				assert_string_equal(
					told(script, cut, script->server), script->expected);
			told_nothing_new(script->expected, told(script, cut, script->server));
			talloc_free(cut);
		}
}

static void test_case(void **state)
{
	struct script *script = read_script(*state);
	assert_string_equal(told(script, play(script, &whole), script->server), script->expected);
	assert_string_equal(
		told(script, play(script, &bytewise), script->server), script->expected);
	for (unsigned i = 0; i < script->question_count; i++)
		if (script->questions[i].reply.failure == ERR_NONE)
			play_cuts(script, (int)i);
	talloc_free(script);
}

/* ---- scenarios ---- */

/* What is stored of bugs and of the server between the cases of a scenario. */
struct store {
	struct wanted bugs[BUGS];
	unsigned count;
	struct server *server;
};

static struct wanted *stored(struct store *store, const char *id)
{
	unsigned i = 0;
	while (i < store->count && strcmp(store->bugs[i].remote_id, id) != 0)
		i++;
	if (i == store->count)
		store->bugs[store->count++] = (struct wanted){
			.remote_id = talloc_strdup(store, id), .newest_comment = -1};
	return &store->bugs[i];
}

static void recall(struct store *store, struct script *script)
{
	for (unsigned i = 0; i < script->wanted_count; i++)
		script->wanted[i] = *stored(store, script->wanted[i].remote_id);
	if (store->server != NULL)
		script->server = store->server;
}

static void remember(struct store *store, const struct conversation *conversation)
{
	if (conversation->errand == ERRAND_PROBE)
		store->server = talloc_steal(store, conversation->server);
	for (unsigned i = 0; i < conversation->observation_count; i++) {
		const struct observation *seen = &conversation->observations[i];
		const char *id = conversation->wanted[seen->wanted].remote_id;
		stored(store, id)->known |= seen->err.kind == ERR_NONE;
	}
	for (unsigned i = 0; i < conversation->comment_count; i++) {
		const struct comment *comment = &conversation->comments[i];
		struct wanted *bug = stored(store, conversation->wanted[comment->wanted].remote_id);
		assert_true(comment->number > bug->newest_comment);
		bug->newest_comment = comment->number;
		bug->newest_posted_at = comment->posted_at;
	}
}

/* Plays the cases that the file `scenario` names, each with what those before it stored. */
static void test_scenario(void **state)
{
	const char *folder = *state;
	struct store *store = talloc_zero(folder, struct store);
	char *text = read_file(store, talloc_asprintf(store, "%s/scenario", folder), NULL), *rest;
	char *whole_story = talloc_strdup(store, "");
	for (char *step = strtok_r(text, "\n", &rest); step; step = strtok_r(NULL, "\n", &rest)) {
		char *kind = talloc_strdup(store, folder);
		*strrchr(kind, '/') = '\0';
		struct script *script = read_script(talloc_asprintf(store, "%s/%s", kind, step));
		recall(store, script);
		struct conversation *conversation = play(script, &whole);
		whole_story = talloc_asprintf_append(
			whole_story, "== %s\n%s", step, told(script, conversation, script->server));
		remember(store, conversation);
	}
	assert_string_equal(
		whole_story, read_file(store, talloc_asprintf(store, "%s/expected", folder), NULL));
	talloc_free(store);
}

/* Adds a test for each folder with a file called NAME; returns how many there are. */
static size_t add_tests(struct CMUnitTest **tests, const char *name, CMUnitTestFunction test)
{
	glob_t found;
	size_t before = talloc_array_length(*tests), count;
	char *pattern = talloc_asprintf(*tests, "tests/data/*/*/%s", name);
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	count = found.gl_pathc;
	*tests = talloc_realloc(NULL, *tests, struct CMUnitTest, before + count);
	for (size_t i = 0; i < count; i++) {
		char *folder = talloc_strdup(*tests, found.gl_pathv[i]);
		*strrchr(folder, '/') = '\0';
		(*tests)[before + i] = (struct CMUnitTest){
			.name = folder, .test_func = test, .initial_state = folder};
	}
	globfree(&found);
	return count;
}

int main(void)
{
	struct CMUnitTest *tests = talloc_array(NULL, struct CMUnitTest, 0);
	if (add_tests(&tests, "case", test_case) == 0 ||
		add_tests(&tests, "scenario", test_scenario) == 0) {
		fputs("tests/data holds no case; run from the source's root\n", stderr);
		return 1;
	}
	int failed =
		_cmocka_run_group_tests("recorded", tests, talloc_array_length(tests), NULL, NULL);
	talloc_free(tests);
	return failed;
}
