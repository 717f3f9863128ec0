/* SPDX-License-Identifier: MIT */
/* What is at Mux becomes what is here: CREATED, LIVE, ENDED, and the recording's life. */
#include "base/clock.h"
#include "base/log.h"
#include "video/provider_priv.h"
#include "video/uploads.h"
#include <stdio.h>

struct here {
    char stream_id[LIVE_ID_CAP], live_id[LIVE_ID_CAP], asset_id[REMOTE_ID_CAP];
    char remote_id[REMOTE_ID_CAP];
    bool live, ended, ended_for_good;
    bool asset_over; /* what becomes of the broadcast's recording is known */
    char recording[16];
};

#define HERE                                                                                       \
    "SELECT s.id, l.id, l.remote_asset_id, s.status, s.ended_reason, s.recording_status, "         \
    "l.remote_id, l.remote_asset_end <> '' FROM live_streams l JOIN streams s ON "                 \
    "s.live_stream_id = l.id "                                                                     \
    "WHERE l.remote = 1 AND "

/* E_NOTFOUND: none of ours. */
static enum err find(struct provider *p, const char *sql, const char *id, struct here *h)
{
    struct db_rows *q = db_query(p->db, sql, "s", id);
    const bool found = db_next(q);
    if (found) {
        const char *why = db_text(q, 4);
        snprintf(h->stream_id, sizeof h->stream_id, "%s", db_text(q, 0));
        snprintf(h->live_id, sizeof h->live_id, "%s", db_text(q, 1));
        snprintf(h->asset_id, sizeof h->asset_id, "%s", db_text(q, 2));
        h->live = !strcmp(db_text(q, 3), "LIVE");
        h->ended = !strcmp(db_text(q, 3), "ENDED");
        h->ended_for_good = h->ended && (!strcmp(why, "owner") || !strcmp(why, "limit"));
        snprintf(h->recording, sizeof h->recording, "%s", db_text(q, 5));
        snprintf(h->remote_id, sizeof h->remote_id, "%s", db_text(q, 6));
        h->asset_over = db_int(q, 7) != 0;
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

static enum err changed(struct provider *p, const struct here *h, enum err e)
{
    if (e != E_OK || db_changes(p->db) == 0) return e;
    /* What its browser uploads counts too. */
    e = uploads_settle_stream(p->db, h->stream_id);
    provider_tell(p, h->stream_id);
    return e;
}

/* Another recording than the last one: what played is no longer the stream's. */
static enum err set_asset(struct provider *p, const struct here *h, const char *asset_id)
{
    if (!asset_id[0] || !strcmp(asset_id, h->asset_id)) return E_OK;
    const enum err e = db_exec(p->db,
                               "UPDATE live_streams SET remote_asset_id = ?2, "
                               "remote_asset_end = '', "
                               "remote_asset_playback_id = '' WHERE id = ?1",
                               "ss", h->live_id, asset_id);
    return e != E_OK ? e : provider_queue(p->db, JOB_ASSET, asset_id, asset_id, clock_wall_us());
}

static enum err go_live(struct provider *p, const struct here *h, const struct remote_live *r)
{
    const int64_t now = clock_wall_us();
    enum err e = set_asset(p, h, r->active_asset_id);
    if (e != E_OK || h->live) return e;
    e = db_exec(p->db,
                "UPDATE streams SET status = 'LIVE', started_at = ?2, ended_at = NULL, "
                "ended_reason = '', duration = NULL, recording_status = 'RECORDING', "
                "uploaded_playback_id = '', updated_at = ?2 WHERE id = ?1 AND status <> 'LIVE' AND "
                "ended_reason NOT IN ('owner', 'limit')",
                "si", h->stream_id, now);
    if (e == E_OK) log_info("provider", "stream=%s live", h->stream_id);
    return changed(p, h, e);
}

/* The broadcast is over; the recording may still be on its way. */
static enum err go_ended(struct provider *p, const struct here *h, bool recorded)
{
    const enum err e =
        db_exec(p->db,
                "UPDATE streams SET status = 'ENDED', ended_at = coalesce(ended_at, ?2), "
                "started_at = coalesce(started_at, ?2), "
                "ended_reason = CASE ended_reason WHEN '' THEN 'encoder' ELSE ended_reason END, "
                "duration = coalesce(duration, (?2 - coalesce(started_at, ?2)) / 1000000), "
                "recording_status = ?3, updated_at = ?2 WHERE id = ?1",
                "sis", h->stream_id, clock_wall_us(), recorded ? "PROCESSING" : "NONE");
    if (e == E_OK) log_info("provider", "stream=%s ended", h->stream_id);
    return changed(p, h, e);
}

static enum err be_idle(struct provider *p, const struct here *h, const struct remote_live *r)
{
    const char *last = r->last_asset_id[0] ? r->last_asset_id : h->asset_id;
    const bool fresh = last[0] && strcmp(last, h->asset_id) != 0;
    enum err e = set_asset(p, h, last);
    if (e != E_OK) return e;
    /* With an asset that we have not seen the whole broadcast went by unnoticed. */
    if (h->live || fresh) return go_ended(p, h, last[0] != 0);
    const bool pending = !strcmp(h->recording, "PROCESSING") ||
                         !strcmp(h->recording, "RECORDING") || !strcmp(h->recording, "UPLOADING");
    if (!pending || h->asset_over) return E_OK;
    if (!last[0]) return go_ended(p, h, false);
    return provider_queue(p->db, JOB_ASSET, last, last, clock_wall_us());
}

enum err provider_follow_live(struct provider *p, const struct remote_live *r)
{
    struct here h = {0};
    enum err e = find(p, HERE "l.remote_id = ?1", r->id, &h);
    if (e != E_OK) return e == E_NOTFOUND ? E_OK : e;
    if (strcmp(r->status, "active") != 0) return be_idle(p, &h, r);
    if (!h.ended_for_good) return go_live(p, &h, r);
    e = set_asset(p, &h, r->active_asset_id);
    return e == E_OK ? provider_queue(p->db, JOB_COMPLETE, h.stream_id, "", clock_wall_us()) : e;
}

enum err provider_lost_live(struct provider *p, const char *remote_id)
{
    struct here h = {0};
    const enum err e = find(p, HERE "l.remote_id = ?1", remote_id, &h);
    if (e != E_OK) return e == E_NOTFOUND ? E_OK : e;
    log_warn("provider", "stream=%s live_stream=%s is not at Mux any more", h.stream_id, remote_id);
    return h.live ? go_ended(p, &h, h.asset_id[0] != 0) : E_OK;
}

/* --- the recording ---------------------------------------------------------------------------- */

static enum err play_from(struct provider *p, const struct here *h, const struct remote_asset *r)
{
    return changed(p, h,
                   db_exec(p->db,
                           "UPDATE live_streams SET remote_asset_playback_id = ?2 WHERE id = ?1 "
                           "AND remote_asset_playback_id <> ?2",
                           "ss", h->live_id, r->playback_id));
}

static enum err finish(struct provider *p, const struct here *h, const char *status,
                       int64_t duration_s)
{
    const char *end = !strcmp(status, "READY") ? "ready" : "errored";
    enum err e = db_exec(p->db, "UPDATE live_streams SET remote_asset_end = ?2 WHERE id = ?1", "ss",
                         h->live_id, end);
    if (e != E_OK) return e;
    e = db_exec(p->db,
                "UPDATE streams SET recording_status = ?2, duration = CASE WHEN ?3 >= 0 THEN ?3 "
                "ELSE duration END, updated_at = ?4 WHERE id = ?1 AND status = 'ENDED' AND "
                "uploaded_playback_id = '' AND "
                "(recording_status <> ?2 OR (?3 >= 0 AND coalesce(duration, -1) <> ?3))",
                "ssii", h->stream_id, status, duration_s, clock_wall_us());
    return changed(p, h, e);
}

enum err provider_follow_asset(struct provider *p, const struct remote_asset *r)
{
    struct here h = {0};
    enum err e = provider_follow_uploaded(p, r);
    if (e != E_NOTFOUND) return e;
    e = find(p, HERE "l.remote_asset_id = ?1", r->id, &h);
    if (e == E_NOTFOUND && r->live_stream_id[0]) {
        /* Of a broadcast that we have not heard of yet, or an old one. */
        e = find(p, HERE "l.remote_id = ?1", r->live_stream_id, &h);
        if (e == E_OK)
            return provider_queue(p->db, JOB_LOOK, h.remote_id, h.remote_id, clock_wall_us());
    }
    if (e != E_OK) return e == E_NOTFOUND ? E_OK : e;
    if (!strcmp(r->status, "errored")) {
        log_warn("provider", "stream=%s recording failed: %s", h.stream_id, r->problem);
        return finish(p, &h, "FAILED", -1);
    }
    if (strcmp(r->status, "ready") != 0) return h.ended ? E_MORE : E_OK;
    e = play_from(p, &h, r);
    if (e != E_OK) return e;
    if (r->is_live) return h.ended ? E_MORE : E_OK;
    if (h.ended) return finish(p, &h, "READY", r->duration_s);
    return provider_queue(p->db, JOB_LOOK, h.remote_id, h.remote_id, clock_wall_us());
}

enum err provider_lost_asset(struct provider *p, const char *remote_id)
{
    struct here h = {0};
    enum err e = provider_lost_uploaded(p, remote_id);
    if (e != E_NOTFOUND) return e;
    e = find(p, HERE "l.remote_asset_id = ?1", remote_id, &h);
    if (e != E_OK) return e == E_NOTFOUND ? E_OK : e;
    log_warn("provider", "stream=%s asset=%s is not at Mux any more", h.stream_id, remote_id);
    e = db_exec(p->db, "UPDATE live_streams SET remote_asset_playback_id = '' WHERE id = ?1", "s",
                h.live_id);
    return e == E_OK ? finish(p, &h, "NONE", -1) : e;
}
