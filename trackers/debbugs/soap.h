/* SOAP as Debbugs' SOAP::Lite speaks it: what is asked, and the values in what it answers. */
#ifndef TRACKERS_DEBBUGS_SOAP_H
#define TRACKERS_DEBBUGS_SOAP_H

#include "trackers/conversation.h"

/* The body that calls METHOD with ARGUMENTS (markup); one line, owned by OWNER. */
char *soap_call(const void *owner, const char *method, const char *arguments);

/* What METHOD returned, or NULL where the answer is no answer to it. */
struct element *soap_result(const struct exchange *exchange, const char *method);

/* What a Fault says, one clean line owned by EXCHANGE; NULL for no Fault. */
const char *soap_fault(struct exchange *exchange);

/* The value called NAME in HASH, which may be a struct or a Map; NULL where there is none. */
struct element *soap_field(const struct element *hash, const char *name);

/*
 * The bytes of VALUE, NUL-ended and owned by OWNER, *N of them; undone base64 where its type says
 * so. VALUE may be NULL.
 */
char *soap_bytes(const void *owner, const struct element *value, size_t *n);

/* The same made a clean line. */
char *soap_line(const void *owner, const struct element *value, size_t limit);

/* VALUE as a whole number below 10^12; false for anything else. */
bool soap_number(const struct element *value, int64_t *out);

#endif
