#include "tests/unit/fetching.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

static void hear_head(void *cookie, const struct fetch_answer *answer)
{
	struct caught *caught = cookie;
	assert_int_equal(caught->dones, 0);
	caught->heads++;
	caught->status = answer->status;
	caught->date = answer->date;
	snprintf(caught->content_type, sizeof(caught->content_type), "%s",
		answer->content_type != NULL ? answer->content_type : "(none)");
	for (const char *const *at = answer->headers; at != NULL && *at != NULL; at += 2) {
		size_t n = strlen(caught->headers);
		snprintf(caught->headers + n, sizeof(caught->headers) - n, "%s=%s;", at[0], at[1]);
	}
	if (caught->at_head != NULL)
		caught->at_head(caught);
}

static void hear_data(void *cookie, const char *bytes, size_t n)
{
	struct caught *caught = cookie;
	assert_int_equal(caught->heads, 1);
	assert_true(caught->size + n <= FETCHING_BODY);
	memcpy(caught->body + caught->size, bytes, n);
	caught->size += n;
	if (caught->at_data != NULL)
		caught->at_data(caught);
}

static void hear_done(void *cookie, const struct err *err, const struct fetch_cost *cost)
{
	struct caught *caught = cookie;
	assert_non_null(caught->fetch); /* fetch_start has returned */
	caught->dones++;
	caught->cost = *cost;
	if (err != NULL)
		caught->err = *err;
	if (caught->at_done != NULL)
		caught->at_done(caught);
}

static const struct fetch_handlers handlers = {hear_head, hear_data, hear_done};

struct fetching *fetching_new(const char *allowed)
{
	struct fetching *fetching = talloc_zero(NULL, struct fetching);
	fetching->base = event_base_new();
	fetching->stub = stub_new(fetching, fetching->base, "127.0.0.1", 0);
	fetching->dns = stub_dns_new(fetching, fetching->base);
	fetching->resolver = resolver_new(fetching, fetching->base, fetching->dns->servers, NULL);
	fetching->policy = network_policy_new(fetching, allowed, NULL);
	fetching->settings = (struct fetcher_settings){
		.user_agent = "bugwatch/test (+nobody)",
		.max_body = FETCHING_BODY,
		.idle_timeout_s = 1,
		.total_timeout_s = 2,
	};
	fetching->fetcher = fetcher_new(fetching, fetching->base, fetching->resolver,
		fetching->policy, &fetching->settings, NULL);
	assert_non_null(fetching->fetcher);
	return fetching;
}

void fetching_free(struct fetching *fetching)
{
	struct event_base *base = fetching->base;
	TALLOC_FREE(fetching->fetcher);
	TALLOC_FREE(fetching->resolver);
	talloc_free(fetching);
	event_base_free(base);
}

const char *fetching_url(const struct fetching *fetching, const char *path)
{
	static char url[8192];
	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", fetching->stub->port, path);
	return url;
}

struct caught *fetching_start(
	struct fetching *fetching, const char *url, const struct fetch_request *request)
{
	const struct fetch_request get = {.method = "GET", .url = url, .max_connections = 2};
	struct caught *caught = talloc_zero(fetching, struct caught);
	caught->fetching = fetching;
	caught->fetch =
		fetch_start(fetching->fetcher, request != NULL ? request : &get, &handlers, caught);
	assert_non_null(caught->fetch);
	assert_int_equal(caught->dones, 0);
	return caught;
}

static void give_up(evutil_socket_t fd, short what, void *cookie)
{
	*(bool *)cookie = true;
}

void fetching_until(struct fetching *fetching, bool (*holds)(void *cookie), void *cookie)
{
	static const struct timeval limit = {20, 0};
	bool late = false;
	struct event *guard = evtimer_new(fetching->base, give_up, &late);
	event_add(guard, &limit);
	while (!late && !holds(cookie))
		event_base_loop(fetching->base, EVLOOP_ONCE);
	event_free(guard);
	assert_false(late);
}

static bool is_done(void *cookie)
{
	struct caught *caught = cookie;
	return caught->dones > 0;
}

void fetching_wait(struct caught *caught)
{
	fetching_until(caught->fetching, is_done, caught);
	assert_int_equal(caught->dones, 1);
}

struct caught *fetching_get(struct fetching *fetching, const char *path)
{
	struct caught *caught = fetching_start(fetching, fetching_url(fetching, path), NULL);
	fetching_wait(caught);
	return caught;
}

void assert_err(const struct caught *caught, enum err_kind kind)
{
	if (caught->err.kind != kind)
		print_error("%s: %s\n", err_word(caught->err.kind), caught->err.text);
	assert_string_equal(err_word(caught->err.kind), err_word(kind));
}

void assert_sent(const struct fetching *fetching, const char *text)
{
	if (strstr(fetching->stub->request, text) == NULL)
		print_error("not in the request: %s\n%s", text, fetching->stub->request);
	assert_non_null(strstr(fetching->stub->request, text));
}

void assert_not_sent(const struct fetching *fetching, const char *text)
{
	if (strstr(fetching->stub->request, text) != NULL)
		print_error("in the request: %s\n%s", text, fetching->stub->request);
	assert_null(strstr(fetching->stub->request, text));
}
