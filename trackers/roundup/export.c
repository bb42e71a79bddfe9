#include "trackers/roundup/export.h"

#include "trackers/csv.h"
#include "trackers/json.h"
#include "trackers/roundup/fields.h"
#include "trackers/text.h"

#include <string.h>
#include <talloc.h>

/* So many names of a class are remembered. */
enum { NAMES = 1000 };

const char roundup_user[] = "user";
const char export_door[] = "export_csv_id", export_old_door[] = "export_csv";

bool export_is_door(const struct conversation *conversation)
{
	const char *door = conversation->server->door;
	return door != NULL && strncmp(door, export_old_door, strlen(export_old_door)) == 0;
}

/* ---- what is remembered: {"fields": "status.name", "names": {"status": {"1": "unread"}}, "form": true} ---- */

/* The caller puts it. */
static struct json_object *memory_of(const struct conversation *conversation)
{
	const char *memory = conversation->server->memory;
	struct json_object *object = memory != NULL ? json_tokener_parse(memory) : NULL;
	return object != NULL ? object : json_object_new_object();
}

/* Puts MEMORY. */
static void remember(struct conversation *conversation, struct json_object *memory)
{
	conversation->server->memory = talloc_strdup(conversation->server,
		json_object_to_json_string_ext(memory, JSON_C_TO_STRING_PLAIN));
	json_object_put(memory);
}

const char *export_fields(const struct conversation *conversation)
{
	struct json_object *memory = memory_of(conversation);
	struct json_object *fields = json_member(memory, "fields", json_type_string);
	char *text =
		talloc_strdup(conversation, fields != NULL ? json_object_get_string(fields) : "");
	json_object_put(memory);
	return text;
}

void export_remember(struct conversation *conversation, const char *door, const char *fields)
{
	const struct credentials *login = conversation->credentials;
	struct json_object *memory = json_object_new_object();
	json_object_object_add(memory, "fields", json_object_new_string(fields));
	json_object_object_add(memory, "names", json_object_new_object());
	if (login != NULL && login->session != NULL && login->session->cookie != NULL)
		json_object_object_add(memory, "form", json_object_new_boolean(true));
	conversation->server->door = talloc_strdup(conversation->server, door);
	remember(conversation, memory);
}

bool export_wants_form(const struct conversation *conversation)
{
	struct json_object *memory = memory_of(conversation);
	bool form = json_member(memory, "form", json_type_boolean) != NULL;
	json_object_put(memory);
	return export_is_door(conversation) && form;
}

bool export_has_names(const struct conversation *conversation, const char *class_name)
{
	struct json_object *memory = memory_of(conversation);
	struct json_object *names = json_member(memory, "names", json_type_object);
	bool has = json_member(names, class_name, json_type_object) != NULL;
	json_object_put(memory);
	return has;
}

void export_remember_names(
	struct conversation *conversation, const char *class_name, struct json_object *items)
{
	struct json_object *memory = memory_of(conversation), *names = json_object_new_object();
	for (size_t i = 0; i < json_object_array_length(items) && i < NAMES; i++) {
		struct json_object *item = json_object_array_get_idx(items, i);
		char *id = json_text_of(NULL, item, "id"), *name = json_text_of(id, item, "name");
		if (name != NULL && *name != '\0')
			json_object_object_add(names, id, json_object_new_string(name));
		talloc_free(id);
	}
	json_object_object_add(json_member(memory, "names", json_type_object), class_name, names);
	remember(conversation, memory);
}

/* ---- a question ---- */

/* FIELDS as columns: a link by its property. */
static char *add_columns(char *url, const char *fields)
{
	url = talloc_strdup_append_buffer(url, "&@columns=id");
	while (*fields != '\0') {
		size_t size = strcspn(fields, ","), name = strcspn(fields, ".,");
		url = talloc_asprintf_append_buffer(url, ",%.*s", (int)name, fields);
		fields += fields[size] == ',' ? size + 1 : size;
	}
	return url;
}

/*
 * Old servers are known to give the export only when every parameter is there. The number of rows a
 * page is not looked at. The semicolon is escaped: before 3.9.2 Python took a bare one for the end of
 * the parameter. Servers 2.2 and 2.3 keep the connection open for a minute unless told.
 */
