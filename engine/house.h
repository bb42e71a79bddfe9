/* Keeps what happened for as long as the settings say: whole months of it are made and dropped. */
#ifndef ENGINE_HOUSE_H
#define ENGINE_HOUSE_H

#include "engine/tools.h"

struct house;

/* Looks at once and every ten minutes. TOOLS must outlive it. Owned by OWNER; talloc_free ends it. */
struct house *house_start(const void *owner, const struct tools *tools);

#endif
