/* SPDX-License-Identifier: MIT */
/* /api/streams/{id}/recordings: what there is of a stream, which is its own, as a file, gone. */
#include "api/api_priv.h"
#include "api/body.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "video/provider.h"
#include "video/recordings.h"
#include "video/renditions.h"
#include <stdio.h>

static const struct throttle_rule DOWNLOADS = {"recording-download", 30, 10 * US_PER_SEC};

static bool refuse(struct call *c, enum err e, const char *code, const char *text)
{
    problem_set(&c->problem, e, code, NULL, "%s", text);
    call_fail(c, e, 0);
    return false;
}

/* The owner's stream, and the ids of the path are such. False: the reply is made. */
static bool own_stream(struct call *c, struct stream *s)
{
    if (!text_is_id(c->param[0]))
        return refuse(c, E_NOTFOUND, "not_found", "There is no such stream.");
    const enum err e = stream_get_own(c->db, c->param[0], c->user.id, s, &c->problem);
    if (e != E_OK) call_fail(c, e, 0);
    return e == E_OK;
}

/* --- as JSON --------------------------------------------------------------------------------- */

/* The one file that a person downloads: all of it, or the sound where there is no picture. */
static const char *file_kind(const struct stream_recording *r)
{
    return r->height ? "highest" : "audio-only";
}

static bool find_file(struct db *db, const struct stream_recording *r, struct rendition *out)
{
    struct rendition all[LIMIT_STATIC_RENDITIONS];
    unsigned n = LIMIT_STATIC_RENDITIONS;
    if (renditions_list(db, r->id, all, &n) != E_OK) return false;
    for (unsigned i = 0; i < n; i++)
        if (!strcmp(all[i].resolution, file_kind(r))) {
            *out = all[i];
            return true;
        }
    return false;
}

/* "Tea & cake" -> "Tea%20%26%20cake" */
static void add_escaped(struct str *s, const char *text)
{
    for (; *text; text++) {
        const uint8_t b = (uint8_t)*text;
        const bool plain = (b >= '0' && b <= '9') || (b >= 'A' && b <= 'Z') ||
                           (b >= 'a' && b <= 'z') || b == '-' || b == '_' || b == '.';
        if (plain)
            str_addc(s, (char)b);
        else
            str_addf(s, "%%%02X", b);
    }
}

static json_t *file_url(const struct call *c, const struct stream *s,
                        const struct stream_recording *r, const char *name)
{
    struct str url = {0};
    if (!r->playback_id[0]) return json_null(); /* it has signed ones only */
    str_addf(&url, "%s/%s/%s?download=", c->origin, r->playback_id, name);
    add_escaped(&url, s->title);
    const char *dot = strrchr(name, '.');
    str_adds(&url, dot ? dot : "");
    char pass[STREAM_PASS_CAP];
    if (stream_pass(c->api, s, pass)) str_addf(&url, "&%s", pass + 1);
    json_t *j = json_string(str_c(&url));
    str_fini(&url);
    return j;
}

static json_t *download_json(const struct call *c, const struct stream *s,
                             const struct stream_recording *r)
{
    struct rendition f;
    if (r->remote || r->state != STORED_READY || !find_file(c->db, r, &f))
        return json_pack("{s:s, s:n, s:n}", "status", "NONE", "url", "size");
    const bool ready = !strcmp(f.status, "ready");
    return json_pack("{s:s, s:o, s:o}", "status",
                     ready                                ? "READY"
                     : strcmp(f.status, "preparing") != 0 ? "FAILED"
                                                          : "PREPARING",
                     "url", ready ? file_url(c, s, r, f.name) : json_null(), "size",
                     ready ? json_integer(f.filesize) : json_null());
}

static json_t *at(const struct call *c, const struct stream *s, const struct stream_recording *r,
                  const char *file)
{
    char pass[STREAM_PASS_CAP];
    const bool plays =
        r->playback_id[0] && (r->state == STORED_READY || r->state == STORED_RECORDING);
    if (plays && r->remote) return remote_url(c->api, r->playback_id, file);
    stream_pass(c->api, s, pass);
    return plays ? json_sprintf("%s/%s%s%s", c->origin, r->playback_id, file, pass) : json_null();
}

