#include "trackers/xmlrpc.h"

#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

/* ---- a call ---- */

static char *write_value(char *out, struct json_object *value);

static char *write_text(char *out, const char *text)
{
	for (size_t n; *text != '\0'; text += n) {
		n = strcspn(text, "&<>");
		out = talloc_strndup_append_buffer(out, text, n);
		if (text[n] == '\0')
			break;
		const char *entity = text[n] == '&' ? "&amp;" : text[n] == '<' ? "&lt;" : "&gt;";
		out = talloc_strdup_append_buffer(out, entity);
		n++;
	}
	return out;
}

static char *write_struct(char *out, struct json_object *object)
{
	out = talloc_strdup_append_buffer(out, "<struct>");
	json_object_object_foreach (object, name, member) {
		out = talloc_strdup_append_buffer(out, "<member><name>");
		out = write_text(out, name);
		out = talloc_strdup_append_buffer(out, "</name>");
		out = write_value(out, member);
		out = talloc_strdup_append_buffer(out, "</member>");
	}
	return talloc_strdup_append_buffer(out, "</struct>");
}

static char *write_list(char *out, struct json_object *list)
{
	out = talloc_strdup_append_buffer(out, "<array><data>");
	for (size_t i = 0; i < json_object_array_length(list); i++)
		out = write_value(out, json_object_array_get_idx(list, i));
	return talloc_strdup_append_buffer(out, "</data></array>");
}

/* The hyphens are left out: old servers read no others. NULL where OBJECT is no moment. */
static char *write_moment(char *out, struct json_object *object)
{
	struct json_object *pair = NULL, *at = NULL;
	if (json_object_object_get_ex(object, "__jsonclass__", &pair) &&
		json_object_is_type(pair, json_type_array))
		at = json_object_array_get_idx(pair, 1);
	if (at == NULL)
		return NULL;
	out = talloc_strdup_append_buffer(out, "<dateTime.iso8601>");
	for (const char *c = json_object_get_string(at); *c != '\0'; c++)
		if (*c != '-')
			out = talloc_strndup_append_buffer(out, c, 1);
	return talloc_strdup_append_buffer(out, "</dateTime.iso8601>");
}

static char *write_scalar(char *out, struct json_object *value)
{
	const char *tag = "string";
	int64_t number = json_object_get_int64(value);
	if (json_object_is_type(value, json_type_int) && number == (int32_t)number)
		tag = "int";
	else if (json_object_is_type(value, json_type_double))
		tag = "double";
	else if (json_object_is_type(value, json_type_boolean))
		return talloc_asprintf_append_buffer(
			out, "<boolean>%d</boolean>", json_object_get_boolean(value));
	out = talloc_asprintf_append_buffer(out, "<%s>", tag);
	if (value != NULL)
		out = write_text(out, json_object_get_string(value));
	return talloc_asprintf_append_buffer(out, "</%s>", tag);
}

static char *write_value(char *out, struct json_object *value)
{
	out = talloc_strdup_append_buffer(out, "<value>");
	char *dated = write_moment(out, value);
	if (dated != NULL)
		out = dated;
	else if (json_object_is_type(value, json_type_object))
		out = write_struct(out, value);
	else if (json_object_is_type(value, json_type_array))
		out = write_list(out, value);
	else
		out = write_scalar(out, value);
	return talloc_strdup_append_buffer(out, "</value>");
}

struct json_object *xmlrpc_moment(moment at)
{
	char text[MOMENT_TEXT];
	*strchr(moment_format(at, text), 'Z') = '\0';
	struct json_object *pair = json_object_new_array(), *date = json_object_new_object();
	json_object_array_add(pair, json_object_new_string("datetime"));
	json_object_array_add(pair, json_object_new_string(text));
	json_object_object_add(date, "__jsonclass__", pair);
	return date;
}

