/* SPDX-License-Identifier: MIT */
/* base/log.h - structured logs: one line an event, on standard error.
 *
 *   log_info("publish", "stream=%s codec=%s", id, codec);
 *   2026-01-02T03:04:05.678Z info publish stream=abc codec=h264
 *
 * Never log a stream key, a password, a cookie or a token. Control characters in values are
 * replaced, so that a peer cannot forge a line. Any thread. */
#pragma once
#include "base/limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level min);
void log_set_json(bool json); /* one JSON object a line instead: {"time","level","event","text"} */
void log_write(enum log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(event, ...) log_write(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...)  log_write(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...)  log_write(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_write(LOG_ERROR, event, __VA_ARGS__)

/* The last warnings and errors, for an administrator's page: LIMIT_LOG_KEPT of them in memory, each
 * cut at LIMIT_LOG_KEPT_BYTES. Oldest first; `n` in: the room in `out`. They hold what the log
 * holds, so nothing secret. */
struct log_kept {
    int64_t at_us; /* microseconds since 1970 */
    enum log_level level;
    char event[32], text[LIMIT_LOG_KEPT_BYTES + 1];
};
void log_recent(struct log_kept *out, size_t *n);

/* For lines that a peer can cause: at most `LOG_PEER_PER_SEC` a second for the process, then a
 * count of what was left out. */
#define LOG_PEER_PER_SEC 50
void log_peer(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
