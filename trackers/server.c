#include "trackers/server.h"

#include "trackers/json.h"

#include <string.h>
#include <talloc.h>

struct server *server_new(const void *owner)
{
	return talloc_zero(owner, struct server);
}

static void add_text(struct json_object *to, const char *name, const char *text)
{
	if (text != NULL)
		json_object_object_add(to, name, json_object_new_string(text));
}

static struct json_object *words_of(unsigned abilities)
{
	struct json_object *words = json_object_new_array();
	for (unsigned bit = 0; ability_word(bit) != NULL; bit++)
		if (abilities & 1u << bit)
			json_object_array_add(words, json_object_new_string(ability_word(bit)));
	return words;
}

char *server_to_json(const void *owner, const struct server *server)
{
	struct json_object *object = json_object_new_object();
	add_text(object, "version", server->version);
	add_text(object, "door", server->door);
	add_text(object, "memory", server->memory);
	json_object_object_add(object, "abilities", words_of(server->abilities));
	json_object_object_add(object, "skew_s", json_object_new_int64(server->skew_s));
	char *text = talloc_strdup(
		owner, json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	json_object_put(object);
	return text;
}

static const char *text_of(struct server *server, struct json_object *object, const char *name)
{
	struct json_object *member = json_member(object, name, json_type_string);
	return member != NULL ? talloc_strdup(server, json_object_get_string(member)) : NULL;
}

/* The ability that WORD names; a word of a later version names none. */
static unsigned ability_of(struct json_object *word)
{
	const char *text =
		json_object_is_type(word, json_type_string) ? json_object_get_string(word) : "";
	for (unsigned bit = 0; ability_word(bit) != NULL; bit++)
		if (strcmp(ability_word(bit), text) == 0)
			return 1u << bit;
	return 0;
}

struct server *server_from_json(const void *owner, const char *json)
{
	struct json_reader *reader = json_reader_new(NULL);
	struct server *server = NULL;
	json_reader_feed(reader, json, strlen(json));
	struct json_object *object = json_reader_end(reader, NULL);
	if (json_object_is_type(object, json_type_object)) {
		server = server_new(owner);
		server->version = text_of(server, object, "version");
		server->door = text_of(server, object, "door");
		server->memory = text_of(server, object, "memory");
		struct json_object *words = json_member(object, "abilities", json_type_array);
		for (size_t i = 0; words != NULL && i < json_object_array_length(words); i++)
			server->abilities |= ability_of(json_object_array_get_idx(words, i));
		server->skew_s =
			json_object_get_int64(json_member(object, "skew_s", json_type_int));
	}
	talloc_free(reader);
	return server;
}

const char *ability_word(unsigned bit)
{
	static const char *const words[] = {"changes", "comments", "why"};
	return bit < sizeof(words) / sizeof(words[0]) ? words[bit] : NULL;
}
