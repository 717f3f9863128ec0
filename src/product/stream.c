/* SPDX-License-Identifier: MIT */
#include "product/stream.h"
#include "base/clock.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "product/audit.h"
#include "product/chat_room.h"
#include "product/schedule.h"
#include "product/stream_row.h"
#include "product/tuning.h"
#include "product/visibility.h"
#include "video/outbox.h"
#include "video/uploads.h"
#include <stdio.h>

const char *const STREAM_STATUS[] = {"CREATED", "LIVE", "ENDED", NULL};
const char *const STREAM_TYPE[] = {"RTMP", "BROWSER", NULL};
const char *const RECORDING_STATUS[] = {"NONE",  "RECORDING", "UPLOADING", "PROCESSING",
                                        "READY", "FAILED",    NULL};
const char *const VISIBILITY[] = {"PUBLIC", "UNLISTED", "PRIVATE", NULL};

int stream_word(const char *const *table, struct span word)
{
    for (int i = 0; table[i]; i++)
        if (span_is(word, table[i])) return i;
    return -1;
}

static void copy(char *out, size_t cap, const char *text)
{
    snprintf(out, cap, "%s", text);
}

static unsigned word_of(const char *const *table, const char *text)
{
    const int i = stream_word(table, span_str(text));
    return i < 0 ? 0 : (unsigned)i;
}

void stream_read(struct db_rows *q, struct stream *s)
{
    copy(s->id, sizeof s->id, db_text(q, 0));
    copy(s->user_id, sizeof s->user_id, db_text(q, 1));
    copy(s->live_stream_id, sizeof s->live_stream_id, db_text(q, 2));
    copy(s->live_playback_id, sizeof s->live_playback_id, db_text(q, 3));
    copy(s->recording_id, sizeof s->recording_id, db_text(q, 4));
    copy(s->recording_playback_id, sizeof s->recording_playback_id, db_text(q, 5));
    copy(s->title, sizeof s->title, db_text(q, 6));
    s->description = xstrdup(db_text(q, 7));
    s->status = word_of(STREAM_STATUS, db_text(q, 8));
    s->type = word_of(STREAM_TYPE, db_text(q, 9));
    s->recording = word_of(RECORDING_STATUS, db_text(q, 10));
    copy(s->ended_reason, sizeof s->ended_reason, db_text(q, 11));
    s->duration_s = db_null(q, 12) ? -1 : db_int(q, 12);
    s->started_at = db_int(q, 13);
    s->ended_at = db_int(q, 14);
    s->scheduled_at = db_int(q, 15);
    s->created_at = db_int(q, 16);
    s->updated_at = db_int(q, 17);
    s->peak_viewers = db_int(q, 18);
    s->total_viewers = db_int(q, 33);
    copy(s->user_name, sizeof s->user_name, db_text(q, 19));
    copy(s->user_image, sizeof s->user_image, db_text(q, 20));
    copy(s->user_handle, sizeof s->user_handle, db_text(q, 32));
    s->was_scheduled_at = db_int(q, 34);
    s->cancelled_at = db_int(q, 35);
    s->schedule_number = db_int(q, 36);
    s->schedule_changed_at = db_int(q, 37);
    copy(s->recording_problem, sizeof s->recording_problem, db_text(q, 22));
    s->direct_id = db_int(q, 23);
    s->direct_seen_at = db_int(q, 24);
    s->direct_answered = db_int(q, 25) != 0;
    s->reusable = db_int(q, 26) != 0;
    s->recording_closed = db_int(q, 27) == 0;
    /* Between the stream's end and its own a recording has no address for a moment: a page that
     * went there would find one that is not whole. */
    s->recording_playable =
        s->recording == RECORDING_RECORDING || strcmp(db_text(q, 21), "ready") == 0;
    s->remote = db_int(q, 28) != 0;
    copy(s->remote_playback_id, sizeof s->remote_playback_id, db_text(q, 29));
    copy(s->remote_recording, sizeof s->remote_recording, db_text(q, 30));
    /* What a browser uploaded is better than what was streamed. */
    if (db_text(q, 31)[0] && s->status == STREAM_ENDED)
        copy(s->remote_recording, sizeof s->remote_recording, db_text(q, 31));
    s->remote_playback = s->remote || (s->status == STREAM_ENDED && db_text(q, 31)[0]);
    if (s->remote_playback) s->recording_playable = s->remote_recording[0] != 0;
    s->visibility = word_of(VISIBILITY, db_text(q, 38));
    s->has_password = db_int(q, 39) != 0;
    s->access_epoch = db_int(q, 40);
    s->password_at = db_int(q, 41);
}

