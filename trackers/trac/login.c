/*
 * Signing in, for what Trac shows only to whom it knows by a cookie: its `login` takes HTTP Basic and
 * answers with one, or, with the account manager, has a form.
 */
#include "trackers/text.h"
#include "trackers/trac/errands.h"
#include "trackers/url.h"

#include <string.h>
#include <talloc.h>

/*
 * Trac compares a form's token with that of a cookie, and takes any of 24 digits that the client
 * makes up: nobody else can make us send one.
 */
#define TOKEN "000000000000000000000000"

bool trac_must_sign_in(const struct conversation *conversation)
{
	const struct credentials *login = conversation->credentials;
	return login != NULL && login->username != NULL && login->session != NULL &&
		login->session->cookie == NULL &&
		(trac_remembers(conversation, trac_cookie_word) ||
			trac_remembers(conversation, trac_form_word));
}

/* A form by another name of its field is that of an old account manager. */
static void ask_form(struct conversation *conversation, const char *name_field)
{
	const struct credentials *login = conversation->credentials;
	struct exchange *exchange = trac_ask(conversation, ASK_FORM, talloc_strdup(NULL, "login"));
	exchange->method = "POST";
	exchange->stay = exchange->hear_headers = true;
	exchange->basic_login = false;
	trac_add_header(exchange, "Content-Type: application/x-www-form-urlencoded");
	trac_add_header(exchange, "Cookie: trac_form_token=" TOKEN);
	exchange->body = talloc_asprintf(exchange,
		"__FORM_TOKEN=" TOKEN "&%s=%s&password=%s&referer=", name_field,
		url_escape(exchange, login->username),
		url_escape(exchange, login->password != NULL ? login->password : ""));
}

void trac_sign_in(struct conversation *conversation)
{
	struct exchange *exchange = trac_ask(conversation, ASK_LOGIN, talloc_strdup(NULL, "login"));
	exchange->stay = exchange->hear_headers = true;
}

/* Keeps the cookie that says who we are; false where the answer brings none. */
static bool keep_cookie(struct conversation *conversation, const struct exchange *exchange)
{
	static const char name[] = "trac_auth=";
	struct session *session = conversation->credentials->session;
	const char *said;
	for (unsigned i = 0; (said = exchange_header(exchange, "Set-Cookie", i)) != NULL; i++) {
		size_t n = strcspn(said, "; ");
		if (strncmp(said, name, sizeof(name) - 1) == 0 && n >= sizeof(name)) {
			session->cookie = talloc_strndup(session, said, n);
			return true;
		}
	}
	return false;
}

static bool is_form(const struct exchange *exchange)
{
	return exchange->status == 200 && exchange->failure.kind == ERR_NONE &&
		text_is_login_page(exchange->text, exchange->text_size);
}

static void refuse(struct conversation *conversation)
{
	conversation_fail(conversation, ERR_AUTH,
		"%slogin: it takes neither; the username or the password is wrong",
		conversation->base_url);
}

/*
 * Where there is no login (404), or one that gives no cookie, a web server before Trac knows us by
 * HTTP Basic alone. Only a probe may find that out: later it would show what is private as gone.
 */
void trac_hear_login(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	if (exchange->failure.kind == ERR_NONE && keep_cookie(conversation, exchange))
		trac_signed_in(conversation, trac_cookie_word);
	else if (is_form(exchange))
		ask_form(conversation,
			strstr(exchange->text, "name=\"username\"") != NULL ? "username" : "user");
	else if (exchange->status == 401)
		refuse(conversation);
	else if (!exchange_good(exchange, &why) && trac_is_trouble(exchange, &why))
		trac_fail(conversation, exchange, &why);
	else if (why.kind == ERR_NONE || conversation->errand != ERRAND_PROBE)
		conversation_fail(conversation, ERR_AUTH,
			"%slogin: HTTP %d, with neither a cookie nor a form to sign in by",
			conversation->base_url, exchange->status);
	else
		trac_signed_in(conversation, NULL);
}

void trac_hear_form(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	if (exchange->failure.kind == ERR_NONE && keep_cookie(conversation, exchange))
		trac_signed_in(conversation, trac_form_word);
	else if (is_form(exchange))
		refuse(conversation);
	else if (exchange_good(exchange, &why))
		conversation_fail(conversation, ERR_UNPARSABLE_TRACKER,
			"%slogin: its form answers with neither a cookie nor the form again",
			conversation->base_url);
	else
		trac_fail(conversation, exchange, &why);
}
