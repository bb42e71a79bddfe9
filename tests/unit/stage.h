/*
 * A driver's errand played against a server of the farm, without a socket: honestly, or with one
 * answer spoilt.
 */
#ifndef TESTS_STAGE_H
#define TESTS_STAGE_H

#include "tests/farm/site.h"
#include "trackers/tracker.h"

enum { STAGE_WANTED = 8, STAGE_PATIENCE = 2000 };

/* One server, and what is remembered of it. A talloc object. */
struct stage {
	struct site *site;
	const struct tracker *tracker;
	struct server *server; /* as a probe found it; NULL before */
	struct credentials credentials; /* none are sent where the site takes none */
	struct wanted wanted[STAGE_WANTED];
	unsigned wanted_count;
	moment since; /* for changes */
};

/* What is done to the answers. */
struct play {
	size_t piece; /* so many bytes at once; 0: all */
	int spoilt; /* which answer is, counted from 0; -1: none */
	bool cut; /* it ends after `cut_at` bytes */
	size_t cut_at;
	bool broken; /* the transport says that it failed */
	const char *body; /* comes in its place, `body_size` bytes; NULL: what the server says */
	size_t body_size;
	const char *numbers; /* every run of digits in it is this; NULL: as it is */
	bool again; /* all that is asked later is answered as the spoilt one was */
};

/* Whether an answer shows that it is whole: CSV only that there is some of it, mails nothing. */
enum ending { ENDING_SEEN, ENDING_BEGUN, ENDING_UNSEEN };

/* What was played. */
struct played {
	struct conversation *conversation; /* over */
	unsigned answers;
	size_t sizes[STAGE_PATIENCE]; /* of the honest answers */
	enum ending endings[STAGE_PATIENCE];
};

/* Nothing is. */
extern const struct play honest;

/* Whether the driver is at work just now, and not the server. */
extern bool stage_acting;

/* A kind of server: the row of the suite. */
struct subject {
	const struct speech *speech;
	const char *credentials; /* NAME:PASSWORD to sign in with, NULL for none */
	enum badness badness; /* of every bug that is wanted */
	const char *also; /* for people: what is special about the row, NULL for nothing */
};

/* All of them, ended by one without a speech. */
extern const struct subject subjects[];

/*
 * A server of SUBJECT's kind with so many BUGS, of which the last is private where the kind knows
 * such; probed. Wanted are the first 5, the private one and a missing one. Owned by OWNER.
 */
struct stage *stage_new(const void *owner, const struct subject *subject, unsigned bugs);

/* The index of the private bug and of the missing one in `wanted`. */
enum { STAGE_PRIVATE = 5, STAGE_MISSING = 6 };

/* Plays ERRAND to its end, with no more than STAGE_PATIENCE questions. Owned by OWNER. */
struct played *stage_play(
	const void *owner, struct stage *stage, enum errand errand, const struct play *play);

/* The server's honest answer to EXCHANGE; the caller frees its body. */
struct answer stage_ask(const struct stage *stage, struct exchange *exchange);

/* Whether the server can be asked for ERRAND. */
bool stage_can(const struct stage *stage, enum errand errand);

#endif
