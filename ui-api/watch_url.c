#include "ui-api/watch_url.h"

#include "trackers/text.h"
#include "trackers/tracker.h"
#include "trackers/url.h"

#include <ctype.h>
#include <string.h>
#include <talloc.h>

/* What the schema holds, with room for a number behind the name. */
enum { ID_MAX = 100, NAME_MAX_LENGTH = 90, BASE_URL_MAX = 1900 };

char *base_url_read(const void *owner, const char *text)
{
	struct url *url = url_parse(owner, text);
	if (url == NULL || url->host[0] == '\0' || url->query != NULL)
		return NULL;
	return url_base(owner, url, strlen(url->path));
}

/* "https://bugs.example.org/tracker/" is called "bugs.example.org-tracker". */
static char *tracker_name(const void *owner, const char *base_url)
{
	const char *from = strstr(base_url, "://") + 3;
	char *name = talloc_strndup(owner, from, NAME_MAX_LENGTH);
	char *to = name;
	for (const char *p = name; *p != '\0'; p++) {
		bool plain = isalnum((unsigned char)*p) || *p == '.' || *p == '_';
		if (plain && (to > name || isalnum((unsigned char)*p)))
			*to++ = *p;
		else if (to > name && to[-1] != '-')
			*to++ = '-';
	}
	while (to > name && to[-1] == '-')
		to--;
	*to = '\0';
	return name[0] != '\0' ? name : talloc_strdup(owner, "tracker");
}

static bool read_bare_number(const void *owner, const char *text, struct bug_address *address)
{
	struct url *url = url_parse(owner, text);
	if (url == NULL || url->host[0] == '\0' || url->query != NULL)
		return false;
	const char *slash = strrchr(url->path, '/');
	if (slash == NULL || !text_is_number(slash + 1, 18))
		return false;
	address->base_url = url_base(owner, url, (size_t)(slash - url->path) + 1);
	address->remote_id = talloc_strdup(owner, slash + 1);
	return true;
}

bool bug_address_read(const void *owner, const char *url, struct bug_address *address)
{
	struct remote_bug bug;
	*address = (struct bug_address){0};
	if (tracker_recognise_below(owner, url, &bug)) {
		address->base_url = bug.base_url;
		address->remote_id = bug.remote_id;
		address->type = bug.is_shared_form ? NULL : bug.tracker->name;
	} else if (!read_bare_number(owner, url, address)) {
		return false;
	}
	if (strlen(address->remote_id) > ID_MAX || strlen(address->base_url) > BASE_URL_MAX)
		return false;
	address->name = tracker_name(owner, address->base_url);
	return true;
}
