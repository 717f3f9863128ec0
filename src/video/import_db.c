/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/rand.h"
#include "video/import_priv.h"
#include "video/master.h"
#include "video/outbox.h"
#include "video/playback_id.h"
#include "video/uploads.h"
#include "wire/json_flat.h"
#include <stdio.h>

static void take(char *out, size_t cap, const char *text)
{
    snprintf(out, cap, "%s", text);
}
#define TAKE(field, text) take(field, sizeof(field), text)

static void take_tier(const char *options, struct import_asset *out)
{
    struct str tier = {0};
    out->tier[0] = 0;
    if (json_flat_text(span_str(options), "max_resolution_tier", &tier) == E_OK)
        TAKE(out->tier, str_c(&tier));
    str_fini(&tier);
}

enum err import_db_find(struct db *db, const char *asset_id, struct import_asset *out)
{
    struct db_rows *q =
        db_query(db,
                 "SELECT a.id, COALESCE(a.user_id, ''), a.dir, COALESCE(u.stream_id, ''), a.test,"
                 " COALESCE(a.source_file, ''), a.options, a.ingest_type FROM assets a LEFT JOIN "
                 "uploads u ON"
                 " u.id = a.upload_id WHERE a.id = ?1 AND a.status = 'preparing'",
                 "s", asset_id);
    const bool found = db_next(q);
    if (found) {
        TAKE(out->id, db_text(q, 0));
        TAKE(out->user_id, db_text(q, 1));
        TAKE(out->dir, db_text(q, 2));
        TAKE(out->stream_id, db_text(q, 3));
        out->test = db_int(q, 4) != 0;
        out->keeps_source = db_text(q, 5)[0] != 0;
        take_tier(db_text(q, 6), out);
        out->clip = !strcmp(db_text(q, 7), "on_demand_clip");
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

enum err import_db_find_source(struct db *db, const char *asset_id, const char *user_id, char *dir,
                               size_t cap)
{
    struct db_rows *q =
        db_query(db,
                 "SELECT dir FROM assets WHERE id = ?1 AND user_id = ?2 AND status = 'ready' AND"
                 " is_live = 0",
                 "ss", asset_id, user_id);
    const bool found = db_next(q);
    if (found) take(dir, cap, db_text(q, 0));
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

enum err import_db_progress(struct db *db, const char *asset_id, const char *state, int percent)
{
    const enum err e = db_exec(db,
                               "UPDATE assets SET progress_state = ?2, progress = ?3 WHERE id = ?1"
                               " AND status = 'preparing'",
                               "ssi", asset_id, state, (int64_t)percent);
    return e != E_OK ? e : db_changes(db) ? E_OK : E_NOTFOUND;
}

/* --- JSON of numbers and of words that were checked --- */

static void add_seconds(struct str *s, const char *name, int64_t us)
{
    str_addf(s, "\"%s\":%lld.%06lld", name, (long long)(us / US_PER_SEC),
             (long long)(us % US_PER_SEC));
}

static unsigned rate_of(const struct import_result *r)
{
    if (r->info.video == CODEC_NONE) return 0;
    return r->info.fps_milli ? r->info.fps_milli
           : r->fps_milli    ? r->fps_milli
                             : r->input.stream[MEDIA_VIDEO].fps_milli;
}

static void tracks_json(const struct import_result *r, struct str *s)
{
    char id[25];
    str_addc(s, '[');
    if (r->info.video != CODEC_NONE) {
        rand_id(id, 24);
        str_addf(s, "{\"type\":\"video\",\"id\":\"%s\",\"max_width\":%u,\"max_height\":%u,", id,
                 r->info.width, r->info.height);
        if (rate_of(r))
            str_addf(s, "\"max_frame_rate\":%u.%03u,", rate_of(r) / 1000, rate_of(r) % 1000);
        add_seconds(s, "duration", r->info.duration_us);
        str_addc(s, '}');
    }
    if (r->info.audio != CODEC_NONE) {
        rand_id(id, 24);
        if (s->len > 1) str_addc(s, ',');
        str_addf(s,
                 "{\"type\":\"audio\",\"id\":\"%s\",\"max_channels\":%u,"
                 "\"max_channel_layout\":\"%s\",\"primary\":true,",
                 id, r->channels, r->channels == 1 ? "mono" : "stereo");
        add_seconds(s, "duration", r->info.duration_us);
        str_addc(s, '}');
    }
    str_addc(s, ']');
}

/* The file's part of input-info: the settings are known to who made the asset. */
static void input_json(const struct import_input *in, struct str *s)
{
    const struct import_stream *v = &in->stream[MEDIA_VIDEO], *a = &in->stream[MEDIA_AUDIO];
    str_addf(s, "{\"container_format\":\"%s\",\"tracks\":[", in->container);
    if (v->there) {
        str_adds(s, "{\"type\":\"video\",");
        if (in->duration_us >= 0) {
            add_seconds(s, "duration", in->duration_us);
            str_addc(s, ',');
        }
        str_addf(s, "\"encoding\":\"%s\",\"width\":%u,\"height\":%u", v->codec, v->width,
                 v->height);
        if (v->fps_milli)
            str_addf(s, ",\"frame_rate\":%u.%03u", v->fps_milli / 1000, v->fps_milli % 1000);
        str_addc(s, '}');
    }
    if (a->there) {
        if (v->there) str_addc(s, ',');
        str_adds(s, "{\"type\":\"audio\",");
        if (in->duration_us >= 0) {
            add_seconds(s, "duration", in->duration_us);
            str_addc(s, ',');
        }
        str_addf(s, "\"encoding\":\"%s\",\"channels\":%u,\"sample_rate\":%u}", a->codec,
                 a->channels, a->sample_rate);
    }
    str_adds(s, "]}");
}

/* --- the end --- */

static enum err write_ready(struct db *db, const struct import_asset *a,
                            const struct import_result *r)
{
    struct str tracks = {0}, input = {0}, odd = {0};
    tracks_json(r, &tracks);
    if (!a->clip) import_standard_json(&r->input, &odd);
    input_json(&r->input, &input);
    enum err e = db_exec(
        db,
        "UPDATE assets SET status = 'ready', duration_us = ?2, width = ?3, height = ?4,"
        " fps_milli = ?5, tracks = ?6, input_info = ?7, progress_state = 'completed',"
        " progress = 100, problem = '', error_type = '', updated_at = ?8, non_standard = ?9"
        " WHERE id = ?1 AND status = 'preparing'",
        "siiiissis", a->id, r->info.duration_us, (int64_t)r->info.width, (int64_t)r->info.height,
        (int64_t)rate_of(r), str_c(&tracks), str_c(&input), clock_wall_us(), str_c(&odd));
    const bool tell = odd.len > 0;
    str_fini(&odd);
    str_fini(&tracks);
    str_fini(&input);
    if (e == E_OK && !db_changes(db)) e = E_NOTFOUND;
    if (e == E_OK && tell)
        e = outbox_add(db, "asset.non_standard_input_detected", OUTBOX_ASSET, a->id);
    return e;
}

enum err import_db_ready(struct db *db, const struct job *j, const struct import_asset *a,
                         const struct import_result *r)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = write_ready(db, a, r);
    if (e == E_OK) e = db_exec(db, "DELETE FROM jobs WHERE id = ?1", "s", j->id);
    if (e == E_OK && a->stream_id[0]) e = jobs_queue(db, "adopt", a->id, a->user_id, a->stream_id);
    if (e == E_OK) e = outbox_add(db, "asset.ready", OUTBOX_ASSET, a->id);
    if (e == E_OK) e = master_wanted(db, a->id);
    if (e == E_OK) /* files that are made of it */
        e = db_exec(db, "UPDATE jobs SET not_before = 0 WHERE asset_id = ?1", "s", a->id);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

static const char *error_type(enum err why)
{
    return why == E_UNSUPPORTED || why == E_LIMIT ? "invalid_input"
           : why == E_NOTFOUND || why == E_AUTH   ? "download_failed"
                                                  : "processing_failed";
}

enum err import_db_errored(struct db *db, const struct import_asset *a, enum err why,
                           const char *problem)
{
    const char *asset_id = a->id;
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db,
                "UPDATE assets SET status = 'errored', problem = ?2, error_type = ?3,"
                " progress_state = 'errored', progress = -1, updated_at = ?4"
                " WHERE id = ?1 AND status = 'preparing'",
                "sssi", asset_id, problem, error_type(why), clock_wall_us());
    if (e == E_OK && db_changes(db)) e = outbox_add(db, "asset.errored", OUTBOX_ASSET, asset_id);
    if (e == E_OK && a->stream_id[0]) e = uploads_settle_stream(db, a->stream_id);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

/* --- an upload that replaces the server's own recording --- */

/* What the stream has now. */
struct stream_now {
    char recording_id[LIVE_ID_CAP];
    bool running;
};

static enum err find_stream(struct db *db, const char *stream_id, struct stream_now *out)
{
    struct db_rows *q =
        db_query(db,
                 "SELECT COALESCE(s.recording_id, ''), COALESCE(a.is_live, 0), s.status"
                 " FROM streams s LEFT JOIN assets a ON a.id = s.recording_id WHERE s.id = ?1",
                 "s", stream_id);
    const bool found = db_next(q);
    if (found) {
        TAKE(out->recording_id, db_text(q, 0));
        out->running = db_int(q, 1) != 0 || !strcmp(db_text(q, 2), "LIVE");
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

/* The address that people have stays, and leads to the better recording; both can be played. */
static enum err move_playback_ids(struct db *db, const char *from, const char *to)
{
    struct playback_id had[LIMIT_MUX_PLAYBACK_IDS], fresh;
    size_t n = 0;
    enum err e = E_OK;
    if (from[0] && strcmp(from, to) != 0) {
        e = playback_id_list(db, from, had, &n);
        if (e == E_OK)
            e = db_exec(db,
                        "UPDATE playback_ids SET object_id = ?2 WHERE kind = 'asset' AND"
                        " object_id = ?1",
                        "ss", from, to);
        if (e == E_OK && n)
            e = playback_id_add(db, "asset", from, had[0].is_signed ? POLICY_SIGNED : POLICY_PUBLIC,
                                &fresh);
    }
    if (e == E_OK) e = playback_id_list(db, to, had, &n);
    return e == E_OK && !n ? playback_id_add(db, "asset", to, POLICY_PUBLIC, &fresh) : e;
}

/* A stream that was only recorded, and never live, has ended with that. */
enum err uploads_end_recorded_only(struct db *db, const char *stream_id)
{
    return db_exec(db,
                   "UPDATE streams SET status = 'ENDED', ended_reason = 'owner', ended_at = ?2,"
                   " started_at = COALESCE(started_at, ?2 - COALESCE(duration, 0) * 1000000)"
                   " WHERE id = ?1 AND status = 'CREATED' AND NOT EXISTS (SELECT 1 FROM"
                   " live_streams l WHERE l.id = streams.live_stream_id AND l.reusable = 1)",
                   "si", stream_id, clock_wall_us());
}

/* A recording that was cut off (its tab crashed, its limit was reached) is kept beside a much
 * longer one of the server's, and does not take its place. */
static bool falls_short(struct db *db, const char *of, const char *asset_id)
{
    struct db_rows *q =
        db_query(db,
                 "SELECT 1 FROM assets a, assets b WHERE a.id = ?1 AND b.id = ?2 AND a.id <> b.id"
                 " AND a.status = 'ready' AND b.duration_us < a.duration_us - 30000000"
                 " AND b.duration_us < a.duration_us / 10 * 9",
                 "ss", of, asset_id);
    const bool found = db_next(q);
    return db_done(q) == E_OK && found;
}

static enum err adopt(struct db *db, const char *asset_id, const char *stream_id)
{
    struct stream_now now;
    enum err e = find_stream(db, stream_id, &now);
    if (e != E_OK) return e;
    if (now.running) return E_MORE;
    if (falls_short(db, now.recording_id, asset_id)) {
        e = move_playback_ids(db, "", asset_id); /* its own, to be played beside the other */
        return e == E_OK ? uploads_settle_stream(db, stream_id) : e;
    }
    e = move_playback_ids(db, now.recording_id, asset_id);
    if (e == E_OK)
        e = db_exec(db,
                    "UPDATE streams SET recording_id = ?2, recording_status = 'READY', duration ="
                    " (SELECT duration_us / 1000000 FROM assets WHERE id = ?2), updated_at = ?3"
                    " WHERE id = ?1 AND EXISTS (SELECT 1 FROM assets WHERE id = ?2)",
                    "ssi", stream_id, asset_id, clock_wall_us());
    if (e == E_OK && !db_changes(db)) e = E_NOTFOUND;
    if (e == E_OK) e = uploads_end_recorded_only(db, stream_id);
    if (e == E_OK)
        e = db_exec(db, "UPDATE assets SET stream_id = ?2 WHERE id = ?1", "ss", asset_id,
                    stream_id);
    if (e == E_OK && now.recording_id[0])
        e = outbox_add(db, "asset.updated", OUTBOX_ASSET, now.recording_id);
    if (e == E_OK) e = outbox_add(db, "asset.updated", OUTBOX_ASSET, asset_id);
    return e;
}

enum err import_db_adopt(struct db *db, const char *asset_id, const char *stream_id)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = adopt(db, asset_id, stream_id);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}
