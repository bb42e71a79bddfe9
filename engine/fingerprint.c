#include "engine/fingerprint.h"

#include <sodium.h>
#include <string.h>

/* Not a secret: it only has to be the same for ever. */
static const unsigned char key[crypto_shorthash_KEYBYTES] = "bugwatch bug v1";

/* Takes one more field in: each hash covers the one before, so that fields can't run together. */
static uint64_t chain(uint64_t before, const void *bytes, size_t n)
{
	unsigned char links[2 * sizeof(uint64_t)];
	memcpy(links, &before, sizeof(before));
	crypto_shorthash(links + sizeof(before), bytes, n, key);
	uint64_t hash;
	crypto_shorthash((unsigned char *)&hash, links, sizeof(links), key);
	return hash;
}

/* A text that is not there differs from an empty one. */
static uint64_t chain_text(uint64_t before, const char *text)
{
	return text == NULL ? chain(before, "", 0) : chain(before, text, strlen(text) + 1);
}

int64_t fingerprint(const struct observation *o)
{
	const char *texts[] = {o->title, o->product, o->status, o->resolution, o->severity,
		o->priority, o->tags, status_word(o->mapped_status),
		importance_word(o->mapped_importance)};
	uint64_t hash = 1;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		hash = chain_text(hash, texts[i]);
	hash = chain(hash, &o->changed_at, sizeof(o->changed_at));
	if (o->mark != NULL)
		hash = chain_text(hash, o->mark);
	return hash != 0 ? (int64_t)hash : 1;
}
