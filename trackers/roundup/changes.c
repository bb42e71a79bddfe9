/* Which bugs changed: one list, by activity. */
#include "trackers/json.h"
#include "trackers/roundup/rest.h"
#include "trackers/tracker.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

/*
 * The filter is read in the time zone of our user there, while answers are in UTC: we ask from as
 * much earlier as a zone may be off, and compare ourselves. A filter that the server can't read is
 * ignored without a word, which shows by what no zone explains.
 */
static const moment zone = 14 * 3600 * MOMENT_SECOND;

/* As Roundup takes it: `2023-07-07.12:00:00`. */
static char *activity_filter(moment from, const void *owner)
{
	char text[MOMENT_TEXT];
	char *filter = talloc_asprintf(owner, "%s", moment_format(from, text));
	*strchr(filter, 'T') = '.';
	*strchr(filter, 'Z') = '\0';
	return filter;
}

void roundup_begin_changes(struct conversation *conversation)
{
	struct question question = {.class_name = "issue", .fields = "activity"};
	question.since = activity_filter(conversation->since - zone, conversation);
	unsigned count = conversation->wanted_count;
	if (count > 0 && count <= ROUNDUP_BATCH_SIZE)
		roundup_ask_all(conversation, ASK_CHANGES, &question);
	else
		roundup_ask_issues(conversation, ASK_CHANGES, NULL, 0, &question);
}

static void give_up(struct conversation *conversation, const char *why)
{
	conversation_fail(conversation, ERR_UNPARSABLE_TRACKER,
		"%s: asked for what changed, it answered %s", conversation->base_url, why);
}

/* Answers are cut to whole seconds: what has the second of `since` may be later than it. */
static void hear_item(struct conversation *conversation, struct json_object *item)
{
	char *id = json_text_of(conversation, item, "id");
	char *activity = json_text_of(conversation, item, "activity");
	moment at;
	if (id == NULL || !conversation->tracker->valid_id(id) || activity == NULL ||
		!moment_parse(activity, &at))
		give_up(conversation, "with one that has no id or no activity");
	else if (at + 2 * zone + MOMENT_SECOND < conversation->since)
		give_up(conversation, "with older ones: it ignores the filter");
	else if (at + MOMENT_SECOND > conversation->since)
		conversation_change(conversation, id, at);
	talloc_free(id);
	talloc_free(activity);
}

void roundup_hear_changes(struct conversation *conversation, struct exchange *exchange)
{
	struct json_object *items = roundup_items(conversation, exchange);
	if (items == NULL) {
		roundup_fail(conversation, exchange);
		return;
	}
	if (roundup_was_cut(exchange))
		give_up(conversation, "with a part: the administrator's limit cut it");
	size_t count = json_object_array_length(items);
	for (size_t i = 0; i < count && conversation->err.kind == ERR_NONE; i++)
		hear_item(conversation, json_object_array_get_idx(items, i));
	if (conversation->err.kind == ERR_NONE)
		conversation->until = exchange->date != 0
			? exchange->date
			: conversation->now + conversation->server->skew_s * MOMENT_SECOND;
}