void stream_fini(struct stream *s)
{
    free(s->description);
    s->description = NULL;
}

static enum err get_one(struct db *db, const char *sql, const char *id, struct stream *out,
                        struct problem *p)
{
    struct db_rows *q = db_query(db, sql, "s", id);
    const bool found = db_next(q);
    if (found) stream_read(q, out);
    const enum err e = db_done(q);
    if (e != E_OK) {
        if (found) stream_fini(out);
        return problem_of(p, e);
    }
    return found ? E_OK : problem_set(p, E_NOTFOUND, "not_found", NULL, "There is no such stream.");
}

enum err stream_get(struct db *db, const char *id, struct stream *out, struct problem *p)
{
    return get_one(db, STREAM_SELECT "WHERE s.id = ?1", id, out, p);
}

enum err stream_get_played(struct db *db, const char *playback_id, struct stream *out,
                           struct problem *p)
{
    static const char SQL[] = STREAM_SELECT
        "WHERE s.live_stream_id = (SELECT l.object_id FROM playback_ids l "
        "WHERE l.id = ?1 AND l.kind = 'live' AND l.policy = 'public') "
        "OR s.id = (SELECT r.stream_id FROM playback_ids v JOIN assets r ON r.id = v.object_id "
        "WHERE v.id = ?1 AND v.kind = 'asset' AND v.policy = 'public') "
        "OR s.uploaded_playback_id = ?1 OR s.live_stream_id IN (SELECT m.id FROM live_streams m "
        "WHERE m.remote_playback_id = ?1 OR m.remote_asset_playback_id = ?1) LIMIT 1";
    return get_one(db, SQL, playback_id, out, p);
}

enum err stream_get_own(struct db *db, const char *id, const char *user_id, struct stream *out,
                        struct problem *p)
{
    const enum err e = stream_get(db, id, out, p);
    if (e != E_OK || strcmp(out->user_id, user_id) == 0) return e;
    stream_fini(out);
    return problem_set(p, E_AUTH, "forbidden", NULL, "This is somebody else's stream.");
}

/* Checked copies of what may be written. */
struct fields_checked {
    char title[TEXT_CAP(LIMIT_TITLE_CHARS)];
    char description[TEXT_CAP(LIMIT_DESCRIPTION_CHARS)];
};

static enum err check(const struct stream_fields *f, struct fields_checked *c, struct problem *p)
{
    enum err e = visibility_check(f, p);
    if (e == E_OK && (f->has & STREAM_HAS_TITLE))
        e = text_check(f->title, TEXT_LINE, LIMIT_TITLE_CHARS, "title", c->title, p);
    if (e == E_OK && (f->has & STREAM_HAS_DESCRIPTION))
        e = text_check(f->description, TEXT_LINES, LIMIT_DESCRIPTION_CHARS, "description",
                       c->description, p);
    if (e != E_OK || !(f->has & STREAM_HAS_SCHEDULE) || f->scheduled_at == 0) return e;
    return schedule_check(f->scheduled_at, clock_wall_us(), p);
}

static enum err count_own(struct db *db, const char *user_id, int64_t *out)
{
    struct db_rows *q =
        db_query(db, "SELECT count(*) FROM streams WHERE user_id = ?1", "s", user_id);
    *out = db_next(q) ? db_int(q, 0) : 0;
    return db_done(q);
}

static enum err insert(struct db *db, const struct secret *secret, const char *user_id,
                       const struct stream_fields *f, const struct fields_checked *c,
                       const char *id)
{
    const int64_t now = clock_wall_us();
    char live_id[ID_CAP];
    struct stream s = {0};
    enum err e = ingest_add(db, secret, user_id, now, live_id);
    if (e != E_OK) return e;
    e = db_exec(db,
                "INSERT INTO streams (id, user_id, live_stream_id, title, description, "
                "stream_type, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
                "ssssssi", id, user_id, live_id, c->title, c->description, STREAM_TYPE[f->type],
                now);
    copy(s.id, sizeof s.id, id);
    copy(s.user_id, sizeof s.user_id, user_id);
    if (e == E_OK) e = schedule_set(db, &s, f->scheduled_at);
    if (e == E_OK) e = chat_room_copy(db, id, user_id);
    if (e == E_OK && f->type == STREAM_RTMP && provider_is_mux())
        e = provider_want_live(db, live_id, id);
    return e != E_OK ? e : outbox_add(db, "live_stream.created", OUTBOX_LIVE, live_id);
}

