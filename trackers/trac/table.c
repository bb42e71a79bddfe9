#include "trackers/trac/table.h"

#include <talloc.h>

/*
 * By their labels, in English whatever the language; up to 1.0.0, and at a ticket's own address, by
 * their raw names.
 */
static const struct csv_column columns[COLUMNS + 1] = {
	[COLUMN_ID] = {"id", NULL},
	[COLUMN_SUMMARY] = {"Summary", "summary"},
	[COLUMN_STATUS] = {"Status", "status"},
	[COLUMN_RESOLUTION] = {"Resolution", "resolution"},
	[COLUMN_PRIORITY] = {"Priority", "priority"},
	[COLUMN_SEVERITY] = {"Severity", "severity"},
	[COLUMN_COMPONENT] = {"Component", "component"},
	[COLUMN_CHANGED] = {"Modified", "changetime"},
};

struct csv *table_read(const void *owner, const char *text, size_t size, struct err *err)
{
	struct csv *table = csv_read(owner, columns, text, size, err);
	if (table == NULL || table->has[COLUMN_ID])
		return table;
	err_set(err, ERR_UNPARSABLE_TRACKER, "CSV without a column of ids, so not Trac's");
	talloc_free(table);
	return NULL;
}
