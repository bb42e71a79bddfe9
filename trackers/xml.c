#include "trackers/xml.h"

#include "trackers/text.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <stdint.h>
#include <string.h>
#include <talloc.h>

enum { PIECE = 16384, REASON = 120 };

struct xml_reader {
	xmlParserCtxt *parser; /* its dictionary holds the names */
	struct element *root, *open;
	unsigned depth, weight;
	size_t tag; /* bytes since a `<` that has no `>` yet, 0 outside */
	bool empty;
	const char *broken; /* why it can't be XML any more */
};

static int reader_free(struct xml_reader *reader)
{
	if (reader->parser == NULL)
		return 0;
	/* Made for an entity's declaration, and not freed with the parser. */
	xmlFreeDoc(reader->parser->myDoc);
	xmlFreeParserCtxt(reader->parser);
	return 0;
}

static void stop(struct xml_reader *reader, const char *why)
{
	if (reader->broken == NULL)
		reader->broken = why;
	xmlStopParser(reader->parser);
}

/* ---- what the parser tells ---- */

/* VALUES are of five: name, prefix, namespace, begin and end of the value. */
static void add_attributes(
	struct xml_reader *reader, struct element *element, int count, const xmlChar **values)
{
	for (int i = 0; i < count; i++, values += 5) {
		struct attribute *attribute = talloc(reader, struct attribute);
		attribute->name = (const char *)values[0];
		attribute->value = talloc_strndup(
			attribute, (const char *)values[3], (size_t)(values[4] - values[3]));
		attribute->next = element->attributes;
		element->attributes = attribute;
	}
}

static void link_up(struct xml_reader *reader, struct element *element)
{
	struct element *parent = reader->open;
	element->parent = parent;
	if (parent == NULL)
		reader->root = element;
	else if (parent->last == NULL)
		parent->first = element;
	else
		parent->last->next = element;
	if (parent != NULL)
		parent->last = element;
	reader->open = element;
}

static void on_start(void *cookie, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
	int namespaces, const xmlChar **namespace_values, int attributes, int defaulted,
	const xmlChar **values)
{
	struct xml_reader *reader = cookie;
	if (reader->broken != NULL)
		return;
	reader->weight += 1 + (unsigned)attributes;
	if (++reader->depth > XML_DEPTH) {
		stop(reader, "nested too deep");
		return;
	}
	if (reader->weight > XML_WEIGHT) {
		stop(reader, "more elements than are taken");
		return;
	}
	struct element *element = talloc_zero(reader, struct element);
	element->name = (const char *)name;
	add_attributes(reader, element, attributes, values);
	link_up(reader, element);
}

static void on_end(void *cookie, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct xml_reader *reader = cookie;
	if (reader->open == NULL)
		return;
	reader->depth--;
	reader->open = reader->open->parent;
}

static void on_text(void *cookie, const xmlChar *bytes, int size)
{
	struct xml_reader *reader = cookie;
	struct element *element = reader->open;
	size_t n = (size_t)size;
	if (element == NULL || reader->broken != NULL)
		return;
	size_t need = element->text_size + n + 1;
	if (element->text == NULL)
		element->text = talloc_array(reader, char, need);
	else if (need > talloc_get_size(element->text))
		element->text = talloc_realloc(reader, element->text, char, 2 * need);
	memcpy(element->text + element->text_size, bytes, n);
	element->text_size += n;
	element->text[element->text_size] = '\0';
}

/*
 * A DOCTYPE that only names its kind (Bugzilla sends one) does no harm, as what it points to is not
 * fetched. All that one with declarations could bring is bombs.
 */
static void on_entity(void *cookie, const xmlChar *name, int type, const xmlChar *public_id,
	const xmlChar *system_id, xmlChar *content)
{
	stop(cookie, "its DOCTYPE declares entities");
}

static void on_attribute(void *cookie, const xmlChar *element, const xmlChar *name, int type,
	int kind, const xmlChar *value, xmlEnumerationPtr values)
{
	xmlFreeEnumeration(values);
	stop(cookie, "its DOCTYPE declares attributes");
}

