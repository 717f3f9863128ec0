/* SPDX-License-Identifier: MIT */
#include "product/reaction.h"
#include "base/xalloc.h"
#include <pthread.h>
#include <stdio.h>

const char *const REACTION_NAMES[REACTION_KINDS] = {"heart", "laugh", "wow", "clap", "fire"};

enum reaction_kind reaction_kind_of(struct span name)
{
    unsigned k = 0;
    while (k < REACTION_KINDS && !span_eq(name, span_str(REACTION_NAMES[k]))) k++;
    return (enum reaction_kind)k;
}

struct reactions {
    pthread_mutex_t lock;
    size_t n;
    struct reaction waiting[LIMIT_REACTIONS_WAITING];
};

struct reactions *reactions_new(void)
{
    struct reactions *r = NEW(struct reactions);
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

void reactions_free(struct reactions *r)
{
    if (!r) return;
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static struct reaction *find(struct reactions *r, const struct reaction *one)
{
    for (size_t i = 0; i < r->n; i++) {
        struct reaction *w = &r->waiting[i];
        if (w->at_s == one->at_s && w->kind == one->kind && !strcmp(w->stream_id, one->stream_id))
            return w;
    }
    return NULL;
}

/* With the lock held. */
static bool add(struct reactions *r, const struct reaction *one)
{
    struct reaction *w = find(r, one);
    if (w) {
        w->n += one->n;
        return true;
    }
    if (r->n == LIMIT_REACTIONS_WAITING) return false;
    r->waiting[r->n++] = *one;
    return true;
}

bool reactions_add(struct reactions *r, const struct reaction *one)
{
    pthread_mutex_lock(&r->lock);
    const bool taken = add(r, one);
    pthread_mutex_unlock(&r->lock);
    return taken;
}

bool reactions_any(struct reactions *r)
{
    pthread_mutex_lock(&r->lock);
    const bool any = r->n > 0;
    pthread_mutex_unlock(&r->lock);
    return any;
}

static enum err write_all(struct db *db, const struct reaction *all, size_t n)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    for (size_t i = 0; i < n && e == E_OK; i++)
        e = db_exec(db,
                    "INSERT INTO reactions (stream_id, at_s, kind, n) SELECT ?1, ?2, ?3, ?4"
                    " WHERE EXISTS (SELECT 1 FROM streams WHERE id = ?1)"
                    " ON CONFLICT (stream_id, at_s, kind) DO UPDATE SET n = n + excluded.n",
                    "sisi", all[i].stream_id, all[i].at_s, REACTION_NAMES[all[i].kind],
                    (int64_t)all[i].n);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err reactions_write(struct reactions *r, struct db *db, reaction_told_fn *told, void *ctx)
{
    pthread_mutex_lock(&r->lock);
    const size_t n = r->n;
    struct reaction *all = xcalloc(n + 1, sizeof *all);
    memcpy(all, r->waiting, n * sizeof *all);
    r->n = 0;
    pthread_mutex_unlock(&r->lock);
    const enum err e = n ? write_all(db, all, n) : E_OK;
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < n && e != E_OK; i++) (void)add(r, &all[i]);
    pthread_mutex_unlock(&r->lock);
    for (size_t i = 0; i < n && e == E_OK; i++) told(ctx, &all[i]);
    free(all);
    return e;
}

enum err reaction_totals(struct db *db, const char *stream_id, uint64_t out[REACTION_KINDS])
{
    uint64_t sums[REACTION_KINDS] = {0};
    struct db_rows *q =
        db_query(db, "SELECT kind, sum(n) FROM reactions WHERE stream_id = ?1 GROUP BY kind", "s",
                 stream_id);
    while (db_next(q)) {
        const enum reaction_kind k = reaction_kind_of(span_str(db_text(q, 0)));
        if (k < REACTION_KINDS) sums[k] = (uint64_t)db_int(q, 1);
    }
    const enum err e = db_done(q);
    if (e == E_OK) memcpy(out, sums, sizeof sums);
    return e;
}

enum err reaction_list(struct db *db, const char *stream_id, int64_t after_s, struct reaction *out,
                       size_t *n)
{
    const size_t room = *n;
    size_t got = 0;
    struct db_rows *q = db_query(db,
                                 "SELECT at_s, kind, n FROM reactions WHERE stream_id = ?1"
                                 " AND at_s > ?2 ORDER BY at_s, kind LIMIT ?3",
                                 "sii", stream_id, after_s, (int64_t)room);
    while (db_next(q)) {
        const enum reaction_kind k = reaction_kind_of(span_str(db_text(q, 1)));
        if (k == REACTION_KINDS || got == room) continue;
        out[got] = (struct reaction){.kind = k, .at_s = db_int(q, 0), .n = (unsigned)db_int(q, 2)};
        snprintf(out[got++].stream_id, ID_CAP, "%s", stream_id);
    }
    const enum err e = db_done(q);
    if (e != E_OK) return e;
    /* The last second may have more than there was room for: it begins the next page. */
    if (got == room && out[0].at_s != out[got - 1].at_s) {
        const int64_t last = out[got - 1].at_s;
        while (out[got - 1].at_s == last) got--;
    }
    *n = got;
    return E_OK;
}
