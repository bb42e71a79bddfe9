#include "ui-api/command.h"

#include "trackers/mapping.h"
#include "trackers/url.h"
#include "ui-api/terminal.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>
#include <talloc.h>

enum { PAGE = 1000, COLUMNS_LIMIT = 32 };

#define JSON_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

void complain(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = talloc_vasprintf(NULL, format, args);
	va_end(args);
	fflush(stdout);
	fputs("bugwatch: ", stderr);
	/* Line ends are ours: what is remote comes as one line each. */
	for (char *line = text, *rest = text; rest != NULL; line = rest) {
		strsep(&rest, "\n");
		fprintf(stderr, "%s\n", terminal_text(text, line));
	}
	talloc_free(text);
}

char *counted(const void *owner, long count, const char *noun)
{
	return talloc_asprintf(owner, "%ld %s%s", count, noun, count == 1 ? "" : "s");
}

/* The client, made by the first question; or the answer that says why there is none. */
static struct client_answer *connect_client(struct call *call, const void *owner)
{
	struct err err = {0};
	if (call->client == NULL)
		call->client = client_new(call, call_state_dir(call), &err);
	if (call->client != NULL)
		return NULL;
	struct client_answer *answer = talloc_zero(owner, struct client_answer);
	answer->refusal = talloc_strdup(answer, err.text);
	return answer;
}

struct client_answer *call_ask(struct call *call, const void *owner, const char *method,
	const char *path, struct json_object *body)
{
	struct client_answer *answer = connect_client(call, owner);
	if (answer != NULL)
		return answer;
	return client_ask(call->client, owner, method, path,
		body != NULL ? json_object_to_json_string_ext(body, JSON_FLAGS) : NULL);
}

int call_status(const struct client_answer *answer, const char *about)
{
	if (answer->refusal == NULL)
		return DONE;
	bool reached = answer->status != 0;
	if (about != NULL)
		complain("%s%s%s", reached ? about : "", reached && about[0] != '\0' ? ": " : "",
			answer->refusal);
	return reached ? REFUSED : NOT_REACHED;
}

struct json_object *call_items(const struct client_answer *answer)
{
	struct json_object *items = NULL;
	if (json_object_object_get_ex(answer->body, "items", &items) &&
		json_object_is_type(items, json_type_array))
		return items;
	complain("the service's answer has no list in it");
	return NULL;
}

int call_outcome(long done_count, long refused_count)
{
	if (refused_count == 0)
		return DONE;
	return done_count > 0 ? PARTLY : REFUSED;
}

void print_json(struct json_object *object)
{
	char *safe = terminal_text(NULL, json_object_to_json_string_ext(object, JSON_FLAGS));
	puts(safe);
	talloc_free(safe);
}

/* The elements of ARRAY as "a, b"; owned by OWNER. */
static char *joined(const void *owner, struct json_object *array)
{
	char *text = talloc_strdup(owner, "");
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		const char *element = json_object_get_string(json_object_array_get_idx(array, i));
		text = talloc_asprintf_append(
			text, "%s%s", i > 0 ? ", " : "", element != NULL ? element : "");
	}
	return text;
}

char *field_text(const void *owner, struct json_object *object, const char *field)
{
	const char *dot = strchr(field, '.');
	char *name =
		talloc_strndup(owner, field, dot != NULL ? (size_t)(dot - field) : strlen(field));
	struct json_object *value = NULL;
	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, name, &value);
	talloc_free(name);
	if (value == NULL)
		return talloc_strdup(owner, "");
	if (dot != NULL)
		return field_text(owner, value, dot + 1);
	if (json_object_is_type(value, json_type_array))
		return joined(owner, value);
	return talloc_strdup(owner, json_object_get_string(value));
}

void print_fields(struct json_object *object, const struct table_column *columns)
{
	int width = 0;
	bool colours = terminal_colours(stdout);
	void *memory = talloc_new(NULL);
	for (const struct table_column *column = columns; column->title != NULL; column++)
		if ((int)strlen(column->title) > width)
			width = (int)strlen(column->title);
	for (const struct table_column *column = columns; column->title != NULL; column++) {
		char *text = terminal_text(memory, field_text(memory, object, column->field));
		const char *colour = colours && column->paint != NULL ? column->paint(text) : NULL;
		if (text[0] == '\0')
			continue;
		printf("%-*s  %s%s%s%s%s\n", width, column->title, colour != NULL ? "\033[" : "",
			colour != NULL ? colour : "", colour != NULL ? "m" : "", text,
			colour != NULL ? "\033[0m" : "");
	}
	talloc_free(memory);
}

