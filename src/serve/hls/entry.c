/* SPDX-License-Identifier: MIT */
/* What a loop knows of a playback id, and the requests that wait for it to know more. */
#include "base/clock.h"
#include "base/xalloc.h"
#include "serve/hls/hls_priv.h"
#include <stdio.h>

/* --- waiting -----------------------------------------------------------------------------------
 */

static void wait_free(struct wait *w)
{
    list_remove(&w->node);
    w->entry->loop->n_waits--;
    free(w);
}

static void on_gone(struct http_request *r, void *ctx)
{
    struct wait *w = ctx;
    wait_free(w);
    answer_error(r, 408, "gone", "The client has gone."); /* dropped; not a failure of ours */
}

void entry_timer(struct hls_loop *h, int64_t at_us)
{
    if (!timer_active(&h->timer) || h->timer.at_us > at_us) timer_at(&h->timer, at_us);
}

/* `blocked`: on the stream itself; otherwise on the gate or on the stream's first part. */
static void wait_until(struct wait *w, bool blocked)
{
    const struct entry *e = w->entry;
    const int64_t target_us = e->archive ? e->archive->target_s * US_PER_SEC : 0;
    w->blocked = blocked;
    w->until_us =
        loop_now_us(e->loop->loop) + (blocked ? HLS_BLOCK_TARGETS * target_us : HLS_FIRST_PART_US);
    entry_timer(e->loop, w->until_us);
}

static bool may_block(const struct ask *ask)
{
    return ask->kind == ASK_RESOURCE || ask->kind == ASK_MEDIA;
}

static void wait_add(struct entry *e, struct http_request *r, const struct ask *ask, bool blocked)
{
    struct hls_loop *h = e->loop;
    if (h->n_waits >= LIMIT_HLS_WAITERS || h->closed) {
        answer_error(r, 503, "busy", "Too many viewers are waiting.");
        return;
    }
    struct wait *w = NEW(struct wait);
    w->entry = e;
    w->r = r;
    w->ask = *ask;
    wait_until(w, blocked);
    h->n_waits++;
    list_push_back(&e->waits, &w->node);
    http_on_gone(r, on_gone, w);
}

/* --- life --------------------------------------------------------------------------------------
 */

static struct entry *entry_new(struct hls_loop *h, const char *id)
{
    struct entry *e = NEW(struct entry);
    e->loop = h;
    snprintf(e->id, sizeof e->id, "%s", id);
    list_init(&e->waits);
    list_push_back(&h->entries, &e->node);
    map_put(&h->by_id, span_str(e->id), e);
    return e;
}

void entry_delivered(struct entry *e, unsigned rendition, unsigned height, int64_t us)
{
    e->delivered[rendition].height = height;
    e->delivered[rendition].us += us;
    if (us) entry_timer(e->loop, loop_now_us(e->loop->loop) + HLS_TELL_US);
}

/* Not once the end has begun: there may be nobody to write it. */
static void tell_delivered(struct entry *e)
{
    const struct gate *g = e->loop->s->cfg.gate;
    struct gate_delivered list[LIMIT_RECORD_RENDITIONS];
    size_t n = 0;
    for (unsigned i = 0; i < LIMIT_RECORD_RENDITIONS; i++) {
        if (!e->delivered[i].us) continue;
        list[n].height = e->delivered[i].height;
        list[n].us = e->delivered[i].us;
        snprintf(list[n].asset_id, sizeof list[n].asset_id, "%s", e->asset_id);
        e->delivered[i].us = 0;
        n++;
    }
    if (n && e->asset_id[0] && g->delivered && !e->loop->closed) g->delivered(g->self, list, n);
}

static void drop_log(struct entry *e)
{
    tell_delivered(e);
    if (e->reading) feed_detach(&e->reader);
    e->reading = false;
    for (unsigned i = 0; i < LIMIT_RECORD_RENDITIONS; i++) {
        answer_made_clear(&e->made[i]);
        if (e->snap[i]) feed_msg_unref(&e->snap[i]->msg);
        e->snap[i] = NULL;
    }
    e->n_renditions = 0;
    e->ended_us = 0;
    e->archive = NULL;
    record_log_unref(e->log);
    e->log = NULL;
}

