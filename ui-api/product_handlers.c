#include "ui-api/handlers.h"

#include "ui-api/list.h"

#include <string.h>

enum { NAME_MAX_CHARACTERS = 500 };

const struct body_field product_body[] = {
	{.name = "product", .kind = BODY_READ_ONLY},
	{.name = "sync_comments", .kind = BODY_BOOLEAN, .required = true},
	{.name = NULL},
};

static void answer_page(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[0]) == 0)
		request_fail(request, 404, "there is no such tracker");
	else
		page_answer(request, request->work, rows[1]);
}

void handle_list_products(struct request *request)
{
	const char *tracker = request->parameters[0];
	struct page *page = page_read(request, LIST_KEY_NAME);
	if (page == NULL)
		return;
	struct db_batch *batch = db_batch_new(request->db);
	db_add(batch, QUERY_api_find_tracker, (const char *[]){tracker});
	db_add(batch, QUERY_api_products,
		(const char *[]){tracker, NULL, page->after, page->limit});
	request_send(request, batch, answer_page);
}

static void refuse_missing(struct request *request)
{
	request_fail(request, 404, "nothing is set for this product of this tracker");
}

static void answer_product(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[0]) == 0)
		refuse_missing(request);
	else
		request_answer(request, 200, db_text(rows[0], 0, 0));
}

void handle_show_product(struct request *request)
{
	const char *const *names = request->parameters;
	request_query(request, QUERY_api_products, (const char *[]){names[0], names[1], NULL, NULL},
		answer_product);
}

static void answer_set(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[0]) == 0)
		request_fail(request, 404, "there is no such tracker");
	else
		request_answer(request, strcmp(db_text(rows[0], 0, 1), "t") == 0 ? 201 : 200,
			db_text(rows[0], 0, 0));
}

void handle_set_product(struct request *request)
{
	const char *const *names = request->parameters;
	struct json_object *body = request_body(request, product_body);
	if (body == NULL)
		return;
	int64_t length = body_count_characters(names[1]);
	if (length < 1 || length > NAME_MAX_CHARACTERS) {
		request_fail(request, 400, "a product's name has 1 to %d characters",
			NAME_MAX_CHARACTERS);
		return;
	}
	request_query(request, QUERY_api_set_product,
		(const char *[]){names[0], names[1], body_text(body, "sync_comments")}, answer_set);
}

static void answer_removed(struct request *request, struct db_rows *const *rows)
{
	if (db_count(rows[0]) == 0)
		refuse_missing(request);
	else
		request_answer(request, 204, NULL);
}

void handle_remove_product(struct request *request)
{
	request_query(request, QUERY_api_remove_product, request->parameters, answer_removed);
}
