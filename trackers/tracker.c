#include "trackers/tracker.h"

#include <string.h>
#include <talloc.h>

#define TRACKER(name) extern const struct tracker name##_tracker;
#include "trackers/trackers.def"
#undef TRACKER

const struct tracker *const trackers[] = {
#define TRACKER(name) &name##_tracker,
#include "trackers/trackers.def"
#undef TRACKER
	NULL,
};

const struct tracker *tracker_by_name(const char *name)
{
	for (const struct tracker *const *at = trackers; *at != NULL; at++)
		if (strcmp((*at)->name, name) == 0)
			return *at;
	return NULL;
}

bool tracker_recognise_below(const void *owner, const char *url, struct remote_bug *out)
{
	struct url *parts = url_parse(owner, url);
	if (parts == NULL)
		return false;
	for (const struct tracker *const *at = trackers; *at != NULL; at++) {
		*out = (struct remote_bug){0};
		if ((*at)->recognise(parts, out)) {
			out->tracker = *at;
			return true;
		}
	}
	talloc_free(parts);
	return false;
}

bool tracker_recognise(const void *owner, const char *url, struct remote_bug *out)
{
	return tracker_recognise_below(owner, url, out) && !out->is_shared_form;
}
