/* Lists: a page at a time, each followed by where the next begins. */
#ifndef UI_API_LIST_H
#define UI_API_LIST_H

#include "ui-api/request.h"

/* Which page of a list is asked for; texts are owned by the request, or static. */
struct page {
	const char *after; /* the last key of the page before, or NULL for the first page */
	const char *limit; /* one more than shown, for the query's LIMIT */
	unsigned size; /* items to show */
};

enum list_key { LIST_KEY_ID, LIST_KEY_NAME };

/*
 * Reads `limit` and `cursor` into a page that becomes the request's work. NULL where they are bad:
 * then the request is answered with 400.
 */
struct page *page_read(struct request *request, enum list_key key);

/*
 * As page_answer, in an object that has the members of HEAD (a JSON object) as well; the list is its
 * member NAME.
 */
void page_answer_in(struct request *request, const struct page *page, const struct db_rows *rows,
	const char *head, const char *name);

/*
 * Answers with a page of ROWS, whose first column is an item's JSON and whose second is its key. An
 * item that is null, never the first, and all after it are left to the next page.
 */
void page_answer(struct request *request, const struct page *page, const struct db_rows *rows);

/* Whether TEXT can be an id: 1 to 18 digits. */
bool list_is_id(const char *text);

/* Refuses the request because of one query parameter. */
void page_refuse(struct request *request, const char *parameter, const char *message);

#endif