static void on_error(void *cookie, xmlErrorPtr error)
{
	struct xml_reader *reader = cookie;
	if (error->level != XML_ERR_FATAL || reader->broken != NULL)
		return;
	const char *words = error->message != NULL ? error->message : "malformed";
	reader->broken = text_clean_line(reader, words, strcspn(words, "\n"), REASON);
}

static xmlParserCtxt *new_parser(struct xml_reader *reader)
{
	xmlSAXHandler handler = {
		.initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.cdataBlock = on_text,
		.entityDecl = on_entity,
		.attributeDecl = on_attribute,
		.serror = on_error,
	};
	xmlParserCtxt *parser = xmlCreatePushParserCtxt(&handler, reader, NULL, 0, NULL);
	if (parser != NULL)
		xmlCtxtUseOptions(parser, XML_PARSE_NONET);
	return parser;
}

/* ---- feeding ---- */

struct xml_reader *xml_reader_new(const void *owner)
{
	struct xml_reader *reader = talloc_zero(owner, struct xml_reader);
	reader->empty = true;
	reader->parser = new_parser(reader);
	if (reader->parser == NULL)
		reader->broken = "no memory for a parser";
	talloc_set_destructor(reader, reader_free);
	return reader;
}

static void watch_tag(struct xml_reader *reader, char byte)
{
	if (byte == '>')
		reader->tag = 0;
	else if (byte == '<' || reader->tag > 0)
		reader->tag++;
	if (reader->tag > XML_TAG)
		stop(reader, "a tag longer than is taken");
}

static bool may_stand(char byte)
{
	return (unsigned char)byte >= ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* Hands over what may stand of at most PIECE bytes. */
static void feed_piece(struct xml_reader *reader, const char *bytes, size_t n)
{
	char kept[PIECE];
	int count = 0;
	for (size_t i = 0; i < n && reader->broken == NULL; i++) {
		watch_tag(reader, bytes[i]);
		if (may_stand(bytes[i]))
			kept[count++] = bytes[i];
	}
	if (reader->broken != NULL || count == 0)
		return;
	reader->empty = false;
	int code = xmlParseChunk(reader->parser, kept, count, 0);
	if (code != XML_ERR_OK && !reader->parser->wellFormed && reader->broken == NULL)
		reader->broken = "malformed";
}

bool xml_reader_feed(struct xml_reader *reader, const char *bytes, size_t n)
{
	for (size_t at = 0; at < n && reader->broken == NULL; at += PIECE)
		feed_piece(reader, bytes + at, n - at < PIECE ? n - at : PIECE);
	return reader->broken == NULL;
}

struct element *xml_reader_end(struct xml_reader *reader, struct err *err)
{
	bool started = !reader->empty && reader->broken == NULL;
	if (started)
		xmlParseChunk(reader->parser, NULL, 0, 1);
	if (reader->empty && reader->broken == NULL)
		err_set(err, ERR_UNPARSABLE_TRACKER, "empty where XML is due");
	else if (started && (reader->root == NULL || reader->open != NULL))
		err_set(err, ERR_UNPARSABLE_TRACKER, "not XML: cut short");
	else if (reader->broken != NULL)
		err_set(err, ERR_UNPARSABLE_TRACKER, "not XML: %s", reader->broken);
	else if (!reader->parser->wellFormed)
		err_set(err, ERR_UNPARSABLE_TRACKER, "not XML: malformed");
	else
		return reader->root;
	return NULL;
}

/* ---- reading ---- */

struct element *xml_child(const struct element *parent, const char *name)
{
	struct element *child = parent != NULL ? parent->first : NULL;
	while (child != NULL && strcmp(child->name, name) != 0)
		child = child->next;
	return child;
}

const char *xml_text(const struct element *element)
{
	return element != NULL && element->text != NULL ? element->text : "";
}

const char *xml_attribute(const struct element *element, const char *name)
{
	const struct attribute *attribute = element != NULL ? element->attributes : NULL;
	while (attribute != NULL && strcmp(attribute->name, name) != 0)
		attribute = attribute->next;
	return attribute != NULL ? attribute->value : NULL;
}
