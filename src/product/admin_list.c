/* SPDX-License-Identifier: MIT */
/* Accounts as administrators see them. */
#include "product/admin.h"
#include "product/page.h"
#include <stdio.h>

#define BYTES                                                                                      \
    "(SELECT COALESCE(SUM(a.bytes), 0) FROM assets a WHERE a.user_id = u.id) + (SELECT "           \
    "COALESCE(SUM(p.received), 0) FROM uploads p WHERE p.user_id = u.id AND p.status = 'waiting')"
#define SELECT_USER                                                                                \
    "SELECT u.id, u.name, u.email, u.image, u.role, u.created_at, COALESCE(u.suspended_at, 0),"    \
    " u.suspended_reason, u.last_seen_at, COALESCE(u.storage_quota, -1),"                          \
    " (SELECT COUNT(*) FROM streams s WHERE s.user_id = u.id),"                                    \
    " (SELECT COUNT(*) FROM streams s WHERE s.user_id = u.id AND s.status = 'LIVE')," BYTES        \
    " AS bytes FROM users u "

#define TAKE(field, col) snprintf(field, sizeof(field), "%s", db_text(q, col))

static void take(struct db_rows *q, struct admin_user *a)
{
    *a = (struct admin_user){
        .user = {.admin = strcmp(db_text(q, 4), "admin") == 0, .created_at = db_int(q, 5)},
        .suspended_at = db_int(q, 6),
        .last_seen_at = db_int(q, 8),
        .quota = db_int(q, 9),
        .streams = db_int(q, 10),
        .live = db_int(q, 11),
        .bytes = db_int(q, 12)};
    TAKE(a->user.id, 0);
    TAKE(a->user.name, 1);
    TAKE(a->user.email, 2);
    TAKE(a->user.image, 3);
    TAKE(a->suspended_reason, 7);
}

/* "%text%" for LIKE, in lower case, its own marks quoted. */
static void pattern(const char *text, char *out, size_t cap)
{
    size_t n = 0;
    out[n++] = '%';
    for (; *text && n + 4 < cap; text++) {
        const char c = *text;
        if (c == '%' || c == '_' || c == '\\') out[n++] = '\\';
        out[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    out[n++] = '%';
    out[n] = 0;
}

#define FOUND                                                                                      \
    "u.closing_at IS NULL AND (?3 = '' OR lower(name) LIKE ?3 ESCAPE '\\' OR email_key LIKE ?3 "   \
    "ESCAPE '\\')"

static struct db_rows *page(struct db *db, const struct admin_ask *ask, const struct page_at *at)
{
    static const char *const SQL[] = {
        [ADMIN_BY_CREATION] =
            SELECT_USER "WHERE (u.created_at < ?1 OR (u.created_at = ?1 AND u.id < ?2)) AND " FOUND
                        " AND (?4 <> 1 OR u.suspended_at IS NOT NULL)"
                        " AND (?4 <> 2 OR u.role = 'admin') AND (?4 <> 3 OR EXISTS (SELECT 1 FROM"
                        " streams s WHERE s.user_id = u.id AND s.status = 'LIVE'))"
                        " ORDER BY u.created_at DESC, u.id DESC LIMIT ?5",
        [ADMIN_BY_BYTES] =
            "SELECT * FROM (" SELECT_USER "WHERE " FOUND
            " AND (?4 <> 1 OR u.suspended_at IS NOT NULL) AND (?4 <> 2 OR u.role = 'admin')"
            " AND (?4 <> 3 OR EXISTS (SELECT 1 FROM streams s WHERE s.user_id = u.id AND"
            " s.status = 'LIVE'))) x"
            " WHERE bytes < ?1 OR (bytes = ?1 AND id < ?2) ORDER BY bytes DESC, id DESC LIMIT ?5",
    };
    char like[4 * LIMIT_EMAIL_BYTES] = "";
    if (ask->search && *ask->search) pattern(ask->search, like, sizeof like);
    return db_query(db, SQL[ask->sort], "issii", at->time, at->id, like, (int64_t)ask->filter,
                    (int64_t)ask->limit + 1);
}

enum err admin_users(struct db *db, const struct admin_ask *ask, struct admin_user *out, size_t *n,
                     char next[ADMIN_CURSOR_CAP])
{
    struct page_at at;
    bool more = false;
    *n = 0;
    next[0] = 0;
    if (!page_at_read(ask->cursor, &at)) return E_INVALID;
    struct db_rows *q = page(db, ask, &at);
    while (db_next(q)) {
        if (*n < ask->limit)
            take(q, &out[(*n)++]);
        else
            more = true;
    }
    const enum err e = db_done(q);
    if (e == E_OK && more) {
        const struct admin_user *last = &out[*n - 1];
        page_at_write(ask->sort == ADMIN_BY_BYTES ? last->bytes : last->user.created_at,
                      last->user.id, next);
    }
    return e;
}

static enum err one(struct db_rows *q, struct admin_user *out)
{
    const bool found = db_next(q);
    if (found) take(q, out);
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

enum err admin_user_get(struct db *db, const char *id, struct admin_user *out)
{
    return one(db_query(db, SELECT_USER "WHERE u.id = ?1", "s", id), out);
}

enum err admin_user_find(struct db *db, const char *who, struct admin_user *out, struct problem *p)
{
    char typed[LIMIT_EMAIL_BYTES + 1], key[LIMIT_EMAIL_BYTES + 1] = "";
    struct problem ignored;
    enum err e = E_NOTFOUND;
    if (text_email(span_str(who), typed, key, &ignored) == E_OK)
        e = one(db_query(db, SELECT_USER "WHERE u.email_key = ?1", "s", key), out);
    else if (text_is_id(who))
        e = admin_user_get(db, who, out);
    if (e == E_NOTFOUND)
        return problem_set(p, e, "not_found", NULL, "There is no user \"%.200s\".", who);
    return problem_of(p, e);
}

enum err admin_totals(struct db *db, struct admin_totals *out)
{
    *out = (struct admin_totals){0};
    struct db_rows *q =
        db_query(db,
                 "SELECT (SELECT COUNT(*) FROM users),"
                 " (SELECT COUNT(*) FROM users WHERE suspended_at IS NOT NULL),"
                 " (SELECT COUNT(*) FROM streams),"
                 " (SELECT COUNT(*) FROM streams WHERE status = 'LIVE'),"
                 " (SELECT COALESCE(SUM(bytes), 0) FROM assets),"
                 " (SELECT COALESCE(SUM(received), 0) FROM uploads WHERE status = 'waiting'),"
                 " (SELECT COUNT(*) FROM reports WHERE state = 'open')",
                 "");
    if (db_next(q))
        *out = (struct admin_totals){db_int(q, 0), db_int(q, 1), db_int(q, 2), db_int(q, 3),
                                     db_int(q, 4), db_int(q, 5), db_int(q, 6)};
    return db_done(q);
}
