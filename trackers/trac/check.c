/* What tickets are like now. */
#include "trackers/silence.h"
#include "trackers/trac/errands.h"
#include "trackers/trac/mapping.h"
#include "trackers/trac/table.h"

#include <string.h>
#include <talloc.h>

/* ---- questions ---- */

/*
 * Always with ids: a query without any valid constraint gives all open tickets. Columns that a site
 * lacks (severity, by default) are left out of the answer. Copies WANTED.
 */
static void ask_table(struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	char *path = talloc_strdup(NULL, "query?id=");
	for (unsigned i = 0; i < count; i++)
		path = talloc_asprintf_append_buffer(
			path, "%s%s", i > 0 ? "," : "", conversation->wanted[wanted[i]].remote_id);
	path = talloc_strdup_append_buffer(path,
		"&col=id&col=summary&col=status&col=resolution&col=priority&col=severity"
		"&col=component&col=changetime&order=id&format=csv&max=0");
	struct exchange *exchange = trac_ask(conversation, ASK_TABLE, path);
	exchange->wanted = talloc_memdup(exchange, wanted, count * sizeof(*wanted));
	exchange->wanted_count = count;
}

/* Asks for the first of WANTED by itself; the others wait for what is said of it. Copies WANTED. */
static void ask_alone(struct conversation *conversation, enum trac_purpose purpose,
	const unsigned *wanted, unsigned count)
{
	struct exchange *exchange = trac_ask(conversation, purpose,
		talloc_asprintf(
			NULL, "ticket/%s?format=csv", conversation->wanted[wanted[0]].remote_id));
	exchange->wanted = talloc_memdup(exchange, wanted, count * sizeof(*wanted));
	exchange->wanted_count = count;
}

void trac_begin_check(struct conversation *conversation)
{
	bool rpc = trac_rpc_door(conversation) != NULL;
	unsigned count, *all = talloc_array(NULL, unsigned, conversation->wanted_count);
	for (unsigned i = 0; i < conversation->wanted_count; i++)
		all[i] = i;
	for (unsigned from = 0; from < conversation->wanted_count; from += count) {
		unsigned left = conversation->wanted_count - from;
		count = left < TRAC_BATCH_SIZE ? left : TRAC_BATCH_SIZE;
		if (rpc)
			trac_ask_calls(conversation, all + from, count);
		else
			ask_table(conversation, all + from, count);
	}
	talloc_free(all);
}

/* ---- answers ---- */

/*
 * The query writes times in the site's zone and its language; only where the site was set to
 * ISO 8601 do they say when it was.
 */
static moment exact_moment(const char *text)
{
	moment at;
	size_t size = text != NULL ? strlen(text) : 0;
	bool zoned = size > 19 && text[10] == 'T' &&
		(text[size - 1] == 'Z' || strpbrk(text + 19, "+-") != NULL);
	return zoned && moment_parse(text, &at) ? at : 0;
}

void trac_observe(struct conversation *conversation, struct observation read)
{
	read.mapped_status = trac_status(read.status, read.resolution);
	read.mapped_importance = trac_importance(read.severity, read.priority);
	*conversation_observe(conversation, read.wanted) = read;
}

static const char *cell(const struct conversation *conversation, const struct csv *table,
	unsigned row, enum column column)
{
	const char *text = csv_cell(table, row, column);
	return text != NULL ? talloc_strdup(conversation, text) : NULL;
}

static void observe_row(
	struct conversation *conversation, unsigned wanted, const struct csv *table, unsigned row)
{
	trac_observe(conversation,
		(struct observation){
			.wanted = wanted,
			.title = cell(conversation, table, row, COLUMN_SUMMARY),
			.product = cell(conversation, table, row, COLUMN_COMPONENT),
			.status = cell(conversation, table, row, COLUMN_STATUS),
			.resolution = cell(conversation, table, row, COLUMN_RESOLUTION),
			.severity = cell(conversation, table, row, COLUMN_SEVERITY),
			.priority = cell(conversation, table, row, COLUMN_PRIORITY),
			.changed_at = exact_moment(csv_cell(table, row, COLUMN_CHANGED)),
		});
}

