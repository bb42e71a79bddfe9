#include "tests/farm/roundup_schema.h"

#include <stdio.h>
#include <string.h>

static const char *title_of(const struct bug *bug)
{
	return bug->title;
}

static const char *status_of(const struct bug *bug)
{
	return bug->status;
}

static const char *resolution_of(const struct bug *bug)
{
	return bug->resolution;
}

static const char *severity_of(const struct bug *bug)
{
	return bug->severity;
}

static const char *priority_of(const struct bug *bug)
{
	return bug->priority;
}

static const char *product_of(const struct bug *bug)
{
	return bug->product;
}

static const char *nothing_of(const struct bug *bug)
{
	return NULL;
}

static const struct farm_roundup_field classic_fields[] = {
	{"title", NULL, ROUNDUP_STRING, title_of},
	{"activity", NULL, ROUNDUP_ACTIVITY, nothing_of},
	{"creation", NULL, ROUNDUP_CREATION, nothing_of},
	{"status", "status", ROUNDUP_LINK, status_of},
	{"priority", "priority", ROUNDUP_LINK, priority_of},
	{"keyword", "keyword", ROUNDUP_MULTILINK, product_of},
	{"messages", "msg", ROUNDUP_MESSAGES, nothing_of},
};

static const struct farm_roundup_field python_fields[] = {
	{"title", NULL, ROUNDUP_STRING, title_of},
	{"activity", NULL, ROUNDUP_ACTIVITY, nothing_of},
	{"creation", NULL, ROUNDUP_CREATION, nothing_of},
	{"status", "status", ROUNDUP_LINK, status_of},
	{"resolution", "resolution", ROUNDUP_LINK, resolution_of},
	{"priority", "priority", ROUNDUP_LINK, priority_of},
	{"severity", "severity", ROUNDUP_LINK, severity_of},
	{"components", "component", ROUNDUP_MULTILINK, product_of},
	{"messages", "msg", ROUNDUP_MESSAGES, nothing_of},
};

const struct roundup_schema *farm_roundup_schema_of(const struct speech *speech)
{
	static const struct roundup_schema
		classic = {classic_fields, sizeof(classic_fields) / sizeof(classic_fields[0])},
		python = {python_fields, sizeof(python_fields) / sizeof(python_fields[0])};
	return speech == &roundup_python_speech ? &python : &classic;
}

unsigned farm_roundup_field(const struct roundup_schema *schema, const char *name, size_t n)
{
	for (unsigned i = 0; i < schema->count; i++) {
		const struct farm_roundup_field *field = &schema->fields[i];
		size_t length = strlen(field->name);
		if (n < length || strncmp(field->name, name, length) != 0)
			continue;
		if (n == length)
			return ROUNDUP_FIELD(i);
		if (field->type == ROUNDUP_LINK && n == length + 5 &&
			strncmp(name + length, ".name", 5) == 0)
			return ROUNDUP_NAME_OF(i);
	}
	return 0;
}

void farm_roundup_id_of_name(const struct farm_roundup_field *field, const char *name, char id[16])
{
	unsigned number = 0;
	for (const char *at = name; *at != '\0'; at++)
		number = 31 * number + (unsigned char)*at;
	snprintf(id, 16, "%u", number % 997 + 1);
}
