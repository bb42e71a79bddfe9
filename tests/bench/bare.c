/*
 * The least that asking can cost: libcurl's multi interface gets the URLs of standard input over two
 * kept connections and throws what comes away. Prints the processor time of each round as JSON.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { CONNECTIONS = 2, BUFFER = 64 * 1024 };

struct bare {
	CURLM *multi;
	CURL *easy[CONNECTIONS];
	bool request_target; /* one URL for curl to parse, the path beside it */
	char **urls;
	size_t count, next;
	int under_way;
	unsigned long long bytes;
	unsigned long failures;
};

static void die(const char *why)
{
	fprintf(stderr, "bare: %s\n", why);
	exit(1);
}

static void read_urls(struct bare *bare)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	while ((n = getline(&line, &room, stdin)) > 1) {
		line[n - 1] = '\0';
		bare->urls = realloc(bare->urls, (bare->count + 1) * sizeof(*bare->urls));
		bare->urls[bare->count++] = line;
		line = NULL;
		room = 0;
	}
	free(line);
	if (bare->count == 0)
		die("no URLs on standard input");
}

static size_t throw_away(char *bytes, size_t size, size_t n, void *cookie)
{
	struct bare *bare = cookie;
	bare->bytes += size * n;
	return size * n;
}

/* Where the path of URL begins. */
static const char *path_of(const char *url)
{
	const char *host = strstr(url, "://");
	const char *path = host != NULL ? strchr(host + 3, '/') : NULL;
	if (path == NULL)
		die("a URL without a path");
	return path;
}

static void set_url(struct bare *bare, CURL *easy, const char *url)
{
	const char *path = path_of(url);
	char origin[256];
	if (!bare->request_target) {
		curl_easy_setopt(easy, CURLOPT_URL, url);
		return;
	}
	snprintf(origin, sizeof(origin), "%.*s/", (int)(path - url), url);
	curl_easy_setopt(easy, CURLOPT_URL, origin);
	curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, path);
}

/* Sends EASY for the next URL, if there is one. */
static void ask(struct bare *bare, CURL *easy)
{
	if (bare->next == bare->count)
		return;
	set_url(bare, easy, bare->urls[bare->next++]);
	curl_multi_add_handle(bare->multi, easy);
	bare->under_way++;
}

static void take_answers(struct bare *bare)
{
	int left;
	CURLMsg *message;
	while ((message = curl_multi_info_read(bare->multi, &left)) != NULL) {
		CURL *easy = message->easy_handle;
		long status = 0;
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
		bare->failures += message->data.result != CURLE_OK || status != 200;
		curl_multi_remove_handle(bare->multi, easy);
		bare->under_way--;
		ask(bare, easy);
	}
}

static void get_all(struct bare *bare)
{
	int running;
	bare->next = 0;
	for (int i = 0; i < CONNECTIONS; i++)
		ask(bare, bare->easy[i]);
	while (bare->under_way > 0) {
		curl_multi_perform(bare->multi, &running);
		take_answers(bare);
		if (running > 0)
			curl_multi_poll(bare->multi, NULL, 0, 1000, NULL);
	}
}

static long processor_us(void)
{
	struct rusage used;
	getrusage(RUSAGE_SELF, &used);
	return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 + used.ru_utime.tv_usec +
		used.ru_stime.tv_usec;
}

static void prepare(struct bare *bare)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
	bare->multi = curl_multi_init();
	/* None is closed while there are others to ask. */
	curl_multi_setopt(bare->multi, CURLMOPT_MAXCONNECTS, (long)bare->count + CONNECTIONS);
	for (int i = 0; i < CONNECTIONS; i++) {
		CURL *easy = bare->easy[i] = curl_easy_init();
		curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, throw_away);
		curl_easy_setopt(easy, CURLOPT_WRITEDATA, bare);
		curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BUFFER);
		curl_easy_setopt(easy, CURLOPT_USERAGENT, "bugwatch/0 (+bench)");
		curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
	}
}

/* The first round opens the connections; it is not told of. */
static void measure(struct bare *bare, long rounds)
{
	get_all(bare);
	bare->bytes = 0;
	printf("{\"processor_us\":[");
	for (long i = 0; i < rounds; i++) {
		long before = processor_us();
		get_all(bare);
		printf("%s%ld", i > 0 ? "," : "", processor_us() - before);
	}
	printf("],\"requests\":%zu,\"bytes\":%llu,\"failures\":%lu}\n", bare->count,
		bare->bytes / (unsigned long long)rounds, bare->failures);
}

int main(int argc, char **argv)
{
	struct bare bare = {.request_target = argc > 2 && strcmp(argv[2], "--target") == 0};
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	if (rounds < 1)
		die("usage: bare ROUNDS [--target] <URLS");
	read_urls(&bare);
	prepare(&bare);
	measure(&bare, rounds);
	for (int i = 0; i < CONNECTIONS; i++)
		curl_easy_cleanup(bare.easy[i]);
	curl_multi_cleanup(bare.multi);
	for (size_t i = 0; i < bare.count; i++)
		free(bare.urls[i]);
	free(bare.urls);
	return bare.failures > 0;
}