enum err stream_add(struct db *db, const struct secret *secret, const char *user_id,
                    const struct stream_fields *f, struct stream *out, struct problem *p)
{
    struct fields_checked *c = NEW(struct fields_checked);
    char id[ID_CHARS + 1];
    int64_t have = 0, most = 0;
    enum err e = E_OK;
    if (!(f->has & STREAM_HAS_TITLE))
        e = problem_set(p, E_INVALID, "required", "title", "A stream needs a title.");
    if (e == E_OK) e = check(f, c, p);
    if (e == E_OK) e = count_own(db, user_id, &have);
    if (e == E_OK) e = tuning_streams(db, &most);
    if (e == E_OK && have >= most)
        e = problem_set(p, E_INVALID, "too_many_streams", NULL,
                        "You have %lld streams, which is the most; delete some first.",
                        (long long)have);
    if (e == E_OK) e = db_begin(db);
    if (e == E_OK) {
        rand_id(id, ID_CHARS);
        e = insert(db, secret, user_id, f, c, id);
        if (e == E_OK) e = visibility_write(db, id, f);
        if (e == E_OK)
            e = db_commit(db);
        else
            db_rollback(db);
    }
    free(c);
    if (e != E_OK) return problem_of(p, e);
    provider_wake();
    return stream_get(db, id, out, p);
}

static enum err update(struct db *db, const struct stream *s, const struct stream_fields *f,
                       const struct fields_checked *c)
{
    enum err e = db_exec(
        db,
        "UPDATE streams SET title = coalesce(?2, title), description = coalesce(?3, description), "
        "stream_type = coalesce(?4, stream_type), updated_at = ?5 WHERE id = ?1",
        "ssssi", s->id, f->has & STREAM_HAS_TITLE ? c->title : NULL,
        f->has & STREAM_HAS_DESCRIPTION ? c->description : NULL,
        f->has & STREAM_HAS_TYPE ? STREAM_TYPE[f->type] : NULL, clock_wall_us());
    if (e == E_OK && (f->has & STREAM_HAS_SCHEDULE))
        e = schedule_set(db, s, f->scheduled_at);
    else if (e == E_OK && (f->has & (STREAM_HAS_TITLE | STREAM_HAS_DESCRIPTION)))
        e = schedule_renamed(db, s);
    return e;
}

/* An encoder's stream is Mux's, a browser's is ours: another type moves it. */
static enum err move(struct db *db, const struct stream *s, const struct stream_fields *f)
{
    if (!(f->has & STREAM_HAS_TYPE) || f->type == s->type) return E_OK;
    if (s->remote) return provider_drop_live(db, s->live_stream_id, s->id);
    if (f->type != STREAM_RTMP || !provider_is_mux()) return E_OK;
    return provider_want_live(db, s->live_stream_id, s->id);
}

enum err stream_change(struct db *db, const char *id, const char *user_id,
                       const struct stream_fields *asked, struct problem *p)
{
    struct stream s;
    struct stream_fields fields = *asked, *f = &fields;
    enum err e = stream_get_own(db, id, user_id, &s, p);
    if (e != E_OK) return e;
    stream_fini(&s);
    /* A form sends the time it was shown, though that may have passed meanwhile. */
    if (f->scheduled_at == s.scheduled_at) f->has &= ~(unsigned)STREAM_HAS_SCHEDULE;
    if ((f->has & STREAM_HAS_SCHEDULE) && f->scheduled_at && s.status != STREAM_CREATED)
        return problem_set(p, E_CONFLICT, "already_live", "scheduledAt",
                           "A stream that has been live cannot be announced any more.");
    if ((f->has & STREAM_HAS_TYPE) && f->type != s.type && s.status != STREAM_CREATED)
        return problem_set(p, E_CONFLICT, "already_live", "streamType",
                           "The kind of a stream is fixed once it has been live.");
    struct fields_checked *c = NEW(struct fields_checked);
    e = check(f, c, p);
    if (e == E_OK) e = db_begin(db);
    if (e == E_OK) {
        e = update(db, &s, f, c);
        if (e == E_OK) e = visibility_write(db, id, f);
        if (e == E_OK) e = move(db, &s, f);
        if (e == E_OK)
            e = db_commit(db);
        else
            db_rollback(db);
    }
    free(c);
    if (e == E_OK) provider_wake();
    return problem_of(p, e);
}

