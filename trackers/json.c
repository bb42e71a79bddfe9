#include "trackers/json.h"

#include "trackers/text.h"
#include "trackers/utf8.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <talloc.h>

/*
 * json-c's tokener keeps the state of the grammar; we scan beside it for what version 0.16 lets
 * through: NaN, Infinity, quotes of the wrong kind, raw control bytes, and UTF-8 that is cut
 * between two pieces (which it takes for broken).
 */
struct json_reader {
	struct json_tokener *tokener;
	struct json_object *document;
	struct utf8 utf8;
	bool lenient;
	bool in_string, escaped;
	bool complete;
	bool empty;
	unsigned weight;
	const char *broken; /* why it can't be JSON any more */
};

static int reader_free(struct json_reader *reader)
{
	json_object_put(reader->document);
	json_tokener_free(reader->tokener);
	return 0;
}

struct json_reader *json_reader_new(const void *owner)
{
	struct json_reader *reader = talloc_zero(owner, struct json_reader);
	reader->tokener = json_tokener_new_ex(JSON_DEPTH);
	reader->empty = true;
	json_tokener_set_flags(
		reader->tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	talloc_set_destructor(reader, reader_free);
	return reader;
}

struct json_reader *json_reader_new_lenient(const void *owner)
{
	struct json_reader *reader = json_reader_new(owner);
	reader->lenient = true;
	return reader;
}

static unsigned weigh(unsigned char byte)
{
	return byte == ',' ? 1 : byte == '{' || byte == '[' ? 8 : 0;
}

static const char *judge_in_string(struct json_reader *reader, unsigned char byte)
{
	if (byte < 0x20 && !reader->lenient)
		return "a control byte in a text";
	if (reader->escaped)
		reader->escaped = false;
	else if (byte == '\\')
		reader->escaped = true;
	else if (byte == '"')
		reader->in_string = false;
	return NULL;
}

/* What is wrong with BYTE, or NULL. */
static const char *judge(struct json_reader *reader, unsigned char byte)
{
	if (!reader->lenient && !utf8_step(&reader->utf8, byte))
		return "bytes that are not UTF-8";
	if (byte == '\0')
		return "a NUL byte";
	if (reader->in_string)
		return judge_in_string(reader, byte);
	reader->in_string = byte == '"';
	reader->weight += weigh(byte);
	if (reader->weight > JSON_WEIGHT)
		return "more values than are taken";
	if (byte == 'N' || byte == 'I')
		return "NaN or Infinity";
	return byte == '\'' ? "a quote of the wrong kind" : NULL;
}

static const char *expect_blanks(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strchr(" \t\r\n", bytes[i]) == NULL)
			return "more after its end";
	return NULL;
}

/* Hands the bytes to the tokener; what is wrong, or NULL. */
static const char *advance(struct json_reader *reader, const char *bytes, size_t n)
{
	if (reader->complete)
		return expect_blanks(bytes, n);
	reader->document = json_tokener_parse_ex(reader->tokener, bytes, (int)n);
	enum json_tokener_error error = json_tokener_get_error(reader->tokener);
	if (error == json_tokener_continue)
		return NULL;
	if (error != json_tokener_success)
		return json_tokener_error_desc(error);
	reader->complete = true;
	size_t end = json_tokener_get_parse_end(reader->tokener);
	return end < n ? expect_blanks(bytes + end, n - end) : NULL;
}

/* How many of the bytes from AT to END are plain ones of a text, which need no judging. */
static size_t plain(const struct json_reader *reader, const char *at, const char *end)
{
	const char *from = at;
	if (!reader->in_string || reader->escaped || reader->utf8.need > 0)
		return 0;
	while (at < end && *at >= 0x20 && *at != '"' && *at != '\\')
		at++;
	return (size_t)(at - from);
}

bool json_reader_feed(struct json_reader *reader, const char *bytes, size_t n)
{
	const char *end = bytes + n;
	for (const char *at = bytes; at < end && reader->broken == NULL; at++) {
		at += plain(reader, at, end);
		if (at < end)
			reader->broken = judge(reader, (unsigned char)*at);
	}
	if (reader->broken == NULL && n > 0) {
		reader->broken = advance(reader, bytes, n);
		reader->empty = false;
	}
	return reader->broken == NULL;
}

struct json_object *json_reader_end(struct json_reader *reader, struct err *err)
{
	/* Only a NUL tells the tokener that a number has ended. */
	if (!reader->complete && reader->broken == NULL)
		advance(reader, "", 1);
	if (reader->empty)
		err_set(err, ERR_UNPARSABLE_TRACKER, "empty where JSON is due");
	else if (reader->broken != NULL)
		err_set(err, ERR_UNPARSABLE_TRACKER, "not JSON: %s", reader->broken);
	else if (!reader->complete)
		err_set(err, ERR_UNPARSABLE_TRACKER, "not JSON: cut short");
	else if (reader->document == NULL)
		err_set(err, ERR_UNPARSABLE_TRACKER, "null where a JSON document is due");
	else
		return reader->document;
	return NULL;
}

struct json_object *json_member(struct json_object *object, const char *name, json_type type)
{
	struct json_object *member = NULL;
	if (!json_object_is_type(object, json_type_object) ||
		!json_object_object_get_ex(object, name, &member) ||
		!json_object_is_type(member, type))
		return NULL;
	return member;
}

/* json-c puts the nearest limit in the place of an integer that does not fit, and says nothing. */
static bool is_saturated(struct json_object *integer)
{
	return json_object_get_int64(integer) == INT64_MIN ||
		json_object_get_uint64(integer) == UINT64_MAX;
}

char *json_text_of(const void *owner, struct json_object *object, const char *name)
{
	struct json_object *member = json_member(object, name, json_type_string);
	if (member == NULL)
		member = json_member(object, name, json_type_double);
	if (member == NULL)
		member = json_member(object, name, json_type_int);
	if (member == NULL || (json_object_is_type(member, json_type_int) && is_saturated(member)))
		return NULL;
	/* json-c would make a buffer for each. */
	if (json_object_is_type(member, json_type_int) &&
		json_object_get_uint64(member) <= INT64_MAX)
		return talloc_asprintf(owner, "%" PRId64, json_object_get_int64(member));
	const char *text = json_object_get_string(member);
	size_t n = json_object_is_type(member, json_type_string)
		? (size_t)json_object_get_string_len(member)
		: strlen(text);
	return text_clean_line(owner, text, n, JSON_LINE);
}
