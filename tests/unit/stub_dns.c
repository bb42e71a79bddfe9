#include "tests/unit/stub_dns.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <talloc.h>
#include <unistd.h>

enum { HEAD = 12, TYPE_A = 1, NOERROR = 0, SERVFAIL = 2, NXDOMAIN = 3, PACKET = 2048 };

static bool begins(const uint8_t *name, const char *word)
{
	return strncasecmp((const char *)name + 1, word, strlen(word)) == 0;
}

static size_t add_address(uint8_t *at, unsigned ttl_s, const char *address)
{
	const uint8_t record[12] = {
		0xc0, HEAD, 0, TYPE_A, 0, 1, 0, 0, (uint8_t)(ttl_s >> 8), (uint8_t)ttl_s, 0, 4};
	memcpy(at, record, sizeof(record));
	inet_pton(AF_INET, address, at + sizeof(record));
	return sizeof(record) + 4;
}

/* Writes the addresses behind the N bytes of PACKET; returns its new size. */
static size_t add_addresses(const struct stub_dns *dns, uint8_t *packet, size_t n)
{
	char list[1024];
	snprintf(list, sizeof(list), "%s", dns->a);
	char *rest = list, *address;
	while ((address = strsep(&rest, ",")) != NULL) {
		n += add_address(packet + n, dns->ttl_s, address);
		packet[7]++;
	}
	return n;
}

static void hear_question(evutil_socket_t fd, short what, void *cookie)
{
	struct stub_dns *dns = cookie;
	uint8_t packet[PACKET];
	struct sockaddr_storage from;
	socklen_t from_size = sizeof(from);
	ssize_t got = recvfrom(fd, packet, 512, 0, (struct sockaddr *)&from, &from_size);
	const uint8_t *name = packet + HEAD;
	if (got < HEAD + 6 || begins(name, "silent"))
		return;
	size_t n = HEAD + strlen((const char *)name) + 1 + 4;
	bool is_a = packet[n - 3] == TYPE_A;
	dns->questions += is_a;
	packet[2] = 0x81;
	packet[3] = begins(name, "nosuch") ? NXDOMAIN : begins(name, "broken") ? SERVFAIL : NOERROR;
	packet[3] |= 0x80;
	memset(packet + 6, 0, 6); /* no additional section either */
	if (is_a && packet[3] == 0x80 && !begins(name, "empty"))
		n = add_addresses(dns, packet, n);
	sendto(fd, packet, n, 0, (struct sockaddr *)&from, from_size);
}

static int stub_dns_destructor(struct stub_dns *dns)
{
	event_free(dns->event);
	close(dns->fd);
	return 0;
}

struct stub_dns *stub_dns_new(const void *owner, struct event_base *base)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(address);
	struct stub_dns *dns = talloc_zero(owner, struct stub_dns);
	dns->a = "127.0.0.1";
	dns->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	bind(dns->fd, (struct sockaddr *)&address, n);
	getsockname(dns->fd, (struct sockaddr *)&address, &n);
	snprintf(dns->servers, sizeof(dns->servers), "127.0.0.1:%u", ntohs(address.sin_port));
	dns->event = event_new(base, dns->fd, EV_READ | EV_PERSIST, hear_question, dns);
	event_add(dns->event, NULL);
	talloc_set_destructor(dns, stub_dns_destructor);
	return dns;
}
