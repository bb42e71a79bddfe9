/* The state folder: made once, held by one service, where clients find it. */
#ifndef ENGINE_STATE_H
#define ENGINE_STATE_H

#include "trackers/err.h"

#include <stdbool.h>

/*
 * Makes DIR where it is missing and locks it. A talloc object; freeing it gives the lock back.
 * NULL and ERR_SYSTEM if another service holds it ("held by process N") or it can't be written.
 */
struct state *state_open(const void *owner, const char *dir, struct err *err);

/* Writes or replaces the file NAME in the folder, at once and whole, with mode 0600. */
bool state_write(const struct state *state, const char *name, const char *text, struct err *err);

/* Removes the file NAME from the folder, if it is there. */
void state_remove(const struct state *state, const char *name);

/* The text of DIR/NAME without its last newline, at most 64 kB; NULL if it can't be read. */
char *state_read(const void *owner, const char *dir, const char *name);

#endif
