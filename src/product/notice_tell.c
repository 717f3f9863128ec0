/* SPDX-License-Identifier: MIT */
/* What there is to tell, and telling it a page of followers at a time: mails and push messages are
 * rows of the same transaction that moves the notice on. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "product/mail.h"
#include "product/notice_priv.h"
#include "product/push.h"
#include "product/visibility.h"
#include <stdio.h>

/* --- what there is to tell -------------------------------------------------------------------- */

static enum err add(struct db *db, enum notice_kind kind, const char *stream_id, int64_t now,
                    int64_t expires_at)
{
    char id[ID_CHARS + 1];
    rand_id(id, ID_CHARS);
    return db_exec(db,
                   "INSERT INTO notices (id, kind, user_id, stream_id, title, at, due_at,"
                   " expires_at) SELECT ?1, ?2, user_id, id, title, coalesce(scheduled_at, 0), ?4,"
                   " ?5 FROM streams WHERE id = ?3",
                   "sssii", id, NOTICE_KINDS[kind], stream_id, now, expires_at);
}

/* One of them, in a transaction of its own; E_NOTFOUND: there is none (any more). */
static enum err find_live(struct db *db, int64_t now)
{
    char id[ID_CAP] = "";
    int64_t started = 0, told = 0;
    struct db_rows *q = db_query(db,
                                 "SELECT s.id, s.started_at, s.live_told_at FROM streams s WHERE"
                                 " s.status = 'LIVE' AND s.live_told_at < s.started_at AND"
                                 " " VISIBILITY_LISTED_SQL "LIMIT 1",
                                 "");
    if (db_next(q)) {
        snprintf(id, sizeof id, "%s", db_text(q, 0));
        started = db_int(q, 1);
        told = db_int(q, 2);
    }
    enum err e = db_done(q);
    if (e != E_OK) return e;
    if (!id[0]) return E_NOTFOUND;
    e = db_exec(db, "UPDATE streams SET live_told_at = ?2 WHERE id = ?1 AND live_told_at < ?2",
                "si", id, started);
    /* The broadcast before was only just now: its followers are there, or have been told. */
    if (e == E_OK && db_changes(db) && (!told || started - told >= NOTICE_AGAIN_US))
        e = add(db, NOTICE_LIVE, id, now, now + NOTICE_LIVE_US);
    return e;
}

static enum err find_soon(struct db *db, int64_t now)
{
    char id[ID_CAP] = "";
    int64_t at = 0;
    struct db_rows *q =
        db_query(db,
                 "SELECT s.id, s.scheduled_at FROM streams s WHERE s.scheduled_at > ?1 AND"
                 " s.scheduled_at <= ?2 AND s.status = 'CREATED' AND"
                 " s.reminded_at <> s.scheduled_at AND " VISIBILITY_LISTED_SQL "LIMIT 1",
                 "ii", now, now + NOTICE_SOON_US);
    if (db_next(q)) {
        snprintf(id, sizeof id, "%s", db_text(q, 0));
        at = db_int(q, 1);
    }
    enum err e = db_done(q);
    if (e != E_OK) return e;
    if (!id[0]) return E_NOTFOUND;
    e = db_exec(db, "UPDATE streams SET reminded_at = ?2 WHERE id = ?1", "si", id, at);
    if (e == E_OK) e = add(db, NOTICE_SOON, id, now, at);
    /* Planned for so soon: the reminder says it. */
    if (e == E_OK)
        e = db_exec(db, "DELETE FROM notices WHERE stream_id = ?1 AND kind = 'scheduled'", "s", id);
    return e;
}

static enum err in_transaction(struct db *db, enum err (*find)(struct db *db, int64_t now))
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = find(db, clock_wall_us());
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

