/* Debbugs' words: what severities mean, and a status from its several signs. */
#ifndef TRACKERS_DEBBUGS_MAPPING_H
#define TRACKERS_DEBBUGS_MAPPING_H

#include "trackers/mapping.h"

extern const struct importance_row debbugs_importance_rows[];

/* The status of a bug with these TAGS (blank-separated); the first sign that holds wins. */
enum bug_status debbugs_status(bool done, bool forwarded, const char *tags);

#endif
