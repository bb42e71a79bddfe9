/*
 * Comments: the mails of a bug's log.
 *
 * A comment's number is that of its record in the log, SOAP's msg_num, whichever way it was read.
 * Where SOAP does not give the log, the mbox has the same mails in the same order, but without their
 * numbers. bugreport.cgi tells those one by one: `msg=K` gives the mail with the number K. So records
 * are asked for from the newest stored one on, and each that is one of the mbox's gets its number
 * from where it was found, until all new mails of the mbox have one.
 *
 * A server that gives no single mails can't tell the numbers. Its mails are numbered on from the
 * newest stored one, which is never more than the true number. Whether the newest stored number was
 * such a stand-in is seen when the log has that number on a mail of another time: then what is new is
 * told by the time, and numbers only rise. So no comment comes twice, and none changes its number.
 */
#include "trackers/debbugs/errands.h"
#include "trackers/debbugs/mail.h"
#include "trackers/debbugs/mbox.h"
#include "trackers/debbugs/soap.h"
#include "trackers/text.h"

#include <inttypes.h>
#include <string.h>
#include <talloc.h>

enum { RECORDS_MOST = 5000 }; /* that are asked for of one bug at once */

/* The way round: what is known of a bug whose log SOAP does not give. */
struct detour {
	const char *why; /* what SOAP said */
	bool of_bug; /* it is this bug's own trouble */
	struct mbox *mbox;
	unsigned next; /* the first mail in it that has no number yet */
	int64_t record; /* asked for last */
	int64_t number; /* the newest comment's, stored or found */
	unsigned asked;
};

static const struct wanted *wanted_of(
	const struct conversation *conversation, const struct exchange *exchange)
{
	return &conversation->wanted[exchange->wanted[0]];
}

static void set_wanted(struct exchange *exchange, unsigned wanted)
{
	exchange->wanted = talloc_memdup(exchange, &wanted, sizeof(wanted));
	exchange->wanted_count = 1;
}

void debbugs_begin_comments(struct conversation *conversation)
{
	for (unsigned i = 0; i < conversation->wanted_count; i++) {
		char *id = talloc_asprintf(NULL, "<arg0 xsi:type=\"xsd:int\">%s</arg0>",
			conversation->wanted[i].remote_id);
		set_wanted(debbugs_call(conversation, ASK_LOG, debbugs_door(conversation),
				   "get_bug_log", id),
			i);
		talloc_free(id);
	}
}

/* A mail without text, and the server's own notes, are changes and no comments. */
static void add_comment(struct conversation *conversation, unsigned wanted, int64_t number,
	const struct mail *mail, const char *text, size_t size)
{
	if (size == 0 || mail->from_server)
		return;
	struct comment *comment = conversation_comment(conversation, wanted, number);
	if (mail->author != NULL)
		comment->author = talloc_strdup(conversation, mail->author);
	comment->posted_at = mail->posted_at;
	comment->text = text_clean(conversation, text, size, COMMENT_LIMIT);
}

/* ---- asking round ---- */

/* Asks bugreport.cgi, beside the SOAP interface, for the mbox of bug WANTED, or for one RECORD. */
static struct exchange *ask_report(struct conversation *conversation, enum debbugs_purpose purpose,
	unsigned wanted, int64_t record)
{
	const char *where = debbugs_door(conversation);
	const struct credentials *login = conversation->credentials;
	char *url = talloc_asprintf(NULL, "%s%.*sbugreport.cgi?bug=%s", conversation->base_url,
		(int)(strlen(where) - strlen("soap.cgi")), where,
		conversation->wanted[wanted].remote_id);
	if (purpose == ASK_MAIL)
		url = talloc_asprintf_append(url, ";msg=%" PRId64, record);
	url = talloc_strdup_append(url, ";mbox=yes");
	struct exchange *exchange = conversation_ask(conversation, (int)purpose, url);
	exchange->format = FORMAT_TEXT;
	exchange->basic_login = login != NULL && login->username != NULL;
	set_wanted(exchange, wanted);
	return exchange;
}

static void ask_mbox(
	struct conversation *conversation, struct exchange *exchange, bool of_bug, const char *why)
{
	unsigned wanted = exchange->wanted[0];
	struct exchange *next = ask_report(conversation, ASK_MBOX, wanted, 0);
	struct detour *detour = talloc_zero(next, struct detour);
	detour->why = talloc_strdup(detour, why);
	detour->of_bug = of_bug;
	next->memo = detour;
}

static void ask_record(struct conversation *conversation, struct exchange *exchange, int64_t record)
{
	struct detour *detour = exchange->memo;
	detour->record = record;
	detour->asked++;
	struct exchange *next =
		ask_report(conversation, ASK_MAIL, exchange->wanted[0], detour->record);
	next->memo = talloc_steal(next, detour);
}

/* ---- SOAP ---- */

