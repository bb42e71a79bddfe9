#include "trackers/debbugs/mail.h"

#include "trackers/text.h"

#include <gmime/gmime.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

enum { FIELD_LIMIT = 4096, AUTHOR_LIMIT = 500 };

/* The last second of the year 9999. */
static const gint64 latest = 253402300799;

/* The first field called NAME, unfolded and at most FIELD_LIMIT bytes of it; NULL for none. */
static char *field_of(const void *owner, const char *header, const char *name)
{
	size_t n = strlen(name);
	while (strncasecmp(header, name, n) != 0 || header[n] != ':') {
		header = strchr(header, '\n');
		if (header == NULL)
			return NULL;
		header++;
	}
	const char *begin = header + n + 1, *end = begin + strcspn(begin, "\n");
	while (*end == '\n' && (end[1] == ' ' || end[1] == '\t'))
		end += 1 + strcspn(end + 1, "\n");
	size_t size = (size_t)(end - begin);
	char *field = talloc_strndup(owner, begin, size < FIELD_LIMIT ? size : FIELD_LIMIT);
	for (char *at = field; *at != '\0'; at++)
		if (*at == '\n' || *at == '\r')
			*at = ' ';
	return field;
}

static char *clean(const void *owner, const char *text)
{
	return text_clean_line(owner, text, strlen(text), AUTHOR_LIMIT);
}

static const char *describe(const void *owner, InternetAddress *who)
{
	const char *name = internet_address_get_name(who), *address = NULL;
	if (INTERNET_ADDRESS_IS_MAILBOX(who))
		address = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(who));
	if (name == NULL || *name == '\0')
		return address != NULL ? clean(owner, address) : NULL;
	if (address == NULL || *address == '\0')
		return clean(owner, name);
	return clean(owner, talloc_asprintf(owner, "%s <%s>", name, address));
}

static const char *author_of(const void *owner, const char *from)
{
	const char *author = NULL;
	InternetAddressList *list = internet_address_list_parse(NULL, from);
	if (list != NULL) {
		if (internet_address_list_length(list) > 0)
			author = describe(owner, internet_address_list_get_address(list, 0));
		g_object_unref(list);
	}
	return author != NULL ? author : clean(owner, from);
}

static moment moment_of(const char *date)
{
	GDateTime *parsed = date != NULL ? g_mime_utils_header_decode_date(date) : NULL;
	if (parsed == NULL)
		return 0;
	gint64 second = g_date_time_to_unix(parsed);
	g_date_time_unref(parsed);
	return second > 0 && second <= latest ? second * MOMENT_SECOND : 0;
}

/* Debbugs writes the first Received line itself: `(at ADDRESS) by HOST; DATE`. */
static moment received_at(const char *received)
{
	const char *semicolon = received != NULL ? strrchr(received, ';') : NULL;
	return semicolon != NULL ? moment_of(semicolon + 1) : 0;
}

struct mail mail_read(const void *owner, const char *header)
{
	struct mail mail = {0};
	g_mime_init();
	char *from = field_of(owner, header, "From");
	char *received = field_of(owner, header, "Received");
	if (from != NULL)
		mail.author = author_of(owner, from);
	mail.posted_at = moment_of(field_of(owner, header, "Date"));
	if (mail.posted_at == 0)
		mail.posted_at = received_at(received);
	mail.key = field_of(owner, header, "Message-ID");
	if (mail.key == NULL)
		mail.key = received != NULL ? received : "";
	mail.from_server = received != NULL && strstr(received, "(at fakecontrol)") != NULL;
	return mail;
}

/* ---- the text ---- */

static bool is_wanted(GMimeObject *part)
{
	GMimeContentType *type = g_mime_object_get_content_type(part);
	if (g_mime_content_type_is_type(type, "text", "html"))
		return false;
	return g_mime_content_type_is_type(type, "text", "*") ||
		g_mime_content_type_is_type(type, "application", "pgp");
}

static GMimePart *find_text(GMimeObject *part);

/* Of alternatives the last that will do is the best. */
static GMimePart *find_among(GMimeMultipart *parts)
{
	GMimePart *found = NULL;
	bool last_first = g_mime_content_type_is_type(
		g_mime_object_get_content_type(GMIME_OBJECT(parts)), "multipart", "alternative");
	int count = g_mime_multipart_get_count(parts);
	for (int i = 0; i < count && found == NULL; i++)
		found = find_text(g_mime_multipart_get_part(parts, last_first ? count - 1 - i : i));
	return found;
}

