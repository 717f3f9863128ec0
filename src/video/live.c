/* SPDX-License-Identifier: MIT */
/* The registry of broadcasts, and the gate over it. */
#include "video/live.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xalloc.h"
#include "video/admit.h"
#include "video/delivery.h"
#include "video/live_priv.h"
#include "video/text_tracks.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

struct live *live_new(const struct live_config *cfg)
{
    struct live *l = NEW(struct live);
    l->cfg = *cfg;
    pthread_mutex_init(&l->lock, NULL);
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

static struct broadcast *find(struct live *l, const struct map *m, const char *key)
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

/* The running broadcast of the stream, or a new one; *made tells which. A reference either way. */
static enum err get_or_make(struct live *l, const struct live_row *row, struct broadcast **out,
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

/* --- the gate: publish --- */

struct publish_call {
    struct live *live;
    char key_hash[STREAM_KEY_HASH_CAP], protocol[16];
    bool only_ask;
    gate_publish_answer *answer;
    void *ctx;
    enum err err;
    const char *reason;
    struct broadcast *b;
};

static enum err refusal(struct publish_call *c, enum err e, const char *reason)
{
    c->reason = reason;
    return e;
}

static enum err publish_check(struct publish_call *c)
{
    struct live_row row = {0};
    bool made;
    struct db *db = db_open_thread(c->live->cfg.store);
    enum err e = live_db_find_key(db, c->key_hash, &row);
    if (e == E_NOTFOUND) return refusal(c, E_AUTH, "This stream key is not valid.");
    if (e != E_OK) return refusal(c, e, "The server cannot check the stream key now.");
    if (!strcmp(row.live_status, "disabled"))
        return refusal(c, E_CLOSED, "This stream is disabled.");
    if (!row.reusable && !strcmp(row.status, "ENDED") &&
        (!strcmp(row.ended_reason, "owner") || !strcmp(row.ended_reason, "limit")))
        return refusal(c, E_CLOSED, "This stream has ended. Create a new one.");
    if (c->only_ask) return E_OK;
    memcpy(row.protocol, c->protocol, sizeof row.protocol);
    e = get_or_make(c->live, &row, &c->b, &made);
    if (e == E_CONFLICT)
        return refusal(c, e, "The last broadcast of this stream is just ending. Try again.");
    if (e != E_OK) return refusal(c, e, "The server is shutting down.");
    if (!made) return E_OK;
    e = live_db_connected(db, c->b);
    if (e == E_OK) return E_OK;
    broadcast_end(c->b, LIVE_END_ENCODER);
    return refusal(c, e, "The server cannot record now.");
}

static void publish_work(void *arg)
{
    struct publish_call *c = arg;
    c->err = publish_check(c);
}

static void publish_done(void *arg)
{
    struct publish_call *c = arg;
    if (c->err != E_OK) metric_add(M_PUBLISH_REFUSED, 1);
    c->answer(c->ctx, c->err, c->reason, c->b && c->err == E_OK ? c->b->channel : NULL);
    broadcast_unref(c->b);
    free(c);
}

static void gate_on_publish(void *self, const struct gate_publish *ask, gate_publish_answer *answer,
                            void *ctx)
{
    struct publish_call *c = NEW(struct publish_call);
    c->live = self;
    c->only_ask = ask->only_ask;
    snprintf(c->protocol, sizeof c->protocol, "%s", ask->protocol ? ask->protocol : "");
    c->answer = answer;
    c->ctx = ctx;
    c->reason = "";
    stream_key_hash(c->live->cfg.secret, ask->key, c->key_hash);
    pool_run(c->live->cfg.pool, publish_work, loop_current(), publish_done, c);
}

/* --- the gate: play, media, admission --- */

struct playback_call {
    struct live *live;
    char id[LIVE_ID_CAP];
    char *token, *referrer, *agent;
    struct gate_viewer who;
    gate_play_answer *play; /* one of the three */
    gate_media_fn *media;
    gate_admit_fn *admit;
    void *ctx;
    enum err err;
    const char *reason;
    struct live_playback found;
    struct broadcast *b;
    struct gate_pass pass;
    struct gate_text *texts;
    unsigned n_texts;
};

/* The running broadcast behind the id: a live stream may have several ids, and so may a recording.
 */
static struct broadcast *find_run(struct live *l, const struct live_playback *p)
{
    const bool live = !strcmp(p->kind, "live");
    return live ? find(l, &l->by_stream, p->stream_id) : find(l, &l->running, p->object_id);
}

static void playback_work(void *arg)
{
    struct playback_call *c = arg;
    struct db *db = db_open_thread(c->live->cfg.store);
    c->err = live_db_find_playback(db, c->id, &c->found);
    if (c->err == E_OK && (c->admit || (c->play && c->found.is_signed)))
        c->err = admit_check(db, c->id, &c->found, &c->who, &c->pass, &c->reason);
    if (c->err == E_OK) c->b = find_run(c->live, &c->found);
    if (c->err == E_OK && c->media && !c->b && !strcmp(c->found.kind, "asset"))
        c->err = text_tracks_ready(db, c->found.object_id, &c->texts, &c->n_texts);
}

static void answer_play(struct playback_call *c)
{
    const bool live = c->b && !strcmp(c->found.kind, "live");
    if (live)
        c->play(c->ctx, E_OK, "", c->b->channel);
    else if (c->err == E_NOTFOUND)
        c->play(c->ctx, E_NOTFOUND, "There is no such stream.", NULL);
    else if (c->err == E_AUTH)
        c->play(c->ctx, E_AUTH, c->reason, NULL);
    else
        c->play(c->ctx, E_CLOSED, "This stream is not live now.", NULL);
}

static void answer_media(struct playback_call *c)
{
    char path[4096];
    struct gate_media_answer m = {.is_signed = c->found.is_signed,
                                  .duration_us = c->found.duration_us,
                                  .thumbnail_us = c->found.thumbnail_us};
    if (c->b) {
        m.kind = strcmp(c->found.kind, "live") != 0 ? GATE_MEDIA_ASSET : GATE_MEDIA_LIVE;
        m.log = c->b->log;
        m.stream_id = c->b->row.stream_id;
        m.asset_id = c->b->asset_id;
        m.duration_us = c->b->row.max_duration_us >= 0
                            ? c->b->row.max_duration_us
                            : c->live->cfg.settings->max_stream_duration * US_PER_SEC;
    } else if (c->err == E_OK && !strcmp(c->found.status, "ready") &&
               live_media_path(c->live, c->found.dir, path, sizeof path)) {
        m.kind = GATE_MEDIA_ASSET;
        m.dir = path;
        m.stream_id = c->found.stream_id;
        m.asset_id = c->found.object_id;
        m.texts = c->texts;
        m.n_texts = c->n_texts;
    } else if (c->err == E_OK) {
        c->err = m.is_signed ? E_AUTH : E_CLOSED;
    }
    c->media(c->ctx, c->err, c->err == E_OK ? &m : NULL);
}

static void playback_done(void *arg)
{
    struct playback_call *c = arg;
    if (c->play)
        answer_play(c);
    else if (c->media)
        answer_media(c);
    else
        c->admit(c->ctx, c->err, c->reason, c->err == E_OK ? &c->pass : NULL);
    broadcast_unref(c->b);
    free(c->token);
    free(c->referrer);
    free(c->agent);
    free(c->texts);
    free(c);
}

static struct playback_call *playback_new(struct live *l, const char *id,
                                          const struct gate_viewer *who, void *ctx)
{
    static const struct gate_viewer NOBODY = {.use = "v"};
    struct playback_call *c = NEW(struct playback_call);
    if (!who) who = &NOBODY;
    c->live = l;
    c->ctx = ctx;
    c->reason = "";
    c->token = xstrdup(who->token ? who->token : "");
    c->referrer = xstrdup(who->referrer ? who->referrer : "");
    c->agent = xstrdup(who->agent ? who->agent : "");
    c->who = (struct gate_viewer){c->token, c->referrer, c->agent, who->use};
    /* An id that does not fit is no id of ours: it becomes "", which is nobody's. */
    if (!span_cstr(span_str(id), c->id, sizeof c->id)) c->id[0] = 0;
    return c;
}

/* A running broadcast knows its first public id: no need to ask the database. */
static bool is_known(struct playback_call *c)
{
    struct broadcast *b = c->admit ? NULL : find(c->live, &c->live->by_playback, c->id);
    if (!b) return false;
    const bool live = !strcmp(c->id, b->row.playback_id);
    c->b = b;
    snprintf(c->found.kind, sizeof c->found.kind, "%s", live ? "live" : "asset");
    return true;
}

static void playback_run(struct playback_call *c)
{
    if (is_known(c))
        loop_post(loop_current(), playback_done, c);
    else
        pool_run(c->live->cfg.pool, playback_work, loop_current(), playback_done, c);
}

static void gate_on_play(void *self, const char *id, const struct gate_viewer *who,
                         gate_play_answer *answer, void *ctx)
{
    struct playback_call *c = playback_new(self, id, who, ctx);
    c->play = answer;
    playback_run(c);
}

static void gate_on_admit(void *self, const char *id, const struct gate_viewer *who,
                          gate_admit_fn *answer, void *ctx)
{
    struct playback_call *c = playback_new(self, id, who, ctx);
    c->admit = answer;
    playback_run(c);
}

static void gate_on_media(void *self, const char *id, gate_media_fn *answer, void *ctx)
{
    struct playback_call *c = playback_new(self, id, NULL, ctx);
    c->media = answer;
    playback_run(c);
}

/* --- the gate: what went out --- */

struct delivered_job {
    struct live *live;
    size_t n;
    struct gate_delivered list[];
};

static void write_delivered(void *arg)
{
    struct delivered_job *j = arg;
    if (delivery_add(db_open_thread(j->live->cfg.store), j->list, j->n) != E_OK)
        log_warn("delivery", "what was delivered could not be written");
    free(j);
}

static void gate_on_delivered(void *self, const struct gate_delivered *list, size_t n)
{
    struct delivered_job *j = xcalloc(1, sizeof *j + n * sizeof *list);
    j->live = self;
    j->n = n;
    memcpy(j->list, list, n * sizeof *list);
    pool_run(j->live->cfg.pool, write_delivered, NULL, NULL, j);
}

struct gate live_gate(struct live *l)
{
    return (struct gate){.self = l,
                         .publish = gate_on_publish,
                         .play = gate_on_play,
                         .admit = gate_on_admit,
                         .file = live_gate_file,
                         .master = live_gate_master,
                         .text = live_gate_text,
                         .media = gate_on_media,
                         .delivered = gate_on_delivered};
}

/* --- what the product asks --- */

enum err live_end(struct live *l, struct db *db, const char *stream_id)
{
    const enum err e = live_db_end_by_owner(db, stream_id);
    struct broadcast *b = find(l, &l->by_stream, stream_id);
    if (b) broadcast_end(b, LIVE_END_OWNER);
    broadcast_unref(b);
    if (e == E_OK) live_changed(l, stream_id);
    return e;
}

void live_kick(struct live *l, const char *stream_id, const char *reason)
{
    struct broadcast *b = find(l, &l->by_stream, stream_id);
    if (b) channel_kick(b->channel, E_AUTH, reason);
    broadcast_unref(b);
}

enum err live_remove_media(struct live *l, struct db *db, const char *stream_id)
{
    struct broadcast *b = find(l, &l->by_stream, stream_id);
    if (b) {
        atomic_store(&b->remove_media, true);
        broadcast_end(b, LIVE_END_OWNER);
    }
    broadcast_unref(b);
    return live_db_remove_media(l, db, stream_id);
}

void live_stop(struct live *l, const char *stream_id)
{
    struct broadcast *b = find(l, &l->by_stream, stream_id);
    if (b) broadcast_end(b, LIVE_END_ENCODER);
    broadcast_unref(b);
}

enum err live_remove_asset(struct live *l, struct db *db, const char *asset_id)
{
    struct broadcast *b = find(l, &l->running, asset_id);
    const bool runs = b != NULL;
    broadcast_unref(b);
    return runs ? E_CONFLICT : live_db_remove_asset(l, db, asset_id);
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
    struct broadcast *b = find(l, &l->by_stream, stream_id);
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
