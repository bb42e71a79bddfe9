#include "engine/signature.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>
#include <talloc.h>

#define PREFIX "whsec_"
#define BASE64 sodium_base64_VARIANT_ORIGINAL

enum { SECRET_BYTES = 32, KEY_MAX = 64 };

char *signature_secret(const void *owner)
{
	unsigned char key[SECRET_BYTES];
	char text[sodium_base64_ENCODED_LEN(SECRET_BYTES, BASE64)];
	randombytes_buf(key, sizeof(key));
	sodium_bin2base64(text, sizeof(text), key, sizeof(key), BASE64);
	char *secret = talloc_asprintf(owner, PREFIX "%s", text);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(text, sizeof(text));
	return secret;
}

static bool read_key(const char *secret, unsigned char *key, size_t *n)
{
	size_t prefix = strlen(PREFIX);
	if (strncmp(secret, PREFIX, prefix) != 0)
		return false;
	const char *text = secret + prefix;
	return sodium_base642bin(key, KEY_MAX, text, strlen(text), NULL, n, NULL, BASE64) == 0 &&
		*n > 0;
}

char *signature_of(
	const void *owner, const char *secret, const char *id, int64_t seconds, const char *body)
{
	unsigned char key[KEY_MAX], mac[crypto_auth_hmacsha256_BYTES];
	char text[sodium_base64_ENCODED_LEN(crypto_auth_hmacsha256_BYTES, BASE64)];
	crypto_auth_hmacsha256_state state;
	size_t n = 0;
	if (!read_key(secret, key, &n))
		return NULL;
	char *head = talloc_asprintf(owner, "%s.%" PRId64 ".", id, seconds);
	crypto_auth_hmacsha256_init(&state, key, n);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)head, strlen(head));
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)body, strlen(body));
	crypto_auth_hmacsha256_final(&state, mac);
	talloc_free(head);
	sodium_memzero(key, sizeof(key));
	sodium_bin2base64(text, sizeof(text), mac, sizeof(mac), BASE64);
	return talloc_asprintf(owner, "v1,%s", text);
}
