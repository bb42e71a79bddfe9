#include "engine/fingerprint.h"

#include <sodium.h>
#include <stddef.h>
#include <string.h>

/* Not a secret: it only has to be the same for ever. */
static const unsigned char key[crypto_shorthash_KEYBYTES] = "bugwatch bug v2";

/* What is hashed: the hash of what went before, and what came since. */
struct ink {
	uint64_t before;
	unsigned char bytes[1016];
	size_t count;
};

static void press(struct ink *ink)
{
	_Static_assert(sizeof(ink->before) == crypto_shorthash_BYTES, "a hash has 64 bits");
	size_t n = offsetof(struct ink, bytes) + ink->count;
	crypto_shorthash((unsigned char *)&ink->before, (const unsigned char *)ink, n, key);
	ink->count = 0;
}

static void take(struct ink *ink, const void *bytes, size_t n)
{
	while (n > 0) {
		if (ink->count == sizeof(ink->bytes))
			press(ink);
		size_t room = sizeof(ink->bytes) - ink->count, part = n < room ? n : room;
		memcpy(ink->bytes + ink->count, bytes, part);
		ink->count += part;
		bytes = (const char *)bytes + part;
		n -= part;
	}
}

/* With its end, so that fields can't run together. One that is not there differs from an empty one. */
static void take_text(struct ink *ink, const char *text)
{
	if (text == NULL)
		take(ink, "\377", 2);
	else
		take(ink, text, strlen(text) + 1);
}

int64_t fingerprint(const struct observation *o)
{
	const char *texts[] = {o->title, o->product, o->status, o->resolution, o->severity,
		o->priority, o->tags, status_word(o->mapped_status),
		importance_word(o->mapped_importance)};
	struct ink ink;
	ink.before = 0;
	ink.count = 0;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		take_text(&ink, texts[i]);
	take(&ink, &o->changed_at, sizeof(o->changed_at));
	if (o->mark != NULL)
		take_text(&ink, o->mark);
	press(&ink);
	return ink.before != 0 ? (int64_t)ink.before : 1;
}
