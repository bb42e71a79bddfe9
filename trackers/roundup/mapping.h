/* Roundup's words: the statuses of its classic and Python templates, and their priorities. */
#ifndef TRACKERS_ROUNDUP_MAPPING_H
#define TRACKERS_ROUNDUP_MAPPING_H

#include "trackers/mapping.h"

extern const struct status_row roundup_status_rows[];
extern const struct importance_row roundup_importance_rows[];

#endif
