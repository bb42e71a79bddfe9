#include "trackers/debbugs/soap.h"

#include "trackers/text.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { FAULT_WORDS = 120, NUMBER_DIGITS = 12 };

#define SCHEMAS "http://schemas.xmlsoap.org/soap/"
#define W3 "http://www.w3.org/2001/"

char *soap_call(const void *owner, const char *method, const char *arguments)
{
	return talloc_asprintf(owner,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
		"<soap:Envelope xmlns:soap=\"" SCHEMAS "envelope/\" xmlns:soapenc=\"" SCHEMAS
		"encoding/\" xmlns:xsi=\"" W3 "XMLSchema-instance\" xmlns:xsd=\"" W3
		"XMLSchema\" soap:encodingStyle=\"" SCHEMAS "encoding/\"><soap:Body>"
		"<%s xmlns=\"Debbugs/SOAP/V1\">%s</%s></soap:Body></soap:Envelope>",
		method, arguments, method);
}

static struct element *body_of(const struct exchange *exchange)
{
	if (exchange->xml == NULL || strcmp(exchange->xml->name, "Envelope") != 0)
		return NULL;
	return xml_child(exchange->xml, "Body");
}

/* The result's own name is made up by the server. */
struct element *soap_result(const struct exchange *exchange, const char *method)
{
	struct element *body = body_of(exchange), *response = body != NULL ? body->first : NULL;
	size_t n = strlen(method);
	if (response == NULL || strncmp(response->name, method, n) != 0 ||
		strcmp(response->name + n, "Response") != 0)
		return NULL;
	return response->first;
}

const char *soap_fault(struct exchange *exchange)
{
	struct element *fault = xml_child(body_of(exchange), "Fault");
	const char *words = xml_text(xml_child(fault, "faultstring"));
	if (fault == NULL)
		return NULL;
	return text_clean_line(exchange, words, strcspn(words, "\r\n"), FAULT_WORDS);
}

/* A hash is a struct where all its keys are names of XML, else a Map. */
struct element *soap_field(const struct element *hash, const char *name)
{
	struct element *found = xml_child(hash, name);
	if (found != NULL || hash == NULL)
		return found;
	for (struct element *item = hash->first; item != NULL; item = item->next)
		if (strcmp(xml_text(xml_child(item, "key")), name) == 0)
			return xml_child(item, "value");
	return NULL;
}

/* Of the types, which are guessed for each value, only this one changes what the text means. */
static bool is_base64(const struct element *value)
{
	const char *type = xml_attribute(value, "type");
	const char *colon = type != NULL ? strchr(type, ':') : NULL;
	return type != NULL && strcmp(colon != NULL ? colon + 1 : type, "base64Binary") == 0;
}

char *soap_bytes(const void *owner, const struct element *value, size_t *n)
{
	size_t size = value != NULL ? value->text_size : 0;
	char *bytes = talloc_memdup(owner, xml_text(value), size + 1);
	if (is_base64(value)) {
		gint state = 0;
		guint save = 0;
		size = g_base64_decode_step(xml_text(value), size, (guchar *)bytes, &state, &save);
		bytes[size] = '\0';
	}
	*n = size;
	return bytes;
}

char *soap_line(const void *owner, const struct element *value, size_t limit)
{
	size_t n;
	char *bytes = soap_bytes(NULL, value, &n);
	char *line = text_clean_line(owner, bytes, n, limit);
	talloc_free(bytes);
	return line;
}

bool soap_number(const struct element *value, int64_t *out)
{
	if (!text_is_number(xml_text(value), NUMBER_DIGITS))
		return false;
	*out = strtoll(xml_text(value), NULL, 10);
	return true;
}