static void drop_vod(struct entry *e)
{
    tell_delivered(e);
    for (unsigned i = 0; i < LIMIT_RECORD_RENDITIONS; i++) answer_made_clear(&e->vod_made[i]);
    archive_unref(e->vod);
    e->vod = NULL;
    free(e->vod_dir);
    e->vod_dir = NULL;
}

static void take_texts(struct entry *e, const struct gate_media_answer *m)
{
    free(e->texts);
    e->texts = NULL;
    e->n_texts = m ? m->n_texts : 0;
    if (!e->n_texts) return;
    e->texts = xcalloc(e->n_texts, sizeof *e->texts);
    memcpy(e->texts, m->texts, e->n_texts * sizeof *e->texts);
}

/* Off the books: no new request finds it. */
static void entry_unlist(struct entry *e)
{
    e->dead = true;
    drop_log(e);
    drop_vod(e);
    take_texts(e, NULL);
    list_remove(&e->node);
    map_del(&e->loop->by_id, span_str(e->id));
}

/* Frees it when it is off the books and nothing is on its way to it any more. */
static void entry_release(struct entry *e)
{
    if (e->dead && !e->asking && !e->loading && list_empty(&e->waits)) free(e);
}

static void entry_drop(struct entry *e)
{
    if (!e->dead) entry_unlist(e);
    entry_release(e);
}

/* --- trying again ------------------------------------------------------------------------------
 */

static void ask_gate(struct entry *e);

static void try_one(struct entry *e, struct http_request *r, struct ask *ask)
{
    switch (answer(e, r, ask)) {
    case ANSWERED:
        return;
    case ANSWER_WAIT:
        wait_add(e, r, ask, e->archive && may_block(ask));
        return;
    case ANSWER_ASK_GATE:
        wait_add(e, r, ask, false);
        if (!e->asking && !e->loading && !e->dead) ask_gate(e);
        return;
    }
}

/* Moves the waiting requests to a list of the caller's, who takes each off before he looks at it:
 * answering one may end others. */
static void take_waits(struct entry *e, struct list *todo)
{
    list_init(todo);
    while (!list_empty(&e->waits)) {
        struct list *node = e->waits.next;
        list_remove(node);
        list_push_back(todo, node);
    }
}

/* Each waiting request once more; those that still cannot be answered stay. `final`: nothing more
 * will be learnt of the gate now, so whoever waits for that gets an error. */
static void try_all(struct entry *e, enum err final)
{
    struct list todo;
    take_waits(e, &todo);
    while (!list_empty(&todo)) {
        struct wait *w = CONTAINER_OF(todo.next, struct wait, node);
        list_remove(&w->node);
        http_on_gone(w->r, NULL, NULL);
        const enum answered got = answer(e, w->r, &w->ask);
        if (got == ANSWER_WAIT || (got == ANSWER_ASK_GATE && final == E_OK)) {
            http_on_gone(w->r, on_gone, w);
            list_push_back(&e->waits, &w->node);
            if (got == ANSWER_WAIT && !w->blocked && e->archive && may_block(&w->ask))
                wait_until(w, true);
            continue;
        }
        if (got == ANSWER_ASK_GATE) answer_nothing(w->r, &w->ask, final);
        wait_free(w);
    }
}

/* Everybody who waits is sent away. */
static void entry_close(struct entry *e)
{
    entry_unlist(e);
    while (!list_empty(&e->waits)) { /* answering one may end others */
        struct wait *w = CONTAINER_OF(e->waits.next, struct wait, node);
        http_on_gone(w->r, NULL, NULL);
        answer_error(w->r, 503, "closing", "The server is restarting.");
        wait_free(w);
    }
    entry_release(e);
}

static bool all_ended(const struct entry *e)
{
    for (unsigned i = 0; i < e->n_renditions; i++)
        if (!e->snap[i] || !e->snap[i]->edge.ended) return false;
    return e->n_renditions > 0;
}

/* --- the log -----------------------------------------------------------------------------------
 */

