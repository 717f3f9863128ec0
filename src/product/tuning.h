/* SPDX-License-Identifier: MIT */
/* product/tuning.h - the few settings that administrators change while the server runs. They are
 * rows, and win over the command line's; read where they are needed, so that a change holds at
 * once. Pool threads and the command line. */
#pragma once
#include "base/settings.h"
#include "product/account.h"

enum registration { REGISTRATION_OPEN, REGISTRATION_INVITE, REGISTRATION_CLOSED };
extern const char *const REGISTRATION[]; /* "open", "invite", "closed", NULL */

struct tuning {
    enum registration registration;
    int64_t streams_per_user; /* at most LIMIT_STREAMS_PER_USER */
    int64_t storage_quota;    /* bytes; 0: no limit */
};

enum err tuning_get(struct db *db, const struct settings *s, struct tuning *out) WARN_UNUSED;
/* With a line for each in the audit log, in one transaction. NULL or -1: as it is. E_INVALID with
 * the field. */
enum err tuning_set(struct db *db, const char *actor_id, const char *registration,
                    int64_t streams_per_user, int64_t storage_quota, struct problem *p) WARN_UNUSED;
/* Streams that a user may have. */
enum err tuning_streams(struct db *db, int64_t *out) WARN_UNUSED;

/* --- invitations: a code makes so many accounts while registration is by invitation --- */

#define INVITE_CODE_CAP 21
struct invite {
    char id[72]; /* the code's hash */
    char note[TEXT_CAP(LIMIT_NAME_CHARS)];
    int64_t uses_left, expires_at, created_at;
};
enum err invite_add(struct db *db, const char *actor_id, struct span note, int64_t uses,
                    int64_t days, char code[INVITE_CODE_CAP], struct problem *p) WARN_UNUSED;
/* Newest first; `n` in: the room in `out`. */
enum err invite_list(struct db *db, struct invite *out, size_t *n) WARN_UNUSED;
enum err invite_remove(struct db *db, const char *actor_id, const char *id) WARN_UNUSED;
/* Uses it up once. E_AUTH with words: unknown, used up or too old. Before the account is made; one
 * whose making fails gives it back. */
enum err invite_use(struct db *db, struct span code, struct problem *p) WARN_UNUSED;
void invite_give_back(struct db *db, struct span code);
