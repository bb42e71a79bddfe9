/* Trac's CSV: what a query or a ticket's own address gives. */
#ifndef TRACKERS_TRAC_TABLE_H
#define TRACKERS_TRAC_TABLE_H

#include "trackers/csv.h"

/* The columns that matter, in the order in which table_read asks for them. */
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

/*
 * Reads the SIZE bytes of a whole answer as csv_read does; owned by OWNER. NULL, and ERR says why,
 * also for a table without ids.
 */
struct csv *table_read(const void *owner, const char *text, size_t size, struct err *err);

#endif
