/* SPDX-License-Identifier: MIT */
/* product/account_close.h - an account is deleted, with all it has.
 *
 * Two steps, so that a stop in between loses nothing and leaves nothing: account_close() marks the
 * account in one transaction; from then on nobody logs in, its address is free, its name is not
 * shown, its tokens and webhooks are gone and no encoder gets in. account_close_step() removes what
 * takes time, a stream, a recording or an upload at a time, and at last the account's row, with
 * which the database removes the rest. Steps go on where they were, after a restart too.
 * Pool threads, the first also on the command line. */
#pragma once
#include "product/stream.h"
#include "video/live.h"
#include "video/uploads.h"

/* `actor_id`: who does it, for the audit log; NULL: the terminal. E_NOTFOUND; E_CONFLICT: it was
 * done already; E_LIMIT: it is the last administrator's. */
#define ACCOUNT_LAST_ADMIN "This is the last administrator; make another one first."
enum err account_close(struct db *db, const char *user_id, const char *actor_id) WARN_UNUSED;

struct account_closing {
    const struct stream_runtime *runtime;
    struct live *live;
    struct uploads *uploads;
    const char *data; /* the folder */
    /* A room in which this account wrote: what is shown there is to be asked for anew. */
    void (*room_changed)(void *ctx, const char *stream_id);
    void (*stream_gone)(void *ctx, const char *stream_id);
    void *ctx;
};
/* One step for one of the accounts that are being closed. E_OK: there may be more to do;
 * E_NOTFOUND: nothing is. A failure is tried again after a minute, the others go on meanwhile. */
enum err account_close_step(struct db *db, const struct account_closing *c) WARN_UNUSED;
