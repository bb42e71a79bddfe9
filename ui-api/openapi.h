/*
 * The API's description, OpenAPI 3.1: made from the route table, the tables of the bodies, the
 * vocabulary, and openapi.json for what answers look like.
 */
#ifndef UI_API_OPENAPI_H
#define UI_API_OPENAPI_H

/* The description as one JSON document; owned by OWNER (talloc). */
char *openapi_text(const void *owner);

#endif
