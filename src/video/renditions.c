/* SPDX-License-Identifier: MIT */
#include "video/renditions.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "record/mp4_file.h"
#include "video/asset.h"
#include "video/live_priv.h"
#include "video/outbox.h"
#include <stdio.h>
#include <unistd.h>

#define ID_CHARS 40
#define WAIT_US  (2 * US_PER_SEC) /* for the recording's end */

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

static enum err tell(struct db *db, const char *what, const char *asset_id)
{
    char type[48];
    snprintf(type, sizeof type, "asset.static_rendition.%s", what);
    return outbox_add(db, type, OUTBOX_ASSET, asset_id);
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
    if (e == E_OK) e = tell(db, "created", asset_id);
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
    "passthrough"

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

static enum err find(struct db *db, const char *asset_id, const char *id, struct rendition *out)
{
    struct db_rows *q =
        db_query(db, "SELECT " COLUMNS " FROM static_renditions WHERE id = ?1 AND asset_id = ?2",
                 "ss", id, asset_id);
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

enum err rendition_remove(struct live *l, struct db *db, const char *asset_id, const char *id)
{
    struct rendition r;
    struct asset a;
    char dir[4096], path[4200];
    enum err e = find(db, asset_id, id, &r);
    if (e == E_OK) e = asset_get(db, asset_id, NULL, &a);
    if (e != E_OK) return e;
    e = db_begin(db);
    if (e == E_OK) {
        e = db_exec(db, "DELETE FROM static_renditions WHERE id = ?1", "s", id);
        if (e == E_OK) e = tell(db, "deleted", asset_id);
        if (e == E_OK)
            e = db_commit(db);
        else
            db_rollback(db);
    }
    if (e == E_OK && live_media_path(l, a.dir, dir, sizeof dir)) {
        snprintf(path, sizeof path, "%s/%s", dir, r.name);
        unlink(path);
    }
    asset_fini(&a);
    return e;
}

/* --- what options ask for --- */

/* The options were written by us, as JSON without spaces: within a text a quote has a backslash, so
 * these words stand nowhere else. */
static enum err want_listed(struct db *db, const struct asset *a)
{
    static const char WORD[] = "\"resolution\":\"";
    struct rendition r;
    enum err e = E_OK;
    const char *at = a->options;
    while (e == E_OK && (at = strstr(at, WORD)) != NULL) {
        char resolution[16];
        at += sizeof WORD - 1;
        const size_t n = strcspn(at, "\"");
        if (!span_cstr(span_of(at, n), resolution, sizeof resolution)) continue;
        e = insert(db, a->id, a->user_id, resolution, "", &r);
        if (e == E_INVALID || e == E_LIMIT || e == E_CONFLICT) e = E_OK;
    }
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

/* --- the job --- */

static unsigned lines_of(const struct archive_rendition *r)
{
    const struct archive_init *in = r->inits;
    if (!in) return 0;
    return in->width < in->height ? in->width : in->height;
}

/* The picture with the most lines, of those with at most `max`; -1: none. */
static int largest(const struct archive *a, unsigned max)
{
    int best = -1;
    for (unsigned i = 0; i < a->n_renditions; i++) {
        const struct archive_rendition *r = &a->r[i];
        if (r->kind != MEDIA_VIDEO || !r->n || lines_of(r) > max) continue;
        if (best < 0 || lines_of(r) > lines_of(&a->r[best])) best = (int)i;
    }
    return best;
}

static int smallest(const struct archive *a)
{
    int best = -1;
    for (unsigned i = 0; i < a->n_renditions; i++) {
        const struct archive_rendition *r = &a->r[i];
        if (r->kind != MEDIA_VIDEO || !r->n) continue;
        if (best < 0 || lines_of(r) < lines_of(&a->r[best])) best = (int)i;
    }
    return best;
}

static int sound(const struct archive *a)
{
    for (unsigned i = 0; i < a->n_renditions; i++)
        if (a->r[i].kind == MEDIA_AUDIO && a->r[i].n) return (int)i;
    return -1;
}

/* Of "720p": a picture of just that many lines. False: skipped. */
static bool choose(const struct archive *a, const char *resolution, int *video, int *audio)
{
    *video = -1;
    *audio = sound(a);
    if (!strcmp(resolution, "audio-only")) return *audio >= 0;
    if (!strcmp(resolution, "highest") || !strcmp(resolution, "high"))
        *video = largest(a, UINT32_MAX);
    else if (!strcmp(resolution, "capped-1080p"))
        *video = largest(a, 1080);
    else if (!strcmp(resolution, "low"))
        *video = smallest(a);
    else if (!strcmp(resolution, "medium"))
        *video = largest(a, 540) >= 0 ? largest(a, 540) : smallest(a);
    else {
        struct span digits = span_str(resolution);
        uint64_t lines;
        digits.len--;
        if (!span_u64(digits, UINT16_MAX, &lines)) return false;
        *video = largest(a, (unsigned)lines);
        if (*video >= 0 && lines_of(&a->r[*video]) != lines) *video = -1;
    }
    return *video >= 0;
}

static enum err write_result(struct db *db, const struct rendition *r, const char *status)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db,
                "UPDATE static_renditions SET status = ?2, width = ?3, height = ?4, filesize = ?5,"
                " bitrate = ?6 WHERE id = ?1",
                "ssiiii", r->id, status, r->width, r->height, r->filesize, r->bitrate);
    if (e == E_OK && db_changes(db)) e = tell(db, status, r->asset_id);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

static enum err make(const char *dir, struct rendition *r, bool *skipped)
{
    struct archive *a;
    char path[4200];
    int video, audio;
    uint64_t bytes = 0;
    enum err e = recording_load(dir, &a);
    if (e != E_OK) return e;
    snprintf(path, sizeof path, "%s/%s", dir, r->name);
    *skipped = !choose(a, r->resolution, &video, &audio);
    if (!*skipped) e = mp4_file_make(a, video, audio, path, &bytes);
    if (!*skipped && e == E_OK) {
        const struct archive_rendition *ar = &a->r[video >= 0 ? video : audio];
        r->filesize = (int64_t)bytes;
        if (ar->media_us > 0) r->bitrate = (int64_t)((double)bytes * 8e6 / (double)ar->media_us);
        if (video >= 0 && ar->inits) {
            r->width = ar->inits->width;
            r->height = ar->inits->height;
        }
    }
    archive_unref(a);
    return e;
}

enum err renditions_run(void *ctx, struct db *db, const struct job *j, int64_t *wait_us,
                        char *problem, size_t cap)
{
    struct live *l = ctx;
    struct rendition r;
    struct asset a;
    char dir[4096];
    bool skipped = false;
    enum err e = find(db, j->asset_id, j->input, &r);
    if (e == E_OK) e = asset_get(db, j->asset_id, NULL, &a);
    if (e != E_OK) return e == E_NOTFOUND ? E_OK : e; /* deleted meanwhile */
    *wait_us = WAIT_US;
    const bool ready = !strcmp(a.status, "ready") && !a.is_live;
    const bool errored = !strcmp(a.status, "errored");
    const bool placed = live_media_path(l, a.dir, dir, sizeof dir);
    asset_fini(&a);
    if (!ready && !errored) return E_MORE;
    e = ready && placed ? make(dir, &r, &skipped) : E_UNSUPPORTED;
    if (e == E_OK) return write_result(db, &r, skipped ? "skipped" : "ready");
    snprintf(problem, cap, "The file cannot be made: %s.", err_text(e));
    return e;
}

void renditions_failed(void *ctx, struct db *db, const struct job *j, const char *problem)
{
    struct rendition r;
    (void)ctx;
    if (find(db, j->asset_id, j->input, &r) != E_OK) return;
    const enum err e = write_result(db, &r, "errored");
    log_warn("rendition", "asset=%s name=%s problem=%s%s", j->asset_id, r.name, problem,
             e == E_OK ? "" : " (not written)");
}
