/* SPDX-License-Identifier: MIT */
#include "product/direct.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "wire/sdp.h"

bool direct_is(const struct stream *s, int64_t now_us)
{
    return s->status == STREAM_CREATED && s->direct_id &&
           now_us - s->direct_seen_at < DIRECT_FRESH_US;
}

void direct_fini(struct direct *d)
{
    free(d->offer);
    free(d->answer);
    *d = (struct direct){0};
}

static enum err nothing_there(struct problem *p)
{
    return problem_set(p, E_NOTFOUND, "not_found", NULL, "There is no direct preview now.");
}

/* Copied as text with an end. What the two browsers say to each other is theirs; it must be SDP
 * with something in it, so that this is no place to leave other things. */
static enum err check(struct span sdp, char **out, struct problem *p)
{
    if (sdp.len > LIMIT_DIRECT_SDP_BYTES)
        return problem_set(p, E_INVALID, "too_long", "sdp", "At most %d bytes are allowed here.",
                           LIMIT_DIRECT_SDP_BYTES);
    struct sdp *s = xmalloc(sizeof *s);
    const bool fine = sdp_parse(sdp, s) == E_OK && s->n_media > 0 && !memchr(sdp.p, 0, sdp.len);
    free(s);
    if (!fine)
        return problem_set(p, E_INVALID, "invalid", "sdp", "This must be a session description.");
    *out = xmalloc(sdp.len + 1);
    memcpy(*out, sdp.p, sdp.len);
    (*out)[sdp.len] = 0;
    return E_OK;
}

static enum err own(struct db *db, const char *stream_id, const char *user_id, bool *created,
                    struct problem *p)
{
    struct stream s;
    const enum err e = stream_get_own(db, stream_id, user_id, &s, p);
    if (e != E_OK) return e;
    *created = s.status == STREAM_CREATED;
    stream_fini(&s);
    return E_OK;
}

/* In one statement each: two pages of the owner may do it at the same time. */
static enum err put(struct db *db, const char *stream_id, const char *sdp, int64_t now,
                    bool *changed)
{
    enum err e =
        db_exec(db,
                "UPDATE streams SET webrtc_seen_at = ?3 WHERE id = ?1 AND webrtc_offer = ?2 "
                "AND webrtc_seen_at > ?4",
                "ssii", stream_id, sdp, now, now - DIRECT_FRESH_US);
    *changed = e == E_OK && db_changes(db) == 0;
    if (e != E_OK || !*changed) return e;
    return db_exec(db,
                   "UPDATE streams SET webrtc_offer = ?2, webrtc_answer = NULL, "
                   "webrtc_offer_at = ?3, webrtc_seen_at = ?3 WHERE id = ?1",
                   "ssi", stream_id, sdp, now);
}

enum err direct_offer(struct db *db, const char *stream_id, const char *user_id, struct span sdp,
                      int64_t *id, bool *changed, struct problem *p)
{
    bool created = false;
    char *text = NULL;
    enum err e = own(db, stream_id, user_id, &created, p);
    if (e == E_OK && !created)
        e = problem_set(p, E_CONFLICT, "live", NULL,
                        "The stream has been live: everybody can watch it already.");
    if (e == E_OK) e = check(sdp, &text, p);
    if (e != E_OK) return e;
    e = put(db, stream_id, text, clock_wall_us(), changed);
    free(text);
    struct direct d = {0};
    if (e == E_OK) e = direct_get(db, stream_id, &d, p);
    *id = d.id;
    direct_fini(&d);
    return problem_of(p, e);
}

enum err direct_get(struct db *db, const char *stream_id, struct direct *out, struct problem *p)
{
    struct db_rows *q = db_query(db,
                                 "SELECT webrtc_offer_at, webrtc_offer, webrtc_answer FROM streams "
                                 "WHERE id = ?1 AND status = 'CREATED' AND webrtc_seen_at > ?2 "
                                 "AND webrtc_offer IS NOT NULL",
                                 "si", stream_id, clock_wall_us() - DIRECT_FRESH_US);
    struct direct d = {0};
    const bool found = db_next(q);
    if (found) {
        d.id = db_int(q, 0);
        d.offer = xstrdup(db_text(q, 1));
        d.answer = db_null(q, 2) ? NULL : xstrdup(db_text(q, 2));
    }
    const enum err e = db_done(q);
    if (e == E_OK && found) {
        *out = d;
        return E_OK;
    }
    direct_fini(&d);
    return e == E_OK ? nothing_there(p) : problem_of(p, e);
}

enum err direct_answer(struct db *db, const char *stream_id, int64_t id, struct span sdp,
                       struct problem *p)
{
    struct direct d;
    char *text = NULL;
    enum err e = direct_get(db, stream_id, &d, p);
    if (e != E_OK) return e;
    const bool other = d.id != id, taken = d.answer != NULL;
    direct_fini(&d);
    if (other) return nothing_there(p);
    if (!taken) {
        if ((e = check(sdp, &text, p)) != E_OK) return e;
        e = db_exec(db,
                    "UPDATE streams SET webrtc_answer = ?2 "
                    "WHERE id = ?1 AND webrtc_offer_at = ?3 AND webrtc_answer IS NULL",
                    "ssi", stream_id, text, id);
        free(text);
        if (e != E_OK) return problem_of(p, e);
        if (db_changes(db)) return E_OK;
    }
    return problem_set(p, E_CONFLICT, "taken", NULL, "Somebody is watching directly already.");
}

enum err direct_sweep(struct db *db)
{
    return db_exec(
        db,
        "UPDATE streams SET webrtc_offer = NULL, webrtc_answer = NULL, "
        "webrtc_offer_at = NULL, webrtc_seen_at = NULL "
        "WHERE webrtc_offer IS NOT NULL AND (webrtc_seen_at < ?1 OR status <> 'CREATED')",
        "i", clock_wall_us() - DIRECT_FRESH_US);
}

enum err direct_end(struct db *db, const char *stream_id, const char *user_id, bool *changed,
                    struct problem *p)
{
    bool created = false;
    enum err e = own(db, stream_id, user_id, &created, p);
    if (e != E_OK) return e;
    e = db_exec(db,
                "UPDATE streams SET webrtc_offer = NULL, webrtc_answer = NULL, "
                "webrtc_offer_at = NULL, webrtc_seen_at = NULL "
                "WHERE id = ?1 AND webrtc_offer IS NOT NULL",
                "s", stream_id);
    *changed = e == E_OK && db_changes(db) > 0;
    return problem_of(p, e);
}
