/* What the tests of the fetcher share: a fetcher on a loop, a server, and a fetch that is watched. */
#ifndef TESTS_FETCHING_H
#define TESTS_FETCHING_H

#include "engine/fetcher.h"
#include "tests/unit/stub_dns.h"
#include "tests/unit/stub_http.h"

#define LOOPBACK "127.0.0.0/8,::1/128"
#define HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

enum { FETCHING_BODY = 65536 };

struct fetching {
	struct event_base *base;
	struct stub *stub;
	struct stub_dns *dns;
	struct resolver *resolver;
	struct network_policy *policy;
	struct fetcher_settings settings;
	struct fetcher *fetcher;
};

/* A fetch and what became of it. */
struct caught {
	struct fetching *fetching;
	struct fetch *fetch;
	unsigned heads, dones;
	int status;
	char content_type[128];
	char headers[1024]; /* "Name=value;" each; "" where they were not asked for */
	moment date;
	size_t size;
	char body[FETCHING_BODY + 1];
	struct err err;
	struct fetch_cost cost;
	/* What else to do in a handler. */
	void (*at_head)(struct caught *caught);
	void (*at_data)(struct caught *caught);
	void (*at_done)(struct caught *caught);
	struct caught *other;
};

/* ALLOWED networks; answers of up to FETCHING_BODY bytes, a second of silence, two in all. */
struct fetching *fetching_new(const char *allowed);
void fetching_free(struct fetching *fetching);

/* The URL of PATH at the stub; static. */
const char *fetching_url(const struct fetching *fetching, const char *path);

/* A caught fetch, started; a talloc object. REQUEST NULL: a GET of URL. */
struct caught *fetching_start(
	struct fetching *fetching, const char *url, const struct fetch_request *request);

/* Runs the loop until CAUGHT is done, or a condition holds; fails the test after 20 s. */
void fetching_wait(struct caught *caught);
void fetching_until(struct fetching *fetching, bool (*holds)(void *cookie), void *cookie);

/* Starts, waits, and returns what became of it. */
struct caught *fetching_get(struct fetching *fetching, const char *path);

/* Fail the test where it ended otherwise, or where TEXT is (not) in the stub's last request. */
void assert_err(const struct caught *caught, enum err_kind kind);
void assert_sent(const struct fetching *fetching, const char *text);
void assert_not_sent(const struct fetching *fetching, const char *text);

#endif
