#include "ui-api/client.h"

#include "engine/state.h"
#include "trackers/json.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>
#include <unistd.h>

enum { CONNECT_TIMEOUT_S = 10, TOTAL_TIMEOUT_S = 120, BODY_LIMIT = 64 << 20 };

struct client {
	CURL *curl;
	char *url; /* without a slash at its end */
	char *url_from; /* where it was found, for people */
	char *token; /* NULL where there is none */
	char *token_from;
	char curl_error[CURL_ERROR_SIZE];
};

/* An answer while it arrives. */
struct arrival {
	struct json_reader *reader;
	size_t n;
};

static int close_curl(struct client *client)
{
	curl_easy_cleanup(client->curl);
	return 0;
}

/* Why FILE of the state folder can't be read, in words that say what to do. */
static void explain_missing(const char *state_dir, struct err *err)
{
	char *path = talloc_asprintf(NULL, "%s/url", state_dir);
	if (access(path, R_OK) != 0 && errno == EACCES)
		err_set(err, ERR_CONNECTION,
			"%s can't be read: run as the service's user, or set BUGWATCH_URL and "
			"BUGWATCH_TOKEN",
			path);
	else
		err_set(err, ERR_CONNECTION,
			"no service found: BUGWATCH_URL is not set and %s is not there; start one "
			"with \"bugwatch serve\", or set BUGWATCH_URL and BUGWATCH_TOKEN",
			path);
	talloc_free(path);
}

/* Trims slashes off the end, so that paths can be added. */
static char *trimmed_url(const void *owner, const char *url)
{
	size_t n = strlen(url);
	while (n > 0 && url[n - 1] == '/')
		n--;
	return talloc_strndup(owner, url, n);
}

/* Finds the address; false and ERR if nothing names one. */
static bool find_url(struct client *client, const char *state_dir, struct err *err)
{
	const char *set = getenv("BUGWATCH_URL");
	if (set != NULL && set[0] != '\0') {
		client->url = trimmed_url(client, set);
		client->url_from = talloc_strdup(client, "BUGWATCH_URL");
		if (strncasecmp(set, "http://", 7) == 0 || strncasecmp(set, "https://", 8) == 0)
			return true;
		err_set(err, ERR_USAGE,
			"BUGWATCH_URL is \"%.100s\", but should begin with http:// "
			"or https://",
			set);
		return false;
	}
	char *local = state_read(client, state_dir, "url");
	if (local == NULL) {
		explain_missing(state_dir, err);
		return false;
	}
	client->url = trimmed_url(client, local);
	client->url_from = talloc_asprintf(client, "%s/url", state_dir);
	/* A proxy that the environment names leads elsewhere than to this machine. */
	curl_easy_setopt(client->curl, CURLOPT_NOPROXY, "*");
	return true;
}

/* Finds the token. The local one is for the local service alone: never shown to another address. */
static void find_token(struct client *client, const char *state_dir)
{
	const char *set = getenv("BUGWATCH_TOKEN");
	if (set != NULL && set[0] != '\0') {
		client->token = talloc_strdup(client, set);
		client->token_from = talloc_strdup(client, "BUGWATCH_TOKEN");
		return;
	}
	char *local = state_read(client, state_dir, "url");
	char *local_url = local != NULL ? trimmed_url(client, local) : NULL;
	if (local_url == NULL || strcmp(local_url, client->url) != 0)
		return;
	client->token = state_read(client, state_dir, "admin-token");
	client->token_from = talloc_asprintf(client, "%s/admin-token", state_dir);
}

struct client *client_new(const void *owner, const char *state_dir, struct err *err)
{
	struct client *client = talloc_zero(owner, struct client);
	client->curl = curl_easy_init();
	if (client->curl == NULL) {
		err_set(err, ERR_SYSTEM, "libcurl can't be started");
		talloc_free(client);
		return NULL;
	}
	talloc_set_destructor(client, close_curl);
	if (!find_url(client, state_dir, err)) {
		talloc_free(client);
		return NULL;
	}
	find_token(client, state_dir);
	return client;
}

static size_t arrive(char *bytes, size_t one, size_t n, void *cookie)
{
	struct arrival *arrival = cookie;
	arrival->n += n;
	if (arrival->n > BODY_LIMIT)
		return 0;
	json_reader_feed(arrival->reader, bytes, n);
	return n;
}

/* The headers of a question; for curl_slist_free_all. */
static struct curl_slist *make_headers(const struct client *client, const char *body)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
	headers = curl_slist_append(
		headers, body != NULL ? "Content-Type: application/json" : "Content-Type:");
	/* No waiting for "100 Continue". */
	headers = curl_slist_append(headers, "Expect:");
	if (client->token != NULL) {
		char *line = talloc_asprintf(client, "Authorization: Bearer %s", client->token);
		headers = curl_slist_append(headers, line);
		talloc_free(line);
	}
	return headers;
}

