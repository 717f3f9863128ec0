/* SPDX-License-Identifier: MIT */
#include "video/renditions.h"
#include "base/clock.h"
#include "base/rand.h"
#include "video/asset.h"
#include "video/live_files.h"
#include "video/outbox.h"
#include "video/renditions_priv.h"
#include "wire/json_flat.h"
#include <stdio.h>
#include <unistd.h>

#define ID_CHARS 40

/* --- names --- */

bool rendition_name(const char *resolution, char out[RENDITION_NAME_CAP])
{
    static const char *const KNOWN[] = {"highest", "2160p", "1440p",       "1080p", "720p",
                                        "540p",    "480p",  "360p",        "270p",  "low",
                                        "medium",  "high",  "capped-1080p"};
    if (!strcmp(resolution, "audio-only")) {
        snprintf(out, RENDITION_NAME_CAP, "audio.m4a");
        return true;
    }
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        if (strcmp(KNOWN[i], resolution) != 0) continue;
        snprintf(out, RENDITION_NAME_CAP, "%s.mp4", resolution);
        return true;
    }
    return false;
}

/* --- rows --- */

enum err rendition_tell(struct db *db, const char *what, const char *id)
{
    char type[48];
    snprintf(type, sizeof type, "asset.static_rendition.%s", what);
    return outbox_add(db, type, OUTBOX_RENDITION, id);
}

static enum err insert(struct db *db, const char *asset_id, const char *user_id,
                       const char *resolution, const char *passthrough, struct rendition *out)
{
    struct rendition r = {.created_at = clock_wall_us(), .status = "preparing"};
    rand_id(r.id, ID_CHARS);
    snprintf(r.asset_id, sizeof r.asset_id, "%s", asset_id);
    snprintf(r.resolution, sizeof r.resolution, "%s", resolution);
    snprintf(r.passthrough, sizeof r.passthrough, "%s", passthrough);
    if (!rendition_name(resolution, r.name)) return E_INVALID;
    enum err e = db_exec(db,
                         "INSERT INTO static_renditions (id, asset_id, resolution, passthrough,"
                         " name, created_at) SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE (SELECT COUNT(*)"
                         " FROM static_renditions WHERE asset_id = ?2) < ?7",
                         "sssssii", r.id, asset_id, resolution, passthrough, r.name, r.created_at,
                         (int64_t)LIMIT_STATIC_RENDITIONS);
    if (e == E_OK && !db_changes(db)) e = E_LIMIT;
    if (e == E_OK) e = jobs_queue(db, "rendition", asset_id, user_id, r.id);
    if (e == E_OK) e = rendition_tell(db, "created", r.id);
    if (e == E_OK) *out = r;
    return e;
}

enum err rendition_add(struct db *db, const char *asset_id, const char *user_id,
                       const char *resolution, const char *passthrough, struct rendition *out)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = insert(db, asset_id, user_id, resolution, passthrough ? passthrough : "", out);
    if (e == E_OK) {
        e = db_commit(db);
        jobs_wake();
        return e;
    }
    db_rollback(db);
    return e;
}

#define COLUMNS                                                                                    \
    "id, asset_id, resolution, status, name, width, height, filesize, bitrate, created_at, "       \
    "passthrough, problem"

static void take(struct db_rows *q, struct rendition *r)
{
    *r = (struct rendition){0};
    snprintf(r->id, sizeof r->id, "%s", db_text(q, 0));
    snprintf(r->asset_id, sizeof r->asset_id, "%s", db_text(q, 1));
    snprintf(r->resolution, sizeof r->resolution, "%s", db_text(q, 2));
    snprintf(r->status, sizeof r->status, "%s", db_text(q, 3));
    snprintf(r->name, sizeof r->name, "%s", db_text(q, 4));
    r->width = db_int(q, 5);
    r->height = db_int(q, 6);
    r->filesize = db_int(q, 7);
    r->bitrate = db_int(q, 8);
    r->created_at = db_int(q, 9);
    snprintf(r->passthrough, sizeof r->passthrough, "%s", db_text(q, 10));
    snprintf(r->problem, sizeof r->problem, "%s", db_text(q, 11));
}

enum err renditions_list(struct db *db, const char *asset_id, struct rendition *out, unsigned *n)
{
    unsigned got = 0;
    struct db_rows *q = db_query(db,
                                 "SELECT " COLUMNS " FROM static_renditions WHERE asset_id = ?1"
                                 " ORDER BY created_at, id",
                                 "s", asset_id);
    while (got < *n && db_next(q)) take(q, &out[got++]);
    *n = got;
    return db_done(q);
}

