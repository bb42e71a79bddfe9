/*
 * Whose turn it is: a queue for each origin, so that none is asked by more than so many at once,
 * faster than it likes, or while it wants to be left alone. An origin with neither work nor
 * anything to remember is forgotten.
 */
#ifndef ENGINE_ORIGIN_H
#define ENGINE_ORIGIN_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct origin;
struct origins;

/* A place in the queue of one origin; part of whoever waits. */
struct place {
	unsigned max_connections; /* places that may have their turn at once, at least 1 */
	unsigned min_delay_ms; /* from the turn before to this one */
	/*
	 * The turn has come; called from the loop, never within origins_join. PAUSED: the origin
	 * wants to be left alone; the place has left already.
	 */
	void (*turn)(void *cookie, bool paused);
	void *cookie;
	/* the queue's own: */
	struct origin *origin; /* NULL while in no queue */
	bool has_turn;
	TAILQ_ENTRY(place) entry;
};

/* No origins yet; on BASE, owned by OWNER, freed after all places left. */
struct origins *origins_new(const void *owner, struct event_base *base);

/* Queues PLACE, which must stay where it is until it leaves, at the origin called NAME. */
void origins_join(struct origins *origins, const char *name, struct place *place);

/* Gives the place or the turn up; nothing happens where it has neither. */
void origins_leave(struct place *place);

/*
 * The origin called NAME is left alone for MS milliseconds at least: whoever waits is told now,
 * whoever has a turn keeps it. A longer pause that is on already stays.
 */
void origins_pause(struct origins *origins, const char *name, int64_t ms);

/* For how many milliseconds yet the origin called NAME is to be left alone; 0 = not at all. */
int64_t origins_paused_ms(const struct origins *origins, const char *name);

#endif
