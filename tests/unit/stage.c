#include "stage.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include <event2/http_struct.h>

#include <cmocka.h>

static const double clock_s = 1800000000;
static const char host[] = "http://stage.example/";

const struct play honest = {.spoilt = -1};
bool stage_acting;

const struct subject subjects[] = {
	{&bugzilla_speech, NULL},
	{&bugzilla_rpc_speech, NULL},
	{&roundup_speech, NULL},
	{&roundup_python_speech, NULL},
	{&trac_speech, NULL},
	{&trac_speech, "ada:secret", .also = "with a login"},
	{&trac_xml_speech, NULL},
	{&trac_plain_speech, NULL},
	{&debbugs_speech, NULL},
	{&debbugs_speech, NULL, BAD_LOG, "without logs"},
	{&github_speech, NULL},
	{NULL, NULL},
};

/* ---- a question and its answer ---- */

static void add_header(struct evhttp_request *request, const char *line)
{
	char *name = talloc_strdup(NULL, line), *colon = strchr(name, ':');
	assert_non_null(colon);
	*colon = '\0';
	evhttp_add_header(request->input_headers, name, colon + 1 + strspn(colon + 1, " "));
	talloc_free(name);
}

static void add_login(struct evhttp_request *request, const char *login)
{
	char header[160] = "Authorization: Basic ";
	size_t n = strlen(header);
	sodium_bin2base64(header + n, sizeof(header) - n, (const unsigned char *)login,
		strlen(login), sodium_base64_VARIANT_ORIGINAL);
	add_header(request, header);
}

/* What evhttp would make of EXCHANGE's question. */
static struct evhttp_request *new_request(
	const struct stage *stage, const struct exchange *exchange)
{
	struct evhttp_request *request = evhttp_request_new(NULL, NULL);
	size_t base = sizeof(host) - 1;
	assert_int_equal(strncmp(exchange->url, host, base), 0);
	request->kind = EVHTTP_REQUEST;
	request->type = strcmp(exchange->method, "POST") == 0 ? EVHTTP_REQ_POST : EVHTTP_REQ_GET;
	request->uri = strdup(exchange->url + base - 1);
	request->uri_elems = evhttp_uri_parse(request->uri);
	assert_non_null(request->uri_elems);
	for (int i = 0; i < EXCHANGE_HEADERS && exchange->headers[i] != NULL; i++)
		add_header(request, exchange->headers[i]);
	if (exchange->basic_login && stage->site->credentials != NULL)
		add_login(request, stage->site->credentials);
	if (exchange->body != NULL)
		evbuffer_add(request->input_buffer, exchange->body, strlen(exchange->body));
	return request;
}

struct answer stage_ask(const struct stage *stage, struct exchange *exchange)
{
	const struct site *site = stage->site;
	struct answer answer = {.status = 200,
		.content_type = "application/json",
		.body = evbuffer_new(),
		.total = -1};
	struct evhttp_request *request = new_request(stage, exchange);
	struct question *question = question_new(site, request, site->prefix, clock_s);
	assert_non_null(question);
	question->signed_in =
		site->credentials != NULL && site->speech->signs_in(question, site->credentials);
	site->speech->speak(site, question, &answer);
	answer.next = talloc_steal(exchange, answer.next);
	talloc_free(question);
	evhttp_request_free(request);
	return answer;
}

