#include "engine/transfer.h"

#include "trackers/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

enum {
	KEPT_HANDLES = 64,
	BUFFER_BYTES = 65536,
	HEAD_BYTES = 262144,
	/* How long libcurl keeps the addresses that it is given; longer than any transfer waits. */
	ADDRESSES_KEPT_S = 60,
	ROUNDING_US = 100000,
};

struct transfer_pool {
	struct multi *multi;
	struct transfer_rules rules;
	unsigned count;
	CURL *handles[KEPT_HANDLES];
};

struct transfer {
	struct transfer_pool *pool;
	const struct target *target;
	const struct transfer_heard *heard;
	void *cookie;
	CURL *easy;
	struct curl_slist *headers, *resolve;
	bool in_multi;
	bool hear_headers;
	bool head_heard;
	bool too_large;
	size_t head_bytes, body_bytes;
	char blocked[INET6_ADDRSTRLEN]; /* an address that the policy refused; "" for none */
	char words[CURL_ERROR_SIZE]; /* libcurl's */
};

/* ---- libcurl's callbacks ---- */

static bool is_allowed(struct transfer *transfer, const struct sockaddr *address)
{
	if (network_allows(transfer->pool->rules.policy, address))
		return true;
	struct sockaddr_in6 in6;
	struct sockaddr_in in;
	if (address->sa_family == AF_INET6) {
		memcpy(&in6, address, sizeof(in6));
		inet_ntop(AF_INET6, &in6.sin6_addr, transfer->blocked, sizeof(transfer->blocked));
	} else {
		memcpy(&in, address, sizeof(in));
		inet_ntop(AF_INET, &in.sin_addr, transfer->blocked, sizeof(transfer->blocked));
	}
	return false;
}

/* The last word on an address: this is what the socket will be connected to. */
static curl_socket_t open_socket(void *cookie, curlsocktype purpose, struct curl_sockaddr *address)
{
	if (!is_allowed(cookie, &address->addr))
		return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A kept connection opens no socket, so its address is judged before each request. */
static int before_request(
	void *cookie, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in = {.sin_family = AF_INET};
	const struct sockaddr *address = (const struct sockaddr *)&in6;
	if (inet_pton(AF_INET6, remote_ip, &in6.sin6_addr) != 1) {
		address = (const struct sockaddr *)&in;
		if (inet_pton(AF_INET, remote_ip, &in.sin_addr) != 1)
			return CURL_PREREQFUNC_ABORT;
	}
	return is_allowed(cookie, address) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static const char *header_of(struct transfer *transfer, const char *name)
{
	struct curl_header *header;
	if (curl_easy_header(transfer->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	return header->value;
}

/* All headers of the answer as names and values; owned by the transfer. */
static const char *const *all_headers(struct transfer *transfer)
{
	struct curl_header *header = NULL;
	const char **all = talloc_array(transfer, const char *, 1);
	size_t n = 0;
	while ((header = curl_easy_nextheader(transfer->easy, CURLH_HEADER, -1, header)) != NULL) {
		all = talloc_realloc(transfer, all, const char *, n + 3);
		all[n++] = header->name;
		all[n++] = header->value;
	}
	all[n] = NULL;
	return all;
}

static bool tell_head(struct transfer *transfer)
{
	long status = 0;
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200) /* 100 and 103 only announce the answer */
		return true;
	transfer->head_heard = true;
	struct transfer_head head = {
		.status = (int)status,
		.content_type = header_of(transfer, "Content-Type"),
		.date = header_of(transfer, "Date"),
		.location = header_of(transfer, "Location"),
		.retry_after = header_of(transfer, "Retry-After"),
		.headers = transfer->hear_headers ? all_headers(transfer) : NULL,
	};
	return transfer->heard->head(transfer->cookie, &head);
}

static size_t hear_header(char *bytes, size_t size, size_t n, void *cookie)
{
	struct transfer *transfer = cookie;
	n *= size;
	transfer->head_bytes += n;
	if (transfer->head_bytes > HEAD_BYTES) {
		transfer->too_large = true;
		return 0;
	}
	bool is_end = n <= 2 && (bytes[0] == '\r' || bytes[0] == '\n');
	if (is_end && !transfer->head_heard && !tell_head(transfer))
		return 0;
	return n;
}

static size_t hear_data(char *bytes, size_t size, size_t n, void *cookie)
{
	struct transfer *transfer = cookie;
	n *= size;
	transfer->body_bytes += n;
	if (transfer->body_bytes > transfer->pool->rules.max_body) {
		transfer->too_large = true;
		return 0;
	}
	return transfer->heard->data(transfer->cookie, bytes, n) ? n : 0;
}

/* ---- options ---- */

/* What is the same for all; the handle is fresh or reset. */
static void set_rules(CURL *easy, const struct transfer_rules *rules)
{
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* not even from the environment */
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, rules->user_agent);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)rules->max_body);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, rules->idle_timeout_s);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, rules->idle_timeout_s);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT, rules->total_timeout_s);
	curl_easy_setopt(
		easy, CURLOPT_DNS_CACHE_TIMEOUT, rules->total_timeout_s + ADDRESSES_KEPT_S);
	curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
	/* With a CAPATH libcurl reads all certificates anew for each connection: 25 ms. */
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	if (rules->ca_file != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, rules->ca_file);
}