static void on_snapshot(struct feed_reader *reader, struct feed_msg *m)
{
    struct entry *e = reader->ctx;
    struct log_snapshot *s = log_snapshot_of(m);
    if (s->rendition >= LIMIT_RECORD_RENDITIONS) return;
    struct log_snapshot *old = e->snap[s->rendition];
    feed_msg_ref(m);
    e->snap[s->rendition] = s;
    if (old) feed_msg_unref(&old->msg);
    if (s->n_renditions > e->n_renditions) e->n_renditions = s->n_renditions;
    e->archive = s->archive;
    if (s->edge.ended && !e->ended_us) e->ended_us = loop_now_us(e->loop->loop);
    try_all(e, E_OK);
    if (e->loop->closed && all_ended(e)) entry_close(e);
}

static void take_log(struct entry *e, struct record_log *log)
{
    if (e->log == log) return;
    drop_log(e);
    e->log = record_log_ref(log);
    e->reading = true;
    feed_attach(record_log_feed(log), &e->reader, on_snapshot, e);
}

/* --- a finished recording ----------------------------------------------------------------------
 */

struct load {
    struct entry *e;
    struct vod_cache *cache;
    char *dir;
    enum err err;
    struct archive *archive;
};

static void load_work(void *arg)
{
    struct load *l = arg;
    l->err = vod_cache_get(l->cache, l->dir, &l->archive);
}

static void load_done(void *arg)
{
    struct load *l = arg;
    struct entry *e = l->e;
    e->loading = false;
    if (l->err == E_OK && !e->dead) {
        drop_vod(e);
        e->vod = archive_ref(l->archive);
        e->vod_dir = xstrdup(l->dir);
    }
    try_all(e, E_NOTFOUND);
    if (e->dead || (!e->vod && !e->log)) entry_drop(e);
    archive_unref(l->archive);
    free(l->dir);
    free(l);
}

static void load(struct entry *e, const char *dir)
{
    struct load *l = NEW(struct load);
    l->e = e;
    l->cache = e->loop->s->vods;
    l->dir = xstrdup(dir);
    e->loading = true;
    pool_run(e->loop->s->cfg.pool, load_work, e->loop->loop, load_done, l);
}

/* --- the gate ----------------------------------------------------------------------------------
 */

static void on_gate(void *ctx, enum err err, const struct gate_media_answer *m)
{
    struct entry *e = ctx;
    e->asking = false;
    e->answered_us = loop_now_us(e->loop->loop);
    if (e->loop->closed && !e->dead) return; /* its log is about to end */
    const enum err final = err == E_CLOSED || err == E_AUTH ? err : E_NOTFOUND;
    if (e->dead) { /* a pipelined request may have come while the others were answered */
        try_all(e, final);
        entry_drop(e);
        return;
    }
    if (err == E_OK) {
        e->kind = m->kind;
        e->is_signed = m->is_signed;
        e->access_epoch = m->access_epoch;
        e->duration_us = m->duration_us;
        snprintf(e->stream_id, sizeof e->stream_id, "%s", m->stream_id ? m->stream_id : "");
        if (m->asset_id && strcmp(e->asset_id, m->asset_id) != 0) {
            tell_delivered(e);
            snprintf(e->asset_id, sizeof e->asset_id, "%s", m->asset_id);
        }
        take_texts(e, m);
        if (m->log)
            take_log(e, m->log);
        else if (m->dir && (!e->vod || strcmp(e->vod_dir, m->dir) != 0))
            load(e, m->dir);
        if (e->loading) return;
        e->over_asked = e->ended_us != 0;
        try_all(e, E_NOTFOUND);
        e->over_asked = false;
        return;
    }
    /* A log that has ended stays for those who are still watching its last seconds. */
    const bool lingering = final != E_NOTFOUND && (e->log || e->vod);
    if (!lingering) {
        drop_log(e);
        drop_vod(e);
    }
    try_all(e, final);
    if (!lingering) entry_drop(e);
}

