/* The bugs themselves: in batches, and singly where a batch leaves one out. */
#include "trackers/bugzilla/answer.h"
#include "trackers/bugzilla/pages.h"
#include "trackers/bugzilla/question.h"
#include "trackers/silence.h"

#include <string.h>
#include <talloc.h>

static const char fields[] =
	"id,status,resolution,severity,priority,last_change_time,summary,product";

/* The same in the pages' words. */
static const char page_fields[] =
	"bug_id,alias,bug_status,resolution,bug_severity,priority,delta_ts,short_desc,product";

/* ---- questions ---- */

/* The alias, where one of these bugs is asked for by it; signed in, who else may see them. */
static struct json_object *fields_for(
	const struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	struct json_object *names = bugzilla_words(fields);
	if (conversation->credentials != NULL)
		json_object_array_add(names, json_object_new_string("groups"));
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
	if (pages_are_door(conversation)) {
		pages_ask_list(conversation, wanted, count);
		return;
	}
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

/* Asks for the first of WANTED by itself (not of pages); the others wait for what is said of it. */
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

/* Asks for each of WANTED by itself, or as pages for several: those say of each why it is missing. */
static void ask_singly(struct conversation *conversation, const unsigned *wanted, unsigned count)
{
	if (pages_are_door(conversation))
		pages_ask_bugs_in_parts(conversation, ASK_BUG, page_fields, wanted, count);
	else
		for (unsigned i = 0; i < count; i++)
			ask_alone(conversation, ASK_BUG, wanted + i, 1);
}

void bugzilla_begin_check(struct conversation *conversation)
{
	unsigned count = conversation->wanted_count, total = 0, single = 0;
	unsigned *batch = talloc_array(NULL, unsigned, count);
	unsigned *singles = talloc_array(batch, unsigned, count);
	for (unsigned i = 0; i < count; i++) {
		if (conversation_observed(conversation, i))
			continue;
		if (goes_into_batch(conversation, i))
			batch[total++] = i;
		else
			singles[single++] = i;
	}
	for (unsigned from = 0, part; from < total; from += part) {
		part = bugzilla_fitting(conversation, batch + from, total - from,
			BUGZILLA_BATCH_SIZE, strlen(","), sizeof(fields) + 40);
		ask_bugs(conversation, batch + from, part);
	}
	ask_singly(conversation, singles, single);
	talloc_free(batch);
}

/* ---- answers ---- */

/* A search leaves out what is missing or private without a word, and all when it is broken. */
static void ask_about_silence(struct conversation *conversation, struct exchange *exchange)
{
	unsigned count;
	unsigned *silent = silent_bugs(conversation, exchange, &count);
	if (!pages_are_door(conversation) &&
		silence_is_suspicious(conversation, exchange, silent, count))
		ask_alone(conversation, ASK_WITNESS, silent, count);
	else
		ask_singly(conversation, silent, count);
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

/* One bug, or several of pages. */
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
	answer_observe_faults(conversation, exchange);
	for (unsigned i = 0; i < exchange->wanted_count; i++) {
		unsigned wanted = exchange->wanted[i];
		if (!conversation_observed(conversation, wanted))
			conversation_observe_error(conversation, wanted, ERR_UNPARSABLE_BUG,
				"bug %s: its own address answers without it",
				conversation->wanted[wanted].remote_id);
	}
}

/* Only a bug that is gone by Bugzilla's own word makes the silence about the others credible. */
void bugzilla_hear_witness(struct conversation *conversation, struct exchange *exchange)
{
	enum code code = answer_code(exchange);
	if ((code == CODE_NO_BUG || code == CODE_NO_ACCESS) &&
		answer_observe_why(conversation, exchange)) {
		ask_singly(conversation, exchange->wanted + 1, exchange->wanted_count - 1);
	} else if (answer_bugs(exchange) != NULL || code == CODE_INVALID_ID) {
		conversation_fail(conversation, ERR_UNPARSABLE_TRACKER,
			"%s answered none of the %u bugs asked for, of which some were read before",
			conversation->base_url, exchange->wanted_count);
	} else {
		answer_fail(conversation, exchange);
	}
}
