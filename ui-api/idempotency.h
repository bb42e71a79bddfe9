/*
 * Requests that are safe to send twice: whoever repeats one with the same Idempotency-Key within a
 * day gets the answer of the first. Only routes that start work take part.
 *
 * A request with a key:  asks for the key --it is new--> is handled --> its answer is sent and kept
 *                        --answered before--> gets that answer
 *                        --the first is not answered yet--> 409
 *                        --it was for another path--> 422
 */
#ifndef UI_API_IDEMPOTENCY_H
#define UI_API_IDEMPOTENCY_H

#include "ui-api/request.h"

/* The key that REQUEST brings and that its route heeds, or NULL; owned by the wire. */
const char *idempotency_key(const struct request *request);

/* Takes KEY for REQUEST; goes on with HANDLE, or answers. */
void idempotency_begin(struct request *request, const char *key, void (*handle)(struct request *));

/*
 * Notes, without waiting, that REQUEST is about to be answered with STATUS and what is in its output.
 * A refusal frees the key: what stood against it may be gone next time.
 */
void idempotency_end(struct request *request, const char *key, int status);

#endif
