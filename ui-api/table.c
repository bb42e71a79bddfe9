#include "ui-api/table.h"

#include "ui-api/terminal.h"

#include <string.h>
#include <talloc.h>

enum { GAP = 2 };

struct row {
	const char **cells;
};

struct table {
	const struct table_column *columns;
	unsigned column_count, row_count;
	struct row *rows;
	unsigned *widths; /* of the widest cell or title */
};

/* Puts CELLS into a row of OWNER's, widening the table's columns. */
static void fill(struct table *table, const void *owner, struct row *row, const char *const *cells)
{
	row->cells = talloc_array(owner, const char *, table->column_count);
	for (unsigned i = 0; i < table->column_count; i++) {
		row->cells[i] = terminal_text(row->cells, cells[i] != NULL ? cells[i] : "");
		unsigned width = terminal_width(row->cells[i]);
		if (width > table->widths[i])
			table->widths[i] = width;
	}
}

struct table *table_new(const void *owner, const struct table_column *columns)
{
	struct table *table = talloc_zero(owner, struct table);
	table->columns = columns;
	while (columns[table->column_count].title != NULL)
		table->column_count++;
	table->widths = talloc_zero_array(table, unsigned, table->column_count);
	for (unsigned i = 0; i < table->column_count; i++)
		table->widths[i] = terminal_width(columns[i].title);
	return table;
}

void table_add(struct table *table, const char *const *cells)
{
	size_t room = talloc_array_length(table->rows);
	if (table->row_count == room)
		table->rows =
			talloc_realloc(table, table->rows, struct row, room == 0 ? 64 : room * 2);
	fill(table, table->rows, &table->rows[table->row_count++], cells);
}

/* Takes columns off the widest that may be cut, one by one, until all fit into WIDTH. */
static void shrink(const struct table *table, unsigned *widths, unsigned width)
{
	unsigned total = GAP * (table->column_count - 1);
	for (unsigned i = 0; i < table->column_count; i++)
		total += widths[i];
	for (; width > 0 && total > width; total--) {
		unsigned *widest = NULL;
		for (unsigned i = 0; i < table->column_count; i++) {
			unsigned least = table->columns[i].least;
			if (least > 0 && widths[i] > least &&
				(widest == NULL || widths[i] > *widest))
				widest = &widths[i];
		}
		if (widest == NULL)
			return;
		--*widest;
	}
}

static void blanks(FILE *out, unsigned n)
{
	fprintf(out, "%*s", (int)n, "");
}

/* Prints CELL in WIDTH columns, cut with an ellipsis where it is wider. */
static void print_cell(
	FILE *out, const struct table_column *column, const char *cell, unsigned width, bool last)
{
	unsigned shown = terminal_width(cell);
	bool cut = shown > width;
	size_t n = cut ? terminal_fit(cell, width - 1, &shown) : strlen(cell);
	unsigned pad = width - shown - cut;
	if (column->number)
		blanks(out, pad);
	fprintf(out, "%.*s%s", (int)n, cell, cut ? "\u2026" : "");
	if (!column->number && !last)
		blanks(out, pad);
}

static void colour_on(FILE *out, const char *colour)
{
	if (colour != NULL)
		fprintf(out, "\033[%sm", colour);
}

static void colour_off(FILE *out, const char *colour)
{
	if (colour != NULL)
		fputs("\033[0m", out);
}

/* Prints one row, or the titles where ROW is NULL. */
static void print_row(const struct table *table, FILE *out, const struct row *row,
	const unsigned *widths, bool colours)
{
	for (unsigned i = 0; i < table->column_count; i++) {
		const struct table_column *column = &table->columns[i];
		const char *cell = row != NULL ? row->cells[i] : column->title;
		const char *colour = row == NULL ? "1"
			: column->paint != NULL	 ? column->paint(cell)
						 : NULL;
		if (i > 0)
			blanks(out, GAP);
		colour_on(out, colours ? colour : NULL);
		print_cell(out, column, cell, widths[i], i + 1 == table->column_count);
		colour_off(out, colours ? colour : NULL);
	}
	fputc('\n', out);
}

void table_print(const struct table *table, FILE *out, unsigned width, bool colours)
{
	unsigned *widths = talloc_memdup(table, table->widths, talloc_get_size(table->widths));
	shrink(table, widths, width);
	print_row(table, out, NULL, widths, colours);
	for (unsigned i = 0; i < table->row_count; i++)
		print_row(table, out, &table->rows[i], widths, colours);
	talloc_free(widths);
}