/* The first text in PART; gmime bounds how deep parts may lie. */
static GMimePart *find_text(GMimeObject *part)
{
	if (GMIME_IS_MULTIPART(part))
		return find_among(GMIME_MULTIPART(part));
	if (GMIME_IS_MESSAGE_PART(part)) {
		GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(part));
		return inner != NULL ? find_text(g_mime_message_get_mime_part(inner)) : NULL;
	}
	return GMIME_IS_PART(part) && is_wanted(part) ? GMIME_PART(part) : NULL;
}

static GByteArray *decoded(GMimePart *part)
{
	GByteArray *bytes = g_byte_array_new();
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	if (content != NULL) {
		GMimeStream *into = g_mime_stream_mem_new_with_byte_array(bytes);
		g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(into), FALSE);
		g_mime_data_wrapper_write_to_stream(content, into);
		g_object_unref(into);
	}
	return bytes;
}

/* Adds a LINE of N bytes to TEXT: in its charset, else as Latin-1, else as it is. */
static void add_line(GString *text, const char *line, gssize n, GIConv from)
{
	gsize size = 0;
	char *converted = NULL;
	if (from != (GIConv)-1)
		converted = g_convert_with_iconv(line, n, from, NULL, &size, NULL);
	/* That UTF-8 was cut or mixed is likelier than such a letter of Latin-1. */
	if (converted == NULL && !g_utf8_validate(line, n, NULL) &&
		memchr(line, 0xc3, (size_t)n) == NULL)
		converted = g_convert(line, n, "UTF-8", "ISO-8859-1", NULL, &size, NULL);
	if (converted != NULL)
		g_string_append_len(text, converted, (gssize)size);
	else
		g_string_append_len(text, line, n);
	g_free(converted);
}

/* Line by line, as the server does: one broken line spoils no other. */
static GString *to_utf8(const GByteArray *bytes, const char *charset)
{
	GString *text = g_string_new(NULL);
	const char *at = bytes->len > 0 ? (const char *)bytes->data : "", *end = at + bytes->len;
	GIConv from = g_iconv_open("UTF-8", charset != NULL ? charset : "UTF-8");
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		stop = stop != NULL ? stop + 1 : end;
		add_line(text, at, stop - at, from);
		at = stop;
	}
	if (from != (GIConv)-1)
		g_iconv_close(from);
	return text;
}

static const char *next_line(const char *at)
{
	at += strcspn(at, "\n");
	return *at == '\n' ? at + 1 : at;
}

static const char *skip_blank_lines(const char *at)
{
	while (*at != '\0' && at[strspn(at, " \t\r\v\f")] == '\n')
		at = next_line(at);
	return at[strspn(at, " \t\r\v\f")] == '\0' ? at + strlen(at) : at;
}

static bool begins(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

/* The text that is signed, from AT on; "- " before a line was put there by the signing. */
static char *unsign(const void *owner, const char *at)
{
	char *text = talloc_strdup(owner, "");
	while (*at != '\0' && *at != '\n' && *at != '\r')
		at = next_line(at);
	at = skip_blank_lines(at);
	for (const char *next; *at != '\0' && !begins(at, "-----BEGIN PGP SIGNATURE"); at = next) {
		next = next_line(at);
		if (begins(at, "- "))
			at += 2;
		text = talloc_strndup_append_buffer(text, at, (size_t)(next - at));
	}
	return text;
}

/* TEXT is NUL-ended; what comes after a NUL within it is dropped only where a signature is undone. */
static char *trim(const void *owner, const GString *text, size_t *size)
{
	const char *at = skip_blank_lines(text->str), *end = text->str + text->len;
	char *trimmed;
	if (begins(at, "-----BEGIN PGP SIGNED")) {
		trimmed = unsign(owner, at);
		*size = strlen(trimmed);
	} else {
		*size = (size_t)(end - at);
		trimmed = talloc_memdup(owner, at, *size + 1);
	}
	if (*size > 0 && trimmed[*size - 1] == '\n')
		trimmed[--*size] = '\0';
	return trimmed;
}

static char *text_of(const void *owner, GMimeMessage *message, size_t *size)
{
	GMimeObject *root = g_mime_message_get_mime_part(message);
	GMimePart *part = root != NULL ? find_text(root) : NULL;
	if (part == NULL)
		return talloc_strdup(owner, "");
	GByteArray *bytes = decoded(part);
	GString *text = to_utf8(
		bytes, g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset"));
	char *trimmed = trim(owner, text, size);
	g_byte_array_unref(bytes);
	g_string_free(text, TRUE);
	return trimmed;
}

char *mail_text(const void *owner, const char *raw, size_t n, size_t *size)
{
	g_mime_init();
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(raw, n);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	char *text = NULL;
	*size = 0;
	if (message != NULL) {
		text = text_of(owner, message, size);
		g_object_unref(message);
	}
	g_object_unref(parser);
	g_object_unref(stream);
	return text != NULL ? text : talloc_strdup(owner, "");
}
