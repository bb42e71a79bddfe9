/* What a Roundup tracker's issues are made of: every tracker has a schema of its own. */
#ifndef TESTS_FARM_ROUNDUP_SCHEMA_H
#define TESTS_FARM_ROUNDUP_SCHEMA_H

#include "tests/farm/site.h"

enum roundup_type {
	ROUNDUP_STRING,
	ROUNDUP_LINK,
	ROUNDUP_MULTILINK,
	ROUNDUP_MESSAGES,
	ROUNDUP_CREATION,
	ROUNDUP_ACTIVITY,
};

struct farm_roundup_field {
	const char *name, *class_name; /* the class it links to, or NULL */
	enum roundup_type type;
	const char *(*value)(
		const struct bug *bug); /* the text, or the name of what is linked to */
};

struct roundup_schema {
	const struct farm_roundup_field *fields;
	unsigned count;
};

/* A field by its place, and the name of what it links to (`status.name`), as bits. */
#define ROUNDUP_FIELD(i) (1u << (i))
#define ROUNDUP_NAME_OF(i) (1u << (16 + (i)))
#define ROUNDUP_ALL_FIELDS 0xffffu

/* The schema of SPEECH, which is one of Roundup's. */
const struct roundup_schema *farm_roundup_schema_of(const struct speech *speech);

/* The bit of the N bytes of NAME, 0 where the schema has no such field. */
unsigned farm_roundup_field(const struct roundup_schema *schema, const char *name, size_t n);

/* The id of the item called NAME in the class that FIELD links to: a number out of the name. */
void farm_roundup_id_of_name(const struct farm_roundup_field *field, const char *name, char id[16]);

#endif
