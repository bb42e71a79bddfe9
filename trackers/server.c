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

char *server_to_json(const void *owner, const struct server *server)
{
	struct json_object *object = json_object_new_object();
	add_text(object, "version", server->version);
	add_text(object, "door", server->door);
	add_text(object, "memory", server->memory);
	json_object_object_add(object, "abilities", json_object_new_int64(server->abilities));
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
		server->abilities = (unsigned)json_object_get_int64(
			json_member(object, "abilities", json_type_int));
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
