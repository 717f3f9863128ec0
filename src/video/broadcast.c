/* SPDX-License-Identifier: MIT */
/* One run of a live stream, on its channel's home loop:
 *
 *   made by the gate -> waiting for the first part -> LIVE <-> encoder away -> ending -> closed
 *
 * What must be written to the database is handed to the pool; the broadcast holds a reference to
 * itself meanwhile. A broadcast's jobs go through one queue, so rows change in the order of life.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "video/jobs.h"
#include "video/live_files.h"
#include "video/live_priv.h"
#include <stdio.h>

#define WARNING_US         (300 * US_PER_SEC) /* before the limit, or a tenth of a short limit */
#define FIRST_PART_WAIT_US (15 * US_PER_SEC)  /* a publisher that sends no media */

struct broadcast *broadcast_ref(struct broadcast *b)
{
    atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}

void broadcast_unref(struct broadcast *b)
{
    if (!b || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1) return;
    record_log_unref(b->log);
    channel_unref(b->channel);
    free(b);
}

/* --- rows, by the pool --- */

struct broadcast_job {
    struct broadcast *b;
    enum err (*write)(struct db *db, const struct broadcast *b);
    const char *what;
};

static void write_row(void *arg)
{
    struct broadcast_job *j = arg;
    const enum err e = j->write(db_open_thread(j->b->live->cfg.store), j->b);
    if (e != E_OK)
        log_error("database", "what=%s stream=%s error=%s", j->what, j->b->row.stream_id,
                  err_label(e));
    live_changed(j->b->live, j->b->row.stream_id);
    broadcast_unref(j->b);
    free(j);
}

static void write_later(struct broadcast *b,
                        enum err (*write)(struct db *db, const struct broadcast *b),
                        const char *what)
{
    struct broadcast_job *j = NEW(struct broadcast_job);
    *j = (struct broadcast_job){broadcast_ref(b), write, what};
    pool_queue_run(b->rows, write_row, NULL, NULL, j);
}

/* The broadcast's last job: the rows say that it is over, or forget that it was. */
static void write_closed(void *arg)
{
    struct broadcast *b = arg;
    struct live *l = b->live;
    struct db *db = db_open_thread(l->cfg.store);
    const bool keep = b->started && !atomic_load(&b->remove_media);
    const enum err e = keep ? live_db_closed(db, b) : live_db_discard(db, b);
    char path[4096];
    if (e != E_OK)
        log_error("database", "what=closed stream=%s error=%s", b->row.stream_id, err_label(e));
    if (!keep && b->asset_id[0] && live_media_path(l, b->asset_id, path, sizeof path))
        live_files_remove(path);
    live_forget(l, b); /* from here on the asset is found in the database */
    jobs_wake();       /* for the files that are made of it */
    live_changed(l, b->row.stream_id);
    log_info("ended", "stream=%s reason=%s duration_s=%lld", b->row.stream_id,
             live_end_reason_name(b->reason), (long long)(b->info.duration_us / US_PER_SEC));
    broadcast_unref(b);
}

/* --- the end --- */

static const char *const GOODBYES[] = {
    "The stream was ended by its owner.",
    "The stream has ended.",
    "The stream has reached the longest duration that this server allows.",
    "The server is restarting.",
};

static void end_here(struct broadcast *b, enum live_end_reason reason)
{
    if (b->ending) return;
    b->ending = true;
    b->reason = reason;
    b->ended_wall_us = clock_wall_us();
    timer_stop(&b->window);
    timer_stop(&b->warning);
    timer_stop(&b->limit);
    live_unlist(b->live, b);
    channel_close(b->channel, GOODBYES[reason]);
    recording_close(b->recording);
}

struct end_call {
    struct broadcast *b;
    enum live_end_reason reason;
};

static void on_end_call(void *arg)
{
    struct end_call *c = arg;
    end_here(c->b, c->reason);
    broadcast_unref(c->b);
    free(c);
}

void broadcast_end(struct broadcast *b, enum live_end_reason reason)
{
    struct end_call *c = NEW(struct end_call);
    *c = (struct end_call){broadcast_ref(b), reason};
    loop_post(channel_home(b->channel), on_end_call, c);
}

struct stop_call {
    struct broadcast *b;
    char reason[160];
};

static void on_stop_call(void *arg)
{
    struct stop_call *c = arg;
    if (!c->b->ending) recording_give_up(c->b->recording, E_FULL, c->reason);
    broadcast_unref(c->b);
    free(c);
}

void broadcast_stop_recording(struct broadcast *b, const char *reason)
{
    struct stop_call *c = NEW(struct stop_call);
    c->b = broadcast_ref(b);
    snprintf(c->reason, sizeof c->reason, "%s", reason);
    loop_post(channel_home(b->channel), on_stop_call, c);
}

/* --- timers --- */

static int64_t window_us(const struct broadcast *b)
{
    return b->row.reconnect_window_us >= 0 ? b->row.reconnect_window_us
                                           : b->live->cfg.settings->reconnect_window * US_PER_SEC;
}

/* The operator's limit holds for all; a stream may have a shorter one. */
static int64_t limit_us(const struct broadcast *b)
{
    const int64_t all = b->live->cfg.settings->max_stream_duration * US_PER_SEC;
    const int64_t own = b->row.max_duration_us;
    return own >= 0 && (all <= 0 || own < all) ? own : all;
}

