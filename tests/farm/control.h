/* The door through which tests change a tracker, and see what it was asked; see README.md. */
#ifndef TESTS_FARM_CONTROL_H
#define TESTS_FARM_CONTROL_H

#include "tests/farm/site.h"

/* Answers GET and POST /_control. */
void control_answer(struct site *site, struct question *question, struct answer *answer);

#endif
