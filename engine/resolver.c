#include "engine/resolver.h"

#include <ares.h>
#include <arpa/inet.h>
#include <ctype.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <talloc.h>
#include <time.h>

enum {
	ADDRESSES = 16,
	HOST_BYTES = 253,
	REMEMBERED = 256, /* finished lookups */
	TRY_MS = 2000,
	TRIES = 2,
	TICK_MS = 100,
	DEADLINE_S = 10,
	GOOD_TTL_S = 60,
	BAD_TTL_S = 5,
};

static const char resolv_conf[] = "/etc/resolv.conf";

/* One asker. Its event is its deadline, and is made active when its lookup has finished. */
struct resolver_query {
	TAILQ_ENTRY(resolver_query) entry; /* in lookup->queries */
	struct lookup *lookup;
	struct event *event;
	resolver_done *done;
	void *cookie;
};

/* What is asked, or was found out, of one host; shared by all who ask for it. */
struct lookup {
	TAILQ_ENTRY(lookup) entry; /* in resolver->lookups, the last used first */
	TAILQ_HEAD(, resolver_query) queries;
	struct resolver *resolver;
	const char *host;
	bool finished;
	unsigned deliveries; /* under way: it must not go */
	int64_t expires; /* seconds on the monotonic clock, once finished */
	struct err err;
	unsigned count;
	struct sockaddr_storage *addresses;
};

/* A socket of c-ares that we watch. */
struct watched {
	TAILQ_ENTRY(watched) entry;
	struct resolver *resolver;
	int fd;
	short what;
	struct event *event;
};

struct resolver {
	struct event_base *base;
	const char *servers; /* NULL for the system's */
	ares_channel channel;
	struct event *tick; /* drives c-ares's timeouts; runs while lookups are in flight */
	const struct timeval *deadline;
	bool ending;
	unsigned in_flight;
	unsigned remembered;
	int64_t looked_at; /* when resolv.conf was */
	struct timespec conf_changed;
	TAILQ_HEAD(lookups, lookup) lookups;
	TAILQ_HEAD(, watched) sockets;
};

static int64_t seconds_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static int event_destructor(struct event **event)
{
	event_free(*event);
	return 0;
}

/* An event that is freed with OWNER. */
static struct event *owned_event(const void *owner, struct event_base *base, int fd, short what,
	event_callback_fn hear, void *cookie)
{
	struct event **slot = talloc(owner, struct event *);
	*slot = event_new(base, fd, what, hear, cookie);
	talloc_set_destructor(slot, event_destructor);
	return *slot;
}

/* ---- c-ares on the loop ---- */

static void hear_socket(evutil_socket_t fd, short what, void *cookie)
{
	struct watched *watched = cookie;
	ares_process_fd(watched->resolver->channel, (what & EV_READ) ? fd : ARES_SOCKET_BAD,
		(what & EV_WRITE) ? fd : ARES_SOCKET_BAD);
}

