/* SPDX-License-Identifier: MIT */
/* Pages of streams, by key and not by number, so that a page costs the same wherever it is and
 * nothing is seen twice because something new came. The cursor is the sort key of the last row:
 * "status.time.id". The lobby is two such lists, one after the other. */
#include "base/clock.h"
#include "base/fold.h"
#include "product/schedule.h"
#include "product/stream_row.h"
#include "product/visibility.h"
#include <stdio.h>
#include <stdlib.h>

struct cursor {
    int status; /* which list: an enum stream_status, or -1 for an owner's whole list */
    int64_t time;
    char id[ID_CAP];
};

static int64_t sort_time(const struct stream *s, bool mine)
{
    return !mine && s->started_at ? s->started_at : s->created_at;
}

static int64_t list_time(const struct stream *s, int list, bool mine)
{
    return list == STREAM_LIST_SCHEDULED ? s->scheduled_at : sort_time(s, mine);
}

static bool cursor_parse(const char *text, struct cursor *out)
{
    struct span rest = span_str(text);
    const struct span status = span_cut(&rest, '.'), time = span_cut(&rest, '.');
    uint64_t v;
    if (span_is(status, "A"))
        out->status = -1;
    else if (span_u64(status, STREAM_LIST_SCHEDULED, &v))
        out->status = (int)v;
    else
        return false;
    if (!span_u64(time, INT64_MAX, &v)) return false;
    out->time = (int64_t)v;
    return span_cstr(rest, out->id, sizeof out->id) && text_is_id(out->id);
}

static void cursor_write(const struct stream *s, int status, bool mine, char out[STREAM_CURSOR_CAP])
{
    char list[4] = "A";
    if (status >= 0) snprintf(list, sizeof list, "%d", status);
    snprintf(out, STREAM_CURSOR_CAP, "%s.%lld.%s", list, (long long)list_time(s, status, mine),
             s->id);
}

/* --- what is searched for: every word, in title, name or handle --- */

