#include "engine/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>
#include <talloc.h>

#include <cmocka.h>

static bool allows(const char *allowed, const char *text)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct err err = {0};
	struct network_policy *policy = network_policy_new(NULL, allowed, &err);
	assert_string_equal(err.text, "");
	const struct sockaddr *address = (const struct sockaddr *)&in6;
	if (inet_pton(AF_INET6, text, &in6.sin6_addr) != 1) {
		assert_int_equal(inet_pton(AF_INET, text, &in.sin_addr), 1);
		address = (const struct sockaddr *)&in;
	}
	bool answer = network_allows(policy, address);
	talloc_free(policy);
	return answer;
}

static void refuses_special_addresses(void **state)
{
	static const char *const special[] = {/* first and last of each network */
		"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0",
		"100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.0.0", "169.254.169.254",
		"172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.255", "192.0.2.1",
		"192.88.99.1", "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255",
		"198.51.100.7", "203.0.113.255", "224.0.0.1", "239.255.255.255", "240.0.0.0",
		"255.255.255.255", "::", "::1", "100::1", "2001::1", "2001:10::1", "2001:20::1",
		"2001:1ff:ffff::", "2001:db8::", "2001:db8:ffff::1", "3fff::1", "3fff:fff::1",
		"4000::1", "5f00::1", "64:ff9b:1::1", "fc00::", "fdff::1", "fe80::1", "febf::1",
		"fec0::1", "ff02::1", "ffff::1",
		/* wrapped */
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
		"::10.1.2.3", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
		"2002:7f00:1::", "2002:a00:1::1",
		"2001:0:0:0:0:0:80ff:fffe" /* Teredo of 127.0.0.1 */,
		"2001:0:808:808:0:0:f5ff:fffe" /* Teredo of 10.0.0.1 */};
	for (unsigned i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		if (allows("", special[i]))
			print_error("%s is allowed\n", special[i]);
		assert_false(allows("", special[i]));
	}
}

static void allows_public_addresses(void **state)
{
	static const char *const public[] = {"1.0.0.0", "1.1.1.1", "9.255.255.255", "11.0.0.0",
		"100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255",
		"169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0",
		"192.0.3.0", "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0",
		"198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255",
		"203.0.114.0", "223.255.255.255", "2001:200::1", "2001:4860:4860::8888",
		"2001:db7:ffff::1", "2001:db9::1", "2000::1", "2a00:1450::1", "2606:4700::1111",
		"3ffe::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"};
	for (unsigned i = 0; i < sizeof(public) / sizeof(public[0]); i++) {
		if (!allows("", public[i]))
			print_error("%s is refused\n", public[i]);
		assert_true(allows("", public[i]));
	}
}

static void allows_what_is_listed(void **state)
{
	assert_true(allows("127.0.0.0/8,::1/128", "127.0.0.1"));
	assert_true(allows("127.0.0.0/8,::1/128", "::1"));
	assert_true(allows("127.0.0.0/8,::1/128", "::ffff:127.0.0.1"));
	assert_true(allows(" 10.1.2.3 , fd00::/8 ", "10.1.2.3"));
	assert_true(allows(" 10.1.2.3 , fd00::/8 ", "fd12::1"));
	assert_true(allows("10.1.2.3/16", "10.1.255.255"));
	assert_true(allows("192.168.0.128/25", "192.168.0.128"));
	assert_true(allows("0.0.0.0/0", "10.0.0.1"));
	assert_true(allows("::/0", "fe80::1"));
	assert_true(allows("127.0.0.1", "8.8.8.8"));
}

static void allows_no_more_than_is_listed(void **state)
{
	assert_false(allows("10.1.2.3", "10.1.2.4"));
	assert_false(allows("10.1.2.3", "::ffff:10.1.2.4"));
	assert_false(allows("192.168.0.128/25", "192.168.0.127"));
	assert_false(allows("172.16.0.0/13", "172.24.0.0"));
	assert_false(allows("::1", "::2"));
	assert_false(allows("::1", "127.0.0.1"));
	assert_false(allows("0.0.0.0/0", "::1"));
	/* A translator's or relay's idea of 127.0.0.1 is not ours. */
	assert_false(allows("127.0.0.0/8", "64:ff9b::7f00:1"));
	assert_false(allows("127.0.0.0/8", "2002:7f00:1::"));
	assert_false(allows("127.0.0.0/8", "::127.0.0.1"));
}

static void names_the_entry_that_is_no_network(void **state)
{
	static const char *const bad[][2] = {{"10.0.0.0/8,nonsense", "\"nonsense\""},
		{"10.0.0.0/33", "\"10.0.0.0/33\""}, {"::/129", "\"::/129\""},
		{"10.0.0/8", "\"10.0.0/8\""}, {"10.0.0.0/", "\"10.0.0.0/\""},
		{"10.0.0.0/-1", "\"10.0.0.0/-1\""}, {"10.0.0.0/8/8", "\"10.0.0.0/8/8\""},
		{"10.0.0.0/8 x", "\"10.0.0.0/8 x\""}, {"127.0.0.1,,::1", "\"\""},
		{"[::1]/128", "\"[::1]/128\""}, {"0x7f.0.0.1", "\"0x7f.0.0.1\""},
		{"10.0.0.0/4294967304", "\"10.0.0.0/4294967304\""}};
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = {0};
		assert_null(network_policy_new(NULL, bad[i][0], &err));
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, bad[i][1]));
	}
}

static void refuses_other_families(void **state)
{
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	struct network_policy *policy = network_policy_new(NULL, "::/0,0.0.0.0/0", NULL);
	assert_false(network_allows(policy, (const struct sockaddr *)&local));
	talloc_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_special_addresses),
		cmocka_unit_test(allows_public_addresses),
		cmocka_unit_test(allows_what_is_listed),
		cmocka_unit_test(allows_no_more_than_is_listed),
		cmocka_unit_test(names_the_entry_that_is_no_network),
		cmocka_unit_test(refuses_other_families),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
