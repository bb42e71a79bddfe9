/* The bugs themselves: in batches, and singly where a batch leaves one out. */
#include "trackers/bugzilla/answer.h"
#include "trackers/bugzilla/question.h"
#include "trackers/silence.h"

#include <string.h>
#include <talloc.h>

static const char fields[] =
	"id,status,resolution,severity,priority,last_change_time,summary,product";

/* ---- questions ---- */

/* The alias, where one of these bugs is asked for by it. */
static struct json_object *fields_for(
	const struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	struct json_object *names = bugzilla_words(fields);
	for (unsigned i = 0; i < count; i++) {
		if (!bugzilla_is_number(conversation->wanted[wanted[i]].remote_id)) {
			json_object_array_add(names, json_object_new_string("alias"));
			break;
		}
	}
	return names;
}

/* XML-RPC says of each bug why it is missing. Without a limit of its own a search is cut at the site's: 20 at Red Hat. */
static void ask_bugs(struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	bool rpc = bugzilla_speaks_rpc(conversation);
	struct json_object *parameters = json_object_new_object();
	json_object_object_add(
		parameters, rpc ? "ids" : "id", bugzilla_ids(conversation, wanted, count));
	if (rpc)
		json_object_object_add(parameters, "permissive", json_object_new_boolean(true));
	else
		json_object_object_add(parameters, "limit", json_object_new_int64(count));
	json_object_object_add(
		parameters, "include_fields", fields_for(conversation, wanted, count));
	bugzilla_call(conversation, ASK_BUGS, "Bug.get", "bug", parameters, wanted, count);
}

/* Asks for the first of WANTED by itself; the others wait for what is said of it. */
static void ask_alone(struct conversation *conversation, enum bugzilla_purpose purpose,
	const unsigned *wanted, unsigned count)
{
	struct json_object *parameters = json_object_new_object();
	json_object_object_add(parameters, "ids", bugzilla_ids(conversation, wanted, 1));
	json_object_object_add(parameters, "include_fields", fields_for(conversation, wanted, 1));
	bugzilla_call(conversation, purpose, "Bug.get", "bug/*", parameters, wanted, count);
}

/* A search over REST takes no aliases. */
static bool goes_into_batch(const struct conversation *conversation, unsigned wanted)
{
	return bugzilla_speaks_rpc(conversation) ||
		bugzilla_is_number(conversation->wanted[wanted].remote_id);
}

void bugzilla_begin_check(struct conversation *conversation)
{
	unsigned *batch = talloc_array(NULL, unsigned, conversation->wanted_count), total = 0;
	for (unsigned i = 0; i < conversation->wanted_count; i++) {
		if (goes_into_batch(conversation, i))
			batch[total++] = i;
		else
			ask_alone(conversation, ASK_BUG, &i, 1);
	}
	for (unsigned from = 0, count; from < total; from += count) {
		count = bugzilla_fitting(conversation, batch + from, total - from,
			BUGZILLA_BATCH_SIZE, strlen(","), sizeof(fields) + 40);
		ask_bugs(conversation, batch + from, count);
	}
	talloc_free(batch);
}

/* ---- answers ---- */

/* A search leaves out what is missing or private without a word, and all when it is broken. */
static void ask_about_silence(struct conversation *conversation, struct exchange *exchange)
{
	unsigned count;
	unsigned *silent = silent_bugs(conversation, exchange, &count);
	if (silence_is_suspicious(conversation, exchange, silent, count)) {
		ask_alone(conversation, ASK_WITNESS, silent, count);
		return;
	}
	for (unsigned i = 0; i < count; i++)
		ask_alone(conversation, ASK_BUG, silent + i, 1);
}

void bugzilla_hear_bugs(struct conversation *conversation, struct exchange *exchange)
{
	unsigned count = exchange->wanted_count;
	if (exchange->status == 414 && count > 1) {
		ask_bugs(conversation, exchange->wanted, count / 2);
		ask_bugs(conversation, exchange->wanted + count / 2, count - count / 2);
		return;
	}
	struct json_object *bugs = answer_bugs(exchange);
	if (bugs == NULL) {
		answer_fail(conversation, exchange);
		return;
	}
	answer_observe(conversation, exchange, bugs);
	answer_observe_faults(conversation, exchange);
	ask_about_silence(conversation, exchange);
}

void bugzilla_hear_bug(struct conversation *conversation, struct exchange *exchange)
{
	if (answer_observe_why(conversation, exchange))
		return;
	struct json_object *bugs = answer_bugs(exchange);
	if (bugs == NULL) {
		answer_fail(conversation, exchange);
		return;
	}
	answer_observe(conversation, exchange, bugs);
	if (!conversation_observed(conversation, exchange->wanted[0]))
		conversation_observe_error(conversation, exchange->wanted[0], ERR_UNPARSABLE_BUG,
			"bug %s: its own address answers without it",
			conversation->wanted[exchange->wanted[0]].remote_id);
}

/* Only a bug that is gone by Bugzilla's own word makes the silence about the others credible. */
void bugzilla_hear_witness(struct conversation *conversation, struct exchange *exchange)
{
	enum code code = answer_code(exchange);
	if ((code == CODE_NO_BUG || code == CODE_NO_ACCESS) &&
		answer_observe_why(conversation, exchange)) {
		for (unsigned i = 1; i < exchange->wanted_count; i++)
			ask_alone(conversation, ASK_BUG, exchange->wanted + i, 1);
	} else if (answer_bugs(exchange) != NULL || code == CODE_INVALID_ID) {
		conversation_fail(conversation, ERR_UNPARSABLE_TRACKER,
			"%s answered none of the %u bugs asked for, of which some were read before",
			conversation->base_url, exchange->wanted_count);
	} else {
		answer_fail(conversation, exchange);
	}
}
