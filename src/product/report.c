/* SPDX-License-Identifier: MIT */
#include "product/report.h"
#include "base/clock.h"
#include "base/rand.h"
#include "product/audit.h"
#include "product/page.h"
#include <stdio.h>

const char *const REPORT_REASONS[] = {"spam",   "harassment", "violence", "sexual",
                                      "rights", "illegal",    "other",    NULL};

static bool is_reason(struct span word)
{
    for (int i = 0; REPORT_REASONS[i]; i++)
        if (span_is(word, REPORT_REASONS[i])) return true;
    return false;
}

static enum err update(struct db *db, const char *stream_id, int64_t message_id,
                       const char *reporter_id, const char *reason, const char *content)
{
    const enum err e =
        db_exec(db,
                "UPDATE reports SET reason = ?4, content = ?5 WHERE stream_id = ?1 AND"
                " COALESCE(message_id, 0) = ?2 AND reporter_id = ?3 AND state = 'open'",
                "sisss", stream_id, message_id, reporter_id, reason, content);
    return e == E_OK && !db_changes(db) ? E_NOTFOUND : e;
}

static enum err insert(struct db *db, const struct stream *s, const struct chat_message *m,
                       const char *reporter_id, const char *reason, const char *content)
{
    char id[ID_CHARS + 1];
    rand_id(id, ID_CHARS);
    const enum err e = db_exec(
        db,
        "INSERT INTO reports (id, stream_id, stream_title, owner_id, message_id, message_by,"
        " message_text, reporter_id, reason, content, created_at) SELECT ?1, ?2, ?3, ?4,"
        " NULLIF(?5, 0), ?6, ?7, ?8, ?9, ?10, ?11 WHERE"
        " (SELECT COUNT(*) FROM reports WHERE state = 'open') < ?12",
        "ssssisssssii", id, s->id, s->title, s->user_id, m ? m->id : (int64_t)0,
        m ? m->user_name : "", m ? m->content : "", reporter_id, reason, content, clock_wall_us(),
        (int64_t)LIMIT_REPORTS_OPEN);
    return e == E_OK && !db_changes(db) ? E_LIMIT : e;
}

enum err report_add(struct db *db, const struct stream *s, const struct chat_message *message,
                    const char *reporter_id, struct span reason, struct span content,
                    struct problem *p)
{
    char words[TEXT_CAP(LIMIT_REPORT_CHARS)], why[24];
    if (!is_reason(reason) || !span_cstr(reason, why, sizeof why))
        return problem_set(p, E_INVALID, "invalid", "reason",
                           "This must be one of the reasons that are offered.");
    enum err e = text_check(content, TEXT_LINES, LIMIT_REPORT_CHARS, "text", words, p);
    if (e != E_OK) return e;
    e = E_NOTFOUND;
    if (reporter_id) e = update(db, s->id, message ? message->id : 0, reporter_id, why, words);
    if (e == E_NOTFOUND) e = insert(db, s, message, reporter_id, why, words);
    if (e == E_LIMIT)
        return problem_set(p, e, "too_many_reports", NULL,
                           "Very many reports wait to be read; try again later.");
    return problem_of(p, e);
}

#define TAKE(field, col) snprintf(field, sizeof(field), "%s", db_text(q, col))

static void take(struct db_rows *q, struct report *r)
{
    *r = (struct report){.message_id = db_int(q, 4),
                         .created_at = db_int(q, 13),
                         .closed_at = db_int(q, 12),
                         .live = db_int(q, 16)};
    TAKE(r->id, 0);
    TAKE(r->stream_id, 1);
    TAKE(r->stream_title, 2);
    TAKE(r->owner_id, 3);
    TAKE(r->message_by, 5);
    TAKE(r->message_text, 6);
    TAKE(r->reporter_id, 7);
    TAKE(r->reason, 8);
    TAKE(r->content, 9);
    TAKE(r->state, 10);
    TAKE(r->note, 11);
    TAKE(r->closed_by, 14);
    TAKE(r->reporter_name, 15);
    TAKE(r->owner_name, 17);
}

enum err report_list(struct db *db, const char *state, const char *cursor, unsigned limit,
                     struct report *out, size_t *n, char next[REPORT_CURSOR_CAP])
{
    struct page_at at;
    bool more = false;
    *n = 0;
    next[0] = 0;
    if (!page_at_read(cursor, &at)) return E_INVALID;
    struct db_rows *q = db_query(
        db,
        "SELECT r.id, r.stream_id, r.stream_title, r.owner_id, COALESCE(r.message_id, 0),"
        " r.message_by, r.message_text, r.reporter_id, r.reason, r.content, r.state, r.note,"
        " COALESCE(r.closed_at, 0), r.created_at, r.closed_by, COALESCE(u.name, ''),"
        " COALESCE(s.status = 'LIVE', 0), COALESCE(o.name, '') FROM reports r LEFT JOIN users u ON"
        " u.id = r.reporter_id LEFT JOIN users o ON o.id = r.owner_id LEFT JOIN streams s ON"
        " s.id = r.stream_id WHERE (?1 = '' OR r.state = ?1) AND (r.created_at < ?2 OR"
        " (r.created_at = ?2 AND r.id < ?3)) ORDER BY r.created_at DESC, r.id DESC LIMIT ?4",
        "sisi", state ? state : "", at.time, at.id, (int64_t)limit + 1);
    while (db_next(q)) {
        if (*n < limit)
            take(q, &out[(*n)++]);
        else
            more = true;
    }
    const enum err e = db_done(q);
    if (e == E_OK && more) page_at_write(out[*n - 1].created_at, out[*n - 1].id, next);
    return e;
}

static enum err close_row(struct db *db, const char *actor_id, const char *id, const char *state,
                          const char *note)
{
    enum err e = db_exec(db,
                         "UPDATE reports SET state = ?2, note = ?3, closed_at = ?4, closed_by ="
                         " COALESCE((SELECT name FROM users WHERE id = ?5), '')"
                         " WHERE id = ?1 AND state = 'open'",
                         "sssis", id, state, note, clock_wall_us(), actor_id);
    if (e == E_OK && !db_changes(db)) return E_CONFLICT;
    if (e != E_OK) return e;
    return audit_add(db, actor_id,
                     strcmp(state, "resolved") == 0 ? "report.resolve" : "report.dismiss", "report",
                     id, note);
}

static bool exists(struct db *db, const char *id)
{
    struct db_rows *q = db_query(db, "SELECT 1 FROM reports WHERE id = ?1", "s", id);
    const bool found = db_next(q);
    return db_done(q) == E_OK && found;
}

enum err report_close(struct db *db, const char *actor_id, const char *id, bool resolved,
                      struct span note, struct problem *p)
{
    char words[TEXT_CAP(LIMIT_NOTE_CHARS)];
    enum err e = text_check(note, TEXT_LINES, LIMIT_NOTE_CHARS, "note", words, p);
    if (e != E_OK) return e;
    if (!exists(db, id))
        return problem_set(p, E_NOTFOUND, "not_found", NULL, "There is no such report.");
    e = db_begin(db);
    if (e != E_OK) return problem_of(p, e);
    e = close_row(db, actor_id, id, resolved ? "resolved" : "dismissed", words);
    if (e == E_OK)
        e = db_commit(db);
    else
        db_rollback(db);
    if (e == E_CONFLICT)
        return problem_set(p, e, "closed", NULL, "Somebody has closed this report already.");
    return problem_of(p, e);
}
