/* Debbugs' mails: as values of get_bug_log, and as an mbox. */
#include "tests/farm/debbugs.h"
#include "tests/farm/soap.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

/* Records of other kinds lie between two mails. */
static unsigned record_of(unsigned number)
{
	return 5 * (number + 1) + number / 3;
}

/* Headers are ASCII: names in other letters are encoded words. */
static void write_from(struct evbuffer *out, const char *author)
{
	const char *address = strstr(author, " <");
	bool ascii = true;
	for (const char *at = author; *at != '\0'; at++)
		ascii = ascii && (unsigned char)*at < 0x80;
	say(out, "From: ");
	if (ascii) {
		say(out, author);
	} else {
		size_t n = address != NULL ? (size_t)(address - author) : strlen(author);
		char *name = talloc_strndup(NULL, author, n);
		say(out, "=?utf-8?B?");
		say_base64(out, name);
		evbuffer_add_printf(out, "?=%s", address != NULL ? address : "");
		talloc_free(name);
	}
	say(out, "\n");
}

static void write_header(const struct site *site, struct evbuffer *out, const struct bug *bug,
	unsigned number, const struct remark *comment)
{
	char to[24] = "submit";
	if (number > 0)
		snprintf(to, sizeof(to), "%u", bug->id);
	evbuffer_add_printf(out, "Received: (at %s) by bugs.example.org; ", to);
	say_time(out, "%-d %b %Y %H:%M:%S +0000", comment->at);
	say(out,
		"\nReceived: from mail.example.net ([192.0.2.25]:41234)\n"
		"\tby bugs.example.org with esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384\n");
	write_from(out, comment->author);
	evbuffer_add_printf(out, "To: %s@bugs.example.org\nSubject: Bug#%u\n", to, bug->id);
	evbuffer_add_printf(
		out, "Message-ID: <%u.%u@%s.example.net>\nDate: ", bug->id, number, site->name);
	say_time(out, "%a, %d %b %Y %H:%M:%S +0000", comment->at);
	say(out,
		"\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
		"Content-Transfer-Encoding: 8bit");
}

/* What OUT holds, as a text; OUT goes. */
static char *text_of(const void *owner, struct evbuffer *out)
{
	size_t n = evbuffer_get_length(out);
	char *text = talloc_strndup(owner, (const char *)evbuffer_pullup(out, -1), n);
	evbuffer_free(out);
	return text;
}

/* Members in another order from mail to mail. */
static void write_mail(struct evbuffer *out, const char *header, const char *body,
	const char *record, unsigned turn)
{
	static const char none[] =
		"<attachments soapenc:arrayType=\"xsd:anyType[0]\" xsi:type=\"soapenc:Array\" />";
	say(out, "<item>");
	for (unsigned i = 0; i < 4; i++) {
		switch ((i + turn) % 4) {
		case 0:
			farm_soap_value(out, "header", header);
			break;
		case 1:
			farm_soap_value(out, "body", body);
			break;
		case 2:
			farm_soap_value(out, "msg_num", record);
			break;
		default:
			say(out, none);
		}
	}
	say(out, "</item>");
}

static void write_number(
	const struct site *site, struct evbuffer *out, const struct bug *bug, unsigned number)
{
	struct evbuffer *header = evbuffer_new();
	struct remark comment;
	char record[16];
	site_comment(site, bug->id, number, &comment);
	write_header(site, header, bug, number, &comment);
	char *text = text_of(NULL, header);
	snprintf(record, sizeof(record), "%u", record_of(number));
	write_mail(out, text, comment.text, record, bug->id + number);
	talloc_free(text);
}

/* The log of a bug that is not there is a file that can't be opened; others fail like that, too. */
void farm_debbugs_answer_log(
	const struct site *site, struct question *question, unsigned id, struct answer *answer)
{
	struct bug bug;
	struct evbuffer *out = answer->body;
	question->topic = TOPIC_COMMENTS;
	if (!farm_debbugs_get(site, question, id, &bug) || site_badness(site, id) == BAD_LOG) {
		farm_soap_refuse(answer, "Server",
			"Unable to open /srv/bugs.example.org/spool/db-h/%02u/%u.log for reading: "
			"No such file or directory at /usr/local/share/perl/Debbugs/Log.pm line "
			"222.",
			id % 100, id);
		return;
	}
	farm_soap_begin(out, "get_bug_log");
	evbuffer_add_printf(out,
		"<soapenc:Array soapenc:arrayType=\"xsd:anyType[%u]\" xsi:type=\"soapenc:Array\">",
		bug.comments);
	for (unsigned number = 0; number < bug.comments; number++)
		write_number(site, out, &bug, number);
	if (site_badness(site, id) == BAD_COMMENTS)
		write_mail(out, "From: nobody", "No number", "second", 0);
	say(out, "</soapenc:Array>");
	farm_soap_end(out, "get_bug_log");
}

/* A line of a body that looks like a separator gets a `>` more, unless the mail stands alone. */
static void write_body(struct evbuffer *out, const char *text, bool alone)
{
	while (*text != '\0') {
		size_t quotes = strspn(text, ">"), line = strcspn(text, "\n");
		if (!alone && strncmp(text + quotes, "From ", 5) == 0)
			say(out, ">");
		evbuffer_add(out, text, line);
		say(out, "\n");
		text += line + (text[line] == '\n');
	}
}

/* Separators have the time of the question, and no empty line before them. */
static void write_whole(const struct site *site, const struct question *question,
	const struct bug *bug, unsigned number, bool alone, struct evbuffer *out)
{
	struct remark comment;
	site_comment(site, bug->id, number, &comment);
	say(out, "From unknown ");
	say_time(out, "%a %b %e %H:%M:%S %Y\n", question->now);
	write_header(site, out, bug, number, &comment);
	say(out, "\n\n");
	write_body(out, comment.text, alone);
}

/* A record that is no mail is an empty answer; past the last one comes the whole mbox. */
void farm_debbugs_answer_mbox(const struct site *site, struct question *question,
	const struct bug *bug, unsigned record, struct answer *answer)
{
	question->topic = TOPIC_COMMENTS;
	if (site_badness(site, bug->id) == BAD_COMMENTS) {
		answer_page(answer, 500, "<html>Bad bug log. Unable to read records.</html>\n");
		return;
	}
	bool alone = record > 0 && bug->comments > 0 && record <= record_of(bug->comments - 1);
	answer->content_type = alone ? "message/rfc822" : "application/mbox";
	for (unsigned number = 0; number < bug->comments; number++)
		if (!alone || record_of(number) == record)
			write_whole(site, question, bug, number, alone, answer->body);
}