/* The row says so at once; Mux is told as soon as it answers. */
static enum err end_remote(struct db *db, const struct stream *s)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db,
                "UPDATE streams SET status = 'ENDED', ended_at = coalesce(ended_at, ?2), "
                "duration = CASE status WHEN 'LIVE' THEN (?2 - started_at) / 1000000 "
                "ELSE duration END, recording_status = CASE recording_status WHEN 'RECORDING' "
                "THEN 'PROCESSING' ELSE recording_status END, ended_reason = 'owner', "
                "updated_at = ?2 WHERE id = ?1 AND ended_reason NOT IN ('owner', 'limit')",
                "si", s->id, clock_wall_us());
    if (e == E_OK && db_changes(db)) e = provider_end_live(db, s->id);
    if (e == E_OK) e = schedule_drop(db, s);
    if (e == E_OK) e = uploads_settle_stream(db, s->id);
    if (e == E_OK)
        e = db_commit(db);
    else
        db_rollback(db);
    if (e == E_OK) provider_wake();
    return e;
}

/* There is no broadcast. One that never came shall not come either, and one whose encoder stayed
 * away shall not come back. */
static enum err end_unbegun(struct db *db, const struct stream *s)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db,
                "UPDATE streams SET status = 'ENDED', ended_at = coalesce(ended_at, ?2), "
                "ended_reason = 'owner', updated_at = ?2 "
                "WHERE id = ?1 AND status <> 'LIVE' AND ended_reason NOT IN ('owner', 'limit')",
                "si", s->id, clock_wall_us());
    if (e == E_OK) e = schedule_drop(db, s);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

/* The media domain has ended what was only announced. */
static enum err drop_schedule(struct db *db, const struct stream *s)
{
    if (!schedule_is_open(s)) return E_OK;
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = schedule_drop(db, s);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err stream_end(struct db *db, const struct stream_runtime *rt, const char *id,
                    const char *user_id, struct problem *p)
{
    struct stream s;
    enum err e = stream_get_own(db, id, user_id, &s, p);
    if (e != E_OK) return e;
    stream_fini(&s);
    if (s.remote) return problem_of(p, end_remote(db, &s));
    e = rt->end(rt->self, db, id);
    if (e == E_CONFLICT)
        e = end_unbegun(db, &s);
    else if (e == E_OK)
        e = drop_schedule(db, &s);
    return problem_of(p, e);
}

enum err stream_reset_key(struct db *db, const struct secret *secret,
                          const struct stream_runtime *rt, const char *id, const char *user_id,
                          struct problem *p)
{
    struct stream s;
    enum err e = stream_get_own(db, id, user_id, &s, p);
    if (e != E_OK) return e;
    stream_fini(&s);
    e = db_begin(db);
    if (e != E_OK) return problem_of(p, e);
    e = ingest_reset_key(db, secret, s.live_stream_id);
    if (e == E_OK) e = audit_add(db, user_id, "stream.reset_key", "stream", id, s.title);
    if (e == E_OK && s.remote) e = provider_renew_key(db, s.live_stream_id, s.id);
    if (e == E_OK) e = outbox_add(db, "live_stream.updated", OUTBOX_LIVE, s.live_stream_id);
    if (e == E_OK)
        e = db_commit(db);
    else
        db_rollback(db);
    if (e != E_OK) return problem_of(p, e);
    /* After the change: whoever comes back at once needs the new key already. */
    rt->kick(rt->self, id, "The stream key was changed.");
    provider_wake();
    return E_OK;
}

static enum err delete_rows(struct db *db, const struct stream *s)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = outbox_add(db, "live_stream.deleted", OUTBOX_LIVE, s->live_stream_id);
    if (e == E_OK) e = schedule_drop(db, s);
    if (e == E_OK) e = provider_drop_uploads(db, s->id);
    if (e == E_OK && s->remote) e = provider_drop_live(db, s->live_stream_id, s->id);
    if (e == E_OK) e = db_exec(db, "DELETE FROM streams WHERE id = ?1", "s", s->id);
    if (e == E_OK) e = ingest_remove(db, s->live_stream_id);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err stream_remove(struct db *db, const struct stream_runtime *rt, const char *id,
                       const char *user_id, struct problem *p)
{
    struct stream s;
    enum err e = stream_get_own(db, id, user_id, &s, p);
    if (e != E_OK) return e;
    stream_fini(&s);
    /* No publisher may slip in between the end of the broadcast and the end of the rows. */
    e = db_exec(db, "UPDATE live_streams SET status = 'disabled' WHERE id = ?1", "s",
                s.live_stream_id);
    if (e == E_OK) e = rt->remove_media(rt->self, db, id);
    if (e == E_OK) e = delete_rows(db, &s);
    if (e == E_OK) provider_wake();
    return problem_of(p, e);
}

enum err stream_note_peak(struct db *db, const char *id, int64_t n)
{
    return db_exec(db, "UPDATE streams SET peak_viewers = ?2 WHERE id = ?1 AND peak_viewers < ?2",
                   "si", id, n);
}
