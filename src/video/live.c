/* SPDX-License-Identifier: MIT */
/* The registry of broadcasts, and what the product asks of it. */
#include "video/live.h"
#include "base/xalloc.h"
#include "video/grant.h"
#include "video/live_priv.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

struct live *live_new(const struct live_config *cfg)
{
    struct live *l = NEW(struct live);
    l->cfg = *cfg;
    pthread_mutex_init(&l->lock, NULL);
    if (cfg->secret) grant_init(cfg->secret);
    return l;
}

void live_set_events(struct live *l, const struct live_events *ev)
{
    l->cfg.events = *ev;
}

void live_free(struct live *l)
{
    CHECK(l->running.len == 0);
    map_fini(&l->by_stream);
    map_fini(&l->by_playback);
    map_fini(&l->running);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

bool live_media_path(const struct live *l, const char *name, char *out, size_t cap)
{
    const int n = snprintf(out, cap, "%s/recordings/%s", l->cfg.settings->data, name);
    return n > 0 && (size_t)n < cap;
}

enum err live_recover(struct live *l, unsigned *n)
{
    char dir[4096];
    if (!live_media_path(l, "", dir, sizeof dir)) return E_LIMIT;
    if (mkdir(dir, 0750) != 0 && errno != EEXIST) return E_IO;
    return live_db_recover(l, db_open_thread(l->cfg.store), n);
}

void live_changed(struct live *l, const char *stream_id)
{
    if (l->cfg.events.on_stream_changed)
        l->cfg.events.on_stream_changed(l->cfg.events.ctx, stream_id);
}

/* --- the registry --- */

struct broadcast *live_find(struct live *l, const struct map *m, const char *key)
{
    pthread_mutex_lock(&l->lock);
    struct broadcast *b = map_get(m, span_str(key));
    if (b) broadcast_ref(b);
    pthread_mutex_unlock(&l->lock);
    return b;
}

static const char *running_key(const struct broadcast *b)
{
    return b->asset_id[0] ? b->asset_id : b->row.stream_id;
}

static void drop(struct map *m, const char *key, const struct broadcast *b)
{
    if (key[0] && map_get(m, span_str(key)) == b) map_del(m, span_str(key));
}

void live_unlist(struct live *l, struct broadcast *b)
{
    pthread_mutex_lock(&l->lock);
    drop(&l->by_stream, b->row.stream_id, b);
    drop(&l->by_playback, b->row.playback_id, b);
    pthread_mutex_unlock(&l->lock);
}

void live_forget(struct live *l, struct broadcast *b)
{
    pthread_mutex_lock(&l->lock);
    drop(&l->by_playback, b->asset_playback_id, b);
    drop(&l->running, running_key(b), b);
    pthread_mutex_unlock(&l->lock);
}

static void list_it(struct live *l, struct broadcast *b)
{
    map_put(&l->by_stream, span_str(b->row.stream_id), b);
    if (b->row.playback_id[0]) map_put(&l->by_playback, span_str(b->row.playback_id), b);
    if (b->asset_playback_id[0]) map_put(&l->by_playback, span_str(b->asset_playback_id), b);
    map_put(&l->running, span_str(running_key(b)), b);
}

enum err live_get_or_make(struct live *l, const struct live_row *row, struct broadcast **out,
                          bool *made)
{
    enum err e = E_OK;
    pthread_mutex_lock(&l->lock);
    *out = map_get(&l->by_stream, span_str(row->stream_id));
    *made = false;
    if (!*out) {
        e = l->shutting_down ? E_CLOSED : broadcast_new(l, row, out);
        if (e == E_OK) list_it(l, *out);
        *made = e == E_OK;
    }
    if (e == E_OK) broadcast_ref(*out);
    pthread_mutex_unlock(&l->lock);
    return e;
}

/* --- what the product asks --- */

enum err live_end(struct live *l, struct db *db, const char *stream_id)
{
    const enum err e = live_db_end_by_owner(db, stream_id);
    struct broadcast *b = live_find(l, &l->by_stream, stream_id);
    if (b) broadcast_end(b, LIVE_END_OWNER);
    broadcast_unref(b);
    if (e == E_OK) live_changed(l, stream_id);
    return e;
}

void live_kick(struct live *l, const char *stream_id, const char *reason)
{
    struct broadcast *b = live_find(l, &l->by_stream, stream_id);
    if (b) channel_kick(b->channel, E_AUTH, reason);
    broadcast_unref(b);
}

enum err live_remove_media(struct live *l, struct db *db, const char *stream_id)
{
    struct broadcast *b = live_find(l, &l->by_stream, stream_id);
    if (b) {
        atomic_store(&b->remove_media, true);
        broadcast_end(b, LIVE_END_OWNER);
    }
    broadcast_unref(b);
    return live_db_remove_media(l, db, stream_id);
}

void live_stop(struct live *l, const char *stream_id)
{
    struct broadcast *b = live_find(l, &l->by_stream, stream_id);
    if (b) broadcast_end(b, LIVE_END_ENCODER);
    broadcast_unref(b);
}

enum err live_remove_asset(struct live *l, struct db *db, const char *asset_id)
{
    struct broadcast *b = live_find(l, &l->running, asset_id);
    const bool runs = b != NULL;
    broadcast_unref(b);
    return runs ? E_CONFLICT : live_db_remove_asset(l, db, asset_id);
}

void live_access_changed(struct live *l, const char *stream_id, bool is_private)
{
    size_t pos = 0;
    void *v;
    pthread_mutex_lock(&l->lock);
    while (map_next(&l->running, &pos, NULL, &v)) {
        struct broadcast *b = v;
        if (strcmp(b->row.stream_id, stream_id) != 0) continue;
        atomic_store(&b->is_private, is_private);
        if (is_private) channel_dismiss(b->channel);
    }
    pthread_mutex_unlock(&l->lock);
}

void live_stop_recording(struct live *l, const char *stream_id, const char *reason)
{
    struct broadcast *b = live_find(l, &l->by_stream, stream_id);
    if (b && b->asset_id[0]) broadcast_stop_recording(b, reason);
    broadcast_unref(b);
}

void live_forget_playback(struct live *l, const char *playback_id)
{
    pthread_mutex_lock(&l->lock);
    if (map_get(&l->by_playback, span_str(playback_id)))
        map_del(&l->by_playback, span_str(playback_id));
    pthread_mutex_unlock(&l->lock);
}

bool live_is_away(struct live *l, const char *stream_id)
{
    struct broadcast *b = live_find(l, &l->by_stream, stream_id);
    const bool away = b && atomic_load(&b->away);
    broadcast_unref(b);
    return away;
}

/* --- the server's end --- */

void live_shutdown(struct live *l)
{
    size_t pos = 0;
    void *b;
    pthread_mutex_lock(&l->lock);
    l->shutting_down = true;
    while (map_next(&l->running, &pos, NULL, &b)) broadcast_end(b, LIVE_END_RESTART);
    pthread_mutex_unlock(&l->lock);
}

unsigned live_running(struct live *l)
{
    pthread_mutex_lock(&l->lock);
    const unsigned n = (unsigned)l->running.len;
    pthread_mutex_unlock(&l->lock);
    return n;
}
