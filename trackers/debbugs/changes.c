/*
 * What changed, as a mirror of UDD says. Its `last_modified` is that of get_status, so the cursor
 * is in the clock of the Debbugs server.
 *
 * A mirror is filled from time to time: what changed a minute ago may come in an hour, with a stamp
 * of a minute ago. So what is known is not "all up to now" but "all up to the newest stamp that the
 * mirror had": until it shows something newer, the cursor stays.
 */
#include "trackers/debbugs/errands.h"
#include "trackers/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum {
	PAGE = 1000,
	CHANGES_MOST = 1000 * PAGE, /* more than any Debbugs has bugs */
	/* Filling a mirror takes so long at most: a bug read early in it may have changed since. */
	FILLING_S = 3600,
	NUMBER_DIGITS = 18,
};

/* Pages go on after the last row: a bug that changes meanwhile moves to a later page, or comes twice. */
static const char page_sql[] =
	"SELECT id, (extract(epoch FROM last_modified) * 1000000)::bigint"
	" FROM (SELECT id, last_modified FROM bugs"
	" UNION ALL SELECT id, last_modified FROM archived_bugs) AS every"
	" WHERE (last_modified, id) >"
	" (timestamp 'epoch' + $1::bigint * interval '1 microsecond', $2::bigint)"
	" AND ($3::bigint[] = '{}' OR id = ANY ($3::bigint[]))"
	" ORDER BY last_modified, id LIMIT $4::bigint";

/* The last row of the pages so far. */
struct place {
	moment at;
	int64_t id;
};

static char *wanted_ids(const void *owner, const struct conversation *conversation)
{
	char *ids = talloc_strdup(owner, "{");
	for (unsigned i = 0; i < conversation->wanted_count; i++)
		ids = talloc_asprintf_append_buffer(
			ids, "%s%s", i > 0 ? "," : "", conversation->wanted[i].remote_id);
	return talloc_strdup_append_buffer(ids, "}");
}

static void ask_page(struct conversation *conversation, const struct place *after)
{
	struct exchange *exchange =
		conversation_ask(conversation, ASK_CHANGES, talloc_strdup(NULL, "UDD"));
	exchange->format = FORMAT_TEXT;
	exchange->sql = page_sql;
	exchange->parameters[0] = talloc_asprintf(exchange, "%" PRId64, after->at);
	exchange->parameters[1] = talloc_asprintf(exchange, "%" PRId64, after->id);
	exchange->parameters[2] = wanted_ids(exchange, conversation);
	exchange->parameters[3] = talloc_asprintf(exchange, "%d", PAGE);
	exchange->memo = talloc_memdup(exchange, after, sizeof(*after));
}

void debbugs_begin_changes(struct conversation *conversation)
{
	moment since = conversation->since - FILLING_S * MOMENT_SECOND;
	ask_page(conversation, &(struct place){.at = since > 0 ? since : 0});
}

/* "ID TAB MICROSECONDS" at *AT, which moves behind it; false for anything else. */
static bool read_row(const char **at, char *id, struct place *out)
{
	char time[NUMBER_DIGITS + 1];
	size_t n = strcspn(*at, "\t\n"), size = 0;
	if ((*at)[n] == '\t')
		size = strcspn(*at + n + 1, "\n");
	if (n > NUMBER_DIGITS || size > NUMBER_DIGITS || (*at)[n] != '\t' ||
		(*at)[n + 1 + size] != '\n')
		return false;
	memcpy(id, *at, n);
	id[n] = '\0';
	memcpy(time, *at + n + 1, size);
	time[size] = '\0';
	*at += n + 1 + size + 1;
	*out = (struct place){strtoll(time, NULL, 10), strtoll(id, NULL, 10)};
	return text_is_number(id, NUMBER_DIGITS) && text_is_number(time, NUMBER_DIGITS);
}

static bool is_after(const struct place *place, const struct place *before)
{
	return place->at > before->at || (place->at == before->at && place->id > before->id);
}

/* Adds the rows of a page; LAST becomes its last row. False where they are no rows, or not in order. */
static bool take_rows(
	struct conversation *conversation, const char *text, struct place *last, unsigned *count)
{
	char id[NUMBER_DIGITS + 1];
	struct place row;
	for (*count = 0; *text != '\0'; (*count)++) {
		/* A bug that is in both tables with one stamp comes twice. */
		if (!read_row(&text, id, &row) || is_after(last, &row))
			return false;
		conversation_change(conversation, id, row.at);
		*last = row;
	}
	return *count <= PAGE;
}

/* Whether the page is the last one; false and a failure where pages would never end. */
static bool is_last(struct conversation *conversation, const struct place *before,
	const struct place *last, unsigned count)
{
	if (count < PAGE)
		return true;
	if (!is_after(last, before) || conversation->change_count > CHANGES_MOST)
		conversation_fail(conversation, ERR_UNPARSABLE_TRACKER,
			"UDD: there is no end to what changed, after %u bugs",
			conversation->change_count);
	return false;
}

/* Stamps of a clock that is ahead of the server's must not carry the cursor away. */
static moment known_until(const struct conversation *conversation, moment newest)
{
	moment now = conversation->now + conversation->server->skew_s * MOMENT_SECOND;
	if (newest > now)
		newest = now;
	return newest > conversation->since ? newest : conversation->since;
}

void debbugs_hear_changes(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0};
	const struct place *before = exchange->memo;
	struct place last = *before;
	unsigned count;
	if (!exchange_good(exchange, &why))
		conversation_fail(conversation, why.kind, "%s", why.text);
	else if (!take_rows(conversation, exchange->text, &last, &count))
		conversation_fail(conversation, ERR_UNPARSABLE_TRACKER,
			"UDD: a row is not a bug's number and when it was last modified, or "
			"comes out of order");
	else if (is_last(conversation, before, &last, count))
		conversation->until = known_until(conversation, last.at);
	else if (conversation->err.kind == ERR_NONE)
		ask_page(conversation, &last);
}
