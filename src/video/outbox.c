/* SPDX-License-Identifier: MIT */
#include "video/outbox.h"
#include "base/clock.h"
#include "base/rand.h"
#include <stdio.h>

const char *const OUTBOX_OBJECTS[] = {"asset", "upload", "live", NULL};

/* Set once before the threads are there. */
static struct {
    outbox_render *render;
    void (*wake)(void *ctx);
    void *ctx;
} outbox;

void outbox_set(outbox_render *render, void (*wake)(void *ctx), void *ctx)
{
    outbox.render = render;
    if (wake) outbox_set_wake(wake, ctx);
}

void outbox_set_wake(void (*wake)(void *ctx), void *ctx)
{
    outbox.wake = wake;
    outbox.ctx = ctx;
}

static enum err find_owner(struct db *db, enum outbox_object kind, const char *id, char *out,
                           size_t cap)
{
    static const char *const SQL[] = {"SELECT user_id FROM assets WHERE id = ?1",
                                      "SELECT user_id FROM uploads WHERE id = ?1",
                                      "SELECT user_id FROM live_streams WHERE id = ?1"};
    struct db_rows *q = db_query(db, SQL[kind], "s", id);
    const bool found = db_next(q) && !db_null(q, 0);
    if (found) snprintf(out, cap, "%s", db_text(q, 0));
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

enum err outbox_add(struct db *db, const char *type, enum outbox_object kind, const char *id)
{
    char owner[64], event[RAND_UUID_CAP], full[64];
    struct str data = {0};
    if (!outbox.render) return E_OK;
    enum err e = find_owner(db, kind, id, owner, sizeof owner);
    if (e == E_OK) e = outbox.render(db, kind, id, &data);
    if (e == E_OK) {
        const int64_t now = clock_wall_us();
        rand_uuid(event);
        snprintf(full, sizeof full, "video.%s", type);
        e = db_exec(db,
                    "INSERT INTO media_events (id, user_id, type, object_type, object_id, data,"
                    " created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    "ssssssi", event, owner, full, OUTBOX_OBJECTS[kind], id, str_c(&data), now);
        if (e == E_OK)
            e = db_exec(db,
                        "INSERT INTO webhook_deliveries (id, event_id, webhook_id, next_at,"
                        " give_up_at, created_at) SELECT w.id || '.' || ?1, ?1, w.id, ?3, ?4, ?3"
                        " FROM webhooks w WHERE w.user_id = ?2 AND w.enabled = 1",
                        "ssii", event, owner, now, now + OUTBOX_LIFE_US);
        if (e == E_OK && outbox.wake) outbox.wake(outbox.ctx);
    }
    str_fini(&data);
    return e == E_NOTFOUND ? E_OK : e;
}
