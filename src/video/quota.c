/* SPDX-License-Identifier: MIT */
#include "video/quota.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "video/live_files.h"
#include "video/live_priv.h"
#include <stdio.h>

#define NEAR_PERCENT 80
#define AT_ONCE      200                             /* folders that are looked at in a sweep */
#define STALE_US     (INT64_C(15) * 60 * US_PER_SEC) /* files are made of recordings later */

/* What is known of the measuring; the uploads' own rows say how far they are. */
enum err quota_get(struct db *db, const struct settings *s, const char *user_id, struct quota *out)
{
    struct db_rows *q = db_query(
        db,
        "SELECT (SELECT COALESCE(SUM(bytes), 0) FROM assets WHERE user_id = ?1)"
        " + (SELECT COALESCE(SUM(received), 0) FROM uploads WHERE user_id = ?1 AND status ="
        " 'waiting'), COALESCE((SELECT storage_quota FROM users WHERE id = ?1), (SELECT CAST(value"
        " AS BIGINT) FROM admin_settings WHERE key = 'storage_quota'), ?2)",
        "si", user_id, s->storage_quota);
    *out = (struct quota){0};
    if (db_next(q)) *out = (struct quota){db_int(q, 0), db_int(q, 1)};
    return db_done(q);
}

unsigned quota_percent(const struct quota *q)
{
    if (q->limit <= 0) return 0;
    const double p = 100.0 * (double)q->used / (double)q->limit;
    return p > 1000 ? 1000 : (unsigned)p;
}

static void size_text(int64_t bytes, char out[32])
{
    if (bytes >= 1000 * 1000 * 1000)
        snprintf(out, 32, "%.1f GB", (double)bytes / 1e9);
    else
        snprintf(out, 32, "%.1f MB", (double)bytes / 1e6);
}

static void sizes(const struct quota *q, char used[32], char limit[32])
{
    size_text(q->used, used);
    size_text(q->limit, limit);
}

void quota_text(const struct quota *q, char text[QUOTA_TEXT_CAP])
{
    char used[32], limit[32];
    const unsigned percent = quota_percent(q);
    sizes(q, used, limit);
    text[0] = 0;
    if (percent >= 100)
        snprintf(text, QUOTA_TEXT_CAP,
                 "Your storage is full (%s of %s): nothing more is recorded or uploaded until "
                 "you delete some recordings.",
                 used, limit);
    else if (percent >= NEAR_PERCENT)
        snprintf(text, QUOTA_TEXT_CAP,
                 "Your storage is nearly full: %s of %s. When it is full, recording stops; live "
                 "streams go on.",
                 used, limit);
}

enum err quota_room(struct db *db, const struct settings *s, const char *user_id, int64_t more,
                    char text[QUOTA_TEXT_CAP])
{
    struct quota q;
    char used[32], limit[32];
    const enum err e = quota_get(db, s, user_id, &q);
    if (e != E_OK) return e;
    if (q.limit <= 0 || (more ? more <= q.limit - q.used : q.used < q.limit)) return E_OK;
    sizes(&q, used, limit);
    if (quota_percent(&q) >= 100)
        quota_text(&q, text);
    else
        snprintf(text, QUOTA_TEXT_CAP,
                 "This does not fit into your storage: %s of %s are used; delete some "
                 "recordings first.",
                 used, limit);
    return E_FULL;
}

/* --- measuring -------------------------------------------------------------------------------- */

struct folder {
    char id[LIVE_ID_CAP], user_id[LIVE_ID_CAP], dir[LIVE_ID_CAP];
    bool importing;
};

static size_t to_measure(struct db *db, struct folder *out)
{
    size_t n = 0;
    struct db_rows *q =
        db_query(db,
                 "SELECT id, COALESCE(user_id, ''), dir, status = 'preparing' AND is_live = 0"
                 " FROM assets WHERE is_live = 1 OR status = 'preparing' OR bytes_at <= updated_at"
                 " OR bytes_at < ?1 ORDER BY bytes_at LIMIT ?2",
                 "ii", clock_wall_us() - STALE_US, (int64_t)AT_ONCE);
    while (n < AT_ONCE && db_next(q)) {
        struct folder *f = &out[n++];
        snprintf(f->id, sizeof f->id, "%s", db_text(q, 0));
        snprintf(f->user_id, sizeof f->user_id, "%s", db_text(q, 1));
        snprintf(f->dir, sizeof f->dir, "%s", db_text(q, 2));
        f->importing = db_int(q, 3);
    }
    return db_done(q) == E_OK ? n : 0;
}

