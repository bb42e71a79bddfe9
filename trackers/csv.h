/* Tables as CSV: a row of names, then rows of cells, with commas between, or else semicolons. */
#ifndef TRACKERS_CSV_H
#define TRACKERS_CSV_H

#include "trackers/err.h"

#include <stdbool.h>
#include <stddef.h>

/* A column that matters, by either of the names that a server may give it; NULL for none. */
struct csv_column {
	const char *name, *other_name;
	bool whole; /* its cells are texts of many lines, up to CSV_WHOLE bytes */
};

enum { CSV_LINE = 4096, CSV_WHOLE = 1024 * 1024 };

/* Made by csv_read, owned by its owner. */
struct csv {
	unsigned count; /* of rows, without that of the names */
	bool *has; /* of each column, whether the table has it */
	const char **cells; /* row by row */
	unsigned columns;
};

/*
 * Reads the SIZE bytes of a whole answer for COLUMNS, ended by one without a name; others are passed
 * over, and of two columns of one name the first counts. Owned by OWNER. NULL, and ERR says why
 * (ERR_UNPARSABLE_TRACKER), for what is no table with all of its rows whole: nothing, markup, a row
 * that is cut or not as wide as that of the names, a last line without an end, over 256 columns.
 */
struct csv *csv_read(const void *owner, const struct csv_column *columns, const char *text,
	size_t size, struct err *err);

/*
 * The cell of COLUMN (its index among those asked for) in ROW, as a clean line of at most CSV_LINE
 * bytes, or whole and clean (text_clean); NULL where it is empty or the table has no such column.
 */
const char *csv_cell(const struct csv *table, unsigned row, unsigned column);

#endif
