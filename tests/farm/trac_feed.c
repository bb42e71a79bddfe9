/* Trac's feeds: what happened to a ticket. */
#include "tests/farm/trac.h"

#include <string.h>
#include <talloc.h>

/* Markup within markup. */
static void write_escaped_html(struct evbuffer *out, const char *text)
{
	struct evbuffer *html = evbuffer_new();
	say_xml(html, text);
	evbuffer_add(html, "", 1);
	say_xml(out, (const char *)evbuffer_pullup(html, -1));
	evbuffer_free(html);
}

/* As Trac renders what was said: a paragraph, or a block of code where lines matter. */
static void write_text(struct evbuffer *out, const char *text)
{
	bool lines = strpbrk(text, "\n\t") != NULL || strstr(text, "  ") != NULL;
	say(out, lines ? "&lt;pre class=&#34;wiki&#34;&gt;" : "&lt;p&gt;\n");
	write_escaped_html(out, text);
	say(out, lines ? "\n&lt;/pre&gt;" : "\n&lt;/p&gt;\n");
}

/* An address stands apart, and is cut short for strangers. */
static void write_author(struct evbuffer *out, const char *author)
{
	const char *element = strchr(author, '@') != NULL ? "author" : "dc:creator";
	evbuffer_add_printf(out, "\n      <%s>", element);
	say_xml(out, author);
	evbuffer_add_printf(out, "</%s>", element);
}

static void write_item(const struct site *site, struct evbuffer *out, unsigned id, unsigned number)
{
	struct remark comment;
	site_comment(site, id, number, &comment);
	say(out, "\n    <item>\n");
	write_author(out, comment.author);
	say(out, "\n      <pubDate>");
	say_time(out, "%a, %d %b %Y %H:%M:%S GMT", comment.at);
	evbuffer_add_printf(out,
		"</pubDate>\n      <title></title>\n"
		"      <link>%sticket/%u#comment:%u      </link>\n"
		"      <guid isPermaLink=\"false\">%sticket/%u#comment:%u</guid>\n"
		"      <description>\n        ",
		site->base_url, id, number, site->base_url, id, number);
	write_text(out, comment.text);
	say(out, "\n      </description>\n      <category>Ticket</category>\n    </item>");
}

static void begin_feed(const struct site *site, struct answer *answer, const char *words)
{
	answer->content_type = "application/rss+xml";
	evbuffer_add_printf(answer->body,
		"<?xml version=\"1.0\"?>\n\n\n\n"
		"<rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n\n"
		"  <channel>\n    <title>%s: %s</title>\n    <link>%s</link>\n"
		"    <language>en-us</language>\n    <generator>Trac 1.6</generator>\n",
		site->name, words, site->base_url);
}

static void write_history(const struct site *site, struct answer *answer, const struct bug *bug)
{
	begin_feed(site, answer, "Ticket");
	for (unsigned number = 1; number < bug->comments; number++)
		write_item(site, answer->body, bug->id, number);
	if (site_badness(site, bug->id) == BAD_COMMENTS)
		say(answer->body, "\n    <item><title>\xef\xbf\xbf & </item>");
}

void farm_trac_answer_feed(
	const struct site *site, struct question *question, unsigned id, struct answer *answer)
{
	struct bug bug;
	if (id == 0) {
		begin_feed(site, answer, "Ticket Query");
	} else {
		question->topic = TOPIC_COMMENTS;
		if (!farm_trac_get(site, question, id, &bug, answer))
			return;
		write_history(site, answer, &bug);
	}
	say(answer->body, "\n  </channel>\n</rss>\n");
}