static void set_callbacks(CURL *easy, struct transfer *transfer)
{
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->words);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, hear_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, hear_data);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
}

/* `+HOST:PORT:ADDRESS,…`: stands in libcurl's cache for a while, in place of what stood there. */
static struct curl_slist *resolve_list(const struct transfer_order *order)
{
	char *text = talloc_asprintf(NULL, "+%s:%u:", order->target->host, order->target->port);
	for (unsigned i = 0; i < order->address_count; i++) {
		char address[INET6_ADDRSTRLEN];
		const struct sockaddr_storage *storage = &order->addresses[i];
		bool v6 = storage->ss_family == AF_INET6;
		const void *from = v6
			? (const void *)&((const struct sockaddr_in6 *)storage)->sin6_addr
			: (const void *)&((const struct sockaddr_in *)storage)->sin_addr;
		inet_ntop(storage->ss_family, from, address, sizeof(address));
		text = talloc_asprintf_append_buffer(
			text, v6 ? "%s[%s]" : "%s%s", i > 0 ? "," : "", address);
	}
	struct curl_slist *list = curl_slist_append(NULL, text);
	talloc_free(text);
	return list;
}

static void set_target(struct transfer *transfer, const struct transfer_order *order)
{
	CURL *easy = transfer->easy;
	const struct target *target = order->target;
	/* The path goes past libcurl's URL parser: 4 kB of ids cost it more than all the rest. */
	curl_easy_setopt(easy, CURLOPT_URL, target->origin);
	curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, target->path);
	if (!target_is_address(target)) {
		transfer->resolve = resolve_list(order);
		curl_easy_setopt(easy, CURLOPT_RESOLVE, transfer->resolve);
	}
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
		target->secure ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
	/* Only TLS says whether a connection can be shared: in the clear it would wait for nothing. */
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, target->secure ? 1L : 0L);
}

static void set_order(struct transfer *transfer, const struct transfer_order *order)
{
	CURL *easy = transfer->easy;
	for (const char *const *at = order->headers; at != NULL && *at != NULL; at++)
		transfer->headers = curl_slist_append(transfer->headers, *at);
	if (order->body != NULL) {
		/* No waiting for a 100 that old servers never send. */
		transfer->headers = curl_slist_append(transfer->headers, "Expect:");
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, order->body);
		curl_easy_setopt(
			easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(order->body));
	}
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
	curl_easy_setopt(easy, CURLOPT_USERNAME, order->username);
	curl_easy_setopt(easy, CURLOPT_PASSWORD, order->password);
}

/* ---- life ---- */

static int pool_destructor(struct transfer_pool *pool)
{
	while (pool->count > 0)
		curl_easy_cleanup(pool->handles[--pool->count]);
	return 0;
}

