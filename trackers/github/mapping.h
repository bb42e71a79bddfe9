/* GitHub's words in bugwatch's vocabulary. */
#ifndef TRACKERS_GITHUB_MAPPING_H
#define TRACKERS_GITHUB_MAPPING_H

#include "trackers/mapping.h"

extern const struct status_row github_status_rows[];
extern const struct importance_row github_importance_rows[];

#endif
