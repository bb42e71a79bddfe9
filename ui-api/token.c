#include "ui-api/token.h"

#include "engine/log.h"

#include <sodium.h>
#include <string.h>
#include <talloc.h>

enum { SECRET_BYTES = 32, HASH_BYTES = 32 };

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

char *token_new(const void *owner)
{
	unsigned char raw[SECRET_BYTES];
	char text[sodium_base64_ENCODED_LEN(SECRET_BYTES, BASE64)];
	randombytes_buf(raw, sizeof(raw));
	sodium_bin2base64(text, sizeof(text), raw, sizeof(raw), BASE64);
	char *secret = talloc_asprintf(owner, "bw_%s", text);
	sodium_memzero(raw, sizeof(raw));
	sodium_memzero(text, sizeof(text));
	return secret;
}

char *token_hash(const void *owner, const char *secret)
{
	unsigned char hash[HASH_BYTES];
	char hex[2 * HASH_BYTES + 1];
	crypto_generichash(
		hash, sizeof(hash), (const unsigned char *)secret, strlen(secret), NULL, 0);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	return talloc_asprintf(owner, "\\x%s", hex);
}

/* The making of the first token; ends with the database. */
struct first {
	struct db *db;
	const struct state *state;
	token_done *done;
	void *cookie;
};

static void first_end(struct first *first, const struct err *err)
{
	token_done *done = first->done;
	void *cookie = first->cookie;
	struct err copy = {0};
	if (err != NULL)
		copy = *err;
	talloc_free(first);
	done(cookie, err == NULL ? NULL : &copy);
}

/*
 * The insert is through. Where its outcome is not known the file stays: if the token was made after
 * all it is the only copy, and if not the next start writes another.
 */
static void first_made(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct first *first = cookie;
	if (rows != NULL && db_count(rows[1]) == 0)
		state_remove(first->state, "admin-token");
	else if (rows != NULL)
		log_info("api", "made an admin token: the file admin-token in the state folder");
	first_end(first, rows == NULL ? err : NULL);
}

static void first_make(struct first *first)
{
	struct err err = {0};
	char *secret = token_new(first);
	if (!state_write(first->state, "admin-token", secret, &err)) {
		first_end(first, &err);
		return;
	}
	struct db_batch *batch = db_batch_new(first->db);
	db_add(batch, QUERY_api_lock_tokens, NULL);
	db_add(batch, QUERY_api_first_token, (const char *[]){token_hash(first, secret)});
	db_send(batch, first_made, first);
	sodium_memzero(secret, strlen(secret));
}

static void first_counted(void *cookie, const struct err *err, struct db_rows *const *rows)
{
	struct first *first = cookie;
	if (rows == NULL)
		first_end(first, err);
	else if (db_integer(rows[0], 0, 0) > 0)
		first_end(first, NULL);
	else
		first_make(first);
}

void token_ensure_admin(struct db *db, const struct state *state, token_done *done, void *cookie)
{
	struct first *first = talloc_zero(db, struct first);
	first->db = db;
	first->state = state;
	first->done = done;
	first->cookie = cookie;
	db_query(db, QUERY_api_count_tokens, NULL, first_counted, first);
}