char *with_query(struct call *call, const char *path, const char *name, const char *value)
{
	if (value == NULL)
		return talloc_strdup(call, path);
	return talloc_asprintf(call, "%s%c%s=%s", path, strchr(path, '?') != NULL ? '&' : '?', name,
		url_escape(call, value));
}

char *with_segment(struct call *call, const char *prefix, const char *segment, const char *suffix)
{
	return talloc_asprintf(call, "%s%s%s", prefix, url_escape(call, segment), suffix);
}

/* Gets one page of at most LIMIT items; *CURSOR becomes the next one's, NULL after the last. */
static int get_page(struct call *call, const char *path, long limit, char **cursor,
	void (*each)(void *cookie, struct json_object *item), void *cookie)
{
	char *page = with_query(call, path, "cursor", *cursor);
	page = with_query(call, page, "limit", talloc_asprintf(call, "%ld", limit));
	struct client_answer *answer = call_ask(call, call, "GET", page, NULL);
	int status = call_status(answer, "");
	struct json_object *items = status == DONE ? call_items(answer) : NULL;
	talloc_free(*cursor);
	*cursor = NULL;
	if (items != NULL) {
		for (size_t i = 0; i < json_object_array_length(items); i++)
			each(cookie, json_object_array_get_idx(items, i));
		char *next = field_text(call, answer->body, "next");
		*cursor = next[0] != '\0' ? next : NULL;
	}
	talloc_free(answer);
	return status == DONE && items == NULL ? REFUSED : status;
}

int call_each(struct call *call, const char *path, long limit,
	void (*each)(void *cookie, struct json_object *item), void *cookie)
{
	char *cursor = NULL;
	long left = limit;
	int status;
	do {
		long n = limit > 0 && left < PAGE ? left : PAGE;
		status = get_page(call, path, n, &cursor, each, cookie);
		left -= n;
	} while (status == DONE && cursor != NULL && (limit == 0 || left > 0));
	return status;
}

/* Adds ITEM to TABLE as its COLUMNS say. */
static void add_row(
	struct table *table, const struct table_column *columns, struct json_object *item)
{
	void *memory = talloc_new(NULL);
	const char *cells[COLUMNS_LIMIT];
	unsigned n = 0;
	for (; columns->title != NULL; columns++) {
		assert(n < COLUMNS_LIMIT);
		cells[n++] = field_text(memory, item, columns->field);
	}
	table_add(table, cells);
	talloc_free(memory);
}

static void show_table(const struct table *table)
{
	table_print(table, stdout, terminal_columns(stdout), terminal_colours(stdout));
}

void print_table(struct json_object *array, const char *title, const struct table_column *columns)
{
	struct table *table = table_new(NULL, columns);
	size_t n =
		json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
	for (size_t i = 0; i < n; i++)
		add_row(table, columns, json_object_array_get_idx(array, i));
	if (n > 0) {
		printf("\n%s\n", title);
		show_table(table);
	}
	talloc_free(table);
}

/* A list being printed. */
struct listing {
	struct table *table; /* NULL where it is JSON */
	const struct table_column *columns;
	unsigned count;
};

static void list_item(void *cookie, struct json_object *item)
{
	struct listing *listing = cookie;
	listing->count++;
	if (listing->table == NULL) {
		print_json(item);
		return;
	}
	add_row(listing->table, listing->columns, item);
}

int call_print_list(struct call *call, const char *path, long limit,
	const struct table_column *columns, const char *none)
{
	struct listing listing = {.columns = columns};
	if (!call->json)
		listing.table = table_new(call, columns);
	int status = call_each(call, path, limit, list_item, &listing);
	if (listing.table != NULL && listing.count > 0)
		show_table(listing.table);
	else if (listing.table != NULL && status == DONE)
		fprintf(stderr, "%s\n", none);
	return status;
}

const char *paint_error(const char *cell)
{
	return cell[0] != '\0' ? "31" : NULL;
}

const char *paint_health(const char *cell)
{
	if (strcmp(cell, "failing") == 0)
		return "31";
	return strcmp(cell, "ok") == 0 ? "32" : NULL;
}

const char *paint_status(const char *cell)
{
	static const struct {
		const char *word;
		bool resolved;
	} words[] = {
#define STATUS(name, word, resolved) {word, resolved},
#include "trackers/words.def"
#undef STATUS
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].resolved && strcmp(words[i].word, cell) == 0)
			return "2";
	return NULL;
}

const char *paint_state(const char *cell)
{
	if (strcmp(cell, "failed") == 0 || strcmp(cell, "abandoned") == 0)
		return "31";
	return strcmp(cell, "running") == 0 ? "33" : NULL;
}
