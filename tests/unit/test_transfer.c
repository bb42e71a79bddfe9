/* The last word on addresses: what is really connected to, also on a connection that was kept. */
#include "engine/transfer.h"
#include "tests/unit/fetching.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

struct setting {
	struct fetching *fetching;
	struct multi *multi;
	struct network_policy *policy;
	struct transfer_pool *pool;
	struct target *target;
};

struct sent {
	struct transfer *transfer;
	bool ended;
	size_t size;
	struct err err;
};

static bool hear_head(void *cookie, const struct transfer_head *head)
{
	return true;
}

static bool hear_data(void *cookie, const char *bytes, size_t n)
{
	struct sent *sent = cookie;
	sent->size += n;
	return true;
}

static void hear_end(void *cookie, CURLcode result)
{
	struct sent *sent = cookie;
	sent->ended = true;
	transfer_judge(sent->transfer, result, &sent->err);
	TALLOC_FREE(sent->transfer);
}

static const struct transfer_heard heard = {hear_head, hear_data, hear_end};

static void settled(void *cookie)
{
}

static bool has_ended(void *cookie)
{
	const struct sent *sent = cookie;
	return sent->ended;
}

static struct setting *setting_new(const char *allowed)
{
	struct setting *setting = talloc_zero(NULL, struct setting);
	setting->fetching = fetching_new(LOOPBACK);
	setting->fetching->stub->text = HELLO;
	setting->policy = network_policy_new(setting, allowed, NULL);
	struct transfer_rules rules = {.policy = setting->policy,
		.user_agent = "test",
		.max_body = 100,
		.idle_timeout_s = 1,
		.total_timeout_s = 2};
	setting->multi =
		multi_new(setting, setting->fetching->base, transfer_ended, settled, setting, NULL);
	setting->pool = transfer_pool_new(setting, setting->multi, &rules);
	setting->target = target_parse(setting, fetching_url(setting->fetching, "/"), NULL);
	return setting;
}

static void setting_free(struct setting *setting)
{
	struct fetching *fetching = setting->fetching;
	talloc_free(setting);
	fetching_free(fetching);
}

/* Sends to the loopback address of FAMILY. */
static struct sent get_by(struct setting *setting, sa_family_t family)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	struct sockaddr_storage storage = {0};
	struct sent sent = {0};
	if (family == AF_INET)
		memcpy(&storage, &in, sizeof(in));
	else
		memcpy(&storage, &in6, sizeof(in6));
	struct transfer_order order = {
		.target = setting->target, .addresses = &storage, .address_count = 1};
	sent.transfer = transfer_new(setting, setting->pool, &order, &heard, &sent);
	assert_non_null(sent.transfer);
	fetching_until(setting->fetching, has_ended, &sent);
	return sent;
}

static struct sent get(struct setting *setting)
{
	return get_by(setting, AF_INET);
}

static void judges_the_socket(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "name.example.org"};
	for (int i = 0; i < 2; i++) {
		struct setting *setting = setting_new("");
		char url[64];
		snprintf(
			url, sizeof(url), "http://%s:%d/", hosts[i], setting->fetching->stub->port);
		setting->target = target_parse(setting, url, NULL);
		struct sent sent = get(setting);
		assert_string_equal(err_word(sent.err.kind), "blocked-address");
		assert_non_null(strstr(sent.err.text, "127.0.0.1"));
		assert_int_equal(setting->fetching->stub->connections, 0);
		setting_free(setting);
	}
}

static void judges_a_kept_connection(void **state)
{
	struct setting *setting = setting_new(LOOPBACK);
	assert_int_equal(get(setting).err.kind, ERR_NONE);
	assert_int_equal(get(setting).size, 5);
	assert_int_equal(setting->fetching->stub->connections, 1);

	/* The policy turns strict while the connection is there. */
	struct network_policy *strict = network_policy_new(setting, "", NULL);
	memcpy(setting->policy, strict, talloc_get_size(strict));
	struct sent sent = get(setting);
	assert_string_equal(err_word(sent.err.kind), "blocked-address");
	assert_int_equal(setting->fetching->stub->requests, 2);
	setting_free(setting);
}

static void connects_to_what_it_is_given(void **state)
{
	struct setting *setting = setting_new(LOOPBACK);
	struct stub *stub = setting->fetching->stub;
	struct stub *six = stub_new(setting->fetching, setting->fetching->base, "::1", stub->port);
	char url[64];
	snprintf(url, sizeof(url), "http://name.example.org:%d/", stub->port);
	setting->target = target_parse(setting, url, NULL);
	stub->text = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbye";
	assert_int_equal(get(setting).size, 3);
	if (six == NULL) {
		setting_free(setting);
		skip();
	}
	six->text = stub->text;
	assert_int_equal(get_by(setting, AF_INET6).size, 3);
	assert_int_equal(six->requests, 1);
	assert_int_equal(get(setting).size, 3);
	assert_int_equal(stub->requests, 2);
	setting_free(setting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connects_to_what_it_is_given),
		cmocka_unit_test(judges_the_socket),
		cmocka_unit_test(judges_a_kept_connection),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