/* Sends the question and takes the answer's bytes; curl's own code. */
static CURLcode exchange(struct client *client, const char *method, const char *url,
	const char *body, struct arrival *arrival)
{
	CURL *curl = client->curl;
	struct curl_slist *headers = make_headers(client, body);
	client->curl_error[0] = '\0';
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, body != NULL ? (long)strlen(body) : 0L);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body != NULL ? body : "");
	if (body == NULL && strcmp(method, "POST") != 0)
		curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "bugwatch-client/" BUGWATCH_VERSION);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->curl_error);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TOTAL_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, arrive);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, arrival);
	CURLcode code = curl_easy_perform(curl);
	if (arrival->n > BODY_LIMIT)
		snprintf(client->curl_error, sizeof(client->curl_error),
			"its answer is larger than %d MiB", BODY_LIMIT >> 20);
	curl_slist_free_all(headers);
	return code;
}

char *client_problem_words(const void *owner, struct json_object *problem, int status)
{
	struct json_object *errors = json_member(problem, "errors", json_type_array);
	char *detail = json_text_of(owner, problem, "detail");
	char *title = json_text_of(owner, problem, "title");
	char *words = talloc_strdup(owner, detail != NULL ? detail : title != NULL ? title : "");
	if (words[0] == '\0')
		words = talloc_asprintf(owner, "the service answered HTTP %d", status);
	for (size_t i = 0; errors != NULL && i < json_object_array_length(errors); i++) {
		struct json_object *error = json_object_array_get_idx(errors, i);
		char *field = json_text_of(words, error, "field");
		char *message = json_text_of(words, error, "message");
		words = talloc_asprintf_append(words, "\n  %s: %s", field != NULL ? field : "",
			message != NULL ? message : "");
	}
	return words;
}

/* Adds to a refusal for want of a right token which one was used, never the token itself. */
static char *token_words(char *words, const struct client *client, int status)
{
	if (status == 403 && client->token != NULL)
		return talloc_asprintf_append(
			words, "\n  (the token used is that of %s)", client->token_from);
	if (status != 401)
		return words;
	if (client->token != NULL)
		return talloc_asprintf_append(words,
			"\n  (the token of %s was used: set BUGWATCH_TOKEN to one that this "
			"service "
			"knows)",
			client->token_from);
	return talloc_asprintf_append(words, "\n  (no token was sent: set BUGWATCH_TOKEN%s%s)",
		client->token_from != NULL ? ", or make readable " : "",
		client->token_from != NULL ? client->token_from : "");
}

/* Fills ANSWER for an exchange that brought nothing of bugwatch's. */
static void not_reached(struct client_answer *answer, const struct client *client, CURLcode code)
{
	char *elsewhere = NULL;
	curl_easy_getinfo(client->curl, CURLINFO_REDIRECT_URL, &elsewhere);
	if (code == CURLE_OK && elsewhere != NULL)
		answer->refusal = talloc_asprintf(answer,
			"%s (from %s) sends elsewhere, to %s: set "
			"BUGWATCH_URL to where bugwatch is",
			client->url, client->url_from, elsewhere);
	else if (code == CURLE_OK)
		answer->refusal = talloc_asprintf(answer,
			"%s (from %s) answers HTTP %d, but not as "
			"bugwatch does: is that its address?",
			client->url, client->url_from, answer->status);
	else
		answer->refusal = talloc_asprintf(answer,
			"the service at %s (from %s) can't be "
			"reached: %s; is \"bugwatch serve\" running there?",
			client->url, client->url_from,
			client->curl_error[0] != '\0' ? client->curl_error
						      : curl_easy_strerror(code));
	answer->status = 0;
	answer->body = NULL;
}

struct client_answer *client_ask(struct client *client, const void *owner, const char *method,
	const char *path, const char *body)
{
	struct client_answer *answer = talloc_zero(owner, struct client_answer);
	struct arrival arrival = {.reader = json_reader_new(answer)};
	char *url = talloc_asprintf(answer, "%s/api/v1%s", client->url, path);
	CURLcode code = exchange(client, method, url, body, &arrival);
	long status = 0;
	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	answer->status = (int)status;
	if (code == CURLE_OK && arrival.n > 0)
		answer->body = json_reader_end(arrival.reader, NULL);
	bool empty = status == 204 && arrival.n == 0 && strcmp(method, "DELETE") == 0;
	if (code != CURLE_OK || (!empty && !json_object_is_type(answer->body, json_type_object))) {
		not_reached(answer, client, code);
	} else if (status < 200 || status > 299) {
		answer->refusal =
			token_words(client_problem_words(answer, answer->body, answer->status),
				client, answer->status);
	}
	return answer;
}
