#include "engine/db.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <talloc.h>

/* The literal grows in a memory stream: a claim's arrays have thousands of elements. */
struct db_array {
	FILE *stream; /* NULL once the literal is complete */
	char *text;
	size_t size;
	bool any;
};

static int array_free(struct db_array *array)
{
	if (array->stream != NULL)
		fclose(array->stream);
	free(array->text);
	return 0;
}

struct db_array *db_array_new(const void *owner)
{
	struct db_array *array = talloc_zero(owner, struct db_array);
	array->stream = open_memstream(&array->text, &array->size);
	assert(array->stream != NULL);
	talloc_set_destructor(array, array_free);
	fputc('{', array->stream);
	return array;
}

static void separate(struct db_array *array)
{
	assert(array->stream != NULL);
	if (array->any)
		fputc(',', array->stream);
	array->any = true;
}

/* Always in quotes: there, only the quote and the backslash mean something. */
void db_array_add_text(struct db_array *array, const char *text)
{
	separate(array);
	if (text == NULL) {
		fputs("NULL", array->stream);
		return;
	}
	fputc('"', array->stream);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', array->stream);
		fputc(*text, array->stream);
	}
	fputc('"', array->stream);
}

void db_array_add_integer(struct db_array *array, int64_t value)
{
	separate(array);
	fprintf(array->stream, "%" PRId64, value);
}

const char *db_array_text(struct db_array *array)
{
	if (array->stream != NULL) {
		fputc('}', array->stream);
		fclose(array->stream);
		array->stream = NULL;
	}
	return array->text;
}
