/* Logging: one line a fact on standard error, with a level and who it is about. */
#ifndef ENGINE_LOG_H
#define ENGINE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

/* Lines below LEVEL are dropped from now on; INFO until set. */
void log_set_level(enum log_level level);

/* The level of a word ("debug", "info", "warning", "error"); false where there is none. */
bool log_level_of_word(const char *word, enum log_level *out);

/*
 * Writes `TIME LEVEL SUBJECT: text`. SUBJECT says who it is about (a tracker, "database"). Control
 * characters and bidirectional controls in the text come out as `\x..`, so that remote text can't
 * forge lines. Never give it a secret.
 */
void log_line(enum log_level level, const char *subject, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_debug(subject, ...) log_line(LOG_LEVEL_DEBUG, subject, __VA_ARGS__)
#define log_info(subject, ...) log_line(LOG_LEVEL_INFO, subject, __VA_ARGS__)
#define log_warning(subject, ...) log_line(LOG_LEVEL_WARNING, subject, __VA_ARGS__)
#define log_error(subject, ...) log_line(LOG_LEVEL_ERROR, subject, __VA_ARGS__)

#endif
