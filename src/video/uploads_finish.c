/* SPDX-License-Identifier: MIT */
/* From a complete file to an asset. The asset's id was chosen with the upload, so that each step
 * can be repeated after a stop in the middle: the file is moved first, then one transaction tells
 * of it. */
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "video/import.h"
#include "video/outbox.h"
#include "video/renditions.h"
#include "video/text_tracks.h"
#include "video/uploads_priv.h"
#include "wire/media_sniff.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLAYBACK_ID_CHARS 24

static bool asset_path(const struct uploads *u, const char *asset_id, const char *file, char *out,
                       size_t cap)
{
    const int n = snprintf(out, cap, "%s/recordings/%s%s", u->cfg.settings->data, asset_id, file);
    return n > 0 && (size_t)n < cap;
}

static void sync_dir(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    if (fsync(fd) != 0) log_warn("upload-sync", "error=\"%s\"", strerror(errno));
    close(fd);
}

/* The file's first bytes, wherever it is by now. */
static bool read_head(const char *path, uint8_t head[MEDIA_SNIFF_BYTES], size_t *n)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return false;
    const ssize_t got = read(fd, head, MEDIA_SNIFF_BYTES);
    close(fd);
    *n = got > 0 ? (size_t)got : 0;
    return got >= 0;
}

static enum err move_file(const struct uploads *u, const char *from, const char *asset_id)
{
    char dir[4096], to[4096], all[4096], old[4096];
    if (!asset_path(u, "", "", all, sizeof all) || !asset_path(u, asset_id, "", dir, sizeof dir) ||
        !asset_path(u, asset_id, "/" IMPORT_SOURCE_FILE, to, sizeof to) ||
        !upload_path(u, "", old, sizeof old))
        return E_LIMIT;
    if (mkdir(all, 0750) != 0 && errno != EEXIST) return E_IO;
    if (mkdir(dir, 0750) != 0 && errno != EEXIST) return errno == ENOSPC ? E_FULL : E_IO;
    if (rename(from, to) != 0 && (errno != ENOENT || access(to, R_OK) != 0)) return E_IO;
    sync_dir(dir);
    sync_dir(all);
    sync_dir(old);
    return E_OK;
}

static enum err add_playback_ids(struct db *db, const char *asset_id, struct span policies,
                                 int64_t now)
{
    enum err e = E_OK;
    for (int i = 0; policies.len && e == E_OK; i++) {
        char policy[16], id[PLAYBACK_ID_CHARS + 1];
        if (!span_cstr(span_cut(&policies, ','), policy, sizeof policy)) continue;
        rand_id(id, PLAYBACK_ID_CHARS);
        e = db_exec(db,
                    "INSERT INTO playback_ids (id, kind, object_id, policy, created_at)"
                    " VALUES (?1, 'asset', ?2, ?3, ?4)",
                    "sssi", id, asset_id, policy, now + i);
    }
    return e;
}

static enum err insert_asset(struct db *db, const struct upload_row *row, int64_t now)
{
    char policies[64];
    enum err e = db_exec(
        db,
        "INSERT INTO assets (id, user_id, stream_id, status, is_live, dir, ingest_type, upload_id,"
        " passthrough, meta, options, test, source_file, created_at, updated_at)"
        " SELECT asset_id, user_id, stream_id, 'preparing', 0, asset_id,"
        " 'on_demand_direct_upload', id, passthrough, asset_meta, asset_options, test,"
        " CASE keep_source WHEN 1 THEN 'source' END,"
        " ?2, ?2 FROM uploads WHERE id = ?1",
        "si", row->id, now);
    if (e != E_OK) return e;
    struct db_rows *q = db_query(db, "SELECT policies FROM uploads WHERE id = ?1", "s", row->id);
    policies[0] = 0;
    if (db_next(q)) snprintf(policies, sizeof policies, "%s", db_text(q, 0));
    e = db_done(q);
    return e == E_OK ? add_playback_ids(db, row->asset_id, span_str(policies), now) : e;
}

