/* A conversation with a tracker that a test plays, answer by answer. Tests of drivers share it. */
#ifndef TESTS_TALK_H
#define TESTS_TALK_H

#include "trackers/conversation.h"

/* The server's clock in answers. */
extern const moment talk_date;

/* The next question, which must begin with PATH below the base URL. */
struct exchange *talk_asked(struct conversation *conversation, const char *path);

/* Answers the next question, which must begin with PATH. */
void talk_answer(struct conversation *conversation, const char *path, int status, const char *body);

/* The same, with a failure of the transport. */
void talk_break(struct conversation *conversation, const char *path, enum err_kind kind);

/* Checks what was learnt of the bug at index WANTED: ERR_NONE or its failure. */
void talk_learnt(const struct conversation *conversation, unsigned wanted, enum err_kind kind);

/* Checks that CONVERSATION is over, without a failure. */
void talk_done(struct conversation *conversation);

/* Checks that CONVERSATION is over, having failed in these words. */
void talk_failed(const struct conversation *conversation, enum err_kind kind, const char *words);

#endif
