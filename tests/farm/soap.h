/* SOAP 1.1 as SOAP::Lite speaks it: calls read, values written in types guessed for each. */
#ifndef TESTS_FARM_SOAP_H
#define TESTS_FARM_SOAP_H

#include "tests/farm/question.h"

enum { SOAP_ARGUMENTS = 16 };

/* One argument: its values, which are one where it is no array. */
struct soap_argument {
	char **values;
	unsigned count;
};

/* A talloc object. */
struct soap_call {
	char *method;
	struct soap_argument arguments[SOAP_ARGUMENTS];
	unsigned count;
};

/* The call in BODY; NULL where it is none. */
struct soap_call *farm_soap_read(const void *owner, const char *body);

/* Begin and end an answer to METHOD, whose one child is what is said between. */
void farm_soap_begin(struct evbuffer *out, const char *method);
void farm_soap_end(struct evbuffer *out, const char *method);

/* Makes ANSWER a Fault: CODE is "Client" or "Server". */
void farm_soap_refuse(struct answer *answer, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds `<NAME xsi:type="...">TEXT</NAME>`; the type is guessed from the text. */
void farm_soap_value(struct evbuffer *out, const char *name, const char *text);

/* Adds an array called NAME of COUNT numbers. */
void farm_soap_numbers(
	struct evbuffer *out, const char *name, const unsigned *numbers, unsigned count);

#endif
