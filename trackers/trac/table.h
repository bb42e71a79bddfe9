/* Trac's CSV: what a query or a ticket's own address gives. */
#ifndef TRACKERS_TRAC_TABLE_H
#define TRACKERS_TRAC_TABLE_H

#include "trackers/err.h"

#include <stdbool.h>
#include <stddef.h>

/* The columns that matter. */
enum column {
	COLUMN_ID,
	COLUMN_SUMMARY,
	COLUMN_STATUS,
	COLUMN_RESOLUTION,
	COLUMN_PRIORITY,
	COLUMN_SEVERITY,
	COLUMN_COMPONENT,
	COLUMN_CHANGED,
	COLUMNS,
};

/* One ticket: clean texts, NULL where the cell is empty or the site has no such column. */
struct row {
	const char *cells[COLUMNS];
};

struct table {
	struct row *rows;
	unsigned count;
	bool has[COLUMNS]; /* which columns the site has; always id */
};

/*
 * Reads the SIZE bytes of a whole answer; owned by OWNER. NULL, and ERR says why, for what is no
 * table of Trac's with all of its rows whole: markup, nothing at all, a cut row, no id.
 */
struct table *table_read(const void *owner, const char *text, size_t size, struct err *err);

#endif
