/* SPDX-License-Identifier: MIT */
/* The gate over the registry: what serve/ asks (serve/gate.h). A question is a job on the pool, but
 * for what a running broadcast knows of itself. */
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xalloc.h"
#include "video/admit.h"
#include "video/delivery.h"
#include "video/live_priv.h"
#include "video/quota.h"
#include "video/text_tracks.h"
#include <stdio.h>

/* --- publish --- */

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

/* Asked after it was listed: who makes the stream private now finds it. */
static enum err guard(struct db *db, struct broadcast *b)
{
    bool is_private = true;
    const enum err e = live_db_is_private(db, b->row.stream_id, &is_private);
    if (is_private) atomic_store(&b->is_private, true);
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
    if (row.suspended) return refusal(c, E_CLOSED, "This account is suspended.");
    if (!strcmp(row.live_status, "disabled"))
        return refusal(c, E_CLOSED, "This stream is disabled.");
    if (!row.reusable && !strcmp(row.status, "ENDED") &&
        (!strcmp(row.ended_reason, "owner") || !strcmp(row.ended_reason, "limit")))
        return refusal(c, E_CLOSED, "This stream has ended. Create a new one.");
    if (c->only_ask) return E_OK;
    memcpy(row.protocol, c->protocol, sizeof row.protocol);
    char ignored[QUOTA_TEXT_CAP];
    row.no_room = quota_room(db, c->live->cfg.settings, row.user_id, 0, ignored) == E_FULL;
    e = live_get_or_make(c->live, &row, &c->b, &made);
    if (e == E_CONFLICT)
        return refusal(c, e, "The last broadcast of this stream is just ending. Try again.");
    if (e != E_OK) return refusal(c, e, "The server is shutting down.");
    if (!made) return E_OK;
    e = guard(db, c->b);
    if (e == E_OK) e = live_db_connected(db, c->b);
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

/* --- play, media, admission --- */

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
    unsigned dismissals; /* of its channel, before it was looked up who may */
    struct gate_pass pass;
    struct gate_text *texts;
    unsigned n_texts;
};

/* The running broadcast behind the id: a live stream may have several ids, and so may a recording.
 */
static struct broadcast *find_run(struct live *l, const struct live_playback *p)
{
    const bool live = !strcmp(p->kind, "live");
    return live ? live_find(l, &l->by_stream, p->stream_id)
                : live_find(l, &l->running, p->object_id);
}

/* Whoever is let in just when viewers are sent away is asked anew: so the number comes first. */
static enum err find_channel(struct playback_call *c, struct db *db)
{
    c->b = find_run(c->live, &c->found);
    if (c->b) c->dismissals = channel_dismissals(c->b->channel);
    return live_db_find_playback(db, c->id, &c->found);
}

static void playback_work(void *arg)
{
    struct playback_call *c = arg;
    struct db *db = db_open_thread(c->live->cfg.store);
    c->err = live_db_find_playback(db, c->id, &c->found);
    if (c->err == E_OK && c->play) c->err = find_channel(c, db);
    if (c->err == E_OK && (c->admit || (c->play && c->found.is_signed)))
        c->err = admit_check(db, c->id, &c->found, &c->who, &c->pass, &c->reason);
    if (c->err == E_OK && !c->b) c->b = find_run(c->live, &c->found);
    if (c->err == E_OK && c->media && !c->b && !strcmp(c->found.kind, "asset"))
        c->err = text_tracks_ready(db, c->found.object_id, &c->texts, &c->n_texts);
}

static void answer_play(struct playback_call *c)
{
    const bool live = c->b && c->err == E_OK && !strcmp(c->found.kind, "live");
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
                                  .access_epoch = c->found.access_epoch,
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

static void playback_done(void *arg);

static void ask_again(struct playback_call *c)
{
    broadcast_unref(c->b);
    c->b = NULL;
    c->found = (struct live_playback){0};
    pool_run(c->live->cfg.pool, playback_work, loop_current(), playback_done, c);
}

static void playback_done(void *arg)
{
    struct playback_call *c = arg;
    if (c->play && c->b && c->dismissals != channel_dismissals(c->b->channel)) {
        ask_again(c);
        return;
    }
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
    struct broadcast *b = c->admit ? NULL : live_find(c->live, &c->live->by_playback, c->id);
    if (!b) return false;
    c->dismissals = channel_dismissals(b->channel);
    if (atomic_load(&b->is_private)) {
        broadcast_unref(b);
        return false;
    }
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

/* --- what went out --- */

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
