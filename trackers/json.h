/* JSON from strangers: strict, bounded, and read without surprises. */
#ifndef TRACKERS_JSON_H
#define TRACKERS_JSON_H

#include "trackers/err.h"

#include <json-c/json.h>
#include <stdint.h>

/*
 * What a document may weigh: a comma 1, an object or a list 8. json-c spends some 700 bytes on an
 * empty object, so that 32 MiB of them would take gigabytes; this takes 200 MB at most.
 */
enum { JSON_DEPTH = 32, JSON_WEIGHT = 2000000, JSON_LINE = 4096 };

struct json_reader;

/* A reader that is fed in pieces; a talloc object owned by OWNER. */
struct json_reader *json_reader_new(const void *owner);

/*
 * The same, but it takes texts with raw control bytes and broken UTF-8, so that one bad title does
 * not spoil a batch: its texts must be cleaned before use (json_text_of does).
 */
struct json_reader *json_reader_new_lenient(const void *owner);

/* Takes N more bytes; false once the text can't be JSON any more. */
bool json_reader_feed(struct json_reader *reader, const char *bytes, size_t n);

/*
 * The document, if exactly one has been fed, without NaN or Infinity, not deeper than JSON_DEPTH,
 * not heavier than JSON_WEIGHT; else NULL and ERR says why (ERR_UNPARSABLE_TRACKER). Owned by the
 * reader.
 */
struct json_object *json_reader_end(struct json_reader *reader, struct err *err);

/* Member NAME of OBJECT if it is of that type, else NULL (also where OBJECT is no object). */
struct json_object *json_member(struct json_object *object, const char *name, json_type type);

/*
 * Member NAME of OBJECT, if it is a text or a number, as a clean line of at most JSON_LINE bytes,
 * owned by OWNER; else NULL, also for a number that was too big to be kept.
 */
char *json_text_of(const void *owner, struct json_object *object, const char *name);

#endif