static void hear_tick(evutil_socket_t fd, short what, void *cookie)
{
	struct resolver *resolver = cookie;
	ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static struct watched *find_watched(struct resolver *resolver, int fd)
{
	struct watched *watched;
	TAILQ_FOREACH (watched, &resolver->sockets, entry) {
		if (watched->fd == fd)
			return watched;
	}
	return NULL;
}

/* c-ares tells what it wants to know of FD from now on; nothing: the socket is about to close. */
static void watch_socket(void *cookie, ares_socket_t fd, int readable, int writable)
{
	struct resolver *resolver = cookie;
	short what = (short)((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));
	struct watched *watched = find_watched(resolver, fd);
	if (watched != NULL && watched->what == what)
		return;
	if (watched != NULL) {
		TAILQ_REMOVE(&resolver->sockets, watched, entry);
		talloc_free(watched);
	}
	if (what == 0)
		return;
	watched = talloc_zero(resolver, struct watched);
	watched->resolver = resolver;
	watched->fd = fd;
	watched->what = what;
	watched->event = owned_event(
		watched, resolver->base, fd, (short)(what | EV_PERSIST), hear_socket, watched);
	event_add(watched->event, NULL);
	TAILQ_INSERT_HEAD(&resolver->sockets, watched, entry);
}

/* Opens a channel to the name servers that hold now; false and ERR if that can't be done. */
static bool open_channel(struct resolver *resolver, ares_channel *out, struct err *err)
{
	/* The hosts file is the system's word: named servers stand alone. */
	char system_order[] = "fb", servers_only[] = "b";
	struct ares_options options = {
		.timeout = TRY_MS,
		.tries = TRIES,
		.lookups = resolver->servers != NULL ? servers_only : system_order,
		.sock_state_cb = watch_socket,
		.sock_state_cb_data = resolver,
	};
	int status = ares_init_options(out, &options,
		ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB);
	if (status != ARES_SUCCESS) {
		err_set(err, ERR_SYSTEM, "can't start the resolver: %s", ares_strerror(status));
		return false;
	}
	if (resolver->servers == NULL)
		return true;
	status = ares_set_servers_ports_csv(*out, resolver->servers);
	if (status == ARES_SUCCESS)
		return true;
	err_set(err, ERR_USAGE, "\"%s\" is no list of name servers: %s", resolver->servers,
		ares_strerror(status));
	ares_destroy(*out);
	return false;
}

/* Takes up a changed resolv.conf. Names in flight are asked again by hear_names. */
static void follow_configuration(struct resolver *resolver)
{
	struct stat now;
	if (resolver->servers != NULL || resolver->looked_at == seconds_now())
		return;
	resolver->looked_at = seconds_now();
	if (stat(resolv_conf, &now) != 0 ||
		(now.st_mtim.tv_sec == resolver->conf_changed.tv_sec &&
			now.st_mtim.tv_nsec == resolver->conf_changed.tv_nsec))
		return;
	ares_channel old = resolver->channel;
	if (!open_channel(resolver, &resolver->channel, NULL)) {
		resolver->channel = old;
		return;
	}
	resolver->conf_changed = now.st_mtim;
	ares_destroy(old);
}

/* ---- lookups ---- */

static void forget(struct lookup *lookup)
{
	if (lookup->finished)
		lookup->resolver->remembered--;
	TAILQ_REMOVE(&lookup->resolver->lookups, lookup, entry);
	talloc_free(lookup);
}

static bool is_idle(const struct lookup *lookup)
{
	return lookup->finished && lookup->deliveries == 0 && TAILQ_EMPTY(&lookup->queries);
}

/* Keeps memory bounded: the least used go first. */
static void forget_surplus(struct resolver *resolver)
{
	struct lookup *lookup = TAILQ_LAST(&resolver->lookups, lookups);
	while (lookup != NULL && resolver->remembered > REMEMBERED) {
		struct lookup *before = TAILQ_PREV(lookup, lookups, entry);
		if (is_idle(lookup))
			forget(lookup);
		lookup = before;
	}
}

/* The lookup is over: its askers hear of it from the loop. */
static void finish(struct lookup *lookup, int64_t ttl_s)
{
	lookup->finished = true;
	lookup->expires = seconds_now() + ttl_s;
	lookup->resolver->remembered++;
	struct resolver_query *query;
	TAILQ_FOREACH (query, &lookup->queries, entry) {
		event_active(query->event, EV_TIMEOUT, 1);
	}
}

static void fail(struct lookup *lookup, const char *why)
{
	err_set(&lookup->err, ERR_DNS, "%s can't be resolved: %s", lookup->host, why);
	finish(lookup, BAD_TTL_S);
}

static const char *reason(int status)
{
	switch (status) {
	case ARES_ENOTFOUND:
		return "there is no such name";
	case ARES_ENODATA:
		return "the name has no address";
	case ARES_ETIMEOUT:
		return "no name server answered";
	case ARES_ECONNREFUSED:
		return "no name server takes questions";
	case ARES_ESERVFAIL:
		return "the name server failed";
	default:
		return ares_strerror(status);
	}
}

static void add_address(struct lookup *lookup, const struct sockaddr *address, socklen_t n)
{
	if (lookup->count == ADDRESSES || n > sizeof(struct sockaddr_storage))
		return;
	lookup->addresses = talloc_realloc(
		lookup, lookup->addresses, struct sockaddr_storage, lookup->count + 1);
	struct sockaddr_storage *slot = &lookup->addresses[lookup->count++];
	memset(slot, 0, sizeof(*slot));
	memcpy(slot, address, n);
}

static void take_addresses(struct lookup *lookup, const struct ares_addrinfo *result)
{
	int64_t ttl_s = GOOD_TTL_S;
	for (const struct ares_addrinfo_node *node = result->nodes; node; node = node->ai_next) {
		if (node->ai_ttl < ttl_s)
			ttl_s = node->ai_ttl;
		add_address(lookup, node->ai_addr, node->ai_addrlen);
	}
	/* A second at least, so that a burst of requests does not ask for each. */
	finish(lookup, ttl_s < 1 ? 1 : ttl_s);
}

static void ask_servers(struct lookup *lookup);

static void hear_names(void *cookie, int status, int timeouts, struct ares_addrinfo *result)
{
	struct lookup *lookup = cookie;
	struct resolver *resolver = lookup->resolver;
	if (resolver->ending)
		return;
	resolver->in_flight--;
	if (status == ARES_EDESTRUCTION) {
		ask_servers(lookup); /* the channel was replaced */
		return;
	}
	if (resolver->in_flight == 0)
		event_del(resolver->tick);
	if (status != ARES_SUCCESS)
		fail(lookup, reason(status));
	else if (result->nodes == NULL)
		fail(lookup, reason(ARES_ENODATA));
	else
		take_addresses(lookup, result);
	if (result != NULL)
		ares_freeaddrinfo(result);
}

static void ask_servers(struct lookup *lookup)
{
	static const struct timeval tick = {0, TICK_MS * 1000};
	static const struct ares_addrinfo_hints hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct resolver *resolver = lookup->resolver;
	if (resolver->in_flight++ == 0)
		event_add(resolver->tick, &tick);
	ares_getaddrinfo(resolver->channel, lookup->host, NULL, &hints, hear_names, lookup);
}

/* Answers for what is an address already; false where HOST is a name. */
static bool take_literal(struct lookup *lookup)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	/* inet_aton also takes 0x7f.1 and 2130706433: whatever it becomes meets the policy. */
	if (inet_pton(AF_INET6, lookup->host, &in6.sin6_addr) == 1)
		add_address(lookup, (const struct sockaddr *)&in6, sizeof(in6));
	else if (inet_aton(lookup->host, &in.sin_addr) != 0)
		add_address(lookup, (const struct sockaddr *)&in, sizeof(in));
	else
		return false;
	finish(lookup, GOOD_TTL_S);
	return true;
}

