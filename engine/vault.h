/* Trackers' credentials at rest: sealed with a key from the state folder (libsodium secretbox). */
#ifndef ENGINE_VAULT_H
#define ENGINE_VAULT_H

#include "engine/state.h"
#include "trackers/conversation.h"

struct vault;

/* Reads DIR/secret-key, or makes it (mode 0600). NULL and ERR_SYSTEM if neither can be done. */
struct vault *vault_open(
	const void *owner, const struct state *state, const char *dir, struct err *err);

/* Seals credentials into a PostgreSQL bytea literal (`\x…`), owned by OWNER. */
char *vault_seal(const void *owner, const struct vault *vault, const struct credentials *plain);

/* The same for one text. */
char *vault_seal_text(const void *owner, const struct vault *vault, const char *plain);

/* Opens a bytea literal again, owned by OWNER; NULL where it is not ours or was tampered with. */
struct credentials *vault_unseal(const void *owner, const struct vault *vault, const char *sealed);

/* The same for one text. */
const char *vault_unseal_text(const void *owner, const struct vault *vault, const char *sealed);

#endif
