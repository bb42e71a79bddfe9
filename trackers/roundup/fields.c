#include "trackers/roundup/fields.h"

#include "trackers/roundup/export.h"

#include <string.h>
#include <talloc.h>

const struct roundup_field roundup_fields[] = {
	{"status.name", "status", "status", false},
	{"priority.name", "priority", "priority", false},
	{"resolution.name", "resolution", "resolution", false},
	{"severity.name", "severity", "severity", false},
	{"components", "components", "component", true},
	{"keyword", "keyword", "keyword", true},
	{"category.name", "category", "category", false},
	{NULL, NULL, NULL, false},
};

const char *roundup_learnt(const struct conversation *conversation)
{
	const struct server *server = conversation->server;
	if (server->memory == NULL)
		return "status.name,priority.name";
	return export_is_door(conversation) ? export_fields(conversation) : server->memory;
}

char *roundup_without(const void *owner, const char *learnt, const char *words)
{
	char *rest = talloc_strdup(owner, "");
	bool found = false;
	for (const struct roundup_field *field = roundup_fields; field->asked != NULL; field++) {
		if (strstr(learnt, field->asked) == NULL)
			continue;
		if (!found && strstr(words, field->property) != NULL)
			found = true;
		else
			rest = talloc_asprintf_append_buffer(
				rest, "%s%s", *rest != '\0' ? "," : "", field->asked);
	}
	return found ? rest : NULL;
}