struct transfer_pool *transfer_pool_new(
	const void *owner, struct multi *multi, const struct transfer_rules *rules)
{
	struct transfer_pool *pool = talloc_zero(owner, struct transfer_pool);
	pool->multi = multi;
	pool->rules = *rules;
	pool->rules.user_agent = talloc_strdup(pool, rules->user_agent);
	pool->rules.ca_file = talloc_strdup(pool, rules->ca_file);
	talloc_set_destructor(pool, pool_destructor);
	return pool;
}

/* The reset leaves nothing of one tracker's secrets for the next. */
static void give_back(struct transfer_pool *pool, CURL *easy)
{
	curl_easy_reset(easy);
	if (pool->count < KEPT_HANDLES)
		pool->handles[pool->count++] = easy;
	else
		curl_easy_cleanup(easy);
}

static int transfer_destructor(struct transfer *transfer)
{
	if (transfer->in_multi)
		multi_remove(transfer->pool->multi, transfer->easy);
	if (transfer->easy != NULL)
		give_back(transfer->pool, transfer->easy);
	curl_slist_free_all(transfer->headers);
	curl_slist_free_all(transfer->resolve);
	return 0;
}

struct transfer *transfer_new(const void *owner, struct transfer_pool *pool,
	const struct transfer_order *order, const struct transfer_heard *heard, void *cookie)
{
	struct transfer *transfer = talloc_zero(owner, struct transfer);
	transfer->pool = pool;
	transfer->target = order->target;
	transfer->heard = heard;
	transfer->cookie = cookie;
	transfer->hear_headers = order->hear_headers;
	transfer->easy = pool->count > 0 ? pool->handles[--pool->count] : curl_easy_init();
	talloc_set_destructor(transfer, transfer_destructor);
	if (transfer->easy != NULL) {
		set_rules(transfer->easy, &pool->rules);
		set_callbacks(transfer->easy, transfer);
		set_target(transfer, order);
		set_order(transfer, order);
		transfer->in_multi = multi_add(pool->multi, transfer->easy);
	}
	if (!transfer->in_multi)
		TALLOC_FREE(transfer);
	return transfer;
}

void transfer_ended(void *ended, CURLcode result)
{
	struct transfer *transfer = ended;
	transfer->in_multi = false;
	transfer->heard->ended(transfer->cookie, result);
}

/* ---- what it came to ---- */

/* What libcurl's results mean; all others are ERR_CONNECTION. */
struct meaning {
	CURLcode code;
	enum err_kind kind;
	const char *words; /* NULL: libcurl's own */
};

static const struct meaning meanings[] = {
	{CURLE_COULDNT_RESOLVE_HOST, ERR_DNS, NULL},
	{CURLE_SSL_CONNECT_ERROR, ERR_TLS, NULL},
	{CURLE_PEER_FAILED_VERIFICATION, ERR_TLS, NULL},
	{CURLE_SSL_CERTPROBLEM, ERR_TLS, NULL},
	{CURLE_SSL_CIPHER, ERR_TLS, NULL},
	{CURLE_SSL_CACERT_BADFILE, ERR_TLS, NULL},
	{CURLE_SSL_ISSUER_ERROR, ERR_TLS, NULL},
	{CURLE_SSL_ENGINE_INITFAILED, ERR_TLS, NULL},
	{CURLE_GOT_NOTHING, ERR_CONNECTION, "it closed the connection without an answer"},
	{CURLE_PARTIAL_FILE, ERR_UNPARSABLE_TRACKER, "the answer was cut short"},
	{CURLE_BAD_CONTENT_ENCODING, ERR_UNPARSABLE_TRACKER, "the answer's compression is broken"},
	{CURLE_UNSUPPORTED_PROTOCOL, ERR_UNPARSABLE_TRACKER, "it does not speak HTTP"},
	{CURLE_WEIRD_SERVER_REPLY, ERR_UNPARSABLE_TRACKER, "it does not speak HTTP properly"},
	{CURLE_FILESIZE_EXCEEDED, ERR_TOO_LARGE, "the answer is larger than allowed"},
	{CURLE_OUT_OF_MEMORY, ERR_TOO_LARGE, "the answer's head is larger than allowed"},
};

