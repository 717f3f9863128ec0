/* SPDX-License-Identifier: MIT */
#include "record/recording.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "record/log_writer.h"
#include "record/summary.h"

/* A source that is silent for so long is taken for gone: what it sent is put out. (The timeline
 * goes on after gaps of up to ten seconds.) */
#define SILENCE_US (10 * US_PER_SEC)

struct recording {
    struct recording_cfg cfg;
    struct loop *home;
    struct record_log *log;
    struct packager *packager;
    struct feed_reader reader;
    struct timer timer;
    struct hub_item *tracks; /* the last set: a break makes the packager forget it */
    int64_t last_frame_us;
    bool attached, live, closing, broken;
};

/* --- frames in ---------------------------------------------------------------------------------
 */

static void set_timer(struct recording *r)
{
    int64_t at = packager_deadline_us(r->packager);
    if (!r->broken && r->last_frame_us && r->last_frame_us + SILENCE_US < at)
        at = r->last_frame_us + SILENCE_US;
    if (at == INT64_MAX)
        timer_stop(&r->timer);
    else if (!timer_active(&r->timer) || r->timer.at_us > at)
        timer_at(&r->timer, at);
}

static bool take_events(struct recording *r)
{
    struct packager_event ev;
    bool any = false;
    while (packager_next(r->packager, &ev)) {
        record_log_event(r->log, &ev);
        packager_event_fini(&ev);
        any = true;
    }
    return any;
}

static void pump(struct recording *r, int64_t now_us)
{
    if (!take_events(r)) return;
    const bool playable = record_log_publish(r->log, packager_part_target_us(r->packager), now_us);
    if (!playable || r->live) return;
    r->live = true;
    if (r->cfg.on_live) r->cfg.on_live(r->cfg.ctx);
}

static void on_timer(struct timer *t, void *ctx)
{
    struct recording *r = ctx;
    const int64_t now = loop_now_us(r->home);
    (void)t;
    if (!r->broken && r->last_frame_us && now >= r->last_frame_us + SILENCE_US) {
        r->broken = true;
        packager_break(r->packager, now);
    }
    packager_tick(r->packager, now);
    pump(r, now);
    set_timer(r);
}

static bool listed(const struct hub_item *item, const struct track *t)
{
    for (unsigned i = 0; item && i < item->n_tracks; i++)
        if (item->tracks[i]->kind == t->kind && item->tracks[i]->id == t->id) return true;
    return false;
}

static void on_tracks(struct recording *r, const struct hub_item *item,
                      const struct hub_item *before, int64_t now)
{
    for (unsigned i = 0; before && i < before->n_tracks; i++) {
        const struct track *t = before->tracks[i];
        if (!listed(item, t)) packager_untrack(r->packager, t->kind, t->id, now);
    }
    for (unsigned i = 0; i < item->n_tracks; i++) {
        const enum err e = packager_track(r->packager, item->tracks[i], now);
        if (e != E_OK)
            log_warn("record", "run=%s codec=%s not recorded: %s", record_log_run(r->log),
                     codec_name(item->tracks[i]->codec), err_text(e));
    }
}

static void on_item(struct feed_reader *reader, struct feed_msg *m)
{
    struct recording *r = reader->ctx;
    const struct hub_item *item = (const struct hub_item *)m;
    const int64_t now = loop_now_us(r->home);
    switch ((enum hub_item_kind)m->kind) {
    case HUB_TRACKS:
        on_tracks(r, item, r->tracks, now);
        if (r->tracks) feed_msg_unref(&r->tracks->msg);
        r->tracks = (struct hub_item *)feed_msg_ref(m);
        break;
    case HUB_FRAME:
        r->last_frame_us = now;
        if (r->broken && r->tracks) on_tracks(r, r->tracks, NULL, now);
        r->broken = false;
        packager_frame(r->packager, item->frame, now);
        break;
    case HUB_END:
        return; /* the owner closes us */
    }
    pump(r, now);
    set_timer(r);
}

/* --- the end -----------------------------------------------------------------------------------
 */

static void on_log_closed(void *ctx)
{
    struct recording *r = ctx;
    struct recording_info info;
    summary_of(record_log_archive(r->log), &info);
    info.stopped_early = record_log_failed(r->log);
    log_info("record", "run=%s closed duration_ms=%lld bytes=%llu", record_log_run(r->log),
             (long long)(info.duration_us / 1000), (unsigned long long)info.bytes);
    if (r->cfg.on_closed) r->cfg.on_closed(r->cfg.ctx, &info);
    record_log_unref(r->log);
    if (r->tracks) feed_msg_unref(&r->tracks->msg);
    channel_unref(r->cfg.channel);
    packager_free(r->packager);
    free(r);
}

static void on_disk_failure(void *ctx, enum err e, const char *reason)
{
    const struct recording *r = ctx;
    if (r->cfg.on_disk_failure) r->cfg.on_disk_failure(r->cfg.ctx, e, reason);
}

static void close_here(void *arg)
{
    struct recording *r = arg;
    const int64_t now = loop_now_us(r->home);
    CHECK(!r->closing);
    r->closing = true;
    timer_stop(&r->timer);
    if (r->attached) feed_detach(&r->reader);
    packager_end(r->packager, now);
    (void)take_events(r); /* who waits gets the last part and the end in one playlist */
    record_log_end(r->log, now, clock_wall_us());
}

void recording_close(struct recording *r)
{
    loop_post(r->home, close_here, r);
}

/* --- the beginning -----------------------------------------------------------------------------
 */

static void attach_here(void *arg)
{
    struct recording *r = arg;
    timer_init(&r->timer, r->home, on_timer, r);
    r->attached = true;
    feed_attach(channel_feed(r->cfg.channel), &r->reader, on_item, r);
}

struct recording *recording_open(const struct recording_cfg *cfg)
{
    struct recording *r = NEW(struct recording);
    r->cfg = *cfg;
    r->cfg.dir = NULL; /* the log has its own copy */
    r->cfg.channel = channel_ref(cfg->channel);
    r->home = channel_home(cfg->channel);
    r->packager = packager_new(&(struct packager_config){
        .part_ms = (uint32_t)cfg->part_ms,
        .segment_ms = (uint32_t)cfg->segment_ms,
        .target_s = (uint32_t)cfg->target_s,
    });
    const struct feed *f = channel_feed(cfg->channel);
    struct log_cfg lc = {
        .home = r->home,
        .pool = cfg->pool,
        .dir = cfg->dir,
        .target_s = cfg->target_s,
        .min_free_bytes = cfg->min_free_bytes,
        .on_disk_failure = on_disk_failure,
        .on_closed = on_log_closed,
        .ctx = r,
    };
    lc.loops = feed_loops(f, &lc.n_loops);
    r->log = record_log_new(&lc);
    loop_post(r->home, attach_here, r);
    return r;
}

void recording_give_up(struct recording *r, enum err e, const char *reason)
{
    record_log_give_up(r->log, e, reason);
}

struct record_log *recording_log(const struct recording *r)
{
    return r->log;
}
