/* Tokens: secrets that let a program in. The database keeps only their hashes. */
#ifndef UI_API_TOKEN_H
#define UI_API_TOKEN_H

#include "engine/db.h"
#include "engine/state.h"
#include "trackers/err.h"

/* A new secret, "bw_" and 43 letters; owned by OWNER. */
char *token_new(const void *owner);

/* The hash of SECRET as a PostgreSQL bytea literal; owned by OWNER. */
char *token_hash(const void *owner, const char *secret);

/* ERR is NULL where the database has a token now. */
typedef void token_done(void *cookie, const struct err *err);

/*
 * Makes an admin token if the database has none, and writes it to the file admin-token in the state
 * folder. Of several services that do so at once on one database, one makes it. The file is written
 * first, so that no token is made that nobody knows. DONE is called once, unless DB is freed before.
 */
void token_ensure_admin(struct db *db, const struct state *state, token_done *done, void *cookie);

#endif
