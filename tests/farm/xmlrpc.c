#include "tests/farm/xmlrpc.h"

#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

/* NODE or the first after it that is an element, called NAME where that is not NULL. */
static xmlNode *element(xmlNode *node, const char *name)
{
	while (node != NULL &&
		(node->type != XML_ELEMENT_NODE ||
			(name != NULL && strcmp((const char *)node->name, name) != 0)))
		node = node->next;
	return node;
}

static xmlNode *child(xmlNode *node, const char *name)
{
	return node != NULL ? element(node->children, name) : NULL;
}

static struct json_object *read_text(xmlNode *node)
{
	xmlChar *text = xmlNodeGetContent(node);
	struct json_object *string = json_object_new_string((const char *)text);
	xmlFree(text);
	return string;
}

/* `20190107T09:15:02` */
static struct json_object *read_moment(xmlNode *node)
{
	struct json_object *text = read_text(node), *pair = json_object_new_array(),
			   *moment = json_object_new_object();
	char whole[40];
	const char *at = json_object_get_string(text);
	snprintf(whole, sizeof(whole), "%.4s-%.2s-%s", at, strlen(at) > 4 ? at + 4 : "",
		strlen(at) > 6 ? at + 6 : "");
	json_object_put(text);
	json_object_array_add(pair, json_object_new_string("datetime"));
	json_object_array_add(pair, json_object_new_string(whole));
	json_object_object_add(moment, "__jsonclass__", pair);
	return moment;
}

static struct json_object *read_value(xmlNode *value);

static struct json_object *read_struct(xmlNode *node)
{
	struct json_object *object = json_object_new_object();
	for (xmlNode *at = child(node, "member"); at != NULL; at = element(at->next, "member")) {
		struct json_object *name = read_text(child(at, "name"));
		json_object_object_add(
			object, json_object_get_string(name), read_value(child(at, "value")));
		json_object_put(name);
	}
	return object;
}

static struct json_object *read_list(xmlNode *first)
{
	struct json_object *list = json_object_new_array();
	for (xmlNode *at = element(first, "value"); at != NULL; at = element(at->next, "value"))
		json_object_array_add(list, read_value(at));
	return list;
}

static struct json_object *read_value(xmlNode *value)
{
	xmlNode *typed = child(value, NULL);
	const char *type = typed != NULL ? (const char *)typed->name : "";
	if (strcmp(type, "struct") == 0)
		return read_struct(typed);
	if (strcmp(type, "array") == 0)
		return read_list(child(child(typed, "data"), "value"));
	if (strcmp(type, "dateTime.iso8601") == 0)
		return read_moment(typed);
	struct json_object *text = read_text(typed != NULL ? typed : value), *number = NULL;
	if (strcmp(type, "int") == 0 || strcmp(type, "boolean") == 0)
		number = json_object_new_int64(atoll(json_object_get_string(text)));
	if (number == NULL)
		return text;
	json_object_put(text);
	return number;
}

static struct json_object *read_call(xmlNode *root)
{
	xmlNode *method = child(root, "methodName");
	if (method == NULL)
		return NULL;
	struct json_object *call = json_object_new_object(), *params = json_object_new_array();
	xmlNode *at = child(child(root, "params"), "param");
	for (; at != NULL; at = element(at->next, "param"))
		json_object_array_add(params, read_value(child(at, "value")));
	json_object_object_add(call, "method", read_text(method));
	json_object_object_add(call, "params", params);
	return call;
}

struct json_object *farm_xmlrpc_read(const char *body)
{
	xmlDoc *document = xmlReadMemory(body, (int)strlen(body), NULL, NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	struct json_object *call = read_call(xmlDocGetRootElement(document));
	xmlFreeDoc(document);
	return call;
}

/* ---- writing ---- */

static void write_value(struct evbuffer *out, struct json_object *value);

static bool write_moment(struct evbuffer *out, struct json_object *object)
{
	struct json_object *pair = NULL;
	if (!json_object_object_get_ex(object, "__jsonclass__", &pair))
		return false;
	const char *text = json_object_get_string(json_object_array_get_idx(pair, 1));
	say(out, "<dateTime.iso8601>");
	for (; *text != '\0' && *text != '.'; text++)
		if (*text != '-')
			evbuffer_add(out, text, 1);
	say(out, "</dateTime.iso8601>");
	return true;
}

static void write_object(struct evbuffer *out, struct json_object *object)
{
	if (write_moment(out, object))
		return;
	say(out, "<struct>\n");
	json_object_object_foreach (object, name, member) {
		say(out, "<member>\n<name>");
		say_xml(out, name);
		say(out, "</name>\n");
		write_value(out, member);
		say(out, "</member>\n");
	}
	say(out, "</struct>");
}

static void write_list(struct evbuffer *out, struct json_object *list)
{
	say(out, "<array><data>\n");
	for (size_t i = 0; i < json_object_array_length(list); i++)
		write_value(out, json_object_array_get_idx(list, i));
	say(out, "</data></array>");
}

static void write_scalar(struct evbuffer *out, struct json_object *value)
{
	bool number = json_object_is_type(value, json_type_int);
	bool truth = json_object_is_type(value, json_type_boolean);
	const char *type = number ? "int" : truth ? "boolean" : "string";
	evbuffer_add_printf(out, "<%s>", type);
	if (truth)
		say(out, json_object_get_boolean(value) ? "1" : "0");
	else if (value != NULL)
		say_xml(out, json_object_get_string(value));
	evbuffer_add_printf(out, "</%s>", type);
}

static void write_value(struct evbuffer *out, struct json_object *value)
{
	say(out, "<value>");
	if (json_object_is_type(value, json_type_object))
		write_object(out, value);
	else if (json_object_is_type(value, json_type_array))
		write_list(out, value);
	else
		write_scalar(out, value);
	say(out, "</value>\n");
}

void farm_xmlrpc_write(struct evbuffer *out, struct json_object *value)
{
	say(out, "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n");
	write_value(out, value);
	say(out, "</param>\n</params>\n</methodResponse>\n");
}

void farm_xmlrpc_refuse(struct evbuffer *out, int code, const char *message)
{
	struct json_object *fault = json_object_new_object();
	json_object_object_add(fault, "faultCode", json_object_new_int(code));
	json_object_object_add(fault, "faultString", json_object_new_string(message));
	say(out, "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n");
	write_value(out, fault);
	say(out, "</fault>\n</methodResponse>\n");
	json_object_put(fault);
}
