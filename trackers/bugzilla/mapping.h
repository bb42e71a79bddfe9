/* Bugzilla's words, old and new workflow and those of well-known sites. */
#ifndef TRACKERS_BUGZILLA_MAPPING_H
#define TRACKERS_BUGZILLA_MAPPING_H

#include "trackers/mapping.h"

extern const struct status_row bugzilla_status_rows[];
extern const struct importance_row bugzilla_importance_rows[];

/* Whether SEVERITY leaves the importance to the priority. NULL counts as "". */
bool bugzilla_priority_decides(const char *severity);

/* The importance that the severity says; where that leaves it undecided, the priority. */
enum bug_importance bugzilla_importance(const char *severity, const char *priority);

#endif
