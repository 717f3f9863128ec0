/* SPDX-License-Identifier: MIT */
/* product/audit.h - who did what: a line for everything that a moderator, an administrator or an
 * owner may want to trace later. Pool threads and the command line.
 *
 * A line is written in the transaction of the change that it tells of, so that neither is without
 * the other, and keeps its actor's name when the account is gone. Never a secret in `detail`: no
 * password, key or token. Lines are kept LIMIT_AUDIT_DAYS. */
#pragma once
#include "product/account.h"

/* `actor_id`: users.id; NULL: the terminal, or the server itself. `action`: "user.suspend", an
 * object and a verb, a literal. `object_kind`: "user", "stream", "message", "token", "setting",
 * "report". `object_id` and `detail` may be "" or NULL; `detail` is for people and is cut at
 * LIMIT_AUDIT_DETAIL bytes, between characters. Works within the caller's transaction or without
 * one. */
enum err audit_add(struct db *db, const char *actor_id, const char *action, const char *object_kind,
                   const char *object_id, const char *detail) WARN_UNUSED;

/* --- reading, for administrators --- */

struct audit_line {
    char id[ID_CAP];
    int64_t at;
    char actor_id[ID_CAP]; /* "": the terminal or the server */
    char actor_name[TEXT_CAP(LIMIT_NAME_CHARS)];
    char action[48], object_kind[24], object_id[72];
    char detail[LIMIT_AUDIT_DETAIL + 1];
};

/* What to show; "" or 0: whatever. `cursor` as it was returned, "" for the newest. */
struct audit_ask {
    const char *actor;  /* users.id, or "-": the terminal */
    const char *action; /* the whole word, or its beginning up to the dot: "user" */
    const char *object; /* an object's id */
    int64_t from, until;
    const char *cursor;
    unsigned limit; /* 1..LIMIT_PAGE_ITEMS */
};
#define AUDIT_CURSOR_CAP 80 /* PAGE_CURSOR_CAP */
/* Newest first. E_INVALID: a bad cursor. */
enum err audit_list(struct db *db, const struct audit_ask *ask, struct audit_line *out, size_t *n,
                    char next[AUDIT_CURSOR_CAP]) WARN_UNUSED;
/* Forgets lines that are too old; for a timer. */
enum err audit_sweep(struct db *db) WARN_UNUSED;
