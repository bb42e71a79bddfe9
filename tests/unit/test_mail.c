/* Raw mails, read as Debbugs' SOAP interface reads them; and mboxes of them. */
#include "trackers/debbugs/mbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

static void texts(void **state)
{
	static const struct {
		const char *raw, *text;
	} rows[] = {
		{"Subject: x\n\nplain\n", "plain"},
		{"Subject: x\n\n\n \nplain\n\n", "plain\n"},
		{"Content-Type: text/plain; charset=iso-8859-1\n\nM\xfcller\n", "M\xc3\xbcller"},
		{"Content-Type: text/plain; charset=no-such\n\nM\xfcller\nZo\xc3\xab\n",
			"M\xc3\xbcller\nZo\xc3\xab"},
		{"Subject: x\n\nM\xfcller\n", "M\xc3\xbcller"},
		{"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
		 "R3LDvMOfZQo=\n",
			"Gr\xc3\xbc\xc3\x9f"
			"e"},
		{"Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n"
		 "a=\nb=3D\n",
			"ab="},
		{"Content-Type: text/html\n\n<p>no</p>\n", ""},
		{"Content-Type: image/png\n\nx\n", ""},
		{"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
		 "Content-Type: image/png\n\nx\n--b\nContent-Type: text/plain\n\nfirst\n"
		 "--b\nContent-Type: text/plain\n\nsecond\n--b--\n",
			"first"},
		{"MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\n"
		 "Content-Type: text/plain\n\nworse\n--b\nContent-Type: text/plain\n\nbetter\n"
		 "--b\nContent-Type: text/html\n\n<b>page</b>\n--b--\n",
			"better"},
		{"MIME-Version: 1.0\nContent-Type: message/rfc822\n\nSubject: inner\n\nwithin\n",
			"within"},
		{"Subject: x\n\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nsigned\n"
		 "- -- \nme\n-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n",
			"signed\n-- \nme"},
		{"", ""},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t size;
		char *text = mail_text(NULL, rows[i].raw, strlen(rows[i].raw), &size);
		assert_string_equal(text, rows[i].text);
		assert_int_equal(size, strlen(text));
		talloc_free(text);
	}
}

/* Parts within parts, each opened and none closed. */
static void parts_without_end(void **state)
{
	char *raw = talloc_strdup(NULL, "MIME-Version: 1.0\n");
	for (int i = 0; i < 5000; i++)
		raw = talloc_asprintf_append_buffer(
			raw, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i);
	size_t size;
	char *text = mail_text(raw, raw, strlen(raw), &size);
	assert_int_equal(size, strlen(text));
	talloc_free(raw);
}

#define FIRST "Received: (at submit) by h; 1 Jan 2024 00:00:00 +0000\nMessage-ID: <1@x>\n\n"
#define SECOND "Received: (at 7) by h; 2 Jan 2024 00:00:00 +0000\n\n"

static void mails_of_an_mbox(void **state)
{
	static const char text[] = "From unknown Sun Nov 22 10:41:37 2026\n" FIRST
				   ">From here\n>>From there\n> From x\n\x18\x05y\nend\n"
				   "From unknown Sun Nov 22 10:41:37 2026\nX-Loop: own\n\nsent on\n"
				   "From unknown Sun Nov 22 10:41:37 2026\n" SECOND "last";
	struct mbox *mbox = mbox_read(NULL, text, strlen(text), false);
	assert_int_equal(mbox->count, 2);
	assert_string_equal(
		mbox->mails[0].raw, FIRST "From here\n>From there\n> From x\n\x05y\nend\n");
	assert_string_equal(mbox->mails[0].mail.key, " <1@x>");
	assert_string_equal(mbox->mails[1].raw, SECOND "last");
	assert_non_null(strstr(mbox->mails[1].mail.key, "(at 7) by h"));
	assert_int_equal(mbox->mails[1].mail.posted_at, 1704153600 * MOMENT_SECOND);
	talloc_free(mbox);
}

static void a_mail_by_itself_is_not_quoted(void **state)
{
	static const char text[] = "From unknown x\n" FIRST ">From here\nFrom there\n" SECOND;
	struct mbox *mbox = mbox_read(NULL, text, strlen(text), true);
	assert_int_equal(mbox->count, 1);
	assert_string_equal(mbox->mails[0].raw, FIRST ">From here\nFrom there\n" SECOND);
	talloc_free(mbox);
}

static void what_is_no_mbox(void **state)
{
	static const char *const texts[] = {
		"", "From ", "From unknown x", "From unknown x\n", "<html>From us</html>", "\n\n"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct mbox *mbox = mbox_read(NULL, texts[i], strlen(texts[i]), false);
		assert_int_equal(mbox->count, 0);
		talloc_free(mbox);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(parts_without_end),
		cmocka_unit_test(mails_of_an_mbox),
		cmocka_unit_test(a_mail_by_itself_is_not_quoted),
		cmocka_unit_test(what_is_no_mbox),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
