#include "told.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <talloc.h>

#include <cmocka.h>

enum { SHOWN = 120 };

static char *add(char *text, const char *name, const char *value)
{
	return value == NULL ? text : talloc_asprintf_append(text, " | %s %s", name, value);
}

static char *describe_bug(
	char *text, const char *id, enum errand errand, const struct observation *seen)
{
	char changed[MOMENT_TEXT];
	text = talloc_asprintf_append(text, "%s", id);
	if (seen->err.kind != ERR_NONE)
		return talloc_asprintf_append(text, " | %s\n", err_word(seen->err.kind));
	if (errand == ERRAND_COMMENTS)
		return talloc_asprintf_append(
			text, " | all comments%s\n", seen->whole ? " and no others" : "");
	text = talloc_asprintf_append(text, " | %s | %s", status_word(seen->mapped_status),
		importance_word(seen->mapped_importance));
	text = add(text, "status", seen->status);
	text = add(text, "resolution", seen->resolution);
	text = add(text, "severity", seen->severity);
	text = add(text, "priority", seen->priority);
	text = add(text, "private", seen->is_private ? "yes" : NULL);
	text = add(text, "product", seen->product);
	text = add(text, "tags", seen->tags);
	if (seen->changed_at != 0)
		text = add(text, "changed", moment_format(seen->changed_at, changed));
	text = add(text, "mark", seen->mark);
	text = add(text, "title", seen->title);
	return talloc_asprintf_append(text, "\n");
}

static char *describe_server(char *text, const struct server *server)
{
	text = talloc_asprintf_append(text, "server");
	text = add(text, "version", server->version);
	text = add(text, "door", server->door);
	text = add(text, "memory", server->memory);
	for (unsigned bit = 0; ability_word(bit) != NULL; bit++)
		if (server->abilities & 1u << bit)
			text = add(text, "can", ability_word(bit));
	if (server->skew_s != 0)
		text = talloc_asprintf_append(text, " | skew %lld", (long long)server->skew_s);
	return talloc_asprintf_append(text, "\n");
}

/* A text in one line: its beginning, and the size of one that is longer. */
static char *add_long_text(char *text, const char *value)
{
	size_t size = strlen(value), shown = size > SHOWN ? SHOWN : size;
	while (shown > 0 && (value[shown] & 0xC0) == 0x80)
		shown--;
	text = talloc_asprintf_append(text, " | ");
	for (size_t i = 0; i < shown; i++)
		text = value[i] == '\n' ? talloc_asprintf_append(text, "\\n")
					: talloc_asprintf_append(text, "%c", value[i]);
	return size > SHOWN ? talloc_asprintf_append(text, "... %zu bytes", size) : text;
}

static char *describe_comment(
	char *text, const struct conversation *conversation, const struct comment *comment)
{
	char posted[MOMENT_TEXT];
	text = talloc_asprintf_append(text, "%s #%lld",
		conversation->wanted[comment->wanted].remote_id, (long long)comment->number);
	if (comment->text == NULL)
		return talloc_asprintf_append(text, "\n");
	text = add(text, "author", comment->author);
	if (comment->posted_at != 0)
		text = add(text, "posted", moment_format(comment->posted_at, posted));
	return talloc_asprintf_append(add_long_text(text, comment->text), "\n");
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static char *describe_changes(
	char *text, const struct conversation *conversation, const struct server *known)
{
	char at[MOMENT_TEXT];
	const char *memory = conversation->server->memory;
	if (conversation->errand == ERRAND_CHANGES && !same_text(memory, known->memory))
		text = talloc_asprintf_append(
			text, "memory | %s\n", memory != NULL ? memory : "none");
	for (unsigned i = 0; i < conversation->change_count; i++)
		text = talloc_asprintf_append(text, "%s | changed %s\n",
			conversation->changes[i].remote_id,
			moment_format(conversation->changes[i].at, at));
	if (conversation->until != 0)
		text = talloc_asprintf_append(
			text, "until | %s\n", moment_format(conversation->until, at));
	return text;
}

char *told(const void *owner, const struct conversation *conversation, const struct server *known)
{
	char *text = talloc_strdup(owner, "");
	for (unsigned i = 0; i < conversation->wanted_count; i++)
		for (unsigned j = 0; j < conversation->observation_count; j++)
			if (conversation->observations[j].wanted == i)
				text = describe_bug(text, conversation->wanted[i].remote_id,
					conversation->errand, &conversation->observations[j]);
	for (unsigned i = 0; i < conversation->comment_count; i++)
		text = describe_comment(text, conversation, &conversation->comments[i]);
	text = describe_changes(text, conversation, known);
	if (conversation->pause_s != 0)
		text = talloc_asprintf_append(
			text, "pause | %lld s\n", (long long)conversation->pause_s);
	if (conversation->err.kind != ERR_NONE)
		return talloc_asprintf_append(
			text, "failed | %s\n", err_word(conversation->err.kind));
	if (conversation->errand == ERRAND_PROBE)
		text = describe_server(text, conversation->server);
	return text;
}

void told_nothing_new(const char *full, char *part)
{
	char *rest, *lines = talloc_asprintf(NULL, "\n%s", full);
	for (char *line = strtok_r(part, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *wanted = talloc_asprintf(lines, "\n%s\n", line);
		if (strncmp(line, "failed | ", 9) != 0 && strstr(lines, wanted) == NULL)
			fail_msg("learnt from an answer that is not whole: %s", line);
	}
	talloc_free(lines);
}