char *xmlrpc_call(const void *owner, const char *method, struct json_object *params)
{
	char *out = talloc_strdup(owner, "<?xml version=\"1.0\"?><methodCall><methodName>");
	out = write_text(out, method);
	out = talloc_strdup_append_buffer(out, "</methodName><params>");
	for (size_t i = 0; i < json_object_array_length(params); i++) {
		out = talloc_strdup_append_buffer(out, "<param>");
		out = write_value(out, json_object_array_get_idx(params, i));
		out = talloc_strdup_append_buffer(out, "</param>");
	}
	return talloc_strdup_append_buffer(out, "</params></methodCall>");
}

/* ---- an answer ---- */

static struct json_object *read_value(const struct element *value, bool *broken);

static struct json_object *read_struct(const struct element *element, bool *broken)
{
	struct json_object *object = json_object_new_object();
	for (const struct element *at = element->first; at != NULL; at = at->next) {
		const struct element *name = xml_child(at, "name"), *value = xml_child(at, "value");
		if (name == NULL || value == NULL)
			*broken = true;
		else
			json_object_object_add(object, xml_text(name), read_value(value, broken));
	}
	return object;
}

static struct json_object *read_list(const struct element *element, bool *broken)
{
	struct json_object *list = json_object_new_array();
	const struct element *data = xml_child(element, "data");
	*broken |= data == NULL;
	for (const struct element *at = data != NULL ? data->first : NULL; at != NULL;
		at = at->next)
		json_object_array_add(list, read_value(at, broken));
	return list;
}

static struct json_object *read_integer(const char *text, bool *broken)
{
	char *end;
	int64_t number = strtoll(text, &end, 10);
	end += strspn(end, " \t\r\n");
	*broken |= *text == '\0' || *end != '\0';
	return json_object_new_int64(number);
}

static struct json_object *read_double(const char *text, bool *broken)
{
	char *end;
	double number = g_ascii_strtod(text, &end);
	*broken |= *text == '\0' || *end != '\0' || number - number != 0;
	return json_object_new_double(number);
}

static struct json_object *read_base64(const struct element *element)
{
	gsize size = 0;
	guchar *bytes = g_base64_decode(xml_text(element), &size);
	struct json_object *text = json_object_new_string_len((const char *)bytes, (int)size);
	g_free(bytes);
	return text;
}

static struct json_object *read_text(const struct element *element)
{
	return element->text == NULL
		? json_object_new_string("")
		: json_object_new_string_len(element->text, (int)element->text_size);
}

static struct json_object *read_value(const struct element *value, bool *broken)
{
	const struct element *typed = value->first;
	if (typed == NULL)
		return read_text(value);
	const char *type = typed->name;
	if (strcmp(type, "struct") == 0)
		return read_struct(typed, broken);
	if (strcmp(type, "array") == 0)
		return read_list(typed, broken);
	if (strcmp(type, "int") == 0 || strcmp(type, "i4") == 0 || strcmp(type, "i8") == 0)
		return read_integer(xml_text(typed), broken);
	if (strcmp(type, "boolean") == 0)
		return json_object_new_boolean(xml_text(typed)[0] == '1');
	if (strcmp(type, "double") == 0)
		return read_double(xml_text(typed), broken);
	if (strcmp(type, "base64") == 0)
		return read_base64(typed);
	if (strcmp(type, "nil") == 0)
		return NULL;
	*broken |= strcmp(type, "string") != 0 && strcmp(type, "dateTime.iso8601") != 0;
	return read_text(typed);
}

struct json_object *xmlrpc_answer(const struct element *root, bool *fault)
{
	if (root == NULL || strcmp(root->name, "methodResponse") != 0)
		return NULL;
	const struct element *wrong = xml_child(root, "fault");
	const struct element *value = wrong != NULL
		? xml_child(wrong, "value")
		: xml_child(xml_child(xml_child(root, "params"), "param"), "value");
	*fault = wrong != NULL;
	bool broken = value == NULL;
	struct json_object *answer = broken ? NULL : read_value(value, &broken);
	if (!broken)
		return answer;
	json_object_put(answer);
	return NULL;
}