static char *plain_type(const void *owner, const char *type)
{
	char *plain = talloc_strndup(owner, type, strcspn(type, "; "));
	for (char *at = plain; *at != '\0'; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at += 'a' - 'A';
	return plain;
}

static void end(struct conversation *conversation, struct exchange *exchange, bool broken)
{
	struct err failure = {0};
	err_set(&failure, ERR_CONNECTION, "%s: the connection failed", exchange->url);
	exchange_end(conversation, exchange, broken ? &failure : NULL);
}

/* TEXT of *N bytes with NUMBER in place of every run of digits. */
static char *replace_numbers(const void *owner, const char *text, size_t *n, const char *number)
{
	static const char digits[] = "0123456789";
	struct evbuffer *out = evbuffer_new();
	char *copy = talloc_strndup(owner, text, *n);
	for (const char *at = copy; *at != '\0';) {
		size_t plain = strcspn(at, digits);
		evbuffer_add(out, at, plain);
		at += plain;
		if (*at != '\0')
			evbuffer_add(out, number, strlen(number));
		at += strspn(at, digits);
	}
	*n = evbuffer_get_length(out);
	char *replaced = talloc_strndup(owner, (const char *)evbuffer_pullup(out, -1), *n);
	evbuffer_free(out);
	return replaced;
}

/* Feeds N bytes as PLAY says; SPOILT: this is the answer that it is about. */
static void feed(struct conversation *conversation, struct exchange *exchange,
	const struct answer *answer, const char *bytes, size_t n, const struct play *play,
	bool spoilt)
{
	char *type = plain_type(exchange, answer->content_type);
	if (spoilt && play->body != NULL) {
		bytes = play->body;
		n = play->body_size;
	}
	if (spoilt && play->numbers != NULL && n > 0)
		bytes = replace_numbers(exchange, bytes, &n, play->numbers);
	if (spoilt && play->cut && play->cut_at < n)
		n = play->cut_at;
	size_t piece = play->piece != 0 ? play->piece : n;
	stage_acting = true;
	if (exchange->hear_headers)
		exchange_hear_header(exchange, "Content-Type", answer->content_type);
	if (exchange->hear_headers && answer->next != NULL)
		exchange_hear_header(exchange, "Link",
			talloc_asprintf(exchange, "<%s>; rel=\"next\"", answer->next));
	exchange_head(
		conversation, exchange, answer->status, type, (moment)clock_s * MOMENT_SECOND);
	for (size_t at = 0; at < n; at += piece)
		exchange_data(conversation, exchange, bytes + at, n - at < piece ? n - at : piece);
	end(conversation, exchange, spoilt && play->broken);
	stage_acting = false;
}

static enum ending ending_of(const char *type)
{
	if (strncmp(type, "text/csv", 8) == 0)
		return ENDING_BEGUN;
	bool mail = strcmp(type, "application/mbox") == 0 || strcmp(type, "message/rfc822") == 0;
	return mail ? ENDING_UNSEEN : ENDING_SEEN;
}

/* ---- errands ---- */

static struct conversation *begin(const void *owner, struct stage *stage, enum errand errand)
{
	const struct credentials *login =
		stage->credentials.username != NULL ? &stage->credentials : NULL;
	const char *base = stage->site->base_url;
	moment now = (moment)clock_s * MOMENT_SECOND;
	if (errand == ERRAND_CHANGES)
		return conversation_new_changes(owner, stage->tracker, base, stage->server, login,
			NULL, 0, stage->since, now);
	if (errand == ERRAND_PROBE)
		return conversation_new(
			owner, stage->tracker, errand, base, NULL, login, NULL, 0, now);
	return conversation_new(owner, stage->tracker, errand, base, stage->server, login,
		stage->wanted, stage->wanted_count, now);
}

struct played *stage_play(
	const void *owner, struct stage *stage, enum errand errand, const struct play *play)
{
	struct played *played = talloc_zero(owner, struct played);
	struct exchange *exchange;
	char *kept = NULL;
	size_t kept_size = 0;
	stage_acting = true;
	played->conversation = begin(played, stage, errand);
	stage_acting = false;
	while ((exchange = conversation_next(played->conversation)) != NULL) {
		int at = (int)played->answers++;
		if (at == STAGE_PATIENCE)
			fail_msg("%s asks without an end", stage->site->speech->word);
		struct answer answer = stage_ask(stage, exchange);
		size_t n = evbuffer_get_length(answer.body);
		const char *bytes = (const char *)evbuffer_pullup(answer.body, -1);
		bool again = play->again && play->spoilt >= 0 && at > play->spoilt;
		played->sizes[at] = n;
		played->endings[at] = ending_of(answer.content_type);
		if (at == play->spoilt) {
			kept = talloc_strndup(played, bytes != NULL ? bytes : "", n);
			kept_size = n;
		}
		feed(played->conversation, exchange, &answer, again ? kept : bytes,
			again ? kept_size : n, play, at == play->spoilt || again);
		evbuffer_free(answer.body);
	}
	assert_true(conversation_over(played->conversation));
	return played;
}

bool stage_can(const struct stage *stage, enum errand errand)
{
	static const unsigned abilities[] = {
		[ERRAND_CHANGES] = ABILITY_CHANGES, [ERRAND_COMMENTS] = ABILITY_COMMENTS};
	bool always = errand == ERRAND_PROBE || errand == ERRAND_CHECK;
	return always || (stage->server->abilities & abilities[errand]) != 0;
}

static void sign_in(struct stage *stage, const char *credentials)
{
	if (credentials == NULL)
		return;
	char *rest = talloc_strdup(stage, credentials);
	stage->site->credentials = credentials;
	stage->credentials.username = strsep(&rest, ":");
	stage->credentials.password = rest;
}

struct stage *stage_new(const void *owner, const struct subject *subject, unsigned bugs)
{
	struct stage *stage = talloc_zero(owner, struct stage);
	const unsigned ids[] = {1, 2, 3, 4, 5, bugs, bugs + 1};
	stage->site = site_new(stage, NULL, subject->speech, "stage", bugs);
	stage->site->prefix = "/";
	const char *home = subject->speech->home;
	stage->site->base_url = talloc_asprintf(stage, "%s%s", host, home != NULL ? home : "");
	stage->site->private_bugs = subject->speech->signs_in != NULL;
	stage->tracker = tracker_by_name(subject->speech->type);
	assert_non_null(stage->tracker);
	for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		stage->wanted[stage->wanted_count++] =
			(struct wanted){.remote_id = talloc_asprintf(stage, "%u", ids[i]),
				.known = true,
				.newest_comment = -1};
		if (subject->badness != BAD_NOT && ids[i] <= bugs)
			site_hand(stage->site, ids[i])->badness = subject->badness;
	}
	sign_in(stage, subject->credentials);
	struct played *probed = stage_play(stage, stage, ERRAND_PROBE, &honest);
	assert_string_equal(probed->conversation->err.text, "");
	stage->server = talloc_steal(stage, probed->conversation->server);
	talloc_free(probed);
	return stage;
}
