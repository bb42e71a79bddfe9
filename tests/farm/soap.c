#include "tests/farm/soap.h"

#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#define SCHEMAS "http://schemas.xmlsoap.org/soap/"
#define W3 "http://www.w3.org/2001/"

/* ---- reading ---- */

static xmlNode *next_element(xmlNode *node)
{
	while (node != NULL && node->type != XML_ELEMENT_NODE)
		node = node->next;
	return node;
}

static void add_value(const void *owner, struct soap_argument *argument, xmlNode *node)
{
	xmlChar *text = xmlNodeGetContent(node);
	argument->values = talloc_realloc(owner, argument->values, char *, argument->count + 1);
	argument->values[argument->count++] = talloc_strdup(owner, (const char *)text);
	xmlFree(text);
}

/* An array is known by its elements. */
static void read_argument(const void *owner, struct soap_argument *argument, xmlNode *node)
{
	xmlNode *item = next_element(node->children);
	if (item == NULL)
		add_value(owner, argument, node);
	for (; item != NULL; item = next_element(item->next))
		add_value(owner, argument, item);
}

static struct soap_call *read_call(const void *owner, xmlNode *envelope)
{
	xmlNode *body = envelope != NULL ? next_element(envelope->children) : NULL;
	xmlNode *method = body != NULL ? next_element(body->children) : NULL;
	if (method == NULL)
		return NULL;
	struct soap_call *call = talloc_zero(owner, struct soap_call);
	call->method = talloc_strdup(call, (const char *)method->name);
	xmlNode *node = next_element(method->children);
	for (; node != NULL && call->count < SOAP_ARGUMENTS; node = next_element(node->next))
		read_argument(call, &call->arguments[call->count++], node);
	return call;
}

struct soap_call *farm_soap_read(const void *owner, const char *body)
{
	xmlDoc *document = xmlReadMemory(body, (int)strlen(body), NULL, NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	struct soap_call *call = read_call(owner, xmlDocGetRootElement(document));
	xmlFreeDoc(document);
	return call;
}

/* ---- writing ---- */

static void begin_body(struct evbuffer *out)
{
	say(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?><soap:Envelope "
		"soap:encodingStyle=\"" SCHEMAS "encoding/\" "
		"xmlns:apachens=\"http://xml.apache.org/xml-soap\" "
		"xmlns:soap=\"" SCHEMAS "envelope/\" xmlns:soapenc=\"" SCHEMAS "encoding/\" "
		"xmlns:xsd=\"" W3 "XMLSchema\" xmlns:xsi=\"" W3 "XMLSchema-instance\"><soap:Body>");
}

static void end_body(struct evbuffer *out)
{
	say(out, "</soap:Body></soap:Envelope>");
}

void farm_soap_begin(struct evbuffer *out, const char *method)
{
	begin_body(out);
	evbuffer_add_printf(out, "<%sResponse xmlns=\"Debbugs/SOAP/\">", method);
}

void farm_soap_end(struct evbuffer *out, const char *method)
{
	evbuffer_add_printf(out, "</%sResponse>", method);
	end_body(out);
}

void farm_soap_refuse(struct answer *answer, const char *code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *words = talloc_vasprintf(NULL, format, args);
	va_end(args);
	answer->status = 500;
	evbuffer_drain(answer->body, evbuffer_get_length(answer->body));
	begin_body(answer->body);
	evbuffer_add_printf(
		answer->body, "<soap:Fault><faultcode>soap:%s</faultcode><faultstring>", code);
	say_xml(answer->body, words);
	say(answer->body, "\n</faultstring></soap:Fault>");
	end_body(answer->body);
	talloc_free(words);
}

static bool is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if ((*text < ' ' && strchr("\t\r\n", *text) == NULL) || *text == 0x7f)
			return false;
	return true;
}

/* What SOAP::Lite takes TEXT for, whatever it was meant to be. */
static const char *guess(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	bool whole = digits > 0 && text[digits] == '\0' && (text[0] != '0' || digits == 1);
	if (!is_plain(text))
		return "xsd:base64Binary";
	if (whole && digits <= 18)
		return strtoll(text, NULL, 10) <= INT32_MAX ? "xsd:int" : "xsd:long";
	if (digits > 0 && text[0] != '0' && text[digits] == '.' &&
		strspn(text + digits + 1, "0123456789") == strlen(text + digits + 1))
		return "xsd:float";
	if (strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0)
		return "xsd:boolean";
	return "xsd:string";
}

/* "False" arrives as true. */
void farm_soap_value(struct evbuffer *out, const char *name, const char *text)
{
	const char *type = guess(text);
	evbuffer_add_printf(out, "<%s xsi:type=\"%s\"", name, type);
	if (*text == '\0') {
		say(out, " />");
		return;
	}
	say(out, ">");
	if (strcmp(type, "xsd:base64Binary") == 0)
		say_base64(out, text);
	else
		say_xml(out, strcmp(type, "xsd:boolean") == 0 ? "true" : text);
	evbuffer_add_printf(out, "</%s>", name);
}

void farm_soap_numbers(
	struct evbuffer *out, const char *name, const unsigned *numbers, unsigned count)
{
	evbuffer_add_printf(out, "<%s soapenc:arrayType=\"xsd:%s[%u]\" xsi:type=\"soapenc:Array\"",
		name, count > 0 ? "int" : "anyType", count);
	say(out, count > 0 ? ">" : " />");
	for (unsigned i = 0; i < count; i++)
		evbuffer_add_printf(out, "<item xsi:type=\"xsd:int\">%u</item>", numbers[i]);
	if (count > 0)
		evbuffer_add_printf(out, "</%s>", name);
}
