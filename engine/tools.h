/* What every run works with; made by the service, outlives every run. */
#ifndef ENGINE_TOOLS_H
#define ENGINE_TOOLS_H

#include "engine/db.h"
#include "engine/fetcher.h"
#include "engine/network.h"
#include "engine/outage.h"
#include "engine/resolver.h"
#include "engine/settings.h"
#include "engine/vault.h"

#include <event2/event.h>

struct tools {
	struct event_base *base;
	const struct settings *settings;
	struct db *db;
	struct resolver *resolver;
	const struct network_policy *policy;
	struct fetcher *fetcher;
	struct vault *vault;
	struct outage *outage;
	const char *owner; /* this start of this instance, as leases name it */
};

#endif