static json_t *number(int64_t n, bool known)
{
    return known ? json_integer(n) : json_null();
}

static json_t *recording_json(const struct call *c, const struct stream *s,
                              const struct stream_recording *r)
{
    static const char *const STATES[] = {"RECORDING", "UPLOADING", "PROCESSING", "READY", "FAILED"};
    const int64_t us = r->duration_us;
    json_t *j = json_pack("{s:s, s:b, s:s, s:s}", "id", r->id, "own", r->own, "source",
                          r->from_browser ? "BROWSER" : "SERVER", "status", STATES[r->state]);
    if (r->remote) json_object_set_new(j, "remote", json_true());
    json_object_set_new(j, "progress", number(r->progress, r->progress >= 0));
    json_object_set_new(j, "received",
                        number(r->received, r->state == STORED_UPLOADING && !r->remote));
    json_object_set_new(j, "problem", r->problem[0] ? json_string(r->problem) : json_null());
    json_object_set_new(j, "duration", number(us / US_PER_SEC, us >= 0));
    json_object_set_new(j, "size", number(r->bytes, r->bytes > 0));
    json_object_set_new(j, "width", number(r->width, r->width > 0));
    json_object_set_new(j, "height", number(r->height, r->height > 0));
    json_object_set_new(j, "createdAt", time_json(r->created_at));
    json_object_set_new(j, "startedAt", time_json(r->started_at));
    json_object_set_new(j, "hlsUrl", at(c, s, r, ".m3u8"));
    json_object_set_new(j, "thumbnailUrl", at(c, s, r, "/thumbnail.jpg"));
    json_object_set_new(j, "download", download_json(c, s, r));
    return j;
}

static void reply_one(struct call *c, const struct stream *s, int status)
{
    struct stream_recording r;
    const enum err e = recordings_get(c->api->cfg.live, c->db, s->id, c->param[1], &r);
    if (e == E_OK)
        call_json(c, status, recording_json(c, s, &r));
    else
        call_fail(c, e, 0);
}

/* --- the calls ------------------------------------------------------------------------------- */

static void list(struct call *c)
{
    struct stream s;
    size_t n = 0;
    if (!own_stream(c, &s)) return;
    struct stream_recording *all = xcalloc(LIMIT_PAGE_ITEMS, sizeof *all);
    const enum err e = recordings_list(c->api->cfg.live, c->db, s.id, all, LIMIT_PAGE_ITEMS, &n);
    if (e == E_OK) {
        json_t *rows = json_array();
        for (size_t i = 0; i < n; i++) json_array_append_new(rows, recording_json(c, &s, &all[i]));
        call_json(c, 200, json_pack("{s:o}", "recordings", rows));
    } else {
        call_fail(c, e, 0);
    }
    free(all);
    stream_fini(&s);
}

/* The stream's, and the one that the path names. False: the reply is made, `s` is freed. */
static bool own_recording(struct call *c, struct stream *s, struct stream_recording *r)
{
    if (!body_read(c, NULL, 0) || !own_stream(c, s)) return false;
    enum err e = text_is_id(c->param[1]) ? E_OK : E_NOTFOUND;
    if (e == E_OK) e = recordings_get(c->api->cfg.live, c->db, s->id, c->param[1], r);
    if (e == E_OK) return true;
    stream_fini(s);
    if (e == E_NOTFOUND)
        problem_set(&c->problem, e, "not_found", NULL, "There is no such recording.");
    call_fail(c, e, 0);
    return false;
}

