#include "engine/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <talloc.h>

/* A network of IPv6; one of IPv4 in its mapped form, so that one comparison serves both. */
struct network {
	uint8_t address[16];
	unsigned bits;
};

struct network_policy {
	unsigned allowed_count;
	struct network *allowed;
};

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

/* IANA's IPv4 special-purpose registry, multicast and the reserved rest. */
struct special_v4 {
	uint8_t address[4];
	unsigned bits;
};

static const struct special_v4 special_v4[] = {
	{{0, 0, 0, 0}, 8},
	{{10, 0, 0, 0}, 8},
	{{100, 64, 0, 0}, 10},
	{{127, 0, 0, 0}, 8},
	{{169, 254, 0, 0}, 16},
	{{172, 16, 0, 0}, 12},
	{{192, 0, 0, 0}, 24},
	{{192, 0, 2, 0}, 24},
	{{192, 88, 99, 0}, 24},
	{{192, 168, 0, 0}, 16},
	{{198, 18, 0, 0}, 15},
	{{198, 51, 100, 0}, 24},
	{{203, 0, 113, 0}, 24},
	{{224, 0, 0, 0}, 4},
	{{240, 0, 0, 0}, 4},
};

/*
 * What is special inside 2000::/3, the only part of IPv6 that is handed out as global unicast:
 * IETF protocols, documentation (two). All outside of it is refused without a list.
 */
static const struct network global_v6 = {{0x20}, 3};
static const struct network special_v6[] = {
	{{0x20, 0x01, 0x00}, 23},
	{{0x20, 0x01, 0x0d, 0xb8}, 32},
	{{0x3f, 0xff}, 20},
};

/* Where IPv4 addresses hide in IPv6: the prefix, and the offset of the inner address. */
struct wrapping {
	struct network network;
	unsigned offset;
	uint8_t flip; /* Teredo stores the client's address inverted */
};

static const struct wrapping wrappings[] = {
	{{{[10] = 0xff, [11] = 0xff}, 96}, 12, 0x00},
	{{{0}, 96}, 12, 0x00},
	{{{0x00, 0x64, 0xff, 0x9b}, 96}, 12, 0x00},
	{{{0x20, 0x02}, 16}, 2, 0x00},
	{{{0x20, 0x01, 0x00, 0x00}, 32}, 12, 0xff},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;
	if (memcmp(a, b, bytes) != 0)
		return false;
	return rest == 0 || ((a[bytes] ^ b[bytes]) >> (8 - rest)) == 0;
}

static bool holds(const struct network *network, const uint8_t address[16])
{
	return same_bits(network->address, address, network->bits);
}

static bool is_public_v4(const uint8_t address[4])
{
	for (unsigned i = 0; i < COUNT(special_v4); i++)
		if (same_bits(special_v4[i].address, address, special_v4[i].bits))
			return false;
	return true;
}

static bool is_public(const uint8_t address[16])
{
	for (unsigned i = 0; i < COUNT(wrappings); i++) {
		if (!holds(&wrappings[i].network, address))
			continue;
		uint8_t inner[4];
		for (unsigned k = 0; k < sizeof(inner); k++)
			inner[k] = address[wrappings[i].offset + k] ^ wrappings[i].flip;
		return is_public_v4(inner);
	}
	if (!holds(&global_v6, address))
		return false;
	for (unsigned i = 0; i < COUNT(special_v6); i++)
		if (holds(&special_v6[i], address))
			return false;
	return true;
}

/* Writes the address as IPv6, mapped if it is IPv4; false for other families. */
static bool to_v6(const struct sockaddr *address, uint8_t out[16])
{
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, address, sizeof(in6));
		memcpy(out, &in6.sin6_addr, 16);
		return true;
	}
	if (address->sa_family != AF_INET)
		return false;
	struct sockaddr_in in;
	memcpy(&in, address, sizeof(in));
	memcpy(out, mapped_prefix, sizeof(mapped_prefix));
	memcpy(out + sizeof(mapped_prefix), &in.sin_addr, 4);
	return true;
}

bool network_allows(const struct network_policy *policy, const struct sockaddr *address)
{
	uint8_t v6[16];
	if (!to_v6(address, v6))
		return false;
	for (unsigned i = 0; i < policy->allowed_count; i++)
		if (holds(&policy->allowed[i], v6))
			return true;
	return is_public(v6);
}

/* Reads the number after the slash, 0 to LIMIT; LIMIT where TEXT is NULL. */
static bool read_bits(const char *text, unsigned limit, unsigned *out)
{
	*out = limit;
	if (text == NULL)
		return true;
	size_t n = strlen(text);
	if (n < 1 || n > 3 || strspn(text, "0123456789") != n)
		return false;
	*out = 0;
	while (*text != '\0')
		*out = *out * 10 + (unsigned)(*text++ - '0');
	return *out <= limit;
}

/* Reads `ADDRESS[/BITS]`; ENTRY is cut up. */
static bool read_network(char *entry, struct network *out)
{
	char *slash = strchr(entry, '/');
	if (slash != NULL)
		*slash++ = '\0';
	if (inet_pton(AF_INET6, entry, out->address) == 1)
		return read_bits(slash, 128, &out->bits);
	memcpy(out->address, mapped_prefix, sizeof(mapped_prefix));
	if (inet_pton(AF_INET, entry, out->address + sizeof(mapped_prefix)) != 1 ||
		!read_bits(slash, 32, &out->bits))
		return false;
	out->bits += 8 * sizeof(mapped_prefix);
	return true;
}

static bool add_network(struct network_policy *policy, const char *entry, size_t n, struct err *err)
{
	char *text = talloc_strndup(policy, entry, n);
	policy->allowed =
		talloc_realloc(policy, policy->allowed, struct network, policy->allowed_count + 1);
	bool good = read_network(text, &policy->allowed[policy->allowed_count++]);
	if (!good)
		err_set(err, ERR_USAGE,
			"\"%.*s\" is no network: write it like 10.0.0.0/8, fd00::/8 or 192.0.2.7",
			(int)n, entry);
	talloc_free(text);
	return good;
}

struct network_policy *network_policy_new(const void *owner, const char *allowed, struct err *err)
{
	static const char blanks[] = " \t";
	struct network_policy *policy = talloc_zero(owner, struct network_policy);
	const char *at = allowed + strspn(allowed, blanks);
	while (*at != '\0') {
		size_t n = strcspn(at, ","), end = n;
		while (end > 0 && strchr(blanks, at[end - 1]) != NULL)
			end--;
		if (!add_network(policy, at, end, err)) {
			talloc_free(policy);
			return NULL;
		}
		at += n;
		if (*at == ',')
			at += 1 + strspn(at + 1, blanks);
	}
	return policy;
}
