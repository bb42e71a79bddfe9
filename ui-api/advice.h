/* What a person can do about an error that the API tells. */
#ifndef UI_API_ADVICE_H
#define UI_API_ADVICE_H

#include <json-c/json.h>

/* What to do about an error of KIND ("dns"), in a short line; NULL where it has none. Static. */
const char *advice_on(const char *kind);

/* Adds `advice` to the member `error` of a watch or tracker, where it has an error. */
void advice_add(struct json_object *object);

#endif
