#include "engine/db_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <talloc.h>

struct db_rows {
	PGresult *result;
};

static int rows_free(struct db_rows *rows)
{
	PQclear(rows->result);
	return 0;
}

struct db_rows *db_rows_new(const void *owner, PGresult *result)
{
	struct db_rows *rows = talloc(owner, struct db_rows);
	rows->result = result;
	talloc_set_destructor(rows, rows_free);
	return rows;
}

unsigned db_count(const struct db_rows *rows)
{
	return (unsigned)PQntuples(rows->result);
}

uint64_t db_affected(const struct db_rows *rows)
{
	return strtoull(PQcmdTuples(rows->result), NULL, 10);
}

static void check(const struct db_rows *rows, unsigned row, unsigned column)
{
	assert(row < (unsigned)PQntuples(rows->result));
	assert(column < (unsigned)PQnfields(rows->result));
}

bool db_null(const struct db_rows *rows, unsigned row, unsigned column)
{
	check(rows, row, column);
	return PQgetisnull(rows->result, (int)row, (int)column);
}

const char *db_text(const struct db_rows *rows, unsigned row, unsigned column)
{
	check(rows, row, column);
	return PQgetvalue(rows->result, (int)row, (int)column);
}

int64_t db_integer(const struct db_rows *rows, unsigned row, unsigned column)
{
	return strtoll(db_text(rows, row, column), NULL, 10);
}
