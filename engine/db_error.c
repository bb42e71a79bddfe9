#include "engine/db_error.h"

#include <string.h>

enum { WORDS = 200 };

/* Several lines as one, without blanks at its ends. */
static const char *one_line(const char *text, char *words)
{
	size_t n = 0;
	for (; *text != '\0' && n < WORDS - 1; text++) {
		char c = *text == '\n' || *text == '\t' ? ' ' : *text;
		if (c != ' ' || (n > 0 && words[n - 1] != ' '))
			words[n++] = c;
	}
	while (n > 0 && words[n - 1] == ' ')
		n--;
	words[n] = '\0';
	return words;
}

static enum err_kind kind_of(const char *state)
{
	static const struct {
		const char *state; /* or how it begins */
		enum err_kind kind;
	} table[] = {
		{"BW001", ERR_LEASE_LOST},
		{"23505", ERR_EXISTS},
		{"08", ERR_DATABASE_GONE},
		{"25006", ERR_DATABASE_GONE}, /* a standby now */
		{"57P01", ERR_DATABASE_GONE}, /* shut down */
		{"57P02", ERR_DATABASE_GONE},
		{"57P03", ERR_DATABASE_GONE},
		/* What was prepared is gone or out of date (the schema was migrated): make it anew. */
		{"26000", ERR_DATABASE_GONE},
		{"0A000", ERR_DATABASE_GONE},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strncmp(state, table[i].state, strlen(table[i].state)) == 0)
			return table[i].kind;
	return ERR_DATABASE;
}

void db_error_of_result(struct err *err, const char *what, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	char words[WORDS];
	if (state == NULL) {
		/* libpq's own: the connection broke, or the answer was not what it could be. */
		one_line(PQresultErrorMessage(result), words);
		err_set(err, ERR_DATABASE_GONE, "%s: %s", what, *words ? words : "strange answer");
		return;
	}
	one_line(primary != NULL ? primary : "", words);
	err_set(err, kind_of(state), "%s: %s (SQLSTATE %s)", what, words, state);
}

void db_error_of_connection(struct err *err, const char *doing, const PGconn *conn)
{
	char words[WORDS];
	if (conn == NULL) {
		err_set(err, ERR_DATABASE_GONE, "%s: out of memory", doing);
		return;
	}
	one_line(PQerrorMessage(conn), words);
	err_set(err, ERR_DATABASE_GONE, "%s: %s", doing, *words ? words : "the connection broke");
}
