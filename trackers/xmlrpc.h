/*
 * XML-RPC, whose values are JSON's in other clothes: calls are written from JSON, and answers are
 * read into it, so that a driver hears both interfaces of a server with the same words.
 */
#ifndef TRACKERS_XMLRPC_H
#define TRACKERS_XMLRPC_H

#include "trackers/moment.h"
#include "trackers/xml.h"

#include <json-c/json.h>
#include <stdbool.h>

/*
 * The body of a call of METHOD with the elements of PARAMS, a JSON list, as its parameters; owned by
 * OWNER. Integers beyond 32 bits become texts, nulls empty texts: old servers know no others. A moment
 * is written as JSON-RPC does, {"__jsonclass__": ["datetime", "2026-11-22T11:05:10"]}.
 */
char *xmlrpc_call(const void *owner, const char *method, struct json_object *params);

/* AT, in whole seconds, as such a moment in UTC; the caller puts it. */
struct json_object *xmlrpc_moment(moment at);

/*
 * The value that the answer ROOT brings; dates stay texts as they are (`20261122T11:05:10`), base64
 * is decoded, nil is null. NULL where it is no answer of XML-RPC. FAULT tells whether it is one: then
 * an object with `faultCode` and `faultString`. A text may hold anything: clean it before use
 * (json_text_of does). The caller puts it.
 */
struct json_object *xmlrpc_answer(const struct element *root, bool *fault);

#endif
