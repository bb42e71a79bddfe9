#include "engine/vault.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

enum {
	KEY_TEXT = 2 * crypto_secretbox_KEYBYTES + 1,
	VERSION = 1, /* of what is sealed, in its first byte */
	HEAD = 1 + crypto_secretbox_NONCEBYTES,
	SEALED_MIN = HEAD + crypto_secretbox_MACBYTES,
};

struct vault {
	unsigned char key[crypto_secretbox_KEYBYTES];
};

static int forget(struct vault *vault)
{
	sodium_memzero(vault->key, sizeof(vault->key));
	return 0;
}

/* In hexadecimal, so that it survives editors and backups of text. */
static bool make_key(struct vault *vault, const struct state *state, struct err *err)
{
	char text[KEY_TEXT];
	crypto_secretbox_keygen(vault->key);
	sodium_bin2hex(text, sizeof(text), vault->key, sizeof(vault->key));
	bool ok = state_write(state, "secret-key", text, err);
	sodium_memzero(text, sizeof(text));
	return ok;
}

/* A key that is there but can't be read is never replaced: what it sealed would be lost. */
static bool read_key(struct vault *vault, const char *dir, struct err *err)
{
	size_t n = 0;
	char *text = state_read(vault, dir, "secret-key");
	bool ok = text != NULL &&
		sodium_hex2bin(
			vault->key, sizeof(vault->key), text, strlen(text), NULL, &n, NULL) == 0 &&
		n == sizeof(vault->key);
	if (text != NULL)
		sodium_memzero(text, strlen(text));
	talloc_free(text);
	if (!ok)
		err_set(err, ERR_SYSTEM,
			"%s/secret-key is not a readable key of %u hexadecimal digits: bring it "
			"back "
			"from a backup, or remove it and set every tracker's credentials again",
			dir, KEY_TEXT - 1);
	return ok;
}

struct vault *vault_open(
	const void *owner, const struct state *state, const char *dir, struct err *err)
{
	if (sodium_init() < 0) {
		err_set(err, ERR_SYSTEM, "libsodium finds no source of random numbers");
		return NULL;
	}
	struct vault *vault = talloc_zero(owner, struct vault);
	talloc_set_destructor(vault, forget);
	char *path = talloc_asprintf(vault, "%s/secret-key", dir);
	bool missing = access(path, F_OK) != 0 && errno == ENOENT;
	talloc_free(path);
	if (missing ? make_key(vault, state, err) : read_key(vault, dir, err))
		return vault;
	talloc_free(vault);
	return NULL;
}

/* A letter, the text and a NUL for each that is set. */
static size_t write_plain(unsigned char *out, const struct credentials *plain)
{
	const struct {
		char letter;
		const char *text;
	} parts[] = {{'k', plain->api_key}, {'u', plain->username}, {'p', plain->password}};
	size_t n = 0;
	for (int i = 0; i < 3; i++) {
		if (parts[i].text == NULL)
			continue;
		size_t size = strlen(parts[i].text) + 1;
		if (out != NULL) {
			out[n] = (unsigned char)parts[i].letter;
			memcpy(out + n + 1, parts[i].text, size);
		}
		n += size + 1;
	}
	return n;
}

char *vault_seal(const void *owner, const struct vault *vault, const struct credentials *plain)
{
	size_t n = write_plain(NULL, plain), size = SEALED_MIN + n;
	unsigned char *sealed = talloc_array(NULL, unsigned char, size);
	unsigned char *opened = talloc_array(sealed, unsigned char, n);
	sealed[0] = VERSION;
	randombytes_buf(sealed + 1, crypto_secretbox_NONCEBYTES);
	write_plain(opened, plain);
	crypto_secretbox_easy(sealed + HEAD, opened, n, sealed + 1, vault->key);
	sodium_memzero(opened, n);
	char *literal = talloc_array(owner, char, 2 + 2 * size + 1);
	literal[0] = '\\';
	literal[1] = 'x';
	sodium_bin2hex(literal + 2, 2 * size + 1, sealed, size);
	talloc_free(sealed);
	return literal;
}

/* What was sealed has our form, as the seal proves; the lengths are checked all the same. */
static struct credentials *read_plain(const void *owner, const unsigned char *text, size_t n)
{
	struct credentials *plain = talloc_zero(owner, struct credentials);
	plain->session = talloc_zero(plain, struct session);
	for (size_t at = 0; at + 1 < n;) {
		const char *value = (const char *)text + at + 1;
		size_t length = strnlen(value, n - at - 1);
		if (length == n - at - 1)
			break;
		char *copy = talloc_strndup(plain, value, length);
		if (text[at] == 'k')
			plain->api_key = copy;
		else if (text[at] == 'u')
			plain->username = copy;
		else if (text[at] == 'p')
			plain->password = copy;
		at += length + 2;
	}
	return plain;
}

struct credentials *vault_unseal(const void *owner, const struct vault *vault, const char *sealed)
{
	size_t text = strlen(sealed), size = 0;
	if (strncmp(sealed, "\\x", 2) != 0)
		return NULL;
	unsigned char *bytes = talloc_array(NULL, unsigned char, text / 2);
	struct credentials *plain = NULL;
	if (sodium_hex2bin(bytes, text / 2, sealed + 2, text - 2, NULL, &size, NULL) == 0 &&
		size >= SEALED_MIN && bytes[0] == VERSION) {
		size_t n = size - SEALED_MIN;
		unsigned char *opened = talloc_array(bytes, unsigned char, n);
		if (crypto_secretbox_open_easy(
			    opened, bytes + HEAD, size - HEAD, bytes + 1, vault->key) == 0)
			plain = read_plain(owner, opened, n);
		sodium_memzero(opened, n);
	}
	talloc_free(bytes);
	return plain;
}

/* A text is sealed as credentials that are only a password. */
char *vault_seal_text(const void *owner, const struct vault *vault, const char *plain)
{
	return vault_seal(owner, vault, &(struct credentials){.password = plain});
}

const char *vault_unseal_text(const void *owner, const struct vault *vault, const char *sealed)
{
	struct credentials *plain = vault_unseal(owner, vault, sealed);
	return plain != NULL ? plain->password : NULL;
}