struct letter {
	int64_t number;
	struct mail mail;
	struct element *item;
};

/* The mails of LOG; NULL where one has no number. */
static struct letter *read_letters(const void *owner, const struct element *log, unsigned *count)
{
	struct letter *letters = talloc_array(owner, struct letter, 1);
	*count = 0;
	for (struct element *item = log->first; item != NULL; item = item->next) {
		size_t size;
		letters = talloc_realloc(owner, letters, struct letter, *count + 1);
		struct letter *letter = &letters[(*count)++];
		letter->item = item;
		letter->mail =
			mail_read(letters, soap_bytes(letters, soap_field(item, "header"), &size));
		if (!soap_number(soap_field(item, "msg_num"), &letter->number))
			return NULL;
	}
	return letters;
}

/*
 * How many mails of LETTERS lie before what is new; 0 where the numbers tell, which they do unless
 * the newest stored one was a stand-in.
 */
static unsigned known_by_time(
	const struct wanted *wanted, const struct letter *letters, unsigned count)
{
	unsigned known = 0;
	for (unsigned i = 0; i < count; i++) {
		bool same_time = letters[i].mail.posted_at == wanted->newest_posted_at;
		if (letters[i].number == wanted->newest_comment && same_time)
			return 0;
		if (same_time && wanted->newest_posted_at != 0)
			known = i + 1;
	}
	return wanted->newest_comment < 0 ? 0 : known;
}

static void hear_letters(struct conversation *conversation, unsigned wanted,
	const struct letter *letters, unsigned count)
{
	int64_t newest = conversation->wanted[wanted].newest_comment, last = newest;
	unsigned known = known_by_time(&conversation->wanted[wanted], letters, count);
	for (unsigned i = known; i < count; i++) {
		int64_t number = letters[i].number;
		size_t size;
		if (known > 0 && number <= last)
			number = last + 1;
		if (number <= newest)
			continue;
		char *text = soap_bytes(NULL, soap_field(letters[i].item, "body"), &size);
		add_comment(conversation, wanted, number, &letters[i].mail, text, size);
		talloc_free(text);
		last = number;
	}
	conversation_observe(conversation, wanted);
}

/* Whether a bad answer may come from what is in this one log, so that the mbox is worth a question. */
static bool may_be_the_log(const struct exchange *exchange, const struct err *why)
{
	return why->kind == ERR_TOO_LARGE || why->kind == ERR_UNPARSABLE_TRACKER ||
		(why->kind == ERR_HTTP && exchange->status == 500);
}

void debbugs_hear_log(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	unsigned count;
	const char *words = soap_fault(exchange);
	struct element *log = NULL;
	if (exchange_good(exchange, &why))
		log = soap_result(exchange, "get_bug_log");
	struct letter *letters = log != NULL ? read_letters(exchange, log, &count) : NULL;
	if (letters != NULL)
		hear_letters(conversation, exchange->wanted[0], letters, count);
	else if (log != NULL)
		ask_mbox(conversation, exchange, true, "its log has a mail without a number");
	else if (words != NULL && exchange->status == 500)
		ask_mbox(conversation, exchange, true, words);
	else if (why.kind == ERR_NONE)
		ask_mbox(conversation, exchange, false, "it is no answer to get_bug_log");
	else if (may_be_the_log(exchange, &why))
		ask_mbox(conversation, exchange, why.kind == ERR_TOO_LARGE, why.text);
	else
		debbugs_fail(conversation, exchange, "get_bug_log");
}

/* ---- the mbox ---- */

static bool is_missing(const struct exchange *exchange, const struct err *why)
{
	return why->kind == ERR_HTTP && (exchange->status == 404 || exchange->status == 400);
}

/* Neither way leads to the comments: that is the bug's failure, or the server's. */
static void give_up(
	struct conversation *conversation, struct exchange *exchange, const struct err *why)
{
	const struct detour *detour = exchange->memo;
	bool missing = is_missing(exchange, why);
	bool of_bug = detour->of_bug || missing;
	bool log_only = may_be_the_log(exchange, why) || missing;
	if (of_bug && log_only)
		conversation_observe_error(conversation, exchange->wanted[0], ERR_COMMENTS_FAILED,
			"bug %s: the server can't read its log: %s; nor is its mbox there: %s",
			wanted_of(conversation, exchange)->remote_id, detour->why, why->text);
	else
		conversation_fail(conversation, why->kind, "%s", why->text);
}

static void give_up_over(
	struct conversation *conversation, struct exchange *exchange, const char *words)
{
	struct err why = {0};
	err_set(&why, ERR_UNPARSABLE_TRACKER, "%.*s: %s", (int)strcspn(exchange->url, "?"),
		exchange->url, words);
	give_up(conversation, exchange, &why);
}

