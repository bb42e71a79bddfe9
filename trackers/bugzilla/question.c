#include "trackers/bugzilla/question.h"

#include "trackers/url.h"

#include <string.h>
#include <talloc.h>

const char bugzilla_door[] = "rest/";

/* Without the header Bugzilla takes some clients for browsers and answers HTML. */
struct exchange *bugzilla_ask(
	struct conversation *conversation, enum bugzilla_purpose purpose, char *url)
{
	struct exchange *exchange = conversation_ask(conversation, (int)purpose, url);
	exchange->format = FORMAT_JSON;
	exchange->headers[0] = "Accept: application/json";
	return exchange;
}

/* Red Hat's own Bugzilla (5.0.4.rh103) takes keys as Bearer only, and refuses them in a URL. */
static bool is_red_hat(const struct conversation *conversation)
{
	const char *version = conversation->server->version;
	return version != NULL && strstr(version, ".rh") != NULL;
}

/* What to sign in with as URL parameters: versions before 5.3 do not look at the header. */
static char *login_parameters(const struct conversation *conversation, const void *owner)
{
	const struct credentials *login = conversation->credentials;
	if (login != NULL && login->api_key != NULL && !is_red_hat(conversation))
		return talloc_asprintf(
			owner, "&Bugzilla_api_key=%s", url_escape(owner, login->api_key));
	if (login != NULL && login->username != NULL && login->password != NULL)
		return talloc_asprintf(owner, "&Bugzilla_login=%s&Bugzilla_password=%s",
			url_escape(owner, login->username), url_escape(owner, login->password));
	return talloc_strdup(owner, "");
}

/* Keys are letters and digits; the escaping keeps anything else from adding headers. */
static void add_key_header(struct conversation *conversation, struct exchange *exchange)
{
	const struct credentials *login = conversation->credentials;
	if (login != NULL && login->api_key != NULL)
		exchange->headers[1] = talloc_asprintf(exchange,
			is_red_hat(conversation) ? "Authorization: Bearer %s"
						 : "X-BUGZILLA-API-KEY: %s",
			url_escape(exchange, login->api_key));
}

struct exchange *bugzilla_ask_about(struct conversation *conversation,
	enum bugzilla_purpose purpose, const char *path, const unsigned *wanted, unsigned count)
{
	const char *known_door = conversation->server->door;
	char *url = talloc_asprintf(NULL, "%s%s%s", conversation->base_url,
		known_door != NULL ? known_door : bugzilla_door, path);
	url = talloc_asprintf_append_buffer(url, "%s", login_parameters(conversation, url));
	struct exchange *exchange = bugzilla_ask(conversation, purpose, url);
	add_key_header(conversation, exchange);
	exchange->wanted = talloc_memdup(exchange, wanted, count * sizeof(*wanted));
	exchange->wanted_count = count;
	return exchange;
}

unsigned bugzilla_fitting(const struct conversation *conversation, const unsigned *wanted,
	unsigned count, unsigned most, size_t extra, size_t others)
{
	void *owner = talloc_new(NULL);
	size_t used = strlen(conversation->base_url) + others +
		strlen(login_parameters(conversation, owner)) + 64;
	unsigned fit = 0;
	talloc_free(owner);
	while (fit < count && fit < most) {
		used += strlen(conversation->wanted[wanted[fit]].remote_id) + extra;
		if (used > BUGZILLA_URL_LIMIT && fit > 0)
			break;
		fit++;
	}
	return fit;
}
