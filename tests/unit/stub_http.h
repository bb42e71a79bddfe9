/* An HTTP server inside a test: it hands each request to the test, which writes raw bytes back. */
#ifndef TESTS_STUB_HTTP_H
#define TESTS_STUB_HTTP_H

#include <event2/bufferevent.h>
#include <event2/event.h>

struct stub {
	struct event_base *base;
	int port;
	unsigned connections; /* accepted so far */
	unsigned open; /* now */
	unsigned requests;
	char request[65536]; /* the last one, head and body */
	/* What to do with a request; writes to CONNECTION, or keeps silent. */
	void (*answer)(struct stub *stub, struct bufferevent *connection);
	const char *text; /* for stub_say and stub_say_and_close */
	struct evconnlistener *listener;
	struct talker *talkers;
};

/* A server at ADDRESS (IPv4 or IPv6) and PORT (0: any free one); a talloc object. */
struct stub *stub_new(const void *owner, struct event_base *base, const char *address, int port);

/* Answers: stub->text as it is, and then either nothing or the end of the connection. */
void stub_say(struct stub *stub, struct bufferevent *connection);
void stub_say_and_close(struct stub *stub, struct bufferevent *connection);

/* Ends the connection when all is written. */
void stub_close(struct bufferevent *connection);

#endif
