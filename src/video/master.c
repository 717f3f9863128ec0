/* SPDX-License-Identifier: MIT */
#include "video/master.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "video/live_priv.h"
#include "video/master_priv.h"
#include "video/outbox.h"
#include "wire/json_flat.h"
#include <stdio.h>
#include <unistd.h>

#define KEY_CHARS 40
#define WAIT_US   (2 * US_PER_SEC) /* for the recording's end */

/* --- rows --- */

/* Within the caller's transaction. */
static enum err begin(struct db *db, const struct asset *a, const char *origin)
{
    char key[KEY_CHARS + 1];
    rand_id(key, KEY_CHARS);
    enum err e = db_exec(db,
                         "UPDATE assets SET master_status = 'preparing', master_key = ?2,"
                         " master_until = NULL, master_file = '', master_name = '',"
                         " master_origin = ?3 WHERE id = ?1",
                         "sss", a->id, key, origin);
    if (e == E_OK) e = jobs_queue(db, "master", a->id, a->user_id, key);
    return e == E_OK ? outbox_add(db, "asset.master.preparing", OUTBOX_ASSET, a->id) : e;
}

static enum err finish(struct db *db, enum err e)
{
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err master_want(struct db *db, const struct asset *a, const char *origin)
{
    const bool is_there = !strcmp(a->master_status, "preparing") ||
                          (!strcmp(a->master_status, "ready") && a->master_until > clock_wall_us());
    if (is_there) return E_OK;
    enum err e = db_begin(db);
    if (e == E_OK) e = finish(db, begin(db, a, origin));
    jobs_wake();
    return e;
}

enum err master_wanted(struct db *db, const char *asset_id)
{
    struct asset a;
    struct str access = {0};
    enum err e = asset_get(db, asset_id, NULL, &a);
    if (e != E_OK) return e == E_NOTFOUND ? E_OK : e;
    const bool wanted = !a.master_status[0] && a.user_id[0] &&
                        json_flat_text(span_str(a.options), "master_access", &access) == E_OK &&
                        !strcmp(str_c(&access), "temporary");
    if (wanted) e = begin(db, &a, a.master_origin);
    str_fini(&access);
    asset_fini(&a);
    return e;
}

/* The key says which one it was. E_NOTFOUND: another one, or none, by now. */
static enum err write_none(struct db *db, const struct asset *a)
{
    const bool had = a->master_key[0];
    enum err e = db_exec(db,
                         "UPDATE assets SET master_status = 'none', master_key = '', master_until ="
                         " NULL, source_file = CASE master_file WHEN source_file THEN NULL ELSE"
                         " source_file END, master_file = '', master_name = '' WHERE id = ?1 AND"
                         " master_key = ?2",
                         "ss", a->id, a->master_key);
    if (e == E_OK && !db_changes(db)) e = E_NOTFOUND;
    if (e == E_OK && had)
        e = db_exec(db, "DELETE FROM jobs WHERE kind = 'master' AND input = ?1", "s",
                    a->master_key);
    if (e == E_OK && had) e = outbox_add(db, "asset.master.deleted", OUTBOX_ASSET, a->id);
    return e;
}

enum err master_drop(struct live *l, struct db *db, const struct asset *a)
{
    char dir[4096], path[4200];
    if (!strcmp(a->master_status, "none")) return E_OK;
    enum err e = db_begin(db);
    if (e == E_OK) e = finish(db, write_none(db, a));
    if (e != E_OK) return e == E_NOTFOUND ? E_OK : e;
    if (!live_media_path(l, a->dir, dir, sizeof dir)) return E_OK;
    if (a->master_file[0]) {
        snprintf(path, sizeof path, "%s/%s", dir, a->master_file);
        unlink(path);
    }
    if (a->master_key[0]) master_file_forget(dir, a->master_key); /* of a job that was stopped */
    return E_OK;
}

enum err master_find(const struct live *l, struct db *db, const char *key, const char *name,
                     char *path, size_t cap)
{
    char dir[4096];
    if (!key[0]) return E_NOTFOUND;
    struct db_rows *q = db_query(db,
                                 "SELECT dir, master_file FROM assets WHERE master_key = ?1 AND"
                                 " master_status = 'ready' AND master_name = ?2 AND"
                                 " master_until > ?3",
                                 "ssi", key, name, clock_wall_us());
    const bool found = db_next(q) && live_media_path(l, db_text(q, 0), dir, sizeof dir) &&
                       snprintf(path, cap, "%s/%s", dir, db_text(q, 1)) < (int)cap;
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

/* --- the job --- */

/* E_NOTFOUND: not wanted any more. */
static enum err write_ready(struct db *db, const struct job *j, const struct master_file *f)
{
    enum err e =
        db_exec(db,
                "UPDATE assets SET master_status = 'ready', master_file = ?3, master_name"
                " = ?4, master_until = ?5 WHERE id = ?1 AND master_key = ?2",
                "ssssi", j->asset_id, j->input, f->file, f->name, clock_wall_us() + MASTER_LIFE_US);
    if (e == E_OK && !db_changes(db)) e = E_NOTFOUND;
    return e == E_OK ? outbox_add(db, "asset.master.ready", OUTBOX_ASSET, j->asset_id) : e;
}

static enum err make(struct live *l, struct db *db, const struct job *j, const struct asset *a,
                     int64_t *wait_us)
{
    struct master_file f;
    char dir[4096], path[4200];
    if (!live_media_path(l, a->dir, dir, sizeof dir)) return E_UNSUPPORTED;
    enum err e = master_file_make(l->cfg.settings, dir, a->source_file, j->input, &f);
    if (e != E_OK) return e;
    e = db_begin(db);
    if (e == E_OK) e = finish(db, write_ready(db, j, &f));
    *wait_us = MASTER_LIFE_US;
    if (e == E_OK) return E_MORE;
    if (e == E_NOTFOUND && strcmp(f.file, a->source_file) != 0) {
        snprintf(path, sizeof path, "%s/%s", dir, f.file);
        unlink(path);
    }
    return e;
}

static enum err step(struct live *l, struct db *db, const struct job *j, const struct asset *a,
                     int64_t *wait_us, char *problem, size_t cap)
{
    const int64_t now = clock_wall_us();
    *wait_us = WAIT_US;
    if (strcmp(a->master_key, j->input) != 0) return E_OK;
    if (!strcmp(a->master_status, "ready")) {
        *wait_us = a->master_until - now;
        return a->master_until > now ? E_MORE : master_drop(l, db, a);
    }
    if (strcmp(a->master_status, "preparing") != 0) return E_OK;
    if (!strcmp(a->status, "errored")) {
        snprintf(problem, cap, "There is no media in the asset.");
        return E_UNSUPPORTED;
    }
    if (strcmp(a->status, "ready") != 0 || a->is_live) return E_MORE;
    return make(l, db, j, a, wait_us);
}

enum err master_run(void *ctx, struct db *db, const struct job *j, int64_t *wait_us, char *problem,
                    size_t cap)
{
    struct asset a;
    enum err e = asset_get(db, j->asset_id, NULL, &a);
    if (e != E_OK) return e == E_NOTFOUND ? E_OK : e;
    e = step(ctx, db, j, &a, wait_us, problem, cap);
    asset_fini(&a);
    if (e == E_OK || e == E_MORE) return e;
    if (!problem[0]) snprintf(problem, cap, "The file cannot be made: %s.", err_text(e));
    return e == E_NOTFOUND ? E_OK : e;
}

static enum err write_errored(struct db *db, const struct job *j)
{
    enum err e = db_exec(db,
                         "UPDATE assets SET master_status = 'errored', master_key = '' WHERE id ="
                         " ?1 AND master_key = ?2",
                         "ss", j->asset_id, j->input);
    if (e == E_OK && db_changes(db))
        e = outbox_add(db, "asset.master.errored", OUTBOX_ASSET, j->asset_id);
    return e;
}

void master_failed(void *ctx, struct db *db, const struct job *j, const char *problem)
{
    (void)ctx;
    enum err e = db_begin(db);
    if (e == E_OK) e = finish(db, write_errored(db, j));
    log_warn("master", "asset=%s problem=%s%s", j->asset_id, problem,
             e == E_OK ? "" : " (not written)");
}
