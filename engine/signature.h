/* Standard Webhooks: how a message is signed, so that its receiver knows whose it is. */
#ifndef ENGINE_SIGNATURE_H
#define ENGINE_SIGNATURE_H

#include <stdint.h>

/* A new secret, `whsec_` and base64 of 32 random bytes; owned by OWNER. */
char *signature_secret(const void *owner);

/*
 * The value of the header `webhook-signature` for message ID with BODY, sent at SECONDS since 1970:
 * `v1,` and base64 of the HMAC-SHA256 of `ID.SECONDS.BODY`. NULL where SECRET is none. Owned by OWNER.
 */
char *signature_of(
	const void *owner, const char *secret, const char *id, int64_t seconds, const char *body);

#endif
