/* Signing in by the form that every page has, where the export wants a login and takes no HTTP Basic. */
#include "trackers/roundup/export.h"
#include "trackers/url.h"

#include <string.h>
#include <talloc.h>

bool roundup_can_sign_in(const struct conversation *conversation)
{
	const struct credentials *login = conversation->credentials;
	return login != NULL && login->username != NULL && login->session != NULL &&
		login->session->cookie == NULL;
}

/* From 2.0 on only from an address of its own: Origin and Referer. */
void roundup_sign_in(struct conversation *conversation)
{
	const struct credentials *login = conversation->credentials;
	const char *base = conversation->base_url, *host = strstr(base, "://");
	size_t origin = host != NULL ? (size_t)(host + 3 - base) + strcspn(host + 3, "/") : 0;
	struct exchange *exchange =
		conversation_ask(conversation, ASK_LOGIN, talloc_strdup(NULL, base));
	exchange->method = "POST";
	exchange->format = FORMAT_TEXT;
	exchange->stay = exchange->hear_headers = true;
	roundup_add_header(exchange, "Content-Type: application/x-www-form-urlencoded");
	roundup_add_header(exchange, talloc_asprintf(exchange, "Origin: %.*s", (int)origin, base));
	roundup_add_header(exchange, talloc_asprintf(exchange, "Referer: %s", base));
	exchange->body =
		talloc_asprintf(exchange, "__login_name=%s&__login_password=%s&@action=Login",
			url_escape(exchange, login->username),
			url_escape(exchange, login->password != NULL ? login->password : ""));
}

/* Keeps the cookie that says who we are; false where the answer brings none. */
static bool keep_cookie(struct conversation *conversation, const struct exchange *exchange)
{
	static const char name[] = "roundup_session";
	struct session *session = conversation->credentials->session;
	const char *said;
	for (unsigned i = 0; (said = exchange_header(exchange, "Set-Cookie", i)) != NULL; i++) {
		size_t n = strcspn(said, "; "), value = strcspn(said, "=") + 1;
		if (strncmp(said, name, sizeof(name) - 1) == 0 && value < n) {
			session->cookie = talloc_strndup(session, said, n);
			return true;
		}
	}
	return false;
}

void roundup_hear_login(struct conversation *conversation, struct exchange *exchange)
{
	if (exchange->failure.kind == ERR_NONE && keep_cookie(conversation, exchange))
		roundup_signed_in(conversation);
	else if (exchange->status == 200 && roundup_is_page(exchange))
		conversation_fail(conversation, ERR_AUTH,
			"%s: signing in brought no cookie; the username or the password is wrong",
			conversation->base_url);
	else
		roundup_fail(conversation, exchange);
}
