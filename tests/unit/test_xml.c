/* XML from strangers: what is read, what is refused, and that no bomb costs anything. */
#include "trackers/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

struct reading {
	struct xml_reader *reader;
	struct element *root;
	struct err err;
};

static struct reading read_in_pieces(const char *text, size_t n, size_t piece)
{
	struct reading reading = {.reader = xml_reader_new(NULL)};
	for (size_t at = 0; at < n; at += piece)
		xml_reader_feed(reading.reader, text + at, n - at < piece ? n - at : piece);
	reading.root = xml_reader_end(reading.reader, &reading.err);
	return reading;
}

static struct reading read(const char *text)
{
	return read_in_pieces(text, strlen(text), strlen(text) + 1);
}

static void assert_refused(const char *text, const char *words)
{
	struct reading reading = read(text);
	assert_null(reading.root);
	assert_int_equal(reading.err.kind, ERR_UNPARSABLE_TRACKER);
	if (strstr(reading.err.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", reading.err.text, words);
	talloc_free(reading.reader);
}

static const char sample[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
	"<s:a xmlns:s=\"urn:s\" s:type=\"x:y\" other=\"&lt;1&gt;\"><b>one &amp; &#x74;wo\r\n</b>"
	"<!-- no --><b/><![CDATA[<raw>]]><c>\xc3\xa9<d>in</d>out</c></s:a>\n";

static void assert_sample(const struct element *root)
{
	assert_string_equal(root->name, "a");
	assert_string_equal(xml_text(root), "<raw>");
	assert_string_equal(xml_attribute(root, "type"), "x:y");
	assert_string_equal(xml_attribute(root, "other"), "<1>");
	assert_null(xml_attribute(root, "xmlns"));
	struct element *first = xml_child(root, "b"), *second = first->next;
	assert_string_equal(xml_text(first), "one & two\n");
	assert_int_equal(first->text_size, 10);
	assert_string_equal(second->name, "b");
	assert_string_equal(xml_text(second), "");
	assert_string_equal(xml_text(xml_child(root, "c")), "\xc3\xa9out");
	assert_string_equal(xml_text(xml_child(xml_child(root, "c"), "d")), "in");
	assert_ptr_equal(second->next->parent, root);
	assert_null(second->next->next);
}

static void a_tree_is_read_in_any_pieces(void **state)
{
	for (size_t piece = 1; piece <= sizeof(sample); piece++) {
		struct reading reading = read_in_pieces(sample, sizeof(sample) - 1, piece);
		assert_string_equal(reading.err.text, "");
		assert_sample(reading.root);
		talloc_free(reading.reader);
	}
}

static void what_is_not_there_is_harmless(void **state)
{
	struct reading reading = read("<a/>");
	assert_null(xml_child(reading.root, "b"));
	assert_null(xml_child(NULL, "b"));
	assert_null(xml_attribute(reading.root, "b"));
	assert_null(xml_attribute(NULL, "b"));
	assert_string_equal(xml_text(NULL), "");
	talloc_free(reading.reader);
}

static void every_cut_is_seen(void **state)
{
	size_t end = (size_t)(strstr(sample, "</s:a>") - sample) + strlen("</s:a>");
	for (size_t n = 0; n < end; n++) {
		struct reading reading = read_in_pieces(sample, n, n + 1);
		assert_null(reading.root);
		assert_int_equal(reading.err.kind, ERR_UNPARSABLE_TRACKER);
		talloc_free(reading.reader);
	}
}

static void broken_documents_are_refused(void **state)
{
	assert_refused("", "empty where XML is due");
	assert_refused("\x01\x02", "empty where XML is due");
	assert_refused("hello", "not XML");
	assert_refused("{}", "not XML");
	assert_refused("<a>", "cut short");
	assert_refused("<a><b></a></b>", "not XML: ");
	assert_refused("<a/><b/>", "not XML: ");
	assert_refused("<a/>more", "not XML: ");
	assert_refused("<a b=\"1\" b=\"2\"/>", "not XML: ");
	assert_refused("<a>&nbsp;</a>", "not XML: ");
	assert_refused("<a>&#1;</a>", "not XML: ");
	assert_refused("<a>\xff\xfe</a>", "not XML: ");
	assert_refused("<a>\xed\xa0\x80</a>", "not XML: ");
}

static void control_bytes_are_taken_out(void **state)
{
	static const char text[] = "<a>o\0n\x01"
				   "e\x1f\tt</a\x08>";
	struct reading reading = read_in_pieces(text, sizeof(text) - 1, 3);
	assert_string_equal(reading.err.text, "");
	assert_string_equal(xml_text(reading.root), "one\tt");
	talloc_free(reading.reader);
}

static void other_encodings_become_utf_8(void **state)
{
	struct reading reading = read("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe9</a>");
	assert_string_equal(xml_text(reading.root), "\xc3\xa9");
	talloc_free(reading.reader);
}

/* What it points to is not fetched; an entity that may stand there is nothing. */
static void a_doctype_may_name_its_kind(void **state)
{
	static const char *const texts[] = {
		"<!DOCTYPE a><a>x</a>",
		"<!DOCTYPE a SYSTEM \"http://192.0.2.1/page.cgi?id=a.dtd\"><a>x</a>",
		"<!DOCTYPE a PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" "
		"\"http://192.0.2.1/xhtml1-strict.dtd\"><a>x&nbsp;</a>",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct reading reading = read(texts[i]);
		assert_string_equal(reading.err.text, "");
		assert_string_equal(xml_text(reading.root), "x");
		talloc_free(reading.reader);
	}
}

/* Nothing in it is ever expanded, counted or fetched. */
static void declarations_are_refused(void **state)
{
	static const char *const bombs[] = {
		"<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
		"<!DOCTYPE a [<!ENTITY % x SYSTEM \"http://192.0.2.1/x\"> %x;]><a/>",
		"<!DOCTYPE a [<!ENTITY l \"ha\"><!ENTITY l2 \"&l;&l;&l;&l;&l;&l;&l;&l;&l;&l;\">"
		"<!ENTITY l3 \"&l2;&l2;&l2;&l2;&l2;&l2;&l2;&l2;&l2;&l2;\">"
		"<!ENTITY l4 \"&l3;&l3;&l3;&l3;&l3;&l3;&l3;&l3;&l3;&l3;\">]><a>&l4;</a>",
		"<!DOCTYPE a [<!ATTLIST a b CDATA \"default\">]><a/>",
	};
	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++)
		assert_refused(bombs[i], "DOCTYPE");
}

static char *repeat(const char *before, const char *text, unsigned times, const char *after)
{
	size_t size = strlen(text), at = strlen(before);
	char *all = talloc_array(NULL, char, at + size * times + strlen(after) + 1);
	memcpy(all, before, at);
	for (unsigned i = 0; i < times; i++, at += size)
		memcpy(all + at, text, size);
	memcpy(all + at, after, strlen(after) + 1);
	return all;
}

/* One entity of 100 kB named 100,000 times would be 10 GB. */
static void quadratic_blowup_is_refused(void **state)
{
	char *uses = repeat("\">]><a>", "&x;", 100000, "</a>");
	char *bomb = repeat("<!DOCTYPE a [<!ENTITY x \"", "xxxxxxxxxx", 10000, uses);
	assert_refused(bomb, "DOCTYPE");
	talloc_free(bomb);
	talloc_free(uses);
}

static void assert_limit(char *within, char *beyond, const char *words)
{
	struct reading reading = read(within);
	assert_string_equal(reading.err.text, "");
	assert_non_null(reading.root);
	talloc_free(reading.reader);
	assert_refused(beyond, words);
	talloc_free(within);
	talloc_free(beyond);
}

static void depth_is_bounded(void **state)
{
	char *ends = repeat("", "</a>", XML_DEPTH, "");
	assert_limit(repeat("", "<a>", XML_DEPTH, ends), repeat("", "<a>", XML_DEPTH + 1, ends),
		"nested too deep");
	char *deep = repeat("", "<a>", 1000000, "");
	assert_refused(deep, "nested too deep");
	talloc_free(deep);
	talloc_free(ends);
}

static void weight_is_bounded(void **state)
{
	assert_limit(repeat("<a>", "<b c='1'/>", XML_WEIGHT / 2 - 1, "</a>"),
		repeat("<a>", "<b c='1'/>", XML_WEIGHT / 2, "</a>"), "more elements");
}

static void tags_are_bounded(void **state)
{
	assert_limit(repeat("<a b='", "xxxxxxxx", XML_TAG / 8 - 2, "'/>"),
		repeat("<a b='", "xxxxxxxx", XML_TAG / 8, "'/>"), "a tag longer");
}

static void long_texts_are_whole(void **state)
{
	char *text = repeat("<a>", "0123456&amp;", 300000, "</a>");
	struct reading reading = read_in_pieces(text, strlen(text), 4096);
	assert_non_null(reading.root);
	assert_int_equal(reading.root->text_size, 2400000);
	assert_int_equal(strlen(reading.root->text), 2400000);
	talloc_free(reading.reader);
	talloc_free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_is_read_in_any_pieces),
		cmocka_unit_test(what_is_not_there_is_harmless),
		cmocka_unit_test(every_cut_is_seen),
		cmocka_unit_test(broken_documents_are_refused),
		cmocka_unit_test(control_bytes_are_taken_out),
		cmocka_unit_test(other_encodings_become_utf_8),
		cmocka_unit_test(a_doctype_may_name_its_kind),
		cmocka_unit_test(declarations_are_refused),
		cmocka_unit_test(quadratic_blowup_is_refused),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(weight_is_bounded),
		cmocka_unit_test(tags_are_bounded),
		cmocka_unit_test(long_texts_are_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