static bool measure(struct live *l, struct db *db, const struct folder *f)
{
    char path[4096];
    const int64_t now =
        clock_wall_us(); /* before looking: what comes meanwhile is looked at again */
    if (!live_media_path(l, f->dir, path, sizeof path)) return false;
    const int64_t bytes = live_files_all(path, f->importing);
    return db_exec(db, "UPDATE assets SET bytes = ?2, bytes_at = ?3 WHERE id = ?1", "sii", f->id,
                   bytes, now) == E_OK;
}

/* --- telling ---------------------------------------------------------------------------------- */

struct telling {
    struct live *live;
    struct db *db;
    void (*tell)(void *ctx, const char *stream_id, int level, const char *text);
    void *ctx;
};

static void tell_streams(const struct telling *t, const char *user_id, int level, bool aloud,
                         const char *text)
{
    char ids[LIMIT_PAGE_ITEMS][LIVE_ID_CAP];
    size_t n = 0;
    struct db_rows *q =
        db_query(t->db, "SELECT id FROM streams WHERE user_id = ?1 AND status = 'LIVE' LIMIT ?2",
                 "si", user_id, (int64_t)LIMIT_PAGE_ITEMS);
    while (n < LIMIT_PAGE_ITEMS && db_next(q)) snprintf(ids[n++], LIVE_ID_CAP, "%s", db_text(q, 0));
    if (db_done(q) != E_OK) return;
    for (size_t i = 0; i < n; i++) {
        if (level == 100) live_stop_recording(t->live, ids[i], "Your storage is full.");
        if (aloud) t->tell(t->ctx, ids[i], level, text);
    }
}

static void judge(const struct telling *t, const char *user_id, int told)
{
    struct quota q;
    char text[QUOTA_TEXT_CAP];
    if (quota_get(t->db, t->live->cfg.settings, user_id, &q) != E_OK) return;
    const unsigned percent = quota_percent(&q);
    const int level = percent >= 100 ? 100 : percent >= NEAR_PERCENT ? NEAR_PERCENT : 0;
    quota_text(&q, text);
    if (level == 100 || level > told) tell_streams(t, user_id, level, level > told, text);
    if (level == told) return;
    if (level > told) log_info("quota", "user=%s percent=%u", user_id, percent);
    if (db_exec(t->db, "UPDATE users SET storage_told = ?2 WHERE id = ?1", "si", user_id,
                (int64_t)level) != E_OK)
        log_warn("quota", "user=%s: will be told again", user_id);
}

/* Those who have something live, and those who were told: what they have may be less by now. */
static void judge_all(const struct telling *t)
{
    struct owner {
        char id[LIVE_ID_CAP];
        int told;
    } *all = xcalloc(AT_ONCE, sizeof *all);
    size_t n = 0;
    struct db_rows *q =
        db_query(t->db,
                 "SELECT id, storage_told FROM users WHERE storage_told > 0 OR id IN (SELECT"
                 " user_id FROM assets WHERE is_live = 1 OR status = 'preparing') LIMIT ?1",
                 "i", (int64_t)AT_ONCE);
    while (n < AT_ONCE && db_next(q)) {
        snprintf(all[n].id, sizeof all[n].id, "%s", db_text(q, 0));
        all[n++].told = (int)db_int(q, 1);
    }
    if (db_done(q) != E_OK) n = 0;
    for (size_t i = 0; i < n; i++) judge(t, all[i].id, all[i].told);
    free(all);
}

void quota_sweep(struct live *l, struct db *db,
                 void (*tell)(void *ctx, const char *stream_id, int level, const char *text),
                 void *ctx)
{
    struct folder *all = xcalloc(AT_ONCE, sizeof *all);
    const size_t n = to_measure(db, all);
    for (size_t i = 0; i < n; i++)
        if (!measure(l, db, &all[i])) log_warn("quota", "asset=%s was not measured", all[i].id);
    free(all);
    judge_all(&(struct telling){l, db, tell, ctx});
}
