/* The database's shape and the questions asked of it, as text built into the program. */
#ifndef SCHEMA_SCHEMA_H
#define SCHEMA_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

/* One numbered step; the last has a NULL name. Versions count from 1 without gaps. */
struct migration {
	int version;
	const char *name; /* the file's name */
	const char *sql;
};
extern const struct migration migrations[];

/* Every query in the folder queries, by the name in its `-- name: NAME` line: QUERY_NAME. */
enum query {
#define QUERY(name, parameters) QUERY_##name,
#include "schema/queries.def"
#undef QUERY
	QUERIES
};

struct query_text {
	const char *name;
	const char *sql;
	unsigned parameters; /* the highest $n in it */
	bool kept; /* its plan is as good for any parameters (`-- name: NAME kept`) */
};
extern const struct query_text query_texts[QUERIES];

#endif
