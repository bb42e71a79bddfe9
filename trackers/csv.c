#include "trackers/csv.h"

#include "trackers/text.h"

#include <csv.h>
#include <string.h>
#include <talloc.h>

enum { WIDTH = 256, CELL_GROWTH = 16384 }; /* bytes that a long cell grows by */

struct reading {
	const struct csv_column *columns;
	struct csv *table;
	short meaning[WIDTH]; /* of each cell of a row, -1 for one that does not matter */
	unsigned width; /* of the row of names; 0 before it was read */
	unsigned at; /* the cell that comes next */
	bool ragged; /* a row is not as wide as the names, or wider than any server's */
};

static void add_row(struct csv *table)
{
	if ((table->count & (table->count - 1)) == 0) {
		size_t room = table->count > 0 ? 2 * (size_t)table->count : 1;
		table->cells =
			talloc_realloc(table, table->cells, const char *, room * table->columns);
	}
	const char **row = &table->cells[(size_t)table->count++ * table->columns];
	memset(row, 0, table->columns * sizeof(*row));
}

static bool is_named(const char *name, const char *text, size_t n)
{
	return name != NULL && strlen(name) == n && memcmp(name, text, n) == 0;
}

static void take_name(struct reading *reading, const char *text, size_t n)
{
	reading->meaning[reading->at] = -1;
	for (unsigned i = 0; i < reading->table->columns; i++) {
		const struct csv_column *column = &reading->columns[i];
		if (!reading->table->has[i] &&
			(is_named(column->name, text, n) ||
				is_named(column->other_name, text, n))) {
			reading->table->has[i] = true;
			reading->meaning[reading->at] = (short)i;
			return;
		}
	}
}

static void take_value(struct reading *reading, const char *text, size_t n)
{
	struct csv *table = reading->table;
	if (reading->at == 0)
		add_row(table);
	int meaning = reading->meaning[reading->at];
	if (meaning < 0 || n == 0)
		return;
	table->cells[(size_t)(table->count - 1) * table->columns + (unsigned)meaning] =
		reading->columns[meaning].whole ? text_clean(table, text, n, CSV_WHOLE)
						: text_clean_line(table, text, n, CSV_LINE);
}

static void take_cell(void *cell, size_t n, void *context)
{
	struct reading *reading = context;
	unsigned most = reading->width != 0 ? reading->width : WIDTH;
	const char *text = cell != NULL ? cell : "";
	reading->ragged |= reading->at >= most;
	if (reading->ragged)
		return;
	if (reading->width == 0)
		take_name(reading, text, n);
	else
		take_value(reading, text, n);
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

/* Some Bugzilla accounts have semicolons between cells. */
static unsigned char separator(const char *text, size_t size)
{
	const char *end = memchr(text, '\n', size);
	size_t line = end != NULL ? (size_t)(end - text) : size;
	return memchr(text, ',', line) == NULL && memchr(text, ';', line) != NULL ? ';' : ',';
}

/* Every row has an end, the last one too: without it the answer was cut. */
static bool parse(struct reading *reading, const char *text, size_t size)
{
	struct csv_parser parser;
	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
		return false;
	csv_set_delim(&parser, separator(text, size));
	csv_set_blk_size(&parser, CELL_GROWTH);
	bool read = csv_parse(&parser, text, size, take_cell, end_row, reading) == size &&
		csv_fini(&parser, take_cell, end_row, reading) == 0;
	csv_free(&parser);
	return read && text[size - 1] == '\n' && !reading->ragged && reading->width > 0;
}

struct csv *csv_read(const void *owner, const struct csv_column *columns, const char *text,
	size_t size, struct err *err)
{
	static const char mark[] = "\xef\xbb\xbf";
	if (size >= 3 && memcmp(text, mark, 3) == 0) {
		text += 3;
		size -= 3;
	}
	struct csv *table = talloc_zero(owner, struct csv);
	while (columns[table->columns].name != NULL)
		table->columns++;
	table->has = talloc_zero_array(table, bool, table->columns);
	struct reading reading = {.columns = columns, .table = table};
	if (size == 0)
		err_set(err, ERR_UNPARSABLE_TRACKER,
			"nothing at all came where CSV is due: the server failed after it had "
			"said 200");
	else if (text_is_markup(text, size))
		err_set(err, ERR_UNPARSABLE_TRACKER,
			"markup where CSV is due; is this the right address?");
	else if (!parse(&reading, text, size))
		err_set(err, ERR_UNPARSABLE_TRACKER, "the CSV is cut short or broken");
	else
		return table;
	talloc_free(table);
	return NULL;
}

const char *csv_cell(const struct csv *table, unsigned row, unsigned column)
{
	return table->cells[(size_t)row * table->columns + column];
}