static void choose(struct call *c)
{
    struct stream s;
    struct stream_recording r;
    if (!own_recording(c, &s, &r)) return;
    const enum err e = recordings_choose(c->api->cfg.live, c->db, s.id, r.id);
    if (e == E_CONFLICT) {
        refuse(c, e, "not_ready",
               "This works when the stream has ended and the recording is ready.");
    } else if (e != E_OK) {
        call_fail(c, e, 0);
    } else {
        log_info("recording_chosen", "stream=%s asset=%s user=%s", s.id, r.id, c->user.id);
        api_stream_changed(c->api, s.id);
        reply_one(c, &s, 200);
    }
    stream_fini(&s);
}

/* What failed is tried anew. */
static enum err make_file(struct call *c, const struct stream_recording *r)
{
    struct rendition f;
    if (find_file(c->db, r, &f)) {
        if (!strcmp(f.status, "ready") || !strcmp(f.status, "preparing")) return E_OK;
        const enum err e = rendition_remove(c->api->cfg.live, c->db, r->id, f.id);
        if (e != E_OK && e != E_NOTFOUND) return e;
    }
    const enum err e = rendition_add(c->db, r->id, c->user.id, file_kind(r), "", &f);
    return e == E_CONFLICT ? E_OK : e; /* somebody was quicker */
}

static void download(struct call *c)
{
    struct stream s;
    struct stream_recording r;
    if (!own_recording(c, &s, &r)) return;
    enum err e;
    if (r.state != STORED_READY)
        refuse(c, E_CONFLICT, "not_ready", "This recording is not ready yet.");
    else if (r.remote)
        refuse(c, E_CONFLICT, "remote", "Mux keeps this recording; it gives files of it out.");
    else if (!call_may(c, &DOWNLOADS, c->user.id))
        ;
    else if ((e = make_file(c, &r)) == E_OK)
        reply_one(c, &s, 202);
    else
        call_fail(c, e, 0);
    stream_fini(&s);
}

static enum err upload_of(struct db *db, const char *stream_id, const char *asset_id, char *out,
                          size_t cap)
{
    struct db_rows *q =
        db_query(db, "SELECT id FROM uploads WHERE stream_id = ?1 AND asset_id = ?2", "ss",
                 stream_id, asset_id);
    const bool found = db_next(q);
    if (found) snprintf(out, cap, "%s", db_text(q, 0));
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

static enum err drop_one(struct call *c, const struct stream *s, const struct stream_recording *r)
{
    char upload[UPLOAD_ID_CAP];
    if (r->remote)
        return r->from_browser ? provider_upload_remove(c->db, s->id, r->id) : E_UNSUPPORTED;
    if (r->state == STORED_UPLOADING) {
        const enum err e = upload_of(c->db, s->id, r->id, upload, sizeof upload);
        return e != E_OK ? e : uploads_cancel(c->api->cfg.uploads, c->db, c->user.id, upload);
    }
    if (!r->dir[0]) return recordings_dismiss(c->db, s->id, r->id);
    return live_remove_asset(c->api->cfg.live, c->db, r->id);
}

static void drop(struct call *c)
{
    struct stream s;
    struct stream_recording r;
    if (!own_recording(c, &s, &r)) return;
    const enum err e = drop_one(c, &s, &r);
    if (e == E_UNSUPPORTED) {
        refuse(c, E_CONFLICT, "remote", "The broadcast's recording at Mux goes with its stream.");
    } else if (e == E_CONFLICT) {
        refuse(c, e, "recording", "It is still being recorded; end the stream first.");
    } else if (e != E_OK) {
        call_fail(c, e, 0);
    } else {
        log_info("recording_deleted", "stream=%s asset=%s user=%s", s.id, r.id, c->user.id);
        api_stream_changed(c->api, s.id);
        call_empty(c, 204);
    }
    stream_fini(&s);
}

#define ALL "/api/streams/{}/recordings"

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET, ALL, list, CALL_USER, {0}},
    {HTTP_POST, ALL "/{}/own", choose, CALL_USER, {0}},
    {HTTP_POST, ALL "/{}/download", download, CALL_USER, {0}},
    {HTTP_DELETE, ALL "/{}", drop, CALL_USER, {0}},
};
const struct endpoint_table app_recordings = ENDPOINT_TABLE(ENDPOINTS);
