/* Roundup's export of a list as CSV, whose rows are read into what REST gives. */
#ifndef TRACKERS_ROUNDUP_EXPORT_H
#define TRACKERS_ROUNDUP_EXPORT_H

#include "trackers/roundup/rest.h"

/* The doors, by the actions of the server: the second is that of Roundup before 2.0. */
extern const char export_door[], export_old_door[];

/* What stands before the id of an author whose name is not known. */
extern const char roundup_user[];

/* Whether the remembered door is one of them. */
bool export_is_door(const struct conversation *conversation);

/* The learnt fields in a memory that export_remember made, owned by CONVERSATION. */
const char *export_fields(const struct conversation *conversation);

/* Whether it is remembered that one signs in by the form. */
bool export_wants_form(const struct conversation *conversation);

/* Remembers door DOOR, FIELDS, whether somebody signed in by the form, and no names. */
void export_remember(struct conversation *conversation, const char *door, const char *fields);

/*
 * Asks QUESTION about COUNT items with IDS; all where that is NULL. Each of its texts is digits, words
 * and punctuation that a URL takes.
 */
struct exchange *export_ask(struct conversation *conversation, enum roundup_purpose purpose,
	const struct question *question, const char *const *ids, unsigned count);

/* The items of a whole answer, owned by EXCHANGE; or NULL, and WHY says what came in their place. */
struct json_object *export_items(
	const struct conversation *conversation, struct exchange *exchange, struct err *why);

/* Whether names of CLASS_NAME are remembered, even if none: then it may be viewed. */
bool export_has_names(const struct conversation *conversation, const char *class_name);

/*
 * The class of a thing without a name that ITEMS link to, of those whose names are remembered, but
 * none of the comma-separated DONE; NULL where all have names.
 */
const char *export_nameless(
	const struct conversation *conversation, struct json_object *items, const char *done);

/* Remembers the names that ITEMS of CLASS_NAME have. */
void export_remember_names(
	struct conversation *conversation, const char *class_name, struct json_object *items);

#endif
