/* Trac's words: the default workflow's, the usual plugins' and the big sites' own. */
#ifndef TRACKERS_TRAC_MAPPING_H
#define TRACKERS_TRAC_MAPPING_H

#include "trackers/mapping.h"

extern const struct status_row trac_status_rows[];
extern const struct importance_row trac_importance_rows[];

/* What a ticket's state means: of a closed one its resolution, where it has one. NULL counts as "". */
enum bug_status trac_status(const char *status, const char *resolution);

/* What its weight means: its severity where one is set, else its priority. NULL counts as "". */
enum bug_importance trac_importance(const char *severity, const char *priority);

#endif