struct exchange *export_ask(struct conversation *conversation, enum roundup_purpose purpose,
	const struct question *question, const char *const *ids, unsigned count)
{
	bool by_priority = strstr(question->fields, "priority.name") != NULL;
	char *url = talloc_asprintf(NULL, "%s%s?@action=%s", conversation->base_url,
		question->class_name, conversation->server->door);
	url = add_columns(url, question->fields);
	url = talloc_asprintf_append_buffer(url, "&@sort=id%s&@filter=%s%s%s",
		by_priority ? "&@group=priority" : "", count > 0 ? "id" : "",
		count > 0 && question->since != NULL ? "," : "",
		question->since != NULL ? "activity" : "");
	url = talloc_strdup_append_buffer(url, "&@pagesize=500&@startwith=0");
	for (unsigned i = 0; i < count; i++)
		url = talloc_asprintf_append_buffer(url, "%s%s", i > 0 ? "," : "&id=", ids[i]);
	if (question->since != NULL)
		url = talloc_asprintf_append_buffer(url, "&activity=%s%%3B", question->since);
	struct exchange *exchange = roundup_ask(conversation, purpose, url);
	exchange->format = FORMAT_TEXT;
	roundup_add_header(exchange, "Connection: close");
	return exchange;
}

/* ---- an answer ---- */

enum column { ID, TITLE, ACTIVITY, DATE, NAME, USERNAME, CONTENT, MESSAGES, AUTHOR, FIXED };

enum { COLUMNS = FIXED + 8 };

/* The fixed ones, then the fields. */
static void fill_columns(struct csv_column *columns)
{
	static const struct csv_column fixed[FIXED] = {
		[ID] = {.name = "id"},
		[TITLE] = {.name = "title"},
		[ACTIVITY] = {.name = "activity"},
		[DATE] = {.name = "date"},
		[NAME] = {.name = "name"},
		[USERNAME] = {.name = "username"},
		[CONTENT] = {.name = "content", .whole = true},
		[MESSAGES] = {.name = "messages", .whole = true},
		[AUTHOR] = {.name = "author"},
	};
	memcpy(columns, fixed, sizeof(fixed));
	for (unsigned i = 0; roundup_fields[i].asked != NULL; i++)
		columns[FIXED + i] = (struct csv_column){.name = roundup_fields[i].property};
}

/* Every version ends its answer with a line feed more: an answer that was cut has none. */
static struct csv *read_table(struct exchange *exchange, struct err *why)
{
	if (!exchange_good(exchange, why))
		return NULL;
	size_t size = exchange->text_size;
	struct csv_column columns[COLUMNS] = {{NULL}};
	struct err wrong = {0};
	fill_columns(columns);
	struct csv *table = csv_read(exchange, columns, exchange->text, size, &wrong);
	if (table != NULL && !table->has[ID])
		err_set(&wrong, ERR_UNPARSABLE_TRACKER, "CSV without a column of ids");
	else if (table != NULL && (size < 2 || exchange->text[size - 2] != '\n'))
		err_set(&wrong, ERR_UNPARSABLE_TRACKER, "the CSV is cut short");
	if (wrong.kind == ERR_NONE)
		return table;
	err_set(why, wrong.kind, "%.*s: %s", (int)strcspn(exchange->url, "?"), exchange->url,
		wrong.text);
	return NULL;
}

/*
 * `None` stands for no link; an id without a name, of a retired value or one made since the probe, for
 * itself.
 */
static struct json_object *name_of(
	struct json_object *names, const char *class_name, const char *id)
{
	struct json_object *class_names = json_member(names, class_name, json_type_object);
	struct json_object *name = json_member(class_names, id, json_type_string);
	if (strcmp(id, "None") == 0)
		return NULL;
	return name != NULL ? json_object_get(name) : json_object_new_string(id);
}

/* A user by what the server's addresses call them, until the name is known. */
static struct json_object *user_of(const char *id)
{
	char *user = talloc_asprintf(NULL, "%s%s", roundup_user, id);
	struct json_object *text = json_object_new_string(user);
	talloc_free(user);
	return text;
}