static void ask_gate(struct entry *e)
{
    const struct gate *g = e->loop->s->cfg.gate;
    e->asking = true;
    g->media(g->self, e->id, on_gate, e);
}

/* --- requests ----------------------------------------------------------------------------------
 */

static void see_viewer(struct hls_loop *h, const struct entry *e, struct http_request *r)
{
    if (e->stream_id[0])
        hls_audience_see(h->s->book, &h->seen, e->stream_id, span_str(http_peer(r)),
                         http_header_in(r, "user-agent"), loop_now_us(h->loop));
}

static void ask_first(struct entry *e, struct http_request *r, const struct ask *ask)
{
    wait_add(e, r, ask, false);
    if (!e->asking && !e->loading) ask_gate(e);
}

void entry_request(struct hls_loop *h, struct http_request *r, const char *id, struct ask *ask)
{
    const int64_t now = loop_now_us(h->loop);
    struct entry *e = map_get(&h->by_id, span_str(id));
    if (h->closed) {
        answer_error(r, 503, "closing", "The server is restarting.");
        return;
    }
    if (!e) e = entry_new(h, id);
    e->used_us = now;
    entry_timer(h, now + HLS_IDLE_US);
    see_viewer(h, e, r);
    const int64_t age = e->answered_us ? now - e->answered_us : 0;
    const bool stale = age > HLS_BELIEVE_US;
    /* Nobody has asked for a while, or a token knows of something newer: whether it is still
     * everybody's is not known. */
    const bool other = ask->by_token && ask->access_epoch != e->access_epoch;
    if (age > HLS_STALE_US || (age > 0 && other))
        ask_first(e, r, ask);
    else
        try_one(e, r, ask);
    e = map_get(&h->by_id, span_str(id)); /* the answer may have come at once */
    if (e && stale && !e->asking && !e->loading) {
        e->answered_us = now;
        ask_gate(e);
    }
}

/* --- the timer ---------------------------------------------------------------------------------
 */

static void expire_waits(struct entry *e, int64_t now, int64_t *next)
{
    struct list todo;
    take_waits(e, &todo);
    while (!list_empty(&todo)) {
        struct wait *w = CONTAINER_OF(todo.next, struct wait, node);
        list_remove(&w->node);
        if (w->until_us > now) {
            if (w->until_us < *next) *next = w->until_us;
            list_push_back(&e->waits, &w->node);
            continue;
        }
        http_on_gone(w->r, NULL, NULL);
        answer_timeout(w->r, &w->ask, w->blocked);
        wait_free(w);
    }
}

static void on_timer(struct timer *t, void *ctx)
{
    struct hls_loop *h = ctx;
    const int64_t now = loop_now_us(h->loop);
    int64_t next = INT64_MAX;
    (void)t;
    LIST_EACH(it, &h->entries)
    {
        struct entry *e = CONTAINER_OF(it, struct entry, node);
        expire_waits(e, now, &next);
        tell_delivered(e);
        if (h->closed && list_empty(&e->waits)) {
            entry_drop(e);
            continue;
        }
        if (e->ended_us && now - e->ended_us >= HLS_IDLE_US) drop_log(e);
        if (now - e->used_us >= HLS_IDLE_US && list_empty(&e->waits)) {
            entry_drop(e);
            continue;
        }
        if (e->used_us + HLS_IDLE_US < next) next = e->used_us + HLS_IDLE_US;
    }
    if (next != INT64_MAX) entry_timer(h, next > now ? next : now + US_PER_SEC);
}

/* The server's end is the end of every stream: who waits for the next part of one gets the end of
 * its playlist, which comes at once. */
void entry_drain(struct hls_loop *h)
{
    LIST_EACH(it, &h->entries) tell_delivered(CONTAINER_OF(it, struct entry, node));
    h->closed = true;
    LIST_EACH(it, &h->entries)
    {
        struct entry *e = CONTAINER_OF(it, struct entry, node);
        if (!e->log || list_empty(&e->waits) || all_ended(e)) entry_close(e);
    }
}

void entry_init(struct hls_loop *h)
{
    list_init(&h->entries);
    timer_init(&h->timer, h->loop, on_timer, h);
}
