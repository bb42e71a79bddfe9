/* A name server inside a test. */
#ifndef TESTS_STUB_DNS_H
#define TESTS_STUB_DNS_H

#include <event2/event.h>
#include <netinet/in.h>
#include <stdbool.h>

/*
 * Every name has the addresses A (no AAAA), but for names that begin with `nosuch` (NXDOMAIN),
 * `empty` (no address), `broken` (SERVFAIL) and `silent` (no answer at all).
 */
struct stub_dns {
	char servers[64]; /* for resolver_new */
	const char *a; /* addresses, comma-separated */
	unsigned ttl_s;
	unsigned questions; /* A questions heard */
	int fd;
	struct event *event;
};

/* A name server on a free port of 127.0.0.1; a talloc object. */
struct stub_dns *stub_dns_new(const void *owner, struct event_base *base);

#endif