/* `['1', '2']`; what is no list stays a text. */
static struct json_object *ids_of(const char *text)
{
	if (*text != '[')
		return json_object_new_string(text);
	struct json_object *list = json_object_new_array();
	while (*text != '\0') {
		size_t n = strspn(text, "0123456789");
		if (n > 0)
			json_object_array_add(list, json_object_new_string_len(text, (int)n));
		text += n > 0 ? n : 1;
	}
	return list;
}

/* The same, as objects with names. */
static struct json_object *named_list(
	struct json_object *names, const char *class_name, const char *text)
{
	struct json_object *ids = ids_of(text);
	if (!json_object_is_type(ids, json_type_array))
		return ids;
	struct json_object *list = json_object_new_array();
	for (size_t i = 0; i < json_object_array_length(ids); i++) {
		struct json_object *id = json_object_array_get_idx(ids, i);
		struct json_object *item = json_object_new_object();
		json_object_object_add(
			item, "name", name_of(names, class_name, json_object_get_string(id)));
		json_object_array_add(list, item);
	}
	json_object_put(ids);
	return list;
}

static void add_field(struct json_object *item, const struct roundup_field *field, const char *cell,
	struct json_object *names)
{
	json_object_object_add(item, field->asked,
		field->list ? named_list(names, field->class_name, cell)
			    : name_of(names, field->class_name, cell));
}

static struct json_object *read_row(
	const struct csv *table, unsigned row, struct json_object *names)
{
	static const char *const plain[] = {[ID] = "id",
		[TITLE] = "title",
		[ACTIVITY] = "activity",
		[DATE] = "date",
		[NAME] = "name",
		[USERNAME] = "name",
		[CONTENT] = "content"};
	struct json_object *item = json_object_new_object();
	for (unsigned i = 0; i < COLUMNS && i < table->columns; i++) {
		const char *cell = csv_cell(table, row, i);
		if (cell == NULL && table->has[i] && i == CONTENT)
			cell = "";
		if (cell == NULL)
			continue;
		if (i <= CONTENT)
			json_object_object_add(item, plain[i], json_object_new_string(cell));
		else if (i == MESSAGES)
			json_object_object_add(item, "messages", ids_of(cell));
		else if (i == AUTHOR)
			json_object_object_add(item, "author.username", user_of(cell));
		else
			add_field(item, &roundup_fields[i - FIXED], cell, names);
	}
	return item;
}

struct holder {
	struct json_object *items;
};

static int holder_free(struct holder *holder)
{
	json_object_put(holder->items);
	return 0;
}

struct json_object *export_items(
	const struct conversation *conversation, struct exchange *exchange, struct err *why)
{
	struct csv *table = read_table(exchange, why);
	if (table == NULL)
		return NULL;
	struct json_object *memory = memory_of(conversation);
	struct json_object *names = json_member(memory, "names", json_type_object);
	struct holder *holder = talloc_zero(exchange, struct holder);
	holder->items = json_object_new_array();
	talloc_set_destructor(holder, holder_free);
	for (unsigned row = 0; row < table->count; row++)
		json_object_array_add(holder->items, read_row(table, row, names));
	json_object_put(memory);
	return holder->items;
}

/* Whether ITEM links by FIELD to what has only its id for a name. */
static bool is_nameless(struct json_object *item, const struct roundup_field *field)
{
	struct json_object *value = NULL;
	bool found = false;
	json_object_object_get_ex(item, field->asked, &value);
	if (!field->list)
		return json_object_is_type(value, json_type_string) &&
			text_is_number(json_object_get_string(value), ROUNDUP_ID_DIGITS);
	for (size_t i = 0; json_object_is_type(value, json_type_array) && !found &&
		i < json_object_array_length(value);
		i++) {
		struct json_object *name =
			json_member(json_object_array_get_idx(value, i), "name", json_type_string);
		found = text_is_number(
			name != NULL ? json_object_get_string(name) : "", ROUNDUP_ID_DIGITS);
	}
	return found;
}

const char *export_nameless(
	const struct conversation *conversation, struct json_object *items, const char *done)
{
	for (const struct roundup_field *field = roundup_fields; field->asked != NULL; field++) {
		if (strstr(done, field->class_name) != NULL ||
			!export_has_names(conversation, field->class_name))
			continue;
		for (size_t i = 0; i < json_object_array_length(items); i++)
			if (is_nameless(json_object_array_get_idx(items, i), field))
				return field->class_name;
	}
	return NULL;
}
