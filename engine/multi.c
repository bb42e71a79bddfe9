#include "engine/multi.h"

#include <assert.h>
#include <stdlib.h>
#include <talloc.h>

enum { KEPT_CONNECTIONS = 256 };

struct multi {
	struct event_base *base;
	CURLM *handle;
	struct event *timer;
	bool inside;
	void (*ended)(void *transfer, CURLcode result);
	void (*settled)(void *cookie);
	void *cookie;
};

/* Tells of the transfers that ended. One that ENDED cancels takes its message with it. */
static void tell_ended(struct multi *multi)
{
	int left;
	for (CURLMsg *message; (message = curl_multi_info_read(multi->handle, &left)) != NULL;) {
		if (message->msg != CURLMSG_DONE)
			continue;
		CURL *easy = message->easy_handle;
		CURLcode result = message->data.result;
		void *transfer = NULL;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
		curl_multi_remove_handle(multi->handle, easy);
		multi->ended(transfer, result);
	}
}

static void work(struct multi *multi, curl_socket_t fd, int what)
{
	int running;
	multi->inside = true;
	curl_multi_socket_action(multi->handle, fd, what, &running);
	multi->inside = false;
	multi->settled(multi->cookie);
	tell_ended(multi);
}

static void hear_socket(evutil_socket_t fd, short what, void *cookie)
{
	work(cookie, fd,
		((what & EV_READ) ? CURL_CSELECT_IN : 0) |
			((what & EV_WRITE) ? CURL_CSELECT_OUT : 0));
}

static void hear_timer(evutil_socket_t fd, short what, void *cookie)
{
	work(cookie, CURL_SOCKET_TIMEOUT, 0);
}

/* CURLMOPT_SOCKETFUNCTION: each socket carries its event. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *cookie, void *socket)
{
	struct multi *multi = cookie;
	struct event *event = socket;
	if (event != NULL)
		event_free(event);
	event = NULL;
	if (what != CURL_POLL_REMOVE) {
		short wanted = (short)(((what & CURL_POLL_IN) ? EV_READ : 0) |
			((what & CURL_POLL_OUT) ? EV_WRITE : 0) | EV_PERSIST);
		event = event_new(multi->base, fd, wanted, hear_socket, multi);
		event_add(event, NULL);
	}
	curl_multi_assign(multi->handle, fd, event);
	return 0;
}

/* CURLMOPT_TIMERFUNCTION */
static int set_timer(CURLM *handle, long ms, void *cookie)
{
	struct multi *multi = cookie;
	struct timeval wait = {ms / 1000, ms % 1000 * 1000};
	if (ms < 0)
		event_del(multi->timer);
	else
		event_add(multi->timer, &wait);
	return 0;
}

static int multi_destructor(struct multi *multi)
{
	curl_multi_cleanup(multi->handle);
	event_free(multi->timer);
	curl_global_cleanup();
	return 0;
}

struct multi *multi_new(const void *owner, struct event_base *base,
	void (*ended)(void *transfer, CURLcode result), void (*settled)(void *cookie), void *cookie,
	struct err *err)
{
	struct multi *multi = talloc_zero(owner, struct multi);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
		(multi->handle = curl_multi_init()) == NULL) {
		err_set(err, ERR_SYSTEM, "can't start libcurl");
		talloc_free(multi);
		return NULL;
	}
	multi->base = base;
	multi->timer = evtimer_new(base, hear_timer, multi);
	multi->ended = ended;
	multi->settled = settled;
	multi->cookie = cookie;
	curl_multi_setopt(multi->handle, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(multi->handle, CURLMOPT_SOCKETDATA, multi);
	curl_multi_setopt(multi->handle, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(multi->handle, CURLMOPT_TIMERDATA, multi);
	curl_multi_setopt(multi->handle, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
	talloc_set_destructor(multi, multi_destructor);
	return multi;
}

bool multi_add(struct multi *multi, CURL *easy)
{
	return curl_multi_add_handle(multi->handle, easy) == CURLM_OK;
}

void multi_remove(struct multi *multi, CURL *easy)
{
	assert(!multi->inside);
	curl_multi_remove_handle(multi->handle, easy);
}

bool multi_is_inside(const struct multi *multi)
{
	return multi->inside;
}