static void judge_timeout(const struct transfer *transfer, struct err *err)
{
	const struct transfer_rules *rules = &transfer->pool->rules;
	curl_off_t total_us = 0, connect_us = 0;
	curl_easy_getinfo(transfer->easy, CURLINFO_TOTAL_TIME_T, &total_us);
	curl_easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME_T, &connect_us);
	/* libcurl keeps time in milliseconds, and may end a little early by these. */
	if (total_us + ROUNDING_US >= rules->total_timeout_s * INT64_C(1000000))
		err_set(err, ERR_TIMEOUT, "%s: the answer took longer than %ld s",
			transfer->target->origin, rules->total_timeout_s);
	else if (connect_us == 0)
		err_set(err, ERR_TIMEOUT, "%s: no connection within %ld s",
			transfer->target->origin, rules->idle_timeout_s);
	else
		err_set(err, ERR_TIMEOUT, "%s: not a byte within %ld s", transfer->target->origin,
			rules->idle_timeout_s);
}

/* libcurl's words on RESULT; they may quote the server. */
static char *words_of(const struct transfer *transfer, CURLcode result)
{
	long number = 0;
	curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &number);
	const char *words = transfer->words;
	if (result == CURLE_COULDNT_CONNECT && number != 0)
		words = strerror((int)number);
	else if (*words == '\0')
		words = curl_easy_strerror(result);
	return text_clean_line(transfer, words, strlen(words), sizeof(transfer->words));
}

static void judge_result(const struct transfer *transfer, CURLcode result, struct err *err)
{
	for (unsigned i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (meanings[i].code != result)
			continue;
		err_set(err, meanings[i].kind, "%s: %s", transfer->target->origin,
			meanings[i].words != NULL ? meanings[i].words : words_of(transfer, result));
		return;
	}
	if (transfer->head_heard)
		err_set(err, ERR_UNPARSABLE_TRACKER, "%s: the answer was cut short: %s",
			transfer->target->origin, words_of(transfer, result));
	else
		err_set(err, ERR_CONNECTION, "%s: %s", transfer->target->origin,
			words_of(transfer, result));
}

void transfer_judge(const struct transfer *transfer, CURLcode result, struct err *err)
{
	const char *origin = transfer->target->origin;
	if (result == CURLE_OK)
		return;
	if (transfer->too_large)
		err_set(err, ERR_TOO_LARGE, "%s: the answer is larger than the %zu bytes allowed",
			origin,
			transfer->head_bytes > HEAD_BYTES ? (size_t)HEAD_BYTES
							  : transfer->pool->rules.max_body);
	else if (*transfer->blocked != '\0' && !transfer->head_heard)
		err_set(err, ERR_BLOCKED_ADDRESS, "%s is at %s, which is not allowed to be asked",
			origin, transfer->blocked);
	else if (result == CURLE_OPERATION_TIMEDOUT)
		judge_timeout(transfer, err);
	else
		judge_result(transfer, result, err);
}

bool transfer_was_lost(const struct transfer *transfer, CURLcode result)
{
	long connects = 0;
	curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connects);
	return !transfer->head_heard && connects == 0 &&
		(result == CURLE_HTTP2 || result == CURLE_HTTP2_STREAM ||
			result == CURLE_SEND_ERROR || result == CURLE_RECV_ERROR ||
			result == CURLE_GOT_NOTHING);
}

bool transfer_was_sent(const struct transfer *transfer)
{
	long request = 0;
	curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &request);
	return request > 0;
}

uint64_t transfer_bytes(const struct transfer *transfer)
{
	long request = 0, head = 0;
	curl_off_t up = 0, down = 0;
	curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &request);
	curl_easy_getinfo(transfer->easy, CURLINFO_HEADER_SIZE, &head);
	curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	return (uint64_t)(request + head + up + down);
}