/* Questions are about a known number of tickets; far more rows than that must not hold the loop. */
static void observe_rows(
	struct conversation *conversation, struct exchange *exchange, const struct csv *table)
{
	unsigned most = 10 * exchange->wanted_count;
	for (unsigned at = 0; at < table->count && at < most; at++) {
		const char *id = csv_cell(table, at, COLUMN_ID);
		for (unsigned i = 0; id != NULL && i < exchange->wanted_count; i++) {
			unsigned wanted = exchange->wanted[i];
			if (strcmp(conversation->wanted[wanted].remote_id, id) == 0)
				observe_row(conversation, wanted, table, at);
		}
	}
}

/* The table of a good answer about tickets, or NULL: the errand has then failed. */
static struct csv *read_table(struct conversation *conversation, struct exchange *exchange)
{
	struct err why = {0}, wrong = {0};
	struct csv *table = NULL;
	if (exchange_good(exchange, &why))
		table = table_read(exchange, exchange->text, exchange->text_size, &wrong);
	if (table != NULL && !table->has[COLUMN_STATUS])
		err_set(&wrong, ERR_UNPARSABLE_TRACKER, "CSV without a column of statuses");
	if (wrong.kind != ERR_NONE)
		err_set(&why, wrong.kind, "%s: %s", conversation->base_url, wrong.text);
	if (why.kind == ERR_NONE)
		return table;
	trac_fail(conversation, exchange, &why);
	return NULL;
}

/*
 * A query leaves out what is missing or private without a word, and everything when the right to
 * view tickets was lost: silence about all of several tickets needs a witness.
 */
void trac_hear_table(struct conversation *conversation, struct exchange *exchange)
{
	struct csv *table = read_table(conversation, exchange);
	if (table == NULL)
		return;
	observe_rows(conversation, exchange, table);
	unsigned count;
	unsigned *silent = silent_bugs(conversation, exchange, &count);
	if (silence_is_suspicious(conversation, exchange, silent, count)) {
		ask_alone(conversation, ASK_WITNESS, silent, count);
		return;
	}
	for (unsigned i = 0; i < count; i++)
		ask_alone(conversation, ASK_BUG, silent + i, 1);
}

/* Adds why the one ticket asked for can't be had; false where the answer is not about it. */
static bool observe_why(struct conversation *conversation, struct exchange *exchange)
{
	unsigned wanted = exchange->wanted[0];
	const char *id = conversation->wanted[wanted].remote_id;
	if (trac_says_missing(exchange))
		conversation_observe_error(conversation, wanted, ERR_BUG_NOT_FOUND,
			"ticket %s: there is no such ticket (any more)", id);
	else if (trac_says_private(exchange))
		conversation_observe_error(conversation, wanted, ERR_PRIVATE_BUG,
			"ticket %s: it may not be viewed without the right TICKET_VIEW on it", id);
	return conversation_observed(conversation, wanted);
}

/* A ticket that a query left out may have its own address answer: its table is as good. */
void trac_hear_alone(struct conversation *conversation, struct exchange *exchange)
{
	if (observe_why(conversation, exchange)) {
		for (unsigned i = 1; i < exchange->wanted_count; i++)
			ask_alone(conversation, ASK_BUG, exchange->wanted + i, 1);
		return;
	}
	struct csv *table = read_table(conversation, exchange);
	if (table == NULL)
		return;
	if (exchange->purpose == ASK_WITNESS) {
		conversation_fail(conversation, ERR_UNPARSABLE_TRACKER,
			"%squery answered none of the %u tickets asked for, and one of them is "
			"there",
			conversation->base_url, exchange->wanted_count);
		return;
	}
	observe_rows(conversation, exchange, table);
	if (!conversation_observed(conversation, exchange->wanted[0]))
		conversation_observe_error(conversation, exchange->wanted[0], ERR_UNPARSABLE_BUG,
			"ticket %s: its own address answers without it",
			conversation->wanted[exchange->wanted[0]].remote_id);
}