/* Everything that the last byte changes, at once. */
static enum err write_rows(struct db *db, const struct upload_row *row)
{
    const int64_t now = clock_wall_us();
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db,
                "UPDATE uploads SET status = 'asset_created', updated_at = ?2"
                " WHERE id = ?1 AND status = 'waiting'",
                "si", row->id, now);
    if (e == E_OK && !db_changes(db)) e = E_CONFLICT;
    if (e == E_OK) e = insert_asset(db, row, now);
    if (e == E_OK) e = jobs_queue(db, "import", row->asset_id, row->user_id, "");
    if (e == E_OK && row->stream_id[0]) e = uploads_settle_stream(db, row->stream_id);
    if (e == E_OK) e = outbox_add(db, "upload.asset_created", OUTBOX_UPLOAD, row->id);
    if (e == E_OK) e = outbox_add(db, "asset.created", OUTBOX_ASSET, row->asset_id);
    if (e == E_OK) e = text_wishes_fulfil(db, row->id, row->asset_id, row->user_id);
    if (e == E_OK) e = renditions_wanted(db, row->asset_id);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

static void answer(struct upload_reply *r, int status, const char *text)
{
    r->status = status;
    r->retry_s = status == 503;
    snprintf(r->text, sizeof r->text, "%s", text);
}

static void refuse(struct uploads *u, struct db *db, const struct upload_row *row,
                   const char *looks_like, struct upload_reply *r)
{
    char text[UPLOAD_TEXT_CAP];
    if (looks_like)
        snprintf(text, sizeof text, "This is no video or sound file: it looks like %s.",
                 looks_like);
    else
        snprintf(text, sizeof text, "This is no video or sound file that the server knows.");
    const enum err e = upload_row_close(db, row, "errored", text, "upload.errored");
    if (e != E_OK && e != E_CONFLICT) {
        answer(r, 503, "The database does not answer.");
        return;
    }
    upload_remove_file(u, row->id);
    upload_changed(u, row->stream_id);
    log_info("upload-refused", "upload=%.8s user=%s why=\"%s\"", row->id, row->user_id, text);
    answer(r, 415, text);
}

/* A file that was moved for an asset that never came to be. */
static void remove_moved(const struct uploads *u, const char *asset_id)
{
    char path[4096];
    if (asset_path(u, asset_id, "/" IMPORT_SOURCE_FILE, path, sizeof path) && unlink(path) == 0 &&
        asset_path(u, asset_id, "", path, sizeof path))
        (void)rmdir(path);
}

/* The row waits no more: it was cancelled in between, or timed out, or somebody else got here. */
static void settle_conflict(const struct uploads *u, struct db *db, const struct upload_row *row,
                            struct upload_reply *r)
{
    struct upload_row now = {0};
    const enum err e = upload_row_get(db, row->id, &now);
    if (e == E_OK && !strcmp(now.status, "asset_created")) {
        r->status = 200;
        return;
    }
    if (e == E_OK) remove_moved(u, row->asset_id);
    answer(r, 410, "This upload was cancelled, or has timed out.");
}

void upload_finish(struct uploads *u, struct db *db, const struct upload_row *row,
                   struct upload_reply *r)
{
    char from[4096], moved[4096];
    uint8_t head[MEDIA_SNIFF_BYTES];
    size_t n = 0;
    if (!upload_path(u, row->id, from, sizeof from) ||
        !asset_path(u, row->asset_id, "/" IMPORT_SOURCE_FILE, moved, sizeof moved) ||
        (!read_head(from, head, &n) && !read_head(moved, head, &n))) {
        answer(r, 503, "The server cannot read what it has stored.");
        return;
    }
    const struct media_sniff what = media_sniff(span_of(head, n));
    if (!what.container) {
        refuse(u, db, row, what.looks_like, r);
        return;
    }
    enum err e = move_file(u, from, row->asset_id);
    if (e == E_OK) e = write_rows(db, row);
    if (e != E_OK && e != E_CONFLICT) {
        log_error("upload-finish", "upload=%.8s error=%s", row->id, err_label(e));
        answer(r, e == E_FULL ? 507 : 503, "The server could not make an asset of this upload.");
        return;
    }
    if (e == E_CONFLICT) {
        settle_conflict(u, db, row, r);
        return;
    }
    log_info("upload-complete", "upload=%.8s user=%s asset=%s bytes=%lld container=%s", row->id,
             row->user_id, row->asset_id, (long long)row->size, what.container);
    upload_changed(u, row->stream_id);
    jobs_wake();
    r->status = 200;
}

