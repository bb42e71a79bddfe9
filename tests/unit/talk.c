#include "talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

const moment talk_date = 1800000000 * MOMENT_SECOND;

struct exchange *talk_asked(struct conversation *conversation, const char *path)
{
	struct exchange *exchange = conversation_next(conversation);
	size_t base = strlen(conversation->base_url);
	if (exchange == NULL)
		fail_msg("nothing is asked in place of %s", path);
	else if (strncmp(exchange->url, conversation->base_url, base) != 0 ||
		strncmp(exchange->url + base, path, strlen(path)) != 0)
		fail_msg("%s is asked in place of %s", exchange->url, path);
	return exchange;
}

void talk_answer(struct conversation *conversation, const char *path, int status, const char *body)
{
	struct exchange *exchange = talk_asked(conversation, path);
	exchange_head(conversation, exchange, status, "application/json", talk_date);
	exchange_data(conversation, exchange, body, strlen(body));
	exchange_end(conversation, exchange, NULL);
}

void talk_break(struct conversation *conversation, const char *path, enum err_kind kind)
{
	struct err failure = {0};
	err_set(&failure, kind, "the line is dead");
	exchange_end(conversation, talk_asked(conversation, path), &failure);
}

void talk_learnt(const struct conversation *conversation, unsigned wanted, enum err_kind kind)
{
	for (unsigned i = 0; i < conversation->observation_count; i++) {
		const struct observation *seen = &conversation->observations[i];
		if (seen->wanted == wanted) {
			assert_string_equal(err_word(seen->err.kind), err_word(kind));
			return;
		}
	}
	fail_msg("nothing was learnt of bug %u", wanted);
}

void talk_done(struct conversation *conversation)
{
	assert_null(conversation_next(conversation));
	assert_true(conversation_over(conversation));
	assert_string_equal(conversation->err.text, "");
}

void talk_failed(const struct conversation *conversation, enum err_kind kind, const char *words)
{
	assert_true(conversation_over(conversation));
	assert_string_equal(err_word(conversation->err.kind), err_word(kind));
	if (strstr(conversation->err.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", conversation->err.text, words);
}
