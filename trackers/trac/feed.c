#include "trackers/trac/feed.h"

#include "trackers/comment.h"
#include "trackers/text.h"
#include "trackers/trac/plain.h"

#include <libxml/parser.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum { WORD_LIMIT = 200, NUMBER_DIGITS = 9 };

/*
 * Trac passes U+FFFE and U+FFFF on, which XML forbids: one ticket's text would make its feed
 * unreadable. Old versions do the same with control characters.
 */
static char *scrub(const void *owner, const char *text, size_t size)
{
	char *clean = text_clean(owner, text, size, 3 * size);
	for (unsigned char *at = (unsigned char *)clean; *at != '\0'; at++) {
		if (*at < ' ' && strchr("\t\n\r", *at) == NULL)
			*at = ' ';
		else if (at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe)
			at[2] = 0xbd;
	}
	return clean;
}

static bool is_whole(const char *text)
{
	static const char end[] = "</rss>";
	size_t size = strlen(text), n = sizeof(end) - 1;
	while (size > 0 && strchr(" \t\r\n", text[size - 1]) != NULL)
		size--;
	return size >= n && strncmp(text + size - n, end, n) == 0;
}

/* Trac's feeds declare nothing; a document type could only bring entities that blow up. */
static xmlDoc *parse(const void *owner, const char *bytes, size_t size, struct err *err)
{
	static const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
	char *text = scrub(owner, bytes, size);
	if (!is_whole(text)) {
		err_set(err, ERR_UNPARSABLE_TRACKER, "no feed, or one that was cut short");
		return NULL;
	}
	bool declares = strstr(text, "<!DOCTYPE") != NULL;
	size_t n = strlen(text);
	xmlDoc *document = !declares && n <= INT_MAX
		? xmlReadMemory(text, (int)n, NULL, "UTF-8", options)
		: NULL;
	if (document == NULL)
		err_set(err, ERR_COMMENTS_FAILED, "a feed that is not well-formed XML");
	return document;
}

static xmlNode *child(const xmlNode *parent, const char *name)
{
	xmlNode *at = parent != NULL ? parent->children : NULL;
	while (at != NULL &&
		(at->type != XML_ELEMENT_NODE || strcmp((const char *)at->name, name) != 0))
		at = at->next;
	return at;
}

/* The text of PARENT's child NAME; NULL where there is none. Owned by OWNER. */
static char *text_of(const void *owner, const xmlNode *parent, const char *name)
{
	xmlNode *node = child(parent, name);
	xmlChar *content = node != NULL ? xmlNodeGetContent(node) : NULL;
	char *text = content != NULL ? talloc_strdup(owner, (const char *)content) : NULL;
	xmlFree(content);
	return text;
}

static char *line_of(const void *owner, const xmlNode *parent, const char *name)
{
	char *text = text_of(owner, parent, name);
	return text != NULL ? text_clean_line(owner, text, strlen(text), WORD_LIMIT) : NULL;
}

const char *feed_version(const void *owner, const char *text, size_t size, struct err *err)
{
	static const char before[] = "Trac ";
	void *frame = talloc_new(NULL);
	xmlDoc *document = parse(frame, text, size, err);
	const char *version = NULL;
	if (document != NULL) {
		char *made_by = line_of(
			frame, child(xmlDocGetRootElement(document), "channel"), "generator");
		if (made_by != NULL && strncmp(made_by, before, sizeof(before) - 1) == 0)
			version = talloc_strdup(owner, made_by + sizeof(before) - 1);
		xmlFreeDoc(document);
	}
	talloc_free(frame);
	return version;
}

/* `…/ticket/1#comment:3`; an attachment's item has no such number: -1. */
static int64_t number_of(const void *owner, const xmlNode *item)
{
	static const char mark[] = "#comment:";
	const char *guid = line_of(owner, item, "guid");
	const char *at = guid != NULL ? strstr(guid, mark) : NULL;
	if (at == NULL || !text_is_number(at + sizeof(mark) - 1, NUMBER_DIGITS))
		return -1;
	return strtoll(at + sizeof(mark) - 1, NULL, 10);
}

/*
 * The title names the changed fields, so it is empty for a comment without any: a list that comes
 * first is then the commenter's own. False where the text can't be read.
 */
static bool read_item(struct feed *feed, const xmlNode *item)
{
	int64_t number = number_of(feed, item);
	if (number < 0)
		return true;
	struct entry *entry = &feed->entries[feed->count++];
	const char *title = line_of(feed, item, "title"), *at = line_of(feed, item, "pubDate");
	const char *html = text_of(feed, item, "description");
	*entry = (struct entry){.number = number, .author = line_of(feed, item, "creator")};
	if (entry->author == NULL)
		entry->author = line_of(feed, item, "author");
	if (at != NULL && !moment_parse_http(at, &entry->posted_at))
		return false;
	bool changes = title != NULL && *title != '\0';
	entry->text = plain_of_html(feed, html != NULL ? html : "", changes, COMMENT_LIMIT);
	return entry->text != NULL;
}

static unsigned count_items(const xmlNode *channel)
{
	unsigned count = 0;
	for (const xmlNode *at = channel->children; at != NULL; at = at->next)
		count +=
			at->type == XML_ELEMENT_NODE && strcmp((const char *)at->name, "item") == 0;
	return count;
}

static bool read_items(struct feed *feed, const xmlNode *channel)
{
	feed->entries = talloc_zero_array(feed, struct entry, count_items(channel));
	for (const xmlNode *at = channel->children; at != NULL; at = at->next)
		if (at->type == XML_ELEMENT_NODE && strcmp((const char *)at->name, "item") == 0 &&
			!read_item(feed, at))
			return false;
	return true;
}

struct feed *feed_read(const void *owner, const char *text, size_t size, struct err *err)
{
	struct feed *feed = talloc_zero(owner, struct feed);
	xmlDoc *document = parse(feed, text, size, err);
	if (document == NULL) {
		talloc_free(feed);
		return NULL;
	}
	const xmlNode *channel = child(xmlDocGetRootElement(document), "channel");
	bool read = channel != NULL && read_items(feed, channel);
	xmlFreeDoc(document);
	if (read)
		return feed;
	err_set(err, ERR_COMMENTS_FAILED, "a feed with parts that are not what Trac puts there");
	talloc_free(feed);
	return NULL;
}