#define WORDS    4
#define WORD_CAP (2 * LIMIT_SEARCH_BYTES + 3)
struct words {
    char pattern[WORDS][WORD_CAP];
    const char *at[WORDS]; /* NULL: no more of them */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* "50% of" -> "%50\%%", "%of%"; what is behind the last one counted is part of it. */
static void words_parse(const char *text, struct words *w)
{
    struct str folded = {0};
    *w = (struct words){0};
    fold_add(&folded, span_str(text ? text : ""));
    const char *s = str_c(&folded);
    for (size_t i = 0; i < WORDS; i++) {
        size_t n = 0;
        char *out = w->pattern[i];
        while (is_space(*s)) s++;
        if (!*s) break;
        out[n++] = '%';
        for (; *s && (i == WORDS - 1 || !is_space(*s)) && n + 4 < WORD_CAP; s++) {
            if (strchr("%_\\", *s)) out[n++] = '\\';
            out[n++] = *s;
        }
        memcpy(out + n, "%", 2);
        w->at[i] = out;
    }
    str_fini(&folded);
}

struct ask {
    const struct stream_list *list;
    struct words words;
};

static enum err read_rows(struct db_rows *q, struct stream *out, size_t cap, size_t *n)
{
    while (*n < cap && db_next(q)) stream_read(q, &out[(*n)++]);
    return db_done(q);
}

#define KEYSET(time) "AND (" time " < ?2 OR (" time " = ?2 AND s.id < ?3)) "
#define ORDER(time)  "ORDER BY " time " DESC, s.id DESC LIMIT ?4"
#define STARTED      "coalesce(s.started_at, s.created_at)"
/* What has only signed playback ids is not for the lobby. */
#define PUBLIC(id)                                                                                 \
    "AND EXISTS (SELECT 1 FROM playback_ids o WHERE o.object_id = " id " AND o.policy = "          \
    "'public') "

/* Also while another recording is uploaded or prepared, which may never be there. */
#define PLAYS                                                                                      \
    "(s.recording_status = 'READY' OR (s.recording_status IN ('UPLOADING', 'PROCESSING') AND "     \
    "a.status = 'ready' AND a.is_live = 0)) "

#define WORD(n)                                                                                    \
    "AND (" n " IS NULL OR fold(s.title || ' ' || u.name || ' @' || coalesce(u.handle, '')) "      \
    "LIKE " n " ESCAPE '\\') "
#define FOLLOWED                                                                                   \
    "AND (?10 IS NULL OR EXISTS (SELECT 1 FROM follows f WHERE f.user_id = s.user_id AND "         \
    "f.follower_id = ?10)) "
#define SEARCHED WORD("?6") WORD("?7") WORD("?8") WORD("?9")
#define OWNED    "AND (?5 IS NULL OR s.user_id = ?5) "

/* An owner's streams, in one state (or -1) or all. */
static enum err own_rows(struct db *db, const struct ask *ask, int status, const struct cursor *c,
                         struct stream *out, size_t cap, size_t *n)
{
    const char *const *w = ask->words.at;
    return read_rows(
        db_query(
            db,
            STREAM_SELECT "WHERE s.user_id = ?1 " KEYSET(
                "s.created_at") "AND (?5 IS NULL OR s.status = ?5) " SEARCHED ORDER("s.created_at"),
            "sisisssss", ask->list->user_id, c->time, c->id, (int64_t)(cap - *n),
            status < 0 ? NULL : STREAM_STATUS[status], w[0], w[1], w[2], w[3]),
        out, cap, n);
}

#define LISTED(time) OWNED FOLLOWED SEARCHED KEYSET(time) ORDER(time)
static const char LIVE_SQL[] = STREAM_SELECT
    "WHERE s.status = ?1 AND " VISIBILITY_LISTED_SQL PUBLIC("s.live_stream_id") LISTED(STARTED);
static const char ENDED_SQL[] = STREAM_SELECT "WHERE s.status = ?1 AND " VISIBILITY_LISTED_SQL
                                              "AND " PLAYS PUBLIC("s.recording_id") LISTED(STARTED);
static const char SCHEDULED_SQL[] = STREAM_SELECT
    "WHERE s.status = ?1 AND s.scheduled_at IS NOT NULL AND " VISIBILITY_LISTED_SQL PUBLIC(
        "s.live_stream_id") OWNED FOLLOWED SEARCHED
    "AND (s.scheduled_at > ?2 OR (s.scheduled_at = ?2 AND s.id > ?3)) "
    "ORDER BY s.scheduled_at, s.id LIMIT ?4";

/* Everybody's streams in one state, as far as others may see them. */
static enum err lobby_rows(struct db *db, const struct ask *ask, int status, const struct cursor *c,
                           struct stream *out, size_t cap, size_t *n)
{
    const char *const *w = ask->words.at;
    /* What is neither live nor announced is nobody's business but its owner's. */
    if (status == STREAM_CREATED)
        return ask->list->user_id ? own_rows(db, ask, STREAM_CREATED, c, out, cap, n) : E_OK;
    const bool scheduled = status == STREAM_LIST_SCHEDULED;
    struct cursor from = *c;
    if (scheduled && c->time == INT64_MAX)
        from = (struct cursor){.time = clock_wall_us() - SCHEDULE_LATE_US};
    return read_rows(db_query(db,
                              scheduled               ? SCHEDULED_SQL
                              : status == STREAM_LIVE ? LIVE_SQL
                                                      : ENDED_SQL,
                              "sisissssss", STREAM_STATUS[scheduled ? STREAM_CREATED : status],
                              from.time, from.id, (int64_t)(cap - *n), ask->list->owner_id, w[0],
                              w[1], w[2], w[3], ask->list->followed ? ask->list->user_id : NULL),
                     out, cap, n);
}

/* One row more than asked for says whether there is another page. */
enum err stream_list(struct db *db, const struct stream_list *ask, struct stream *out, size_t *n,
                     char next[STREAM_CURSOR_CAP], struct problem *p)
{
    const struct cursor top = {.status = -2, .time = INT64_MAX, .id = "~"};
    struct cursor c = top;
    if (ask->cursor && *ask->cursor && !cursor_parse(ask->cursor, &c))
        return problem_set(p, E_INVALID, "invalid", "cursor", "This is not a cursor of a page.");
    if (ask->mine && !ask->user_id)
        return problem_set(p, E_AUTH, "unauthorized", NULL, "Log in to see your streams.");
    if (ask->followed && !ask->user_id)
        return problem_set(p, E_AUTH, "unauthorized", NULL, "Log in to see whom you follow.");

    struct ask words = {.list = ask};
    words_parse(ask->search, &words.words);
    struct stream *rows = calloc(ask->limit + 1, sizeof *rows);
    if (!rows) return problem_of(p, E_NOMEM);
    const bool lobby = !ask->mine && ask->status < 0;
    size_t got = 0;
    enum err e = E_OK;
    int last_list = -1;
    if (ask->mine) {
        e = own_rows(db, &words, ask->status, &c, rows, ask->limit + 1, &got);
    } else {
        const int first = lobby ? STREAM_LIVE : ask->status;
        const int last = lobby ? STREAM_ENDED : ask->status;
        for (int s = c.status > first ? c.status : first; s <= last && e == E_OK; s++)
            e = lobby_rows(db, &words, s, s == c.status ? &c : &top, rows, ask->limit + 1, &got);
    }
    *n = got > ask->limit ? ask->limit : got;
    next[0] = 0;
    if (e == E_OK && got > ask->limit) {
        const struct stream *at = &rows[*n - 1];
        if (!ask->mine) last_list = lobby ? (int)at->status : ask->status;
        cursor_write(at, last_list, ask->mine || last_list == STREAM_CREATED, next);
    }
    for (size_t i = 0; i < got; i++) {
        if (e == E_OK && i < *n)
            out[i] = rows[i];
        else
            stream_fini(&rows[i]);
    }
    free(rows);
    return problem_of(p, e);
}
