/* Bodies of requests: strict JSON, and a table that says which fields there may be. */
#ifndef UI_API_BODY_H
#define UI_API_BODY_H

#include "ui-api/problem.h"

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

enum body_kind {
	BODY_TEXT,
	BODY_INTEGER,
	BODY_BOOLEAN,
	BODY_CHOICE,
	BODY_CHOICES, /* a list of them, each once */
	BODY_OBJECT,
	BODY_READ_ONLY,
};

/* What one field may be; a table ends with a NULL name. */
struct body_field {
	const char *name;
	enum body_kind kind;
	bool required, nullable;
	int64_t minimum, maximum; /* of a number, or of a text's length in characters */
	const char *const *choices; /* of a BODY_CHOICE or BODY_CHOICES, NULL-ended */
	const struct body_field *fields; /* of a BODY_OBJECT */
};

/*
 * The document in the N BYTES: JSON by the rules of trackers/json.h, and no name twice in one
 * object. NULL and *FAULT (owned by OWNER) if it is none. Owned by OWNER.
 */
struct json_object *body_parse(
	const void *owner, const char *bytes, size_t n, struct problem **fault);

/* Adds to FAULT all that is wrong with OBJECT by the table FIELDS; true if nothing is. */
bool body_check(struct json_object *object, const struct body_field *fields, struct problem *fault);

/* The text of field NAME of a checked object, or NULL where it is left out or null. */
const char *body_text(struct json_object *object, const char *name);

/* The characters in TEXT, which is UTF-8. */
int64_t body_count_characters(const char *text);

#endif
