#include "trackers/debbugs/mbox.h"

#include <string.h>
#include <talloc.h>

static const char separator[] = "From ", received[] = "Received: (at ";

static const char *next_line(const char *at, const char *end)
{
	const char *stop = memchr(at, '\n', (size_t)(end - at));
	return stop != NULL ? stop + 1 : end;
}

static bool begins(const char *at, const char *end, const char *with)
{
	size_t n = strlen(with);
	return (size_t)(end - at) >= n && memcmp(at, with, n) == 0;
}

/* The next line `From unknown DATE` from AT on, END for none; in a mail such lines are quoted. */
static const char *find_separator(const char *at, const char *end)
{
	while (at < end && !begins(at, end, separator))
		at = next_line(at, end);
	return at;
}

/*
 * A line without what the server put before it: a `>` where it is `From ` or begins like a quoted
 * one, and a 0x18 where it is a control character that means something in a log.
 */
static const char *unquote(const char *line, const char *stop, bool single)
{
	size_t quotes = 0;
	while (!single && line + quotes < stop && line[quotes] == '>')
		quotes++;
	if (quotes > 0 && begins(line + quotes, stop, separator))
		return line + 1;
	bool control = stop - line > 1 && line[0] == 0x18 &&
		((line[1] >= 0x01 && line[1] <= 0x07) || line[1] == 0x18);
	return control ? line + 1 : line;
}

static struct mbox_mail read_mail(const void *owner, const char *at, const char *end, bool single)
{
	struct mbox_mail mail = {0};
	char *raw = talloc_size(owner, (size_t)(end - at) + 1);
	for (const char *next; at < end; at = next) {
		next = next_line(at, end);
		at = unquote(at, next, single);
		memcpy(raw + mail.size, at, (size_t)(next - at));
		mail.size += (size_t)(next - at);
	}
	raw[mail.size] = '\0';
	const char *blank = strstr(raw, "\n\n");
	char *header = talloc_strndup(NULL, raw, blank != NULL ? (size_t)(blank - raw) : mail.size);
	mail.mail = mail_read(owner, header);
	mail.raw = raw;
	talloc_free(header);
	return mail;
}

/* There is no blank line before a separator. Mails that the server sent itself begin otherwise. */
struct mbox *mbox_read(const void *owner, const char *text, size_t n, bool single)
{
	struct mbox *mbox = talloc_zero(owner, struct mbox);
	const char *end = text + n, *next = find_separator(text, end);
	while (next < end) {
		const char *at = next_line(next, end);
		next = single ? end : find_separator(at, end);
		if (!begins(at, end, received))
			continue;
		mbox->mails = talloc_realloc(mbox, mbox->mails, struct mbox_mail, mbox->count + 1);
		mbox->mails[mbox->count++] = read_mail(mbox, at, next, single);
	}
	return mbox;
}
