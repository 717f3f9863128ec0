/* SPDX-License-Identifier: MIT */
/* Text tracks that an asset begins with: those that were asked for with it, or with its upload, and
 * what a clip gets of its source's, the cues of its time from its own beginning on. */
#include "base/clock.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "video/outbox.h"
#include "video/text_tracks.h"
#include "wire/subtitles.h"
#include <stdio.h>

/* --- asked for --- */

enum err text_tracks_insert(struct db *db, const char *asset_id, const char *user_id,
                            const struct text_track_new *list, size_t n)
{
    enum err e = E_OK;
    for (size_t i = 0; i < n && e == E_OK; i++) {
        struct text_track t;
        struct text_track_new named = list[i];
        e = text_track_insert(db, asset_id, user_id, &named, &t);
        if (e != E_CONFLICT) continue;
        named.name = NULL; /* another one without a name was given this one */
        e = text_track_insert(db, asset_id, user_id, &named, &t);
    }
    return e;
}

static const char *text(const char *t)
{
    return t ? t : "";
}

enum err text_wishes_note(struct db *db, const char *upload_id, const struct text_track_new *list,
                          size_t n)
{
    enum err e = E_OK;
    for (size_t i = 0; i < n && e == E_OK; i++)
        e = db_exec(db,
                    "INSERT INTO upload_texts (upload_id, place, url, language_code, name,"
                    " closed_captions, passthrough) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    "sisssis", upload_id, (int64_t)i, list[i].url, list[i].language,
                    text(list[i].name), (int64_t)list[i].closed_captions,
                    text(list[i].passthrough));
    return e;
}

enum err text_wishes_fulfil(struct db *db, const char *upload_id, const char *asset_id,
                            const char *user_id)
{
    struct text_track_new list[LIMIT_TEXT_TRACKS];
    char *texts[LIMIT_TEXT_TRACKS][4];
    size_t n = 0;
    struct db_rows *q = db_query(db,
                                 "SELECT url, language_code, name, passthrough, closed_captions"
                                 " FROM upload_texts WHERE upload_id = ?1 ORDER BY place",
                                 "s", upload_id);
    while (n < LIMIT_TEXT_TRACKS && db_next(q)) {
        for (int i = 0; i < 4; i++) texts[n][i] = xstrdup(db_text(q, i));
        list[n] = (struct text_track_new){.url = texts[n][0],
                                          .language = texts[n][1],
                                          .name = texts[n][2],
                                          .passthrough = texts[n][3],
                                          .closed_captions = db_int(q, 4) != 0};
        n++;
    }
    enum err e = db_done(q);
    if (e == E_OK) e = text_tracks_insert(db, asset_id, user_id, list, n);
    while (n--)
        for (int i = 0; i < 4; i++) free(texts[n][i]);
    return e;
}

/* --- clips --- */

static char *cut_body(struct span vtt, const struct subtitle_cut *cut)
{
    struct subtitles s;
    struct subtitle_problem problem;
    struct str out = {0};
    if (subtitles_parse(vtt, &s, &problem) != E_OK) return NULL; /* it was written by us */
    str_adds(&out, SUBTITLE_HEAD);
    const size_t head = out.len;
    subtitles_write(&s, cut, &out);
    subtitles_fini(&s);
    if (out.len > head) return str_take_c(&out);
    str_fini(&out);
    return NULL;
}

enum err text_clips_cut(struct db *db, const char *asset_id, const char *user_id, int64_t start_us,
                        int64_t end_us, struct text_clips *out)
{
    const struct subtitle_cut cut = {
        .from_ms = start_us / 1000,
        .to_ms = end_us == INT64_MAX ? INT64_MAX : end_us / 1000,
        .trim = true,
        .shift_ms = -start_us / 1000,
    };
    *out = (struct text_clips){0};
    struct db_rows *q = db_query(db,
                                 "SELECT t.name, t.language_code, t.closed_captions, t.passthrough,"
                                 " t.body FROM text_tracks t JOIN assets a ON a.id = t.asset_id"
                                 " WHERE a.id = ?1 AND a.user_id = ?2 AND t.status = 'ready' ORDER"
                                 " BY t.created_at, t.id LIMIT ?3",
                                 "ssi", asset_id, user_id, (int64_t)LIMIT_TEXT_TRACKS);
    while (db_next(q)) {
        char *body = cut_body(span_str(db_text(q, 4)), &cut);
        if (!body) continue; /* nothing is said in it */
        struct text_clip *c = &out->list[out->n++];
        *c = (struct text_clip){.name = xstrdup(db_text(q, 0)),
                                .language = xstrdup(db_text(q, 1)),
                                .closed_captions = db_int(q, 2) != 0,
                                .passthrough = xstrdup(db_text(q, 3)),
                                .body = body};
    }
    const enum err e = db_done(q);
    if (e != E_OK) text_clips_fini(out);
    return e;
}

static enum err insert_one(struct db *db, const char *asset_id, const struct text_clip *c)
{
    char id[41];
    rand_id(id, 40);
    enum err e =
        db_exec(db,
                "INSERT INTO text_tracks (id, asset_id, status, name, language_code,"
                " closed_captions, passthrough, body, created_at) SELECT ?1, ?2, 'ready',"
                " ?3, ?4, ?5, ?6, ?7, ?8 WHERE NOT EXISTS (SELECT 1 FROM text_tracks WHERE"
                " asset_id = ?2 AND name = ?3) AND (SELECT COUNT(*) FROM text_tracks WHERE"
                " asset_id = ?2) < ?9",
                "ssssissii", id, asset_id, c->name, c->language, (int64_t)c->closed_captions,
                c->passthrough, c->body, clock_wall_us(), (int64_t)LIMIT_TEXT_TRACKS);
    if (e != E_OK || !db_changes(db)) return e; /* there is one of this name of the clip's own */
    e = outbox_add(db, "asset.track.created", OUTBOX_TRACK, id);
    return e == E_OK ? outbox_add(db, "asset.track.ready", OUTBOX_TRACK, id) : e;
}

enum err text_clips_insert(struct db *db, const char *asset_id, const struct text_clips *c)
{
    enum err e = E_OK;
    for (size_t i = 0; i < c->n && e == E_OK; i++) e = insert_one(db, asset_id, &c->list[i]);
    return e;
}

void text_clips_fini(struct text_clips *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->list[i].name);
        free(c->list[i].language);
        free(c->list[i].passthrough);
        free(c->list[i].body);
    }
    c->n = 0;
}
