/* XML-RPC as servers speak it: calls read into JSON's values, and those written. */
#ifndef TESTS_FARM_XMLRPC_H
#define TESTS_FARM_XMLRPC_H

#include "tests/farm/question.h"

#include <json-c/json.h>

/*
 * The call in BODY as {"method", "params"}, NULL where there is none; the caller puts it. A moment is
 * what JSON-RPC has for it: {"__jsonclass__": ["datetime", "2019-01-07T09:15:02"]}.
 */
struct json_object *farm_xmlrpc_read(const char *body);

/* Adds an answer of VALUE; the fraction of a moment's second is lost. */
void farm_xmlrpc_write(struct evbuffer *out, struct json_object *value);

/* Adds a fault. */
void farm_xmlrpc_refuse(struct evbuffer *out, int code, const char *message);

#endif
