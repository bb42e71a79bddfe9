/* XML from strangers: a small tree, without entities of its own or anything fetched. */
#ifndef TRACKERS_XML_H
#define TRACKERS_XML_H

#include "trackers/err.h"

#include <stddef.h>

/*
 * How deep a document may nest, how many elements and attributes it may have (some 250 bytes each),
 * and how many bytes may stand between a `<` and its `>`, which the parser looks through again with
 * each piece.
 */
enum { XML_DEPTH = 32, XML_WEIGHT = 400000, XML_TAG = 1024 * 1024 };

struct attribute {
	const char *name; /* without its prefix */
	const char *value;
	struct attribute *next;
};

/* Owned by the reader. Texts are valid UTF-8 and hold no control byte but TAB, LF and CR. */
struct element {
	const char *name; /* without its prefix */
	char *text; /* its own, NUL-ended, not that of its children; NULL for none */
	size_t text_size;
	struct attribute *attributes;
	struct element *parent, *first, *last, *next; /* children in their order */
};

struct xml_reader;

/*
 * A reader that is fed in pieces; a talloc object owned by OWNER. Raw control bytes, which XML
 * forbids and servers send, are taken out before it is parsed.
 */
struct xml_reader *xml_reader_new(const void *owner);

/* Takes N more bytes; false once the text can't be XML any more. */
bool xml_reader_feed(struct xml_reader *reader, const char *bytes, size_t n);

/*
 * The root, if exactly one whole document without declarations of entities or attributes has been
 * fed, within the limits above; else NULL and ERR says why (ERR_UNPARSABLE_TRACKER). Owned by the reader.
 */
struct element *xml_reader_end(struct xml_reader *reader, struct err *err);

/* The first child of PARENT called NAME, or NULL; also where PARENT is NULL. */
struct element *xml_child(const struct element *parent, const char *name);

/* The text of ELEMENT, "" where it has none or is NULL. */
const char *xml_text(const struct element *element);

/* The value of the attribute called NAME, or NULL; also where ELEMENT is NULL. */
const char *xml_attribute(const struct element *element, const char *name);

#endif
