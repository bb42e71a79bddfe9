/*
 * The lives of made-up bugs: what bug N is like at a moment, computed from nothing but a seed, the
 * bug's number and the moment. So two programs that agree on a seed agree on every bug.
 */
#ifndef TESTS_FARM_LIFE_H
#define TESTS_FARM_LIFE_H

#include <stdint.h>

enum { TITLE_SIZE = 160, TEXT_SIZE = 400 };

struct step {
	const char *status, *resolution;
};

/* The words of one kind of tracker. Lists of words end with NULL. */
struct plot {
	const struct step *steps; /* statuses, in the order of a bug's life, and round again */
	unsigned step_count;
	const char *const *severities; /* NULL where the kind has none */
	const char *const *priorities;
	const char *const *products;
	const char *const *authors;
};

/* What all bugs of one tracker share. */
struct life {
	const struct plot *plot;
	uint64_t seed;
	unsigned bugs; /* they are numbered from 1 */
	double tempo; /* mean seconds between two changes in the whole tracker; 0: nothing changes */
	double began; /* from this moment on changes bring comments */
};

/* Texts are constants, or borrowed from whoever changed the bug by hand; so a bug is not copied. */
struct bug {
	unsigned id;
	const char *status, *resolution, *severity, *priority, *product, *title;
	char made_title[TITLE_SIZE];
	double created, changed; /* seconds since 1970 */
	unsigned comments; /* that many, numbered from 0, which is the description */
};

/* Not copied either. */
struct remark {
	const char *author, *text;
	double at;
	char made_text[TEXT_SIZE];
};

/* Tells what bug ID is like at NOW (seconds since 1970). Each change moves its status or its weight. */
void life_at(const struct life *life, unsigned id, double now, struct bug *bug);

/* Tells what comment NUMBER of bug ID is like; it has that many at most as life_at tells. */
void life_comment(const struct life *life, unsigned id, unsigned number, struct remark *comment);

/* A seed for the tracker called NAME, out of SEED. */
uint64_t life_seed(uint64_t seed, const char *name);

#endif