static bool is_host_name(const char *host)
{
	size_t n = 0;
	for (; host[n] != '\0'; n++)
		if (n >= HOST_BYTES ||
			(!isalnum((unsigned char)host[n]) && strchr("-_.:", host[n]) == NULL))
			return false;
	return n > 0;
}

static struct lookup *begin_lookup(struct resolver *resolver, const char *host)
{
	struct lookup *lookup = talloc_zero(resolver, struct lookup);
	lookup->resolver = resolver;
	lookup->host = talloc_strdup(lookup, host);
	TAILQ_INIT(&lookup->queries);
	TAILQ_INSERT_HEAD(&resolver->lookups, lookup, entry);
	if (!is_host_name(host)) {
		fail(lookup, "that is no host name");
	} else if (!take_literal(lookup)) {
		follow_configuration(resolver);
		ask_servers(lookup);
	}
	return lookup;
}

/* What is known or being asked of HOST; an outdated answer is forgotten. */
static struct lookup *find_lookup(struct resolver *resolver, const char *host)
{
	struct lookup *lookup;
	TAILQ_FOREACH (lookup, &resolver->lookups, entry) {
		if (strcasecmp(lookup->host, host) == 0 &&
			(!lookup->finished || lookup->expires > seconds_now()))
			break;
	}
	if (lookup != NULL) {
		TAILQ_REMOVE(&resolver->lookups, lookup, entry);
		TAILQ_INSERT_HEAD(&resolver->lookups, lookup, entry);
	}
	return lookup;
}

