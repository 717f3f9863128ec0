/* SPDX-License-Identifier: MIT */
#include "product/webhook.h"
#include "base/clock.h"
#include "base/rand.h"
#include "client/http_client.h"
#include "product/seal.h"
#include "product/text.h"
#include <stdio.h>

#define SELECT "SELECT w.id, w.address, w.enabled, w.created_at FROM webhooks w "

static enum err missing(struct problem *p)
{
    return problem_set(p, E_NOTFOUND, "not_found", NULL, "There is no such webhook.");
}

static void read_row(struct db_rows *q, struct webhook *w)
{
    *w = (struct webhook){.enabled = db_int(q, 2), .created_at = db_int(q, 3)};
    snprintf(w->id, sizeof w->id, "%s", db_text(q, 0));
    snprintf(w->address, sizeof w->address, "%s", db_text(q, 1));
}

/* `out` has room for the longest one that is fine. */
static enum err check_address(const struct webhook_rules *rules, struct span in,
                              char out[LIMIT_URL_BYTES + 1], struct problem *p)
{
    const char *why = "This address is too long.";
    in = span_trim(in);
    if (!in.len) return problem_set(p, E_INVALID, "required", "address", "This is missing.");
    if (span_cstr(in, out, LIMIT_URL_BYTES + 1) &&
        http_url_check(out, rules->allow_private, &why) == E_OK)
        return E_OK;
    return problem_set(p, E_INVALID, "invalid", "address", "%s", why);
}

static enum err taken(struct problem *p, enum err e)
{
    if (e == E_CONFLICT)
        return problem_set(p, e, "address_taken", "address",
                           "There is a webhook with this address already.");
    return problem_of(p, e);
}

static enum err is_room(struct db *db, const char *user_id, struct problem *p)
{
    struct db_rows *q =
        db_query(db, "SELECT count(*) FROM webhooks WHERE user_id = ?1", "s", user_id);
    const bool full = db_next(q) && db_int(q, 0) >= LIMIT_WEBHOOKS_PER_USER;
    const enum err e = db_done(q);
    if (e != E_OK || !full) return problem_of(p, e);
    return problem_set(p, E_INVALID, "too_many", NULL, "An account has at most %d webhooks.",
                       LIMIT_WEBHOOKS_PER_USER);
}

static void make_key(const struct webhook_rules *rules, const char *id, char key[WEBHOOK_KEY_CAP],
                     struct sealed *sealed)
{
    rand_id(key, WEBHOOK_KEY_CAP - 1);
    seal_text(rules->secret, id, key, sealed);
}

enum err webhook_add(struct db *db, const struct webhook_rules *rules, const char *user_id,
                     struct span address, bool enabled, struct webhook *out,
                     char key[WEBHOOK_KEY_CAP], struct problem *p)
{
    struct webhook w = {.enabled = enabled, .created_at = clock_wall_us()};
    struct sealed sealed;
    enum err e = check_address(rules, address, w.address, p);
    if (e == E_OK) e = is_room(db, user_id, p);
    if (e != E_OK) return e;
    rand_id(w.id, 22);
    make_key(rules, w.id, key, &sealed);
    e = db_exec(db,
                "INSERT INTO webhooks (id, user_id, address, enabled, secret_sealed, created_at)"
                " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                "sssibi", w.id, user_id, w.address, (int64_t)enabled,
                span_of(sealed.bytes, sealed.len), w.created_at);
    if (e == E_OK) *out = w;
    return taken(p, e);
}

enum err webhook_get(struct db *db, const char *user_id, const char *id, struct webhook *out,
                     struct problem *p)
{
    struct db_rows *q =
        db_query(db, SELECT "WHERE w.id = ?1 AND w.user_id = ?2", "ss", id, user_id);
    const bool found = db_next(q);
    if (found) read_row(q, out);
    const enum err e = db_done(q);
    return e == E_OK && !found ? missing(p) : problem_of(p, e);
}

enum err webhook_list(struct db *db, const char *user_id, int64_t limit, int64_t offset,
                      struct webhook *out, size_t *n, struct problem *p)
{
    struct db_rows *q = db_query(
        db, SELECT "WHERE w.user_id = ?1 ORDER BY w.created_at DESC, w.id DESC LIMIT ?2 OFFSET ?3",
        "sii", user_id, limit, offset);
    *n = 0;
    while (*n < (size_t)limit && db_next(q)) read_row(q, &out[(*n)++]);
    return problem_of(p, db_done(q));
}

/* So far, and no further: the page asks for it again and again. */
enum err webhook_waiting(struct db *db, const char *id, int64_t *out, struct problem *p)
{
    struct db_rows *q = db_query(db,
                                 "SELECT count(*) FROM (SELECT 1 FROM webhook_deliveries"
                                 " WHERE webhook_id = ?1 AND next_at IS NOT NULL LIMIT ?2)",
                                 "si", id, (int64_t)WEBHOOK_WAITING_MAX);
    const int64_t n = db_next(q) ? db_int(q, 0) : 0;
    const enum err e = db_done(q);
    if (e == E_OK) *out = n;
    return problem_of(p, e);
}

enum err webhook_change(struct db *db, const struct webhook_rules *rules, const char *user_id,
                        const char *id, const struct span *address, const bool *enabled,
                        struct webhook *out, struct problem *p)
{
    struct webhook w;
    enum err e = webhook_get(db, user_id, id, &w, p);
    if (e == E_OK && address) e = check_address(rules, *address, w.address, p);
    if (e != E_OK) return e;
    if (enabled) w.enabled = *enabled;
    e = db_exec(db, "UPDATE webhooks SET address = ?3, enabled = ?4 WHERE id = ?1 AND user_id = ?2",
                "sssi", id, user_id, w.address, (int64_t)w.enabled);
    if (e == E_OK && !db_changes(db)) return missing(p);
    if (e == E_OK) *out = w;
    return taken(p, e);
}

enum err webhook_renew_key(struct db *db, const struct webhook_rules *rules, const char *user_id,
                           const char *id, char key[WEBHOOK_KEY_CAP], struct problem *p)
{
    struct sealed sealed;
    make_key(rules, id, key, &sealed);
    const enum err e =
        db_exec(db, "UPDATE webhooks SET secret_sealed = ?3 WHERE id = ?1 AND user_id = ?2", "ssb",
                id, user_id, span_of(sealed.bytes, sealed.len));
    return e == E_OK && !db_changes(db) ? missing(p) : problem_of(p, e);
}

enum err webhook_remove(struct db *db, const char *user_id, const char *id, struct problem *p)
{
    const enum err e =
        db_exec(db, "DELETE FROM webhooks WHERE id = ?1 AND user_id = ?2", "ss", id, user_id);
    return e == E_OK && !db_changes(db) ? missing(p) : problem_of(p, e);
}
