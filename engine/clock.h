/* The machine's clock. */
#ifndef ENGINE_CLOCK_H
#define ENGINE_CLOCK_H

#include "trackers/moment.h"

/* Now, by the wall clock. */
moment clock_now(void);

#endif
