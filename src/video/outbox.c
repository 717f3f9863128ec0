/* SPDX-License-Identifier: MIT */
#include "video/outbox.h"
#include "base/clock.h"
#include "base/rand.h"
#include <stdio.h>

const char *const OUTBOX_OBJECTS[] = {"asset", "upload", "live", "asset", "asset", NULL};

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

/* Whose it is, and the object that the event names. */
struct owner {
    char user_id[64], object_id[64];
};

static enum err find_owner(struct db *db, enum outbox_object kind, const char *id,
                           struct owner *out)
{
    static const char *const SQL[] = {
        "SELECT user_id, id FROM assets WHERE id = ?1",
        "SELECT user_id, id FROM uploads WHERE id = ?1",
        "SELECT user_id, id FROM live_streams WHERE id = ?1",
        "SELECT a.user_id, a.id FROM static_renditions r JOIN assets a ON a.id = r.asset_id"
        " WHERE r.id = ?1",
        "SELECT a.user_id, a.id FROM text_tracks t JOIN assets a ON a.id = t.asset_id"
        " WHERE t.id = ?1"};
    struct db_rows *q = db_query(db, SQL[kind], "s", id);
    const bool found = db_next(q) && !db_null(q, 0);
    if (found) {
        snprintf(out->user_id, sizeof out->user_id, "%s", db_text(q, 0));
        snprintf(out->object_id, sizeof out->object_id, "%s", db_text(q, 1));
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

enum err outbox_add(struct db *db, const char *type, enum outbox_object kind, const char *id)
{
    char event[RAND_UUID_CAP], full[64];
    struct owner owner;
    struct str data = {0};
    if (!outbox.render) return E_OK;
    enum err e = find_owner(db, kind, id, &owner);
    if (e == E_OK) e = outbox.render(db, kind, id, &data);
    if (e == E_OK) {
        const int64_t now = clock_wall_us();
        rand_uuid(event);
        snprintf(full, sizeof full, "video.%s", type);
        e = db_exec(db,
                    "INSERT INTO media_events (id, user_id, type, object_type, object_id, data,"
                    " created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    "ssssssi", event, owner.user_id, full, OUTBOX_OBJECTS[kind], owner.object_id,
                    str_c(&data), now);
        if (e == E_OK)
            e = db_exec(db,
                        "INSERT INTO webhook_deliveries (id, event_id, webhook_id, next_at,"
                        " give_up_at, created_at) SELECT w.id || '.' || ?1, ?1, w.id, ?3, ?4, ?3"
                        " FROM webhooks w WHERE w.user_id = ?2 AND w.enabled = 1",
                        "ssii", event, owner.user_id, now, now + OUTBOX_LIFE_US);
        if (e == E_OK && outbox.wake) outbox.wake(outbox.ctx);
    }
    str_fini(&data);
    return e == E_NOTFOUND ? E_OK : e;
}
