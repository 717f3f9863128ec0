/* SPDX-License-Identifier: MIT */
#include "video/text_tracks.h"
#include "base/clock.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "video/live_priv.h"
#include "video/outbox.h"
#include <stdio.h>

#define ID_CHARS 40

static void take(char *out, size_t cap, const char *text)
{
    snprintf(out, cap, "%s", text);
}
#define TAKE(field, text) take(field, sizeof(field), text)

/* --- reading --- */

#define COLUMNS                                                                                    \
    "t.id, t.asset_id, t.status, t.name, t.language_code, t.closed_captions, t.passthrough,"       \
    " t.problem, t.error_type"

static void take_row(struct db_rows *q, struct text_track *t)
{
    *t = (struct text_track){0};
    TAKE(t->id, db_text(q, 0));
    TAKE(t->asset_id, db_text(q, 1));
    TAKE(t->status, db_text(q, 2));
    TAKE(t->name, db_text(q, 3));
    TAKE(t->language, db_text(q, 4));
    t->closed_captions = db_int(q, 5) != 0;
    TAKE(t->passthrough, db_text(q, 6));
    TAKE(t->problem, db_text(q, 7));
    TAKE(t->error_type, db_text(q, 8));
}

enum err text_track_get(struct db *db, const char *asset_id, const char *id, struct text_track *out)
{
    struct db_rows *q = db_query(db,
                                 "SELECT " COLUMNS " FROM text_tracks t WHERE t.id = ?1 AND"
                                 " (?2 IS NULL OR t.asset_id = ?2)",
                                 "ss", id, asset_id);
    const bool found = db_next(q);
    if (found) take_row(q, out);
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

enum err text_tracks_list(struct db *db, const char *asset_id, struct text_track *out, unsigned *n)
{
    unsigned got = 0;
    struct db_rows *q = db_query(db,
                                 "SELECT " COLUMNS " FROM text_tracks t WHERE t.asset_id = ?1"
                                 " ORDER BY t.created_at, t.id",
                                 "s", asset_id);
    while (got < *n && db_next(q)) take_row(q, &out[got++]);
    *n = got;
    return db_done(q);
}

enum err text_tracks_ready(struct db *db, const char *asset_id, struct gate_text **out, unsigned *n)
{
    struct gate_text *all = NULL;
    unsigned got = 0;
    struct db_rows *q = db_query(db,
                                 "SELECT id, name, language_code, closed_captions FROM text_tracks"
                                 " WHERE asset_id = ?1 AND status = 'ready' ORDER BY created_at,"
                                 " id",
                                 "s", asset_id);
    while (got < LIMIT_TEXT_TRACKS && db_next(q)) {
        if (!all) all = xcalloc(LIMIT_TEXT_TRACKS, sizeof *all);
        struct gate_text *t = &all[got++];
        TAKE(t->id, db_text(q, 0));
        TAKE(t->name, db_text(q, 1));
        TAKE(t->language, db_text(q, 2));
        t->closed_captions = db_int(q, 3) != 0;
    }
    const enum err e = db_done(q);
    if (e == E_OK) {
        *out = all;
        *n = got;
    } else {
        free(all);
    }
    return e;
}

enum err text_track_body(struct db *db, const char *playback_id, const char *id, struct buf **out)
{
    struct db_rows *q = db_query(db,
                                 "SELECT t.status, t.body FROM text_tracks t JOIN playback_ids p ON"
                                 " p.kind = 'asset' AND p.object_id = t.asset_id WHERE t.id = ?1"
                                 " AND p.id = ?2",
                                 "ss", id, playback_id);
    enum err found = E_NOTFOUND;
    if (db_next(q)) {
        const bool ready = !strcmp(db_text(q, 0), "ready");
        found = ready ? E_OK : !strcmp(db_text(q, 0), "preparing") ? E_CLOSED : E_NOTFOUND;
        if (ready) *out = buf_copy(span_str(db_text(q, 1)));
    }
    const enum err e = db_done(q);
    if (e != E_OK && found == E_OK) buf_unref(*out);
    return e != E_OK ? e : found;
}

/* --- names --- */

static enum err name_is_free(struct db *db, const char *asset_id, const char *name, const char *but)
{
    struct db_rows *q =
        db_query(db, "SELECT 1 FROM text_tracks WHERE asset_id = ?1 AND name = ?2 AND id <> ?3",
                 "sss", asset_id, name, but);
    const bool taken = db_next(q);
    const enum err e = db_done(q);
    return e != E_OK ? e : taken ? E_CONFLICT : E_OK;
}

/* "Deutsch", "Deutsch (CC)", "Deutsch 2". */
static enum err name_after_language(struct db *db, const char *asset_id, struct text_track *t)
{
    const char *word = lang_tag_name(span_str(t->language));
    if (!word) word = t->language;
    snprintf(t->name, sizeof t->name, "%s%s", word, t->closed_captions ? " (CC)" : "");
    for (unsigned n = 2;; n++) {
        const enum err e = name_is_free(db, asset_id, t->name, t->id);
        if (e != E_CONFLICT || n > LIMIT_TEXT_TRACKS + 1) return e;
        snprintf(t->name, sizeof t->name, "%s%s %u", word, t->closed_captions ? " (CC)" : "", n);
    }
}

/* --- changing --- */

static enum err tell(struct db *db, const char *what, const char *id)
{
    char type[32];
    snprintf(type, sizeof type, "asset.track.%s", what);
    return outbox_add(db, type, OUTBOX_TRACK, id);
}

static enum err insert_row(struct db *db, const struct text_track *t, const char *url)
{
    const enum err e =
        db_exec(db,
                "INSERT INTO text_tracks (id, asset_id, name, language_code, closed_captions,"
                " passthrough, url, created_at) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE"
                " (SELECT COUNT(*) FROM text_tracks WHERE asset_id = ?2) < ?9",
                "ssssissii", t->id, t->asset_id, t->name, t->language, (int64_t)t->closed_captions,
                t->passthrough, url, clock_wall_us(), (int64_t)LIMIT_TEXT_TRACKS);
    return e == E_OK && !db_changes(db) ? E_LIMIT : e;
}

enum err text_track_insert(struct db *db, const char *asset_id, const char *user_id,
                           const struct text_track_new *n, struct text_track *out)
{
    struct text_track t = {.status = "preparing", .closed_captions = n->closed_captions};
    rand_id(t.id, ID_CHARS);
    TAKE(t.asset_id, asset_id);
    TAKE(t.language, n->language);
    TAKE(t.passthrough, n->passthrough ? n->passthrough : "");
    TAKE(t.name, n->name ? n->name : "");
    enum err e = t.name[0] ? name_is_free(db, asset_id, t.name, t.id)
                           : name_after_language(db, asset_id, &t);
    if (e == E_OK) e = insert_row(db, &t, n->url);
    if (e == E_OK) e = jobs_queue(db, "text", asset_id, user_id, t.id);
    if (e == E_OK) e = tell(db, "created", t.id);
    if (e == E_OK) *out = t;
    return e;
}

enum err text_track_add(struct db *db, const char *asset_id, const char *user_id,
                        const struct text_track_new *n, struct text_track *out)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = live_db_finish(db, text_track_insert(db, asset_id, user_id, n, out));
    if (e == E_OK) jobs_wake();
    return e;
}

