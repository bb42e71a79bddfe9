/* libpq's words as a struct err. */
#ifndef ENGINE_DB_ERROR_H
#define ENGINE_DB_ERROR_H

#include "trackers/err.h"

#include <libpq-fe.h>

/*
 * Says in ERR what a failed statement's RESULT says; WHAT names the statement. The kind is that of
 * the SQLSTATE: lease-lost, exists, database-gone where the connection is of no more use, database.
 */
void db_error_of_result(struct err *err, const char *what, const PGresult *result);

/* Says in ERR that the connection CONN (NULL: out of memory) failed while DOING: database-gone. */
void db_error_of_connection(struct err *err, const char *doing, const PGconn *conn);

#endif
