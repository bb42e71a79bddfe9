#include "tests/unit/stub_http.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

/* One connection. */
struct talker {
	struct talker *next, **back;
	struct stub *stub;
	struct bufferevent *bufferevent;
};

static int talker_destructor(struct talker *talker)
{
	*talker->back = talker->next;
	if (talker->next != NULL)
		talker->next->back = talker->back;
	talker->stub->open--;
	bufferevent_free(talker->bufferevent);
	return 0;
}

/* How long the request at the front of INPUT is, or 0 while it is not whole. */
static size_t request_size(struct evbuffer *input)
{
	struct evbuffer_ptr end = evbuffer_search(input, "\r\n\r\n", 4, NULL);
	if (end.pos < 0)
		return 0;
	char *head = (char *)evbuffer_pullup(input, end.pos + 4);
	char *length = memmem(head, (size_t)end.pos, "Content-Length:", 15);
	size_t size = (size_t)end.pos + 4 + (length != NULL ? strtoul(length + 15, NULL, 10) : 0);
	return evbuffer_get_length(input) >= size ? size : 0;
}

static void hear_request(struct bufferevent *bufferevent, void *cookie)
{
	struct talker *talker = cookie;
	struct stub *stub = talker->stub;
	struct evbuffer *input = bufferevent_get_input(bufferevent);
	size_t size = request_size(input);
	if (size == 0)
		return;
	assert(size < sizeof(stub->request));
	evbuffer_remove(input, stub->request, size);
	stub->request[size] = '\0';
	stub->requests++;
	stub->answer(stub, bufferevent);
}

static void hear_end(struct bufferevent *bufferevent, short what, void *cookie)
{
	talloc_free(cookie);
}

static void hear_drained(struct bufferevent *bufferevent, void *cookie)
{
	talloc_free(cookie);
}

static void hear_connection(struct evconnlistener *listener, evutil_socket_t fd,
	struct sockaddr *address, int n, void *cookie)
{
	struct stub *stub = cookie;
	struct talker *talker = talloc_zero(stub, struct talker);
	talker->stub = stub;
	talker->next = stub->talkers;
	talker->back = &stub->talkers;
	if (talker->next != NULL)
		talker->next->back = &talker->next;
	stub->talkers = talker;
	talker->bufferevent = bufferevent_socket_new(stub->base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(talker->bufferevent, hear_request, NULL, hear_end, talker);
	bufferevent_enable(talker->bufferevent, EV_READ | EV_WRITE);
	talloc_set_destructor(talker, talker_destructor);
	stub->connections++;
	stub->open++;
}

static int stub_destructor(struct stub *stub)
{
	while (stub->talkers != NULL)
		talloc_free(stub->talkers);
	evconnlistener_free(stub->listener);
	return 0;
}

static int port_of(int fd)
{
	struct sockaddr_storage address;
	socklen_t n = sizeof(address);
	getsockname(fd, (struct sockaddr *)&address, &n);
	return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
						   : ((struct sockaddr_in *)&address)->sin_port);
}

struct stub *stub_new(const void *owner, struct event_base *base, const char *address, int port)
{
	struct sockaddr_storage where = {0};
	int n = sizeof(where);
	struct stub *stub = talloc_zero(owner, struct stub);
	signal(SIGPIPE, SIG_IGN); /* clients hang up on it */
	stub->base = base;
	evutil_parse_sockaddr_port(address, (struct sockaddr *)&where, &n);
	if (where.ss_family == AF_INET)
		((struct sockaddr_in *)&where)->sin_port = htons((uint16_t)port);
	else
		((struct sockaddr_in6 *)&where)->sin6_port = htons((uint16_t)port);
	stub->listener = evconnlistener_new_bind(base, hear_connection, stub,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 512, (struct sockaddr *)&where, n);
	if (stub->listener == NULL) {
		talloc_free(stub);
		return NULL;
	}
	stub->port = port_of(evconnlistener_get_fd(stub->listener));
	stub->answer = stub_say;
	talloc_set_destructor(stub, stub_destructor);
	return stub;
}

void stub_say(struct stub *stub, struct bufferevent *connection)
{
	bufferevent_write(connection, stub->text, strlen(stub->text));
}

void stub_say_and_close(struct stub *stub, struct bufferevent *connection)
{
	stub_say(stub, connection);
	stub_close(connection);
}

void stub_close(struct bufferevent *connection)
{
	void *talker;
	bufferevent_getcb(connection, NULL, NULL, NULL, &talker);
	if (evbuffer_get_length(bufferevent_get_output(connection)) > 0)
		bufferevent_setcb(connection, NULL, hear_drained, hear_end, talker);
	else
		talloc_free(talker);
}