/* Sets what is new by the time of the newest stored comment; false where no mail has that. */
static bool find_new_by_time(const struct wanted *wanted, struct detour *detour)
{
	bool found = false;
	for (unsigned i = 0; i < detour->mbox->count; i++) {
		moment at = detour->mbox->mails[i].mail.posted_at;
		if (at != 0 && at == wanted->newest_posted_at) {
			detour->next = i + 1;
			found = true;
		}
	}
	return found;
}

/* The server does not tell the numbers of the mails that are left: they get stand-ins. */
static void number_the_rest(struct conversation *conversation, struct exchange *exchange)
{
	struct detour *detour = exchange->memo;
	for (; detour->next < detour->mbox->count; detour->next++) {
		const struct mbox_mail *mail = &detour->mbox->mails[detour->next];
		size_t size;
		char *text = mail_text(NULL, mail->raw, mail->size, &size);
		add_comment(conversation, exchange->wanted[0], ++detour->number, &mail->mail, text,
			size);
		talloc_free(text);
	}
	conversation_observe(conversation, exchange->wanted[0]);
}

/* Asks for the next record while there are mails without a number. */
static void go_on(struct conversation *conversation, struct exchange *exchange)
{
	const struct detour *detour = exchange->memo;
	if (detour->next == detour->mbox->count)
		conversation_observe(conversation, exchange->wanted[0]);
	else if (detour->asked > RECORDS_MOST)
		give_up_over(conversation, exchange, "its mails are not among its records");
	else
		ask_record(conversation, exchange, detour->record + 1);
}

void debbugs_hear_mbox(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	struct detour *detour = exchange->memo;
	int64_t newest = wanted_of(conversation, exchange)->newest_comment;
	detour->number = newest > 0 ? newest : 0;
	if (!exchange_good(exchange, &why)) {
		give_up(conversation, exchange, &why);
		return;
	}
	detour->mbox = mbox_read(detour, exchange->text, exchange->text_size, false);
	if (detour->mbox->count == 0)
		give_up_over(conversation, exchange, "no mbox of a bug's log");
	else if (newest > 0)
		ask_record(conversation, exchange, newest);
	else
		go_on(conversation, exchange);
}

/* The place in the mbox of a mail with KEY, from FROM on; the mbox's count where it has none. */
static unsigned place_of(const struct mbox *mbox, const char *key, unsigned from)
{
	while (from < mbox->count && strcmp(mbox->mails[from].mail.key, key) != 0)
		from++;
	return from;
}

/* The newest stored comment's mail, NULL where its record is none now. */
static void hear_newest(
	struct conversation *conversation, struct exchange *exchange, const struct mbox_mail *mail)
{
	const struct wanted *wanted = wanted_of(conversation, exchange);
	struct detour *detour = exchange->memo;
	unsigned place = detour->mbox->count;
	/* A number of ours, in place of the true one, leads to some other mail or to none. */
	if (mail != NULL && mail->mail.posted_at == wanted->newest_posted_at)
		place = place_of(detour->mbox, mail->mail.key, 0);
	if (place < detour->mbox->count)
		detour->next = place + 1;
	else if (!find_new_by_time(wanted, detour)) {
		give_up_over(conversation, exchange, "the newest stored comment is not in it");
		return;
	}
	go_on(conversation, exchange);
}

static void hear_record(
	struct conversation *conversation, struct exchange *exchange, const struct mbox_mail *mail)
{
	struct detour *detour = exchange->memo;
	unsigned place = mail != NULL ? place_of(detour->mbox, mail->mail.key, detour->next)
				      : detour->mbox->count;
	/* Others than those in the mbox: a mail's further copies, and spam. */
	if (place < detour->mbox->count) {
		size_t size;
		char *text = mail_text(NULL, mail->raw, mail->size, &size);
		add_comment(
			conversation, exchange->wanted[0], detour->record, &mail->mail, text, size);
		talloc_free(text);
		detour->number = detour->record;
		detour->next = place + 1;
	}
	go_on(conversation, exchange);
}

/* Past the last record the server gives the whole mbox again, as one does that knows no records. */
void debbugs_hear_mail(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	const struct detour *detour = exchange->memo;
	bool good = exchange_good(exchange, &why);
	if (!good && !is_missing(exchange, &why)) {
		give_up(conversation, exchange, &why);
		return;
	}
	bool single = good && strcmp(exchange->content_type, "message/rfc822") == 0;
	bool newest = detour->asked == 1 &&
		detour->record == wanted_of(conversation, exchange)->newest_comment;
	struct mbox *mbox =
		mbox_read(exchange, exchange->text, single ? exchange->text_size : 0, true);
	const struct mbox_mail *mail = mbox->count > 0 ? mbox->mails : NULL;
	if (newest)
		hear_newest(conversation, exchange, mail);
	else if (single)
		hear_record(conversation, exchange, mail);
	else
		number_the_rest(conversation, exchange);
}
