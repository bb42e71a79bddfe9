#include "trackers/trac/plain.h"

#include "trackers/text.h"

#include <libxml/HTMLparser.h>
#include <limits.h>
#include <string.h>
#include <talloc.h>

struct writing {
	char *text;
	size_t size, room, limit;
	unsigned lines; /* line ends that are due before the next word */
	bool blank; /* so is a blank */
	bool bullet; /* a list item has just begun, no line end is due */
	unsigned preformatted; /* how deep in `pre` */
};

/* What an element asks for around it. */
struct block {
	const char *name;
	unsigned lines;
};

static const struct block blocks[] = {
	{"p", 2},
	{"pre", 2},
	{"ul", 2},
	{"ol", 2},
	{"dl", 2},
	{"blockquote", 2},
	{"table", 2},
	{"h1", 2},
	{"h2", 2},
	{"h3", 2},
	{"h4", 2},
	{"h5", 2},
	{"h6", 2},
	{"hr", 2},
	{"div", 1},
	{"li", 1},
	{"tr", 1},
	{"dt", 1},
	{"dd", 1},
};

static bool is_element(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static void put(struct writing *to, char byte)
{
	if (to->size + 1 >= to->room) {
		to->room *= 2;
		to->text = talloc_realloc(talloc_parent(to->text), to->text, char, to->room);
	}
	if (to->size < to->limit)
		to->text[to->size++] = byte;
}

static void put_visible(struct writing *to, char byte)
{
	bool begun = to->size > 0;
	if (begun && to->lines > 0 && to->text[to->size - 1] == '\n')
		to->lines--; /* code brings its last line end itself */
	for (; begun && to->lines > 0; to->lines--) {
		put(to, '\n');
		to->blank = false;
	}
	if (begun && to->blank)
		put(to, ' ');
	to->lines = 0;
	to->blank = false;
	to->bullet = false;
	put(to, byte);
}

static void put_text(struct writing *to, const char *text)
{
	for (; *text != '\0'; text++) {
		bool blank = strchr(" \t\r\n", *text) != NULL;
		if (!blank || to->preformatted > 0)
			put_visible(to, *text);
		else if (to->size > 0 && to->lines == 0 && !to->bullet)
			to->blank = true;
	}
}

static void break_line(struct writing *to, unsigned lines)
{
	if (to->lines < lines && !to->bullet)
		to->lines = lines;
}

static void break_at(struct writing *to, const xmlNode *node)
{
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (is_element(node, blocks[i].name))
			break_line(to, blocks[i].lines);
}

/* Trac puts an invisible character into `<span class="icon">` before a link to elsewhere. */
static bool is_left_out(const xmlNode *node)
{
	if (is_element(node, "script") || is_element(node, "style"))
		return true;
	if (!is_element(node, "span"))
		return false;
	for (const xmlAttr *at = node->properties; at != NULL; at = at->next)
		if (strcmp((const char *)at->name, "class") == 0 && at->children != NULL &&
			at->children->content != NULL)
			return strcmp((const char *)at->children->content, "icon") == 0;
	return false;
}

/* Whether NODE is the first thing of the body, and a list. */
static bool is_list_of_changes(const xmlNode *node)
{
	if (!is_element(node, "ul") || node->parent == NULL || !is_element(node->parent, "body"))
		return false;
	for (const xmlNode *before = node->prev; before != NULL; before = before->prev)
		if (before->type == XML_ELEMENT_NODE)
			return false;
	return true;
}

static void enter(struct writing *to, const xmlNode *node)
{
	if (node->type == XML_TEXT_NODE)
		put_text(to, (const char *)node->content);
	break_at(to, node);
	if (is_element(node, "pre"))
		to->preformatted++;
	if (is_element(node, "br") && to->lines < 3)
		to->lines++;
	if (is_element(node, "td") || is_element(node, "th"))
		to->blank = to->lines == 0;
	if (is_element(node, "li")) {
		put_visible(to, '*');
		to->blank = true;
		to->bullet = true;
	}
}

static void leave(struct writing *to, const xmlNode *node)
{
	if (is_element(node, "li"))
		to->bullet = false;
	break_at(to, node);
	if (is_element(node, "pre"))
		to->preformatted--;
}

static void walk(struct writing *to, const xmlNode *root, bool without_changes)
{
	const xmlNode *node = root;
	for (;;) {
		bool skip = is_left_out(node) || (without_changes && is_list_of_changes(node));
		if (!skip) {
			enter(to, node);
			if (node->children != NULL && node->type == XML_ELEMENT_NODE) {
				node = node->children;
				continue;
			}
			leave(to, node);
		}
		while (node != root && node->next == NULL) {
			node = node->parent;
			leave(to, node);
		}
		if (node == root)
			return;
		node = node->next;
	}
}

static char *finish(const void *owner, struct writing *to)
{
	while (to->size > 0 && strchr(" \t\r\n", to->text[to->size - 1]) != NULL)
		to->size--;
	return text_clean(owner, to->text, to->size, to->limit);
}

/* A text that begins outside of any element would be taken for the head's: hence the body. */
char *plain_of_html(const void *owner, const char *html, bool without_changes, size_t limit)
{
	static const int options =
		HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET;
	char *page = talloc_asprintf(NULL, "<html><body>%s</body></html>", html);
	size_t size = strlen(page);
	htmlDocPtr document =
		size <= INT_MAX ? htmlReadMemory(page, (int)size, NULL, "UTF-8", options) : NULL;
	xmlNode *root = document != NULL ? xmlDocGetRootElement(document) : NULL;
	char *plain = NULL;
	if (root != NULL) {
		struct writing to = {.room = 256, .limit = limit};
		to.text = talloc_array(page, char, to.room);
		walk(&to, root, without_changes);
		plain = finish(owner, &to);
	}
	if (document != NULL)
		xmlFreeDoc(document);
	talloc_free(page);
	return plain;
}
