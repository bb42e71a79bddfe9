/*
 * URLs from strangers: what is recognised is well formed, and its base URL names the same tracker
 * when it is read once more.
 */
#include "tests/fuzz/one.h"
#include "trackers/tracker.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void inspect(const void *owner, const struct remote_bug *bug)
{
	require(bug->tracker->valid_id(bug->remote_id));
	size_t n = strlen(bug->base_url);
	require(n > 0 && bug->base_url[n - 1] == '/');
	struct url *base = url_parse(owner, bug->base_url);
	require(base != NULL && base->query == NULL);
	require(strcmp(url_base(owner, base, strlen(base->path)), bug->base_url) == 0);
	for (const char *at = bug->base_url; *at != '\0'; at++)
		require((unsigned char)*at > ' ' && *at != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	void *owner = talloc_new(NULL);
	char *text = talloc_strndup(owner, (const char *)bytes, n);
	struct remote_bug bug;
	if (tracker_recognise_below(owner, text, &bug))
		inspect(owner, &bug);
	struct url *url = url_parse(owner, text);
	if (url != NULL) {
		url_parameter(url, "id");
		url_escape(owner, url->path);
	}
	talloc_free(owner);
	return 0;
}
