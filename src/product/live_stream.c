/* SPDX-License-Identifier: MIT */
#include "product/live_stream.h"
#include "base/clock.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "product/chat_room.h"
#include "product/tuning.h"
#include "video/outbox.h"
#include <stdio.h>

static void copy(char *out, size_t cap, const char *text)
{
    snprintf(out, cap, "%s", text);
}
#define TAKE(field, col) copy(field, sizeof(field), db_text(q, col))

static enum err finish(struct db *db, enum err e)
{
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

static enum err tell(struct db *db, const char *type, const char *id)
{
    return outbox_add(db, type, OUTBOX_LIVE, id);
}

/* --- reading --------------------------------------------------------------------------------- */

#define SELECT                                                                                     \
    "SELECT l.id, s.id, l.user_id, l.active_asset_id, l.status, l.latency_mode, "                  \
    "l.ingest_protocol, s.title, l.reusable, l.test, l.connected, l.recording, "                   \
    "COALESCE(l.reconnect_window_us, -1), COALESCE(l.max_duration_us, -1), l.created_at, "         \
    "l.updated_at, l.passthrough, l.meta, l.asset_options, l.options "                             \
    "FROM live_streams l JOIN streams s ON s.live_stream_id = l.id "

static void row_read(struct db_rows *q, struct live_stream *s)
{
    TAKE(s->id, 0);
    TAKE(s->stream_id, 1);
    TAKE(s->user_id, 2);
    TAKE(s->active_asset_id, 3);
    TAKE(s->status, 4);
    TAKE(s->latency_mode, 5);
    TAKE(s->ingest_protocol, 6);
    TAKE(s->title, 7);
    s->reusable = db_int(q, 8);
    s->test = db_int(q, 9);
    s->connected = db_int(q, 10);
    s->recording = db_int(q, 11);
    s->reconnect_window_us = db_int(q, 12);
    s->max_duration_us = db_int(q, 13);
    s->created_at = db_int(q, 14);
    s->updated_at = db_int(q, 15);
    s->passthrough = xstrdup(db_text(q, 16));
    s->meta = xstrdup(db_text(q, 17));
    s->asset_options = xstrdup(db_text(q, 18));
    s->options = xstrdup(db_text(q, 19));
}

void live_stream_fini(struct live_stream *s)
{
    free(s->passthrough);
    free(s->meta);
    free(s->asset_options);
    free(s->options);
    *s = (struct live_stream){0};
}

enum err live_stream_get(struct db *db, const char *id, const char *user_id,
                         struct live_stream *out)
{
    struct live_stream s = {0};
    struct db_rows *q = db_query(db, SELECT "WHERE l.id = ?1 AND (?2 IS NULL OR l.user_id = ?2)",
                                 "ss", id, user_id);
    const bool found = db_next(q);
    if (found) row_read(q, &s);
    const enum err e = db_done(q);
    if (e == E_OK && found)
        *out = s;
    else
        live_stream_fini(&s);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

enum err live_stream_list(struct db *db, const char *user_id, const char *status,
                          const char *key_hash, int64_t limit, int64_t offset, char (*ids)[ID_CAP],
                          size_t *n)
{
    struct db_rows *q = db_query(db,
                                 "SELECT l.id FROM live_streams l WHERE l.user_id = ?1 "
                                 "AND (?2 IS NULL OR l.status = ?2) "
                                 "AND (?3 IS NULL OR l.stream_key_hash = ?3) "
                                 "ORDER BY l.created_at DESC, l.id DESC LIMIT ?4 OFFSET ?5",
                                 "sssii", user_id, status, key_hash, limit, offset);
    *n = 0;
    while (*n < (size_t)limit && db_next(q)) copy(ids[(*n)++], ID_CAP, db_text(q, 0));
    return db_done(q);
}

enum err live_stream_recordings(struct db *db, const struct live_stream *s, size_t cap,
                                char (*ids)[ID_CAP], size_t *n)
{
    struct db_rows *q = db_query(db,
                                 "SELECT id FROM assets WHERE live_stream_id = ?1 AND id <> ?2 "
                                 "ORDER BY created_at DESC, id DESC LIMIT ?3",
                                 "ssi", s->id, s->active_asset_id, (int64_t)cap);
    *n = 0;
    while (*n < cap && db_next(q)) copy(ids[(*n)++], ID_CAP, db_text(q, 0));
    for (size_t i = 0; i < *n / 2; i++) {
        char swap[ID_CAP];
        memcpy(swap, ids[i], ID_CAP);
        memcpy(ids[i], ids[*n - 1 - i], ID_CAP);
        memcpy(ids[*n - 1 - i], swap, ID_CAP);
    }
    return db_done(q);
}

/* --- making ---------------------------------------------------------------------------------- */

/* A title that the product takes: the first of it, or a plain one. */
static void product_title(const char *title, char out[TEXT_CAP(LIMIT_TITLE_CHARS)])
{
    struct problem ignored;
    struct span s = span_str(title ? title : "");
    size_t len = 0, chars = 0;
    for (; len < s.len; len++)
        if ((s.p[len] & 0xc0) != 0x80 && chars++ == LIMIT_TITLE_CHARS) break;
    if (text_check(span_head(s, len), TEXT_LINE, LIMIT_TITLE_CHARS, "title", out, &ignored) != E_OK)
        copy(out, TEXT_CAP(LIMIT_TITLE_CHARS), "Live stream");
}

static enum err count_own(struct db *db, const char *user_id, int64_t *out)
{
    struct db_rows *q =
        db_query(db, "SELECT count(*) FROM streams WHERE user_id = ?1", "s", user_id);
    *out = db_next(q) ? db_int(q, 0) : 0;
    return db_done(q);
}

/* Every column that is given. */
static enum err write_fields(struct db *db, const char *id, const struct live_stream_fields *f,
                             int64_t now)
{
    return db_exec(db,
                   "UPDATE live_streams SET passthrough = COALESCE(?2, passthrough), "
                   "meta = COALESCE(?3, meta), asset_options = COALESCE(?4, asset_options), "
                   "options = COALESCE(?5, options), latency_mode = COALESCE(?6, latency_mode), "
                   "asset_policies = COALESCE(?7, asset_policies), "
                   "asset_passthrough = COALESCE(?8, asset_passthrough), "
                   "asset_meta = COALESCE(?9, asset_meta), "
                   "reconnect_window_us = CASE ?10 WHEN -1 THEN reconnect_window_us ELSE ?10 END, "
                   "max_duration_us = CASE ?11 WHEN -1 THEN max_duration_us ELSE ?11 END, "
                   "updated_at = ?12 WHERE id = ?1",
                   "sssssssssiii", id, f->passthrough, f->meta, f->asset_options, f->options,
                   f->latency_mode, f->asset_policies, f->asset_passthrough, f->asset_meta,
                   f->reconnect_window_us, f->max_duration_us, now);
}

static enum err insert(struct db *db, const struct secret *secret, const char *user_id,
                       const struct live_stream_fields *f, char id[ID_CAP])
{
    const int64_t now = clock_wall_us();
    char stream_id[ID_CAP], title[TEXT_CAP(LIMIT_TITLE_CHARS)];
    enum err e = ingest_add_bare(db, secret, user_id, now, id);
    if (e != E_OK) return e;
    rand_id(stream_id, ID_CHARS);
    product_title(f->title, title);
    e = db_exec(db,
                "UPDATE live_streams SET reusable = 1, asset_policies = '', test = ?2 "
                "WHERE id = ?1",
                "si", id, (int64_t)f->test);
    if (e == E_OK) e = write_fields(db, id, f, now);
    if (e == E_OK)
        e = db_exec(db,
                    "INSERT INTO streams (id, user_id, live_stream_id, title, created_at, "
                    "updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
                    "ssssi", stream_id, user_id, id, title, now);
    if (e == E_OK) e = chat_room_copy(db, stream_id, user_id);
    return e;
}

enum err live_stream_add(struct db *db, const struct secret *secret, const char *user_id,
                         const struct live_stream_fields *f, const enum playback_policy *policies,
                         size_t n_policies, const struct live_target *targets, size_t n_targets,
                         char id[ID_CAP], struct problem *p)
{
    int64_t have = 0, most = 0;
    struct playback_id pid;
    char target_id[ID_CAP];
    enum err e = count_own(db, user_id, &have);
    if (e == E_OK) e = tuning_streams(db, &most);
    if (e == E_OK && have >= most)
        return problem_set(p, E_INVALID, "too_many_streams", NULL,
                           "There are %lld live streams, which is the most; delete some first.",
                           (long long)have);
    if (e == E_OK) e = db_begin(db);
    if (e != E_OK) return problem_of(p, e);
    e = insert(db, secret, user_id, f, id);
    for (size_t i = 0; i < n_policies && e == E_OK; i++)
        e = playback_id_add(db, "live", id, policies[i], &pid);
    for (size_t i = 0; i < n_targets && e == E_OK; i++)
        e = live_target_add(db, id, &targets[i], target_id);
    if (e == E_OK) e = tell(db, "live_stream.created", id);
    return problem_of(p, finish(db, e));
}

/* --- changing -------------------------------------------------------------------------------- */

enum err live_stream_touch(struct db *db, const char *id)
{
    enum err e = db_exec(db, "UPDATE live_streams SET updated_at = ?2 WHERE id = ?1", "si", id,
                         clock_wall_us());
    return e != E_OK ? e : tell(db, "live_stream.updated", id);
}

enum err live_stream_change(struct db *db, const struct live_stream *s,
                            const struct live_stream_fields *f)
{
    const int64_t now = clock_wall_us();
    char title[TEXT_CAP(LIMIT_TITLE_CHARS)];
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = write_fields(db, s->id, f, now);
    if (e == E_OK && f->title) {
        product_title(f->title, title);
        e = db_exec(db, "UPDATE streams SET title = ?2, updated_at = ?3 WHERE id = ?1", "ssi",
                    s->stream_id, title, now);
    }
    if (e == E_OK) e = tell(db, "live_stream.updated", s->id);
    return finish(db, e);
}

enum err live_stream_reset_key(struct db *db, const struct secret *secret, struct live *live,
                               const struct live_stream *s)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = ingest_reset_key(db, secret, s->id);
    if (e == E_OK) e = tell(db, "live_stream.updated", s->id);
    e = finish(db, e);
    /* After the change: whoever comes back at once needs the new key already. */
    if (e == E_OK) live_kick(live, s->stream_id, "The stream key was changed.");
    return e;
}

enum err live_stream_complete(struct db *db, struct live *live, const struct live_stream *s)
{
    if (strcmp(s->status, "active") != 0 && !s->connected) return E_OK;
    const enum err e = live_end(live, db, s->stream_id);
    return e == E_CONFLICT || e == E_NOTFOUND ? E_OK : e;
}

static enum err set_status(struct db *db, const char *id, const char *from, const char *to,
                           const char *event)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db,
                "UPDATE live_streams SET status = ?3, connected = 0, recording = 0, "
                "updated_at = ?4 WHERE id = ?1 AND (status = ?2 OR (?2 IS NULL AND status <> ?3))",
                "sssi", id, from, to, clock_wall_us());
    if (e == E_OK && db_changes(db)) e = tell(db, event, id);
    return finish(db, e);
}

enum err live_stream_disable(struct db *db, struct live *live, const struct live_stream *s)
{
    const enum err e = set_status(db, s->id, NULL, "disabled", "live_stream.disabled");
    if (e == E_OK) live_stop(live, s->stream_id);
    return e;
}

enum err live_stream_enable(struct db *db, const struct live_stream *s)
{
    return set_status(db, s->id, "disabled", "idle", "live_stream.enabled");
}

enum err live_stream_remove(struct db *db, struct live *live, const struct live_stream *s)
{
    /* No publisher may slip in between the end of the broadcast and the end of the rows. */
    enum err e =
        db_exec(db, "UPDATE live_streams SET status = 'disabled' WHERE id = ?1", "s", s->id);
    if (e != E_OK) return e;
    live_stop(live, s->stream_id);
    e = db_begin(db);
    if (e != E_OK) return e;
    e = tell(db, "live_stream.deleted", s->id);
    if (e == E_OK) e = db_exec(db, "DELETE FROM streams WHERE id = ?1", "s", s->stream_id);
    if (e == E_OK) e = ingest_remove(db, s->id);
    return finish(db, e);
}