/* A look without a transaction first: there is nothing, nearly always. */
static bool anything(struct db *db)
{
    const int64_t now = clock_wall_us();
    struct db_rows *q =
        db_query(db,
                 "SELECT EXISTS (SELECT 1 FROM streams s WHERE s.status = 'LIVE' AND"
                 " s.live_told_at < s.started_at AND " VISIBILITY_LISTED_SQL
                 ") OR EXISTS (SELECT 1 FROM streams s WHERE s.scheduled_at > ?1 AND"
                 " s.scheduled_at <= ?2 AND s.status = 'CREATED' AND"
                 " s.reminded_at <> s.scheduled_at AND " VISIBILITY_LISTED_SQL ")",
                 "ii", now, now + NOTICE_SOON_US);
    const bool any = db_next(q) && db_int(q, 0);
    return db_done(q) == E_OK && any;
}

enum err notice_find(struct db *db)
{
    enum err e = E_OK;
    if (!anything(db)) return E_OK;
    while (e == E_OK) e = in_transaction(db, find_soon);
    if (e == E_NOTFOUND) e = E_OK;
    while (e == E_OK) e = in_transaction(db, find_live);
    return e == E_NOTFOUND ? E_OK : e;
}

/* --- telling it ------------------------------------------------------------------------------- */

static int kind_of(const char *word)
{
    for (int i = 0; NOTICE_KINDS[i]; i++)
        if (!strcmp(word, NOTICE_KINDS[i])) return i;
    return NOTICE_LIVE;
}

