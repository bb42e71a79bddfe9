/* The newest events as Atom (RFC 4287), for readers of feeds. */
#include "ui-api/handlers.h"

#include "ui-api/request.h"

#include <libxml/xmlwriter.h>
#include <string.h>
#include <talloc.h>

#define ATOM "application/atom+xml"

/* The columns of api_newest_events. */
enum { ID, AT, KIND, TRACKER, REMOTE_ID, URL, OLD, NEW, TITLE };

/* XML can't hold what is left out here: C0 controls, U+FFFE and U+FFFF. TEXT is UTF-8. */
static char *harmless(const void *owner, const char *text)
{
	char *copy = talloc_strdup(owner, text), *to = copy;
	for (const char *at = copy; *at != '\0'; at++) {
		bool noncharacter =
			strncmp(at, "\xef\xbf\xbe", 3) == 0 || strncmp(at, "\xef\xbf\xbf", 3) == 0;
		if (noncharacter)
			at += 2;
		else if ((unsigned char)*at >= 0x20 || *at == '\t' || *at == '\n')
			*to++ = *at;
	}
	*to = '\0';
	return copy;
}

static void write_text(xmlTextWriter *writer, const char *name, const char *text)
{
	char *clean = harmless(NULL, text);
	xmlTextWriterWriteElement(writer, (const xmlChar *)name, (const xmlChar *)clean);
	talloc_free(clean);
}

static void write_link(xmlTextWriter *writer, const char *url)
{
	char *clean = harmless(NULL, url);
	xmlTextWriterStartElement(writer, (const xmlChar *)"link");
	xmlTextWriterWriteAttribute(writer, (const xmlChar *)"href", (const xmlChar *)clean);
	xmlTextWriterEndElement(writer);
	talloc_free(clean);
}

/* "bugs.gentoo.org 901: status new -> confirmed" */
static char *headline(const void *owner, const struct db_rows *rows, unsigned row)
{
	const char *old = db_text(rows, row, OLD), *new = db_text(rows, row, NEW);
	return talloc_asprintf(owner, "%s %s: %s %s%s%s", db_text(rows, row, TRACKER),
		db_text(rows, row, REMOTE_ID), db_text(rows, row, KIND), old,
		*old != '\0' && *new != '\0' ? " \u2192 " : "", new);
}

static void write_entry(xmlTextWriter *writer, const struct db_rows *rows, unsigned row)
{
	char *title = headline(NULL, rows, row);
	char *id = talloc_asprintf(title, "urn:bugwatch:event:%s", db_text(rows, row, ID));
	xmlTextWriterStartElement(writer, (const xmlChar *)"entry");
	write_text(writer, "id", id);
	write_text(writer, "title", title);
	write_text(writer, "updated", db_text(rows, row, AT));
	write_link(writer, db_text(rows, row, URL));
	write_text(writer, "summary", db_text(rows, row, TITLE));
	xmlTextWriterEndElement(writer);
	talloc_free(title);
}

static void write_head(
	xmlTextWriter *writer, const struct request *request, const struct db_rows *rows)
{
	const char *tracker = request->parameters[0];
	char *id = talloc_asprintf(NULL, "urn:bugwatch:feed:%s", tracker != NULL ? tracker : "all");
	char *title = tracker != NULL ? talloc_asprintf(id, "bugwatch: %s", tracker)
				      : talloc_strdup(id, "bugwatch: all trackers");
	xmlTextWriterStartElementNS(writer, NULL, (const xmlChar *)"feed",
		(const xmlChar *)"http://www.w3.org/2005/Atom");
	write_text(writer, "id", id);
	write_text(writer, "title", title);
	write_text(writer, "updated",
		db_count(rows) > 0 ? db_text(rows, 0, AT) : "1970-01-01T00:00:00Z");
	xmlTextWriterStartElement(writer, (const xmlChar *)"author");
	write_text(writer, "name", "bugwatch");
	xmlTextWriterEndElement(writer);
	talloc_free(id);
}

static void answer_feed(struct request *request, struct db_rows *const *rows)
{
	enum { FOUND, EVENTS };
	if (request->parameters[0] != NULL && db_count(rows[FOUND]) == 0) {
		request_fail(request, 404, "there is no such tracker");
		return;
	}
	xmlBuffer *buffer = xmlBufferCreate();
	xmlTextWriter *writer = xmlNewTextWriterMemory(buffer, 0);
	xmlTextWriterStartDocument(writer, NULL, "UTF-8", NULL);
	write_head(writer, request, rows[EVENTS]);
	for (unsigned i = 0; i < db_count(rows[EVENTS]); i++)
		write_entry(writer, rows[EVENTS], i);
	xmlTextWriterEndDocument(writer);
	xmlFreeTextWriter(writer);
	evbuffer_add(
		request_output(request), xmlBufferContent(buffer), (size_t)xmlBufferLength(buffer));
	xmlBufferFree(buffer);
	request_answer_as(request, ATOM);
}

void handle_feed(struct request *request)
{
	const char *tracker = request->parameters[0];
	struct db_batch *batch = db_batch_new(request->db);
	db_add(batch, QUERY_api_find_tracker, (const char *[]){tracker != NULL ? tracker : ""});
	db_add(batch, QUERY_api_newest_events, (const char *[]){tracker});
	request_send(request, batch, answer_feed);
}
