#include "engine/resolver.h"
#include "tests/unit/stub_dns.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

#include <cmocka.h>

struct found {
	struct resolver_query *query;
	unsigned dones;
	struct err err;
	unsigned count;
	char first[INET6_ADDRSTRLEN];
};

static struct event_base *base;
static struct stub_dns *dns;
static struct resolver *resolver;

static int begin(void **state)
{
	base = event_base_new();
	dns = stub_dns_new(NULL, base);
	dns->a = "192.0.2.1,192.0.2.2";
	resolver = resolver_new(NULL, base, dns->servers, NULL);
	return resolver == NULL;
}

static int end(void **state)
{
	talloc_free(resolver);
	talloc_free(dns);
	event_base_free(base);
	return 0;
}

static void hear(void *cookie, const struct err *err, const struct sockaddr_storage *addresses,
	unsigned count)
{
	struct found *found = cookie;
	assert_non_null(found->query); /* resolver_ask has returned */
	found->dones++;
	found->count = count;
	if (err != NULL)
		found->err = *err;
	assert_true((err == NULL) == (count > 0));
	if (count == 0)
		return;
	const struct sockaddr_in *in = (const struct sockaddr_in *)addresses;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addresses;
	assert_int_equal(in->sin_port, 0);
	if (addresses->ss_family == AF_INET)
		inet_ntop(AF_INET, &in->sin_addr, found->first, sizeof(found->first));
	else
		inet_ntop(AF_INET6, &in6->sin6_addr, found->first, sizeof(found->first));
}

static void ask(const char *host, struct found *found)
{
	memset(found, 0, sizeof(*found));
	found->query = resolver_ask(resolver, host, hear, found);
	assert_int_equal(found->dones, 0);
}

static struct found resolve(const char *host)
{
	struct found found;
	ask(host, &found);
	while (found.dones == 0)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(found.dones, 1);
	return found;
}

static void takes_addresses_as_they_are(void **state)
{
	static const char *const rows[][2] = {{"192.0.2.7", "192.0.2.7"},
		{"2001:db8::7", "2001:db8::7"}, {"[2001:db8::7]", "2001:db8::7"},
		{"0x7f.1", "127.0.0.1"}, {"2130706433", "127.0.0.1"}, {"0177.0.0.1", "127.0.0.1"}};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct found found = resolve(rows[i][0]);
		assert_int_equal(found.count, 1);
		assert_string_equal(found.first, rows[i][1]);
	}
	assert_int_equal(dns->questions, 0);
}

static void asks_the_name_server(void **state)
{
	struct found found = resolve("name.example.org");
	assert_int_equal(found.err.kind, ERR_NONE);
	assert_int_equal(found.count, 2);
	assert_int_equal(strncmp(found.first, "192.0.2.", 8), 0);
	assert_int_equal(dns->questions, 1);
}

static void bounds_the_addresses(void **state)
{
	dns->a = "192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4,192.0.2.5,192.0.2.6,192.0.2.7,192.0.2.8,"
		 "192.0.2.11,192.0.2.12,192.0.2.13,192.0.2.14,192.0.2.15,192.0.2.16,192.0.2.17,"
		 "192.0.2.18,192.0.2.19,192.0.2.20";
	assert_int_equal(resolve("many.example.org").count, 16);
}

static void says_why_it_failed(void **state)
{
	static const char *const rows[][2] = {{"nosuch.example.org", "there is no such name"},
		{"empty.example.org", "has no address"},
		{"broken.example.org", "can't be resolved"}, {"", "no host name"},
		{"a b", "no host name"}, {"a\nb", "no host name"}, {"[]", "no host name"},
		{"\xc3\xa9.example.org", "no host name"}};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct found found = resolve(rows[i][0]);
		assert_int_equal(found.err.kind, ERR_DNS);
		if (strstr(found.err.text, rows[i][1]) == NULL)
			print_error("%s\n", found.err.text);
		assert_non_null(strstr(found.err.text, rows[i][1]));
	}
	char longest[300];
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(resolve(longest).err.kind, ERR_DNS);
}

static void asks_once_for_all(void **state)
{
	struct found found[5];
	for (int i = 0; i < 5; i++)
		ask("shared.example.org", &found[i]);
	for (int i = 0; i < 5; i++)
		while (found[i].dones == 0)
			event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(dns->questions, 1);
}

static void remembers_for_as_long_as_it_may(void **state)
{
	dns->ttl_s = 30;
	resolve("kept.example.org");
	dns->a = "192.0.2.9";
	assert_int_equal(resolve("KEPT.example.org").count, 2);
	assert_int_equal(dns->questions, 1);
	resolve("nosuch.example.org");
	resolve("nosuch.example.org");
	assert_int_equal(dns->questions, 2);
	/* What may not be kept is asked again, but not more than once a second. */
	dns->ttl_s = 0;
	resolve("fresh.example.org");
	dns->a = "192.0.2.10";
	unsigned tries = 0;
	while (strcmp(resolve("fresh.example.org").first, "192.0.2.10") != 0)
		tries++;
	assert_true(tries > 0);
	assert_int_equal(dns->questions, 4);
}

static void forgets_the_least_used(void **state)
{
	char name[64];
	dns->ttl_s = 30;
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "n%d.example.org", i);
		resolve(name);
	}
	assert_int_equal(dns->questions, 300);
	resolve("n299.example.org");
	assert_int_equal(dns->questions, 300);
	resolve("n0.example.org");
	assert_int_equal(dns->questions, 301);
	/* No more is held than what is remembered. */
	assert_true(talloc_total_blocks(resolver) < 256 * 3 + 100);
}

static void cancels(void **state)
{
	struct found name, address, silent;
	ask("name.example.org", &name);
	ask("192.0.2.1", &address);
	ask("silent.example.org", &silent);
	resolver_cancel(name.query);
	resolver_cancel(address.query);
	event_base_loop(base, EVLOOP_ONCE);
	resolver_cancel(silent.query);
	resolve("other.example.org");
	assert_int_equal(name.dones + address.dones + silent.dones, 0);
}

static void ends_with_questions_open(void **state)
{
	struct found one, two;
	ask("silent.example.org", &one);
	ask("192.0.2.1", &two);
	TALLOC_FREE(resolver);
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(one.dones + two.dones, 0);
}

static void refuses_what_is_no_server(void **state)
{
	struct err err = {0};
	assert_null(resolver_new(NULL, base, "not a server", &err));
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, "not a server"));
}

int main(void)
{
	alarm(60); /* some loops wait for what never comes when the code is wrong */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(takes_addresses_as_they_are, begin, end),
		cmocka_unit_test_setup_teardown(asks_the_name_server, begin, end),
		cmocka_unit_test_setup_teardown(bounds_the_addresses, begin, end),
		cmocka_unit_test_setup_teardown(says_why_it_failed, begin, end),
		cmocka_unit_test_setup_teardown(asks_once_for_all, begin, end),
		cmocka_unit_test_setup_teardown(remembers_for_as_long_as_it_may, begin, end),
		cmocka_unit_test_setup_teardown(forgets_the_least_used, begin, end),
		cmocka_unit_test_setup_teardown(cancels, begin, end),
		cmocka_unit_test_setup_teardown(ends_with_questions_open, begin, end),
		cmocka_unit_test_setup_teardown(refuses_what_is_no_server, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
