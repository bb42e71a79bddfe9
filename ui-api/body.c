#include "ui-api/body.h"

#include "trackers/json.h"

#include <inttypes.h>
#include <string.h>
#include <talloc.h>

static unsigned count_members(struct json_object *value)
{
	unsigned count = 0;
	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			count += count_members(json_object_array_get_idx(value, i));
	} else if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach (value, name, member) {
			(void)name;
			count += 1 + count_members(member);
		}
	}
	return count;
}

/* How many colons there are outside of strings: in valid JSON, one for each member sent. */
static unsigned count_colons(const char *bytes, size_t n)
{
	unsigned count = 0;
	bool in_string = false;
	for (size_t i = 0; i < n; i++) {
		if (in_string && bytes[i] == '\\')
			i++;
		else if (bytes[i] == '"')
			in_string = !in_string;
		else if (bytes[i] == ':' && !in_string)
			count++;
	}
	return count;
}

struct json_object *body_parse(
	const void *owner, const char *bytes, size_t n, struct problem **fault)
{
	struct json_reader *reader = json_reader_new(owner);
	struct err err = {0};
	json_reader_feed(reader, bytes, n);
	struct json_object *document = json_reader_end(reader, &err);
	if (document == NULL) {
		*fault = problem_new(owner, 400, "the body is no JSON that is taken: %s", err.text);
		return NULL;
	}
	/* json-c keeps the last of several members of one name and says nothing. */
	if (count_members(document) != count_colons(bytes, n)) {
		*fault = problem_new(owner, 400, "the body has a name twice in one object");
		return NULL;
	}
	return document;
}

int64_t body_count_characters(const char *text)
{
	int64_t count = 0;
	for (; *text != '\0'; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

static void check_text(struct json_object *value, const struct body_field *field, const char *name,
	struct problem *fault)
{
	const char *text = json_object_get_string(value);
	if (!json_object_is_type(value, json_type_string)) {
		problem_field(fault, name, "must be a text%s", field->nullable ? " or null" : "");
		return;
	}
	if (strlen(text) != (size_t)json_object_get_string_len(value)) {
		problem_field(fault, name, "must not have a NUL character");
		return;
	}
	int64_t length = body_count_characters(text);
	if (length < field->minimum || length > field->maximum)
		problem_field(fault, name, "must have %" PRId64 " to %" PRId64 " characters",
			field->minimum, field->maximum);
}

static void check_integer(struct json_object *value, const struct body_field *field,
	const char *name, struct problem *fault)
{
	if (!json_object_is_type(value, json_type_int)) {
		problem_field(
			fault, name, "must be a whole number%s", field->nullable ? " or null" : "");
		return;
	}
	int64_t number = json_object_get_int64(value);
	if (number < field->minimum || number > field->maximum)
		problem_field(fault, name, "must be from %" PRId64 " to %" PRId64, field->minimum,
			field->maximum);
}

static void check_choice(struct json_object *value, const struct body_field *field,
	const char *name, struct problem *fault)
{
	char *all = talloc_strdup(fault, "");
	for (const char *const *choice = field->choices; *choice != NULL; choice++) {
		if (json_object_is_type(value, json_type_string) &&
			strcmp(json_object_get_string(value), *choice) == 0 &&
			json_object_get_string_len(value) == (int)strlen(*choice))
			return;
		all = talloc_asprintf_append(all, "%s\"%s\"", all[0] == '\0' ? "" : ", ", *choice);
	}
	problem_field(fault, name, "must be one of %s", all);
}

static void check_choices(struct json_object *value, const struct body_field *field,
	const char *name, struct problem *fault)
{
	if (!json_object_is_type(value, json_type_array) || json_object_array_length(value) == 0) {
		problem_field(fault, name, "must be a list of at least one%s",
			field->nullable ? ", or null" : "");
		return;
	}
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		struct json_object *item = json_object_array_get_idx(value, i);
		check_choice(item, field, name, fault);
		for (size_t j = 0; j < i; j++)
			if (json_object_equal(item, json_object_array_get_idx(value, j)))
				problem_field(fault, name, "has one of them twice");
	}
}

static void check_object(
	struct json_object *, const struct body_field *, const char *prefix, struct problem *);

static void check_value(struct json_object *value, const struct body_field *field, const char *name,
	struct problem *fault)
{
	if (field->kind == BODY_READ_ONLY) {
		problem_field(fault, name, "can't be set");
		return;
	}
	if (value == NULL && field->nullable)
		return;
	switch (field->kind) {
	case BODY_TEXT:
		check_text(value, field, name, fault);
		break;
	case BODY_INTEGER:
		check_integer(value, field, name, fault);
		break;
	case BODY_BOOLEAN:
		if (!json_object_is_type(value, json_type_boolean))
			problem_field(fault, name, "must be true or false");
		break;
	case BODY_CHOICE:
		check_choice(value, field, name, fault);
		break;
	case BODY_CHOICES:
		check_choices(value, field, name, fault);
		break;
	case BODY_OBJECT:
		if (json_object_is_type(value, json_type_object))
			check_object(value, field->fields, name, fault);
		else
			problem_field(fault, name, "must be an object%s",
				field->nullable ? " or null" : "");
		break;
	case BODY_READ_ONLY:
		break;
	}
}

static const struct body_field *find_field(const struct body_field *fields, const char *name)
{
	for (; fields->name != NULL; fields++)
		if (strcmp(fields->name, name) == 0)
			return fields;
	return NULL;
}

static void check_object(struct json_object *object, const struct body_field *fields,
	const char *prefix, struct problem *fault)
{
	json_object_object_foreach (object, name, value) {
		char *path = talloc_asprintf(fault, "%s%s%s", prefix, prefix[0] ? "." : "", name);
		const struct body_field *field = find_field(fields, name);
		if (field == NULL)
			problem_field(fault, path, "is not known");
		else
			check_value(value, field, path, fault);
	}
	for (; fields->name != NULL; fields++)
		if (fields->required && !json_object_object_get_ex(object, fields->name, NULL))
			problem_field(fault,
				talloc_asprintf(fault, "%s%s%s", prefix, prefix[0] ? "." : "",
					fields->name),
				"is missing");
}

bool body_check(struct json_object *object, const struct body_field *fields, struct problem *fault)
{
	if (json_object_is_type(object, json_type_object))
		check_object(object, fields, "", fault);
	else
		problem_field(fault, "", "must be a JSON object");
	return !problem_has_fields(fault);
}

const char *body_text(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;
	if (!json_object_object_get_ex(object, name, &value) || value == NULL)
		return NULL;
	return json_object_get_string(value);
}