/* --- those that nobody finishes
 * --------------------------------------------------------------------- */

#define SWEEP_ROWS 64

static enum err find(struct db *db, const char *where, int64_t now,
                     struct upload_row rows[SWEEP_ROWS], size_t *n)
{
    char sql[256], ids[SWEEP_ROWS][UPLOAD_ID_CAP];
    size_t len = 0;
    snprintf(sql, sizeof sql, "SELECT id FROM uploads WHERE status = 'waiting' AND %s", where);
    struct db_rows *q = db_query(db, sql, "i", now);
    while (len < SWEEP_ROWS && db_next(q)) snprintf(ids[len++], UPLOAD_ID_CAP, "%s", db_text(q, 0));
    enum err e = db_done(q);
    *n = 0;
    for (size_t i = 0; i < len && e == E_OK; i++) {
        e = upload_row_get(db, ids[i], &rows[*n]);
        if (e == E_OK) ++*n;
        if (e == E_NOTFOUND) e = E_OK;
    }
    return e;
}

static bool is_written(struct uploads *u, const char *id)
{
    pthread_mutex_lock(&u->lock);
    const bool yes = map_get(&u->writes, span_str(id)) != NULL;
    pthread_mutex_unlock(&u->lock);
    return yes;
}

void uploads_sweep(struct uploads *u, struct db *db)
{
    struct upload_row *rows = xcalloc(SWEEP_ROWS, sizeof *rows);
    size_t n = 0;
    const enum err e = find(db, "created_at + timeout_s * 1000000 < ?1", clock_wall_us(), rows, &n);
    if (e != E_OK) log_warn("upload-sweep", "error=%s", err_label(e));
    for (size_t i = 0; i < n; i++) {
        if (is_written(u, rows[i].id)) continue; /* a piece that began in time may end */
        if (upload_row_close(db, &rows[i], "timed_out", "", "upload.errored") != E_OK) continue;
        upload_remove_file(u, rows[i].id);
        remove_moved(u, rows[i].asset_id);
        upload_changed(u, rows[i].stream_id);
        log_info("upload-timed-out", "upload=%.8s received=%lld", rows[i].id,
                 (long long)rows[i].received);
    }
    free(rows);
}

/* Files whose uploads are over: the stop came between the row and the file. */
static void remove_strays(struct uploads *u, struct db *db)
{
    char dir[4096];
    if (!upload_path(u, "", dir, sizeof dir)) return;
    DIR *d = opendir(dir);
    if (!d) return;
    for (struct dirent *x; (x = readdir(d));) {
        struct upload_row row = {0};
        if (x->d_name[0] == '.') continue;
        const enum err e = upload_row_get(db, x->d_name, &row);
        if (e == E_NOTFOUND || (e == E_OK && strcmp(row.status, "waiting") != 0))
            upload_remove_file(u, x->d_name);
    }
    closedir(d);
}

enum err uploads_recover(struct uploads *u, struct db *db)
{
    struct upload_row *rows = xcalloc(SWEEP_ROWS, sizeof *rows);
    size_t n = 0;
    const enum err e = find(db, "received > 0 AND received = size AND ?1 > 0", 1, rows, &n);
    for (size_t i = 0; i < n; i++) {
        struct upload_reply r = {0};
        upload_finish(u, db, &rows[i], &r);
        log_info("upload-recovered", "upload=%.8s status=%d", rows[i].id, r.status);
    }
    free(rows);
    if (e == E_OK) remove_strays(u, db);
    return e;
}
