#include "engine/clock.h"

#include <time.h>

moment clock_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * MOMENT_SECOND + now.tv_nsec / 1000;
}
