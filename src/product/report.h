/* SPDX-License-Identifier: MIT */
/* product/report.h - what viewers complain of: a stream, or a message of its chat. Pool threads.
 * How often somebody may is the caller's to limit. Limits: LIMIT_REPORT_CHARS, LIMIT_REPORTS_OPEN.
 */
#pragma once
#include "product/chat.h"
#include "product/stream.h"

extern const char *const REPORT_REASONS[]; /* "spam", "violence", ..., NULL */

struct report {
    char id[ID_CAP], stream_id[ID_CAP], owner_id[ID_CAP];
    char stream_title[TEXT_CAP(LIMIT_TITLE_CHARS)], owner_name[TEXT_CAP(LIMIT_NAME_CHARS)];
    int64_t message_id; /* 0: the stream itself */
    char message_by[TEXT_CAP(LIMIT_NAME_CHARS)], message_text[TEXT_CAP(LIMIT_CHAT_CHARS)];
    char reporter_id[ID_CAP], reporter_name[TEXT_CAP(LIMIT_NAME_CHARS)]; /* "": a guest */
    char reason[24], state[12];
    char content[TEXT_CAP(LIMIT_REPORT_CHARS)], note[TEXT_CAP(LIMIT_NOTE_CHARS)];
    char closed_by[TEXT_CAP(LIMIT_NAME_CHARS)];
    bool live; /* the stream is, now */
    int64_t created_at, closed_at;
};

/* `message` NULL: the stream itself; `reporter_id` NULL: a guest. A second one of the same person
 * on the same thing while the first is open changes that one. E_INVALID with the field; E_LIMIT. */
enum err report_add(struct db *db, const struct stream *s, const struct chat_message *message,
                    const char *reporter_id, struct span reason, struct span content,
                    struct problem *p) WARN_UNUSED;

#define REPORT_CURSOR_CAP 80
/* Newest first; `state` "" or NULL: all. E_INVALID: a bad cursor. */
enum err report_list(struct db *db, const char *state, const char *cursor, unsigned limit,
                     struct report *out, size_t *n, char next[REPORT_CURSOR_CAP]) WARN_UNUSED;
/* Resolved (something was done) or dismissed (nothing was to be done), with a note. E_NOTFOUND;
 * E_CONFLICT: somebody has closed it. */
enum err report_close(struct db *db, const char *actor_id, const char *id, bool resolved,
                      struct span note, struct problem *p) WARN_UNUSED;
