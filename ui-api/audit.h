/* The record of what administrators do: who, when, what, from where. Secrets are left out. */
#ifndef UI_API_AUDIT_H
#define UI_API_AUDIT_H

#include "ui-api/request.h"

/* BODY as it may be kept: without the values of secret fields, and cut; owned by OWNER. */
char *audit_body(const void *owner, struct json_object *body);

/*
 * Adds the record of REQUEST, about to be done with BODY (as audit_body gives it, or NULL), to BATCH.
 * Returns the request's name in the record, owned by REQUEST.
 */
const char *audit_add(struct request *request, struct db_batch *batch, const char *body);

/* Notes that the request called NAME in the record was answered with STATUS. */
void audit_answered(struct db *db, const char *name, int status);

#endif
