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
	mail.from_server = received != NULL && strstr(received, "(at fakecontrol)") != NULL;
	return mail;
}
