/* A table for people: aligned, and fitted into the terminal by cutting the columns that may be. */
#ifndef UI_API_TABLE_H
#define UI_API_TABLE_H

#include <stdbool.h>
#include <stdio.h>

struct table_column {
	const char *title; /* NULL ends the columns */
	const char
		*field; /* the API's field it shows, for the caller; "error.kind" reaches inside */
	bool number; /* aligned to the right */
	unsigned least; /* columns it may be cut to; 0 where it is never cut */
	/* The colour of a cell, as the parameter of an SGR sequence ("31"), or NULL. May be NULL. */
	const char *(*paint)(const char *cell);
};

/* An empty table of COLUMNS, which must outlive it. A talloc object. */
struct table *table_new(const void *owner, const struct table_column *columns);

/* Adds a row with one text a column (NULL is empty); copied, and made safe for a terminal. */
void table_add(struct table *table, const char *const *cells);

/* Prints it, with its titles, into WIDTH columns (0: as wide as it is), coloured or not. */
void table_print(const struct table *table, FILE *out, unsigned width, bool colours);

#endif