static int64_t warn_before_us(const struct broadcast *b)
{
    const int64_t tenth = limit_us(b) / 10;
    return tenth < WARNING_US ? tenth : WARNING_US;
}

static void on_window_over(struct timer *t, void *ctx)
{
    (void)t;
    end_here(ctx, LIVE_END_ENCODER);
}

static void on_warning(struct timer *t, void *ctx)
{
    struct broadcast *b = ctx;
    const struct live_events *ev = &b->live->cfg.events;
    (void)t;
    if (ev->on_limit_near)
        ev->on_limit_near(ev->ctx, b->row.stream_id, (int)(warn_before_us(b) / US_PER_SEC));
}

static void on_limit(struct timer *t, void *ctx)
{
    (void)t;
    end_here(ctx, LIVE_END_LIMIT);
}

/* --- what is heard on the home loop --- */

static void on_publisher(void *ctx, bool present, bool clean)
{
    struct broadcast *b = ctx;
    const struct live_events *ev = &b->live->cfg.events;
    if (b->ending) return;
    log_info(present ? "publish" : "unpublish", "stream=%s clean=%d", b->row.stream_id, clean);
    atomic_store(&b->away, !present && b->started);
    if (b->started)
        write_later(b, present ? live_db_back : live_db_away, present ? "back" : "away");
    if (present && b->started)
        timer_stop(&b->window);
    else if (present)
        timer_at(&b->window, clock_mono_us() + FIRST_PART_WAIT_US);
    else if (b->started && window_us(b) > 0)
        timer_at(&b->window, clock_mono_us() + window_us(b));
    else
        end_here(b, LIVE_END_ENCODER);
    if (b->started && !b->ending && ev->on_encoder_away)
        ev->on_encoder_away(ev->ctx, b->row.stream_id, !present);
}

static void on_live(void *ctx)
{
    struct broadcast *b = ctx;
    struct channel_stats st;
    if (b->started || b->ending) return;
    b->started = true;
    b->started_wall_us = clock_wall_us();
    channel_get_stats(b->channel, &st);
    if (st.publishing) timer_stop(&b->window);
    if (limit_us(b) > 0) {
        timer_at(&b->limit, clock_mono_us() + limit_us(b));
        timer_at(&b->warning, clock_mono_us() + limit_us(b) - warn_before_us(b));
    }
    log_info("live", "stream=%s", b->row.stream_id);
    write_later(b, live_db_started, "started");
}

static void on_disk_failure(void *ctx, enum err e, const char *reason)
{
    struct broadcast *b = ctx;
    b->disk_error = e;
    snprintf(b->disk_problem, sizeof b->disk_problem, "%s", reason);
    log_error("recording", "stream=%s error=%s reason=\"%s\"", b->row.stream_id, err_label(e),
              reason);
    write_later(b, live_db_disk_failed, "disk");
}

static void on_closed(void *ctx, const struct recording_info *info)
{
    struct broadcast *b = ctx;
    struct pool_queue *rows = b->rows; /* the job may have let go of b before this returns */
    b->info = *info;
    pool_queue_run(rows, write_closed, NULL, NULL, b); /* with the recording's reference */
    pool_queue_close(rows);
}

/* --- the beginning --- */

/* Whoever was let in may never come: then it ends by itself. */
static void on_made(void *arg)
{
    struct broadcast *b = arg;
    if (!b->ending && !b->started && !timer_active(&b->window))
        timer_at(&b->window, clock_mono_us() + FIRST_PART_WAIT_US);
    broadcast_unref(b);
}

enum err broadcast_new(struct live *l, const struct live_row *row, struct broadcast **out)
{
    char path[4096];
    struct channel *ch;
    const enum err e = channel_open(l->cfg.hub, row->stream_id, &ch);
    if (e != E_OK) return e;
    struct broadcast *b = NEW(struct broadcast);
    atomic_init(&b->refs, 1); /* the recording's: until on_closed */
    b->live = l;
    b->row = *row;
    b->channel = ch;
    b->rows = pool_queue_new(l->cfg.pool);
    if (l->cfg.settings->recording && !row->no_room) {
        rand_id(b->asset_id, 24);
        if (strstr(row->asset_policies, "public")) rand_id(b->asset_playback_id, 24);
    }
    timer_init(&b->window, channel_home(ch), on_window_over, b);
    timer_init(&b->warning, channel_home(ch), on_warning, b);
    timer_init(&b->limit, channel_home(ch), on_limit, b);
    channel_set_watch(ch, &(struct channel_watch){.on_publisher = on_publisher, .ctx = b});
    const bool on_disk = b->asset_id[0] && live_media_path(l, b->asset_id, path, sizeof path);
    const struct settings *s = l->cfg.settings;
    const struct recording_cfg rc = {
        .channel = ch,
        .pool = l->cfg.pool,
        .dir = on_disk ? path : NULL,
        .part_ms = s->hls_part,
        .segment_ms = s->hls_segment,
        .target_s = s->hls_target,
        .min_free_bytes = s->min_free_disk,
        .on_live = on_live,
        .on_disk_failure = on_disk_failure,
        .on_closed = on_closed,
        .ctx = b,
    };
    b->recording = recording_open(&rc);
    b->log = record_log_ref(recording_log(b->recording));
    loop_post(channel_home(ch), on_made, broadcast_ref(b));
    *out = b;
    return E_OK;
}