enum err rendition_get(struct db *db, const char *id, struct rendition *out)
{
    struct db_rows *q =
        db_query(db, "SELECT " COLUMNS " FROM static_renditions WHERE id = ?1", "s", id);
    const bool found = db_next(q);
    if (found) take(q, out);
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

enum err renditions_state(struct db *db, const char *asset_id, const char *name)
{
    struct db_rows *q =
        db_query(db, "SELECT status FROM static_renditions WHERE asset_id = ?1 AND name = ?2", "ss",
                 asset_id, name);
    enum err state = E_NOTFOUND;
    if (db_next(q))
        state = !strcmp(db_text(q, 0), "ready")       ? E_OK
                : !strcmp(db_text(q, 0), "preparing") ? E_CLOSED
                                                      : E_NOTFOUND;
    const enum err e = db_done(q);
    return e != E_OK ? e : state;
}

static enum err remove_row(struct db *db, const char *id)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = rendition_tell(db, "deleted", id); /* as it was */
    if (e == E_OK) e = db_exec(db, "DELETE FROM jobs WHERE input = ?1", "s", id);
    if (e == E_OK) e = db_exec(db, "DELETE FROM static_renditions WHERE id = ?1", "s", id);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err rendition_remove(struct live *l, struct db *db, const char *asset_id, const char *id)
{
    struct rendition r;
    struct asset a;
    char dir[4096], path[4200];
    enum err e = rendition_get(db, id, &r);
    if (e == E_OK && strcmp(r.asset_id, asset_id) != 0) e = E_NOTFOUND;
    if (e == E_OK) e = asset_get(db, asset_id, NULL, &a);
    if (e != E_OK) return e;
    e = remove_row(db, id);
    if (e == E_OK && live_media_path(l, a.dir, dir, sizeof dir)) {
        snprintf(path, sizeof path, "%s/%s", dir, r.name);
        unlink(path);
        snprintf(path, sizeof path, "%s/.%s.part", dir, r.id); /* of a job that was stopped */
        unlink(path);
    }
    asset_fini(&a);
    /* What a job is doing this moment it sees itself. */
    if (e == E_OK && rendition_temp(l, id, dir, sizeof dir)) live_files_remove(dir);
    return e;
}

bool rendition_temp(const struct live *l, const char *id, char *out, size_t cap)
{
    char name[LIVE_ID_CAP + 8];
    snprintf(name, sizeof name, "%s.part", id);
    return live_media_path(l, name, out, cap);
}

void renditions_forget(const struct live *l, struct db *db, const char *asset_id)
{
    char ids[LIMIT_STATIC_RENDITIONS][LIVE_ID_CAP], dir[4096];
    unsigned n = 0;
    struct db_rows *q = db_query(
        db, "SELECT id FROM static_renditions WHERE asset_id = ?1 AND status = 'preparing'", "s",
        asset_id);
    while (n < LIMIT_STATIC_RENDITIONS && db_next(q))
        snprintf(ids[n++], LIVE_ID_CAP, "%s", db_text(q, 0));
    if (db_done(q) != E_OK) return;
    while (n)
        if (rendition_temp(l, ids[--n], dir, sizeof dir)) live_files_remove(dir);
}

/* --- what options ask for --- */

/* The options were written by us, as JSON, from what was checked. */
static enum err want_listed(struct db *db, const struct asset *a)
{
    struct str resolution = {0}, passthrough = {0};
    struct span list, one;
    struct rendition r;
    enum err e = E_OK;
    if (json_flat_list(span_str(a->options), "static_renditions", &list) != E_OK) return E_OK;
    while (e == E_OK && json_flat_next(&list, &one) == E_OK) {
        resolution.len = passthrough.len = 0;
        if (json_flat_text(one, "resolution", &resolution) != E_OK) continue;
        if (json_flat_text(one, "passthrough", &passthrough) != E_OK) passthrough.len = 0;
        e = insert(db, a->id, a->user_id, str_c(&resolution), str_c(&passthrough), &r);
        if (e == E_INVALID || e == E_LIMIT || e == E_CONFLICT) e = E_OK;
    }
    str_fini(&resolution);
    str_fini(&passthrough);
    return e;
}

static enum err want_old_words(struct db *db, const struct asset *a)
{
    static const struct {
        const char *word, *resolution;
    } OLD[] = {{"standard", "low"},
               {"standard", "medium"},
               {"standard", "high"},
               {"capped-1080p", "capped-1080p"},
               {"audio-only", "audio-only"}};
    const char *at = strstr(a->options, "\"mp4_support\":\"");
    struct rendition r;
    enum err e = E_OK;
    if (!at) return E_OK;
    at += strlen("\"mp4_support\":\"");
    const struct span value = span_of(at, strcspn(at, "\""));
    for (size_t i = 0; i < sizeof OLD / sizeof *OLD && e == E_OK; i++) {
        if (!memmem(value.p, value.len, OLD[i].word, strlen(OLD[i].word))) continue;
        e = insert(db, a->id, a->user_id, OLD[i].resolution, "", &r);
        if (e == E_LIMIT || e == E_CONFLICT) e = E_OK;
    }
    return e;
}

enum err renditions_wanted(struct db *db, const char *asset_id)
{
    struct asset a;
    enum err e = asset_get(db, asset_id, NULL, &a);
    if (e != E_OK) return e == E_NOTFOUND ? E_OK : e;
    if (a.user_id[0]) e = want_listed(db, &a);
    if (e == E_OK && a.user_id[0]) e = want_old_words(db, &a);
    asset_fini(&a);
    return e;
}