static enum err change(struct db *db, const char *asset_id, const char *id,
                       const struct text_track_change *c)
{
    struct text_track t;
    enum err e = text_track_get(db, asset_id, id, &t);
    if (e == E_OK && c->name) e = name_is_free(db, asset_id, c->name, id);
    if (e != E_OK) return e;
    if (c->name) TAKE(t.name, c->name);
    if (c->language) TAKE(t.language, c->language);
    if (c->passthrough) TAKE(t.passthrough, c->passthrough);
    if (c->closed_captions) t.closed_captions = *c->closed_captions;
    e = db_exec(db,
                "UPDATE text_tracks SET name = ?2, language_code = ?3, closed_captions = ?4,"
                " passthrough = ?5 WHERE id = ?1",
                "sssis", id, t.name, t.language, (int64_t)t.closed_captions, t.passthrough);
    return e == E_OK ? outbox_add(db, "asset.updated", OUTBOX_ASSET, asset_id) : e;
}

enum err text_track_change(struct db *db, const char *asset_id, const char *id,
                           const struct text_track_change *c)
{
    const enum err e = db_begin(db);
    return e == E_OK ? live_db_finish(db, change(db, asset_id, id, c)) : e;
}

/* The event has the track as it is then: 'deleted'. */
static enum err remove_row(struct db *db, const char *asset_id, const char *id)
{
    enum err e =
        db_exec(db, "UPDATE text_tracks SET status = 'deleted' WHERE id = ?1 AND asset_id = ?2",
                "ss", id, asset_id);
    if (e == E_OK && !db_changes(db)) return E_NOTFOUND;
    if (e == E_OK) e = tell(db, "deleted", id);
    if (e == E_OK)
        e = db_exec(db, "DELETE FROM jobs WHERE kind = 'text' AND asset_id = ?1 AND input = ?2",
                    "ss", asset_id, id);
    return e == E_OK ? db_exec(db, "DELETE FROM text_tracks WHERE id = ?1", "s", id) : e;
}

enum err text_track_remove(struct db *db, const char *asset_id, const char *id)
{
    const enum err e = db_begin(db);
    return e == E_OK ? live_db_finish(db, remove_row(db, asset_id, id)) : e;
}

/* --- the end of preparing --- */

enum err text_track_ready(struct db *db, const char *id, const char *vtt)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db,
                "UPDATE text_tracks SET status = 'ready', body = ?2 WHERE id = ?1 AND"
                " status = 'preparing'",
                "ss", id, vtt);
    if (e == E_OK && db_changes(db)) e = tell(db, "ready", id);
    return live_db_finish(db, e);
}

enum err text_track_errored(struct db *db, const char *id, const char *type, const char *problem)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db,
                "UPDATE text_tracks SET status = 'errored', error_type = ?2, problem = ?3 WHERE"
                " id = ?1 AND status = 'preparing'",
                "sss", id, type, problem);
    if (e == E_OK && db_changes(db)) e = tell(db, "errored", id);
    return live_db_finish(db, e);
}
