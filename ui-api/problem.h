/* A refusal as the API tells it: RFC 9457 `application/problem+json`. */
#ifndef UI_API_PROBLEM_H
#define UI_API_PROBLEM_H

#include <stdbool.h>

struct problem;

/* A problem of this HTTP STATUS with what went wrong as DETAIL. A talloc object owned by OWNER. */
struct problem *problem_new(const void *owner, int status, const char *detail, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds what is wrong with one FIELD (a name in the body or of the query). */
void problem_field(struct problem *problem, const char *field, const char *message, ...)
	__attribute__((format(printf, 3, 4)));

/* Whether a field is at fault. */
bool problem_has_fields(const struct problem *problem);

/* Its HTTP status. */
int problem_status(const struct problem *problem);

/* The document; owned by PROBLEM. */
const char *problem_text(struct problem *problem);

/* The page behind TYPE ("not-found"): what happened, what to do. Owned by OWNER; NULL for no type. */
char *problem_page(const void *owner, const char *type);

/* The title of an HTTP status, also as its reason phrase; static. */
const char *problem_title(int status);

#endif
