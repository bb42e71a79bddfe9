/* The answer to one statement; see db.h for how it is read. */
#ifndef ENGINE_DB_ROWS_H
#define ENGINE_DB_ROWS_H

#include "engine/db.h"

#include <libpq-fe.h>

/* Takes RESULT over. */
struct db_rows *db_rows_new(const void *owner, PGresult *result);

#endif
