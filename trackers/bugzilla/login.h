/*
 * Signing in with a user name and a password, where there is no key: once for a run, and once more
 * where what that brought is no longer taken.
 */
#ifndef TRACKERS_BUGZILLA_LOGIN_H
#define TRACKERS_BUGZILLA_LOGIN_H

#include "trackers/conversation.h"

/* Begins to count the questions of CONVERSATION; the first thing of all. */
void login_begin(struct conversation *conversation);

/* Whether the errand must wait for login_ask. */
bool login_is_due(const struct conversation *conversation);

/* Signs in; ASK_LOGIN is heard next. */
void login_ask(struct conversation *conversation);

/* Keeps what signing in brought; false after a failure. */
bool login_hear(struct conversation *conversation, struct exchange *exchange);

/* What signing in brought: the value of a Cookie header, or NULL. */
const char *login_cookie(const struct conversation *conversation);

/* The same as a token of the web service, owned by OWNER; NULL where there is none. */
char *login_token(const void *owner, const struct conversation *conversation);

/* Counts a question. */
void login_asked(struct conversation *conversation);

/*
 * Counts an answer. False where it, or one before it, shows that the session is over: it is then not
 * heard, and after the last of those under way the errand begins anew with login_ask.
 */
bool login_lets_hear(struct conversation *conversation, const struct exchange *exchange);

#endif