/* ---- queries ---- */

/* The query's lookup has finished, or its time is up. */
static void deliver(evutil_socket_t fd, short what, void *cookie)
{
	struct resolver_query *query = cookie;
	struct lookup *lookup = query->lookup;
	resolver_done *done = query->done;
	void *whose = query->cookie;
	resolver_cancel(query);
	if (!lookup->finished) {
		struct err late = {0};
		err_set(&late, ERR_DNS, "%s can't be resolved: no answer within %d s", lookup->host,
			DEADLINE_S);
		done(whose, &late, NULL, 0);
		return;
	}
	lookup->deliveries++;
	bool good = lookup->err.kind == ERR_NONE;
	done(whose, good ? NULL : &lookup->err, lookup->addresses, lookup->count);
	lookup->deliveries--;
}

struct resolver_query *resolver_ask(
	struct resolver *resolver, const char *host, resolver_done *done, void *cookie)
{
	char bare[HOST_BYTES + 3];
	size_t n = strlen(host);
	if (host[0] == '[' && host[n - 1] == ']' && n < sizeof(bare)) {
		memcpy(bare, host + 1, n - 2);
		bare[n - 2] = '\0';
		host = bare;
	}
	struct lookup *lookup = find_lookup(resolver, host);
	if (lookup == NULL)
		lookup = begin_lookup(resolver, host);
	struct resolver_query *query = talloc_zero(lookup, struct resolver_query);
	query->lookup = lookup;
	query->done = done;
	query->cookie = cookie;
	query->event = owned_event(query, resolver->base, -1, 0, deliver, query);
	TAILQ_INSERT_TAIL(&lookup->queries, query, entry);
	if (lookup->finished)
		event_active(query->event, EV_TIMEOUT, 1);
	else
		event_add(query->event, resolver->deadline);
	forget_surplus(resolver);
	return query;
}

void resolver_cancel(struct resolver_query *query)
{
	TAILQ_REMOVE(&query->lookup->queries, query, entry);
	talloc_free(query);
}

/* ---- life ---- */

static int resolver_destructor(struct resolver *resolver)
{
	resolver->ending = true;
	ares_destroy(resolver->channel);
	return 0;
}

struct resolver *resolver_new(
	const void *owner, struct event_base *base, const char *servers, struct err *err)
{
	static const struct timeval deadline = {DEADLINE_S, 0};
	struct resolver *resolver = talloc_zero(owner, struct resolver);
	resolver->base = base;
	resolver->servers = servers != NULL ? talloc_strdup(resolver, servers) : NULL;
	resolver->deadline = event_base_init_common_timeout(base, &deadline);
	TAILQ_INIT(&resolver->lookups);
	TAILQ_INIT(&resolver->sockets);
	struct stat conf;
	if (stat(resolv_conf, &conf) == 0)
		resolver->conf_changed = conf.st_mtim;
	if (!open_channel(resolver, &resolver->channel, err)) {
		talloc_free(resolver);
		return NULL;
	}
	resolver->tick = owned_event(resolver, base, -1, EV_PERSIST, hear_tick, resolver);
	talloc_set_destructor(resolver, resolver_destructor);
	return resolver;
}