static enum err next_due(struct db *db, struct notice *n)
{
    struct db_rows *q = db_query(
        db,
        "SELECT n.id, n.kind, n.user_id, n.stream_id, n.title, u.name, n.at, n.was_at,"
        " n.expires_at, n.after_id, n.expires_at <= ?1 OR u.suspended_at IS NOT NULL OR "
        "u.closing_at IS NOT NULL OR"
        " (n.kind = 'live' AND NOT EXISTS (SELECT 1 FROM streams s WHERE s.id = n.stream_id AND"
        " s.status = 'LIVE')) OR EXISTS (SELECT 1 FROM streams s WHERE s.id = n.stream_id AND NOT"
        " (" VISIBILITY_LISTED_SQL ")) FROM notices n JOIN users u ON u.id = n.user_id"
        " WHERE n.due_at <= ?1 ORDER BY n.due_at LIMIT 1",
        "i", clock_wall_us());
    const bool found = db_next(q);
    if (found) {
        n->kind = (enum notice_kind)kind_of(db_text(q, 1));
        snprintf(n->id, sizeof n->id, "%s", db_text(q, 0));
        snprintf(n->user_id, sizeof n->user_id, "%s", db_text(q, 2));
        snprintf(n->stream_id, sizeof n->stream_id, "%s", db_text(q, 3));
        snprintf(n->title, sizeof n->title, "%s", db_text(q, 4));
        snprintf(n->user_name, sizeof n->user_name, "%s", db_text(q, 5));
        n->at = db_int(q, 6);
        n->was_at = db_int(q, 7);
        n->expires_at = db_int(q, 8);
        snprintf(n->after_id, sizeof n->after_id, "%s", db_text(q, 9));
        n->pointless = db_int(q, 10) != 0;
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

struct follower {
    char id[ID_CAP], name[TEXT_CAP(LIMIT_NAME_CHARS)], email[LIMIT_EMAIL_BYTES + 1];
    bool mail, push;
};

/* Mail goes to confirmed addresses only: whoever registers with another's cannot have them told. */
static enum err followers(struct db *db, const struct notice *n, struct follower *out, size_t *len)
{
    static const unsigned WANT[] = {NOTICE_WANT_LIVE, NOTICE_WANT_SCHEDULE, NOTICE_WANT_SCHEDULE,
                                    NOTICE_WANT_SCHEDULE, NOTICE_WANT_SOON};
    struct db_rows *q = db_query(
        db,
        "SELECT u.id, u.name, u.email, f.by_mail AND u.email_confirmed_at IS NOT NULL AND"
        " coalesce(p.mail, ?4) & ?5, f.by_push AND"
        " coalesce(p.push, ?4) & ?5 FROM follows f JOIN users u ON u.id = f.follower_id LEFT JOIN"
        " notice_prefs p ON p.user_id = u.id WHERE f.user_id = ?1 AND f.follower_id > ?2"
        " AND u.suspended_at IS NULL AND u.closing_at IS NULL ORDER BY f.follower_id LIMIT ?3",
        "ssiii", n->user_id, n->after_id, (int64_t)LIMIT_NOTICE_PAGE, (int64_t)NOTICE_WANT_ALL,
        (int64_t)WANT[n->kind]);
    *len = 0;
    while (*len < LIMIT_NOTICE_PAGE && db_next(q)) {
        struct follower *f = &out[(*len)++];
        snprintf(f->id, sizeof f->id, "%s", db_text(q, 0));
        snprintf(f->name, sizeof f->name, "%s", db_text(q, 1));
        snprintf(f->email, sizeof f->email, "%s", db_text(q, 2));
        f->mail = db_int(q, 3) != 0;
        f->push = db_int(q, 4) != 0;
    }
    return db_done(q);
}

static enum err send_mail(const struct notifier_config *cfg, struct db *db, const struct notice *n,
                          const struct follower *f)
{
    char token[NOTICE_TOKEN_CAP], link[NOTICE_TOKEN_CAP + 340];
    struct str subject = {0}, body = {0};
    notice_token(cfg->secret, f->id, n->user_id, token);
    snprintf(link, sizeof link, "%s/unsubscribe?token=%s", mail_origin(), token);
    notice_subject(n, &subject);
    notice_body(n, link, &body);
    enum err e = mail_add(db, &(struct mail){.to = f->email,
                                             .to_name = f->name,
                                             .user_id = f->id,
                                             .subject = str_c(&subject),
                                             .text = str_c(&body),
                                             .unsubscribe = link,
                                             .notice = true,
                                             .lasts_us = n->expires_at - clock_wall_us()});
    if (e == E_LIMIT || e == E_INVALID) e = E_OK; /* this one has enough, or no address */
    str_fini(&subject);
    str_fini(&body);
    return e;
}

static enum err move_on(struct db *db, const struct notice *n, const char *after_id)
{
    if (!after_id) return db_exec(db, "DELETE FROM notices WHERE id = ?1", "s", n->id);
    return db_exec(db, "UPDATE notices SET after_id = ?2 WHERE id = ?1", "ss", n->id, after_id);
}

/* Within the transaction. */
static enum err tell_page(const struct notifier_config *cfg, struct db *db, struct notice *n,
                          struct follower *page)
{
    size_t len = 0;
    struct str payload = {0};
    enum err e = next_due(db, n);
    if (e != E_OK) return e;
    if (n->pointless) return move_on(db, n, NULL);
    e = followers(db, n, page, &len);
    notice_payload(n, &payload);
    const int64_t now = clock_wall_us();
    for (size_t i = 0; i < len && e == E_OK; i++) {
        if (page[i].mail && mail_on(cfg->settings)) e = send_mail(cfg, db, n, &page[i]);
        if (e == E_OK && page[i].push)
            e = push_send_all(db, page[i].id, str_c(&payload), n->stream_id, now, n->expires_at);
    }
    str_fini(&payload);
    if (e == E_OK) e = move_on(db, n, len == LIMIT_NOTICE_PAGE ? page[len - 1].id : NULL);
    return e;
}

static bool due(struct db *db)
{
    struct db_rows *q = db_query(db, "SELECT EXISTS (SELECT 1 FROM notices WHERE due_at <= ?1)",
                                 "i", clock_wall_us());
    const bool any = db_next(q) && db_int(q, 0);
    return db_done(q) == E_OK && any;
}

enum err notice_tell(const struct notifier_config *cfg, struct db *db, bool *more)
{
    struct notice n;
    *more = false;
    if (!due(db) || !mail_notices_fit(db) || !push_fits(db)) return E_OK;
    struct follower *page = xcalloc(LIMIT_NOTICE_PAGE, sizeof *page);
    enum err e = db_begin(db);
    if (e == E_OK) {
        e = tell_page(cfg, db, &n, page);
        if (e == E_OK)
            e = db_commit(db);
        else
            db_rollback(db);
    }
    free(page);
    *more = e == E_OK;
    return e == E_NOTFOUND ? E_OK : e;
}
