#include "trackers/trac/table.h"

#include "trackers/text.h"

#include <csv.h>
#include <stdint.h>
#include <string.h>
#include <talloc.h>

enum { CELL_LIMIT = 4096, WIDTH = 64 };

/*
 * By their labels, in English whatever the language; up to 1.0.0, and at a ticket's own address, by
 * their raw names.
 */
struct header {
	const char *label, *name;
};

static const struct header headers[COLUMNS] = {
	[COLUMN_ID] = {"id", "id"},
	[COLUMN_SUMMARY] = {"Summary", "summary"},
	[COLUMN_STATUS] = {"Status", "status"},
	[COLUMN_RESOLUTION] = {"Resolution", "resolution"},
	[COLUMN_PRIORITY] = {"Priority", "priority"},
	[COLUMN_SEVERITY] = {"Severity", "severity"},
	[COLUMN_COMPONENT] = {"Component", "component"},
	[COLUMN_CHANGED] = {"Modified", "changetime"},
};

struct reading {
	struct table *table;
	short meaning[WIDTH]; /* of each cell of a row, -1 for one that does not matter */
	unsigned width; /* of the header; 0 before it was read */
	unsigned at; /* the cell that comes next */
	bool ragged; /* a row is not as wide as the header, or wider than any of Trac's */
};

static struct row *next_row(struct table *table)
{
	if (table->count == 0 || (table->count & (table->count - 1)) == 0) {
		size_t room = table->count > 0 ? 2 * (size_t)table->count : 1;
		table->rows = talloc_realloc(table, table->rows, struct row, room);
	}
	struct row *row = &table->rows[table->count++];
	*row = (struct row){{NULL}};
	return row;
}

/* A site's own field may have any label: the first of two that look alike is the one asked for. */
static void take_header(struct reading *reading, const char *text, size_t n)
{
	reading->meaning[reading->at] = -1;
	for (int i = 0; i < COLUMNS; i++) {
		bool label =
			strlen(headers[i].label) == n && memcmp(headers[i].label, text, n) == 0;
		bool name = strlen(headers[i].name) == n && memcmp(headers[i].name, text, n) == 0;
		if ((label || name) && !reading->table->has[i]) {
			reading->table->has[i] = true;
			reading->meaning[reading->at] = (short)i;
		}
	}
}

static void take_cell(void *cell, size_t n, void *context)
{
	struct reading *reading = context;
	unsigned most = reading->width != 0 ? reading->width : WIDTH;
	const char *text = cell != NULL ? cell : "";
	if (reading->at >= most)
		reading->ragged = true;
	if (reading->ragged)
		return;
	if (reading->width == 0) {
		take_header(reading, text, n);
	} else {
		struct table *table = reading->table;
		struct row *row =
			reading->at == 0 ? next_row(table) : &table->rows[table->count - 1];
		int meaning = reading->meaning[reading->at];
		if (meaning >= 0 && n > 0)
			row->cells[meaning] = text_clean_line(table, text, n, CELL_LIMIT);
	}
	reading->at++;
}

static void end_row(int ended_by, void *context)
{
	struct reading *reading = context;
	if (reading->width == 0)
		reading->width = reading->at;
	else if (reading->at != reading->width)
		reading->ragged = true;
	reading->at = 0;
}

/* Rows end in CRLF, the last one too: without it the answer was cut. */
static bool parse(struct reading *reading, const char *text, size_t size)
{
	struct csv_parser parser;
	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
		return false;
	bool read = csv_parse(&parser, text, size, take_cell, end_row, reading) == size &&
		csv_fini(&parser, take_cell, end_row, reading) == 0;
	csv_free(&parser);
	return read && text[size - 1] == '\n' && !reading->ragged;
}

struct table *table_read(const void *owner, const char *text, size_t size, struct err *err)
{
	static const char mark[] = "\xef\xbb\xbf";
	if (size >= 3 && memcmp(text, mark, 3) == 0) {
		text += 3;
		size -= 3;
	}
	struct table *table = talloc_zero(owner, struct table);
	struct reading reading = {.table = table};
	if (size == 0)
		err_set(err, ERR_UNPARSABLE_TRACKER,
			"nothing at all came: Trac failed after it had said 200");
	else if (text_is_markup(text, size))
		err_set(err, ERR_UNPARSABLE_TRACKER,
			"markup where CSV is due; is this the address of a Trac?");
	else if (!parse(&reading, text, size))
		err_set(err, ERR_UNPARSABLE_TRACKER, "the CSV is cut short or broken");
	else if (!table->has[COLUMN_ID])
		err_set(err, ERR_UNPARSABLE_TRACKER, "CSV without a column of ids, so not Trac's");
	else
		return table;
	talloc_free(table);
	return NULL;
}
