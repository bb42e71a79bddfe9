#include "trackers/bugzilla/login.h"

#include "trackers/bugzilla/answer.h"
#include "trackers/bugzilla/pages.h"
#include "trackers/bugzilla/question.h"
#include "trackers/json.h"
#include "trackers/url.h"

#include <string.h>
#include <talloc.h>

/* What the driver knows of an errand under way. */
struct visit {
	unsigned open; /* questions without an answer */
	bool over; /* the session is no longer taken */
	bool again; /* signed in twice: that is enough */
	struct session own; /* where the credentials keep none */
};

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.~";

void login_begin(struct conversation *conversation)
{
	conversation->memo = talloc_zero(conversation, struct visit);
}

static struct session *session_of(const struct conversation *conversation)
{
	struct visit *visit = conversation->memo;
	const struct credentials *login = conversation->credentials;
	return login != NULL && login->session != NULL ? login->session : &visit->own;
}

static bool has_password(const struct conversation *conversation)
{
	const struct credentials *login = conversation->credentials;
	return login != NULL && login->api_key == NULL && login->username != NULL &&
		login->password != NULL;
}

bool login_is_due(const struct conversation *conversation)
{
	return has_password(conversation) && conversation->errand != ERRAND_PROBE &&
		login_cookie(conversation) == NULL;
}

const char *login_cookie(const struct conversation *conversation)
{
	return has_password(conversation) ? session_of(conversation)->cookie : NULL;
}

char *login_token(const void *owner, const struct conversation *conversation)
{
	static const char user[] = "Bugzilla_login=", secret[] = "; Bugzilla_logincookie=";
	const char *cookie = login_cookie(conversation);
	const char *end = cookie != NULL ? strstr(cookie, secret) : NULL;
	if (end == NULL)
		return NULL;
	cookie += strlen(user);
	return talloc_asprintf(owner, "%.*s-%s", (int)(end - cookie), cookie, end + strlen(secret));
}

/* ---- signing in ---- */

/* The form is believed when it seems to come from the tracker's own page. */
static void send_form(struct conversation *conversation)
{
	const struct credentials *login = conversation->credentials;
	struct exchange *exchange = bugzilla_get(conversation, ASK_LOGIN,
		talloc_asprintf(NULL, "%sindex.cgi", conversation->base_url), FORMAT_TEXT);
	exchange->method = "POST";
	exchange->body = talloc_asprintf(exchange,
		"Bugzilla_login=%s&Bugzilla_password=%s&GoAheadAndLogIn=1",
		url_escape(exchange, login->username), url_escape(exchange, login->password));
	exchange->headers[0] = "Content-Type: application/x-www-form-urlencoded";
	exchange->headers[1] = talloc_asprintf(exchange, "Referer: %s", conversation->base_url);
	exchange->hear_headers = true;
	exchange->stay = true;
}

void login_ask(struct conversation *conversation)
{
	const struct credentials *login = conversation->credentials;
	if (pages_are_door(conversation)) {
		send_form(conversation);
		return;
	}
	struct json_object *parameters = json_object_new_object();
	json_object_object_add(parameters, "login", json_object_new_string(login->username));
	json_object_object_add(parameters, "password", json_object_new_string(login->password));
	struct exchange *exchange =
		bugzilla_call(conversation, ASK_LOGIN, "User.login", "login", parameters, NULL, 0);
	exchange->hear_headers = true;
}

/* Keeps USER and SECRET of the given sizes, unless they are not what Bugzilla gives. */
static bool keep(struct conversation *conversation, const char *user, size_t user_size,
	const char *secret, size_t secret_size)
{
	struct session *session = session_of(conversation);
	void *owner =
		conversation->credentials->session != NULL ? (void *)session : (void *)conversation;
	if (user_size == 0 || secret_size == 0 || strspn(user, letters) < user_size ||
		strspn(secret, letters) < secret_size)
		return false;
	session->cookie = talloc_asprintf(owner, "Bugzilla_login=%.*s; Bugzilla_logincookie=%.*s",
		(int)user_size, user, (int)secret_size, secret);
	return true;
}

static bool keep_token(struct conversation *conversation, const char *token)
{
	const char *dash = token != NULL ? strchr(token, '-') : NULL;
	return dash != NULL &&
		keep(conversation, token, (size_t)(dash - token), dash + 1, strlen(dash + 1));
}

/* The value of the cookie NAME that EXCHANGE sets, and its SIZE; NULL where it sets none. */
static const char *set_cookie(const struct exchange *exchange, const char *name, size_t *size)
{
	const char *header;
	size_t n = strlen(name);
	for (unsigned i = 0; (header = exchange_header(exchange, "Set-Cookie", i)) != NULL; i++) {
		if (strncmp(header, name, n) == 0 && header[n] == '=') {
			*size = strcspn(header + n + 1, "; ");
			return header + n + 1;
		}
	}
	return NULL;
}

/* Up to 4.2 there is no token, only cookies. */
static bool keep_cookies(struct conversation *conversation, const struct exchange *exchange)
{
	size_t user_size = 0, secret_size = 0;
	const char *user = set_cookie(exchange, "Bugzilla_login", &user_size);
	const char *secret = set_cookie(exchange, "Bugzilla_logincookie", &secret_size);
	return user != NULL && secret != NULL &&
		keep(conversation, user, user_size, secret, secret_size);
}

bool login_hear(struct conversation *conversation, struct exchange *exchange)
{
	bool service = !pages_are_door(conversation);
	bool good = service ? exchange_good(exchange, NULL) && answer_code(exchange) == CODE_NONE
			    : exchange->failure.kind == ERR_NONE && exchange->status < 400;
	if (!good) {
		answer_fail(conversation, exchange);
		return false;
	}
	char *token = json_text_of(exchange, exchange->json, "token");
	if (keep_token(conversation, token) || keep_cookies(conversation, exchange))
		return true;
	conversation_fail(conversation, ERR_AUTH,
		"%s: the login brought no session: the user name or the password is wrong, or the "
		"tracker knows itself by another address",
		conversation->base_url);
	return false;
}

/* ---- its end ---- */

void login_asked(struct conversation *conversation)
{
	struct visit *visit = conversation->memo;
	visit->open++;
}

static bool shows_end(const struct exchange *exchange)
{
	struct err why = {0};
	enum code code = answer_code(exchange);
	if (code != CODE_NONE)
		return code == CODE_LOGIN_REQUIRED || code == CODE_STALE_TOKEN;
	return !exchange_good(exchange, &why) && why.kind == ERR_AUTH && exchange->status == 200;
}

bool login_lets_hear(struct conversation *conversation, const struct exchange *exchange)
{
	struct visit *visit = conversation->memo;
	visit->open--;
	if (exchange->purpose == ASK_LOGIN)
		return true;
	if (login_cookie(conversation) != NULL && !visit->again && shows_end(exchange))
		visit->over = true;
	if (!visit->over)
		return true;
	if (visit->open == 0) {
		visit->over = false;
		visit->again = true;
		session_of(conversation)->cookie = NULL;
		login_ask(conversation);
	}
	return false;
}
