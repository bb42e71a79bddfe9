#include "engine/schedule.h"

enum {
	BUG_MOST_S = 7 * 86400,
	TRACKER_FIRST_S = 60,
	TRACKER_MOST_S = 3600,
};

static const double BUG_SPREAD = 0.1, TRACKER_SPREAD = 0.2;

/* FIRST doubled TIMES times, without passing MOST. */
static int64_t doubled(int64_t first, unsigned times, int64_t most)
{
	int64_t length = first;
	while (times-- > 0 && length < most)
		length *= 2;
	return length < most ? length : most;
}

static int64_t spread(int64_t length, double part, double draw)
{
	int64_t spread = (int64_t)((double)length * (1 + part * (2 * draw - 1)));
	return spread > 0 ? spread : 1;
}

int64_t schedule_bug(int64_t interval_s, unsigned failures, double draw)
{
	int64_t most = interval_s > BUG_MOST_S ? interval_s : BUG_MOST_S;
	return spread(doubled(interval_s, failures, most), BUG_SPREAD, draw);
}

int64_t schedule_tracker(unsigned failures, double draw)
{
	unsigned again = failures > 0 ? failures - 1 : 0;
	return spread(doubled(TRACKER_FIRST_S, again, TRACKER_MOST_S), TRACKER_SPREAD, draw);
}
