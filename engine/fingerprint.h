/* A bug's state in 64 bits, so that an unchanged one is known without reading what is stored. */
#ifndef ENGINE_FINGERPRINT_H
#define ENGINE_FINGERPRINT_H

#include "trackers/observation.h"

#include <stdint.h>

/*
 * The same for the same observation, on every machine and in every version that stores the same
 * fields; never 0. Everything that is stored of a bug is part of it.
 */
int64_t fingerprint(const struct observation *observation);

#endif
