/* SPDX-License-Identifier: MIT */
#include "video/playback_id.h"
#include "base/clock.h"
#include "base/rand.h"
#include <stdio.h>

enum { PLAYBACK_ID_CHARS = 32 };

/* As it is in effect: nothing of a private stream is public (ADR 38). */
#define PLAYBACK_SELECT                                                                            \
    "SELECT p.id, p.kind, p.object_id, CASE WHEN EXISTS (SELECT 1 FROM streams s WHERE "           \
    "s.visibility = 'PRIVATE' AND (s.live_stream_id = p.object_id OR s.id = (SELECT a.stream_id "  \
    "FROM assets a WHERE a.id = p.object_id))) THEN 'signed' ELSE p.policy END, p.policy FROM "    \
    "playback_ids p "

const char *const PLAYBACK_POLICY[] = {"public", "signed", NULL};

static void row_read(struct db_rows *q, struct playback_id *p)
{
    snprintf(p->id, sizeof p->id, "%s", db_text(q, 0));
    snprintf(p->kind, sizeof p->kind, "%s", db_text(q, 1));
    snprintf(p->object_id, sizeof p->object_id, "%s", db_text(q, 2));
    snprintf(p->policy, sizeof p->policy, "%s", db_text(q, 3));
    p->is_signed = strcmp(db_text(q, 4), PLAYBACK_POLICY[POLICY_SIGNED]) == 0;
}

static enum err count(struct db *db, const char *object_id, int64_t *out)
{
    struct db_rows *q =
        db_query(db, "SELECT count(*) FROM playback_ids WHERE object_id = ?1", "s", object_id);
    *out = db_next(q) ? db_int(q, 0) : 0;
    return db_done(q);
}

enum err playback_id_add(struct db *db, const char *kind, const char *object_id,
                         enum playback_policy policy, struct playback_id *out)
{
    int64_t have = 0;
    enum err e = count(db, object_id, &have);
    if (e != E_OK) return e;
    if (have >= LIMIT_MUX_PLAYBACK_IDS) return E_LIMIT;
    char id[PLAYBACK_ID_CHARS + 1];
    rand_id(id, PLAYBACK_ID_CHARS);
    e = db_exec(db,
                "INSERT INTO playback_ids (id, kind, object_id, policy, created_at)"
                " VALUES (?1, ?2, ?3, ?4, ?5)",
                "ssssi", id, kind, object_id, PLAYBACK_POLICY[policy], clock_wall_us() + have);
    if (e != E_OK) return e;
    snprintf(out->id, sizeof out->id, "%s", id);
    snprintf(out->kind, sizeof out->kind, "%s", kind);
    snprintf(out->object_id, sizeof out->object_id, "%s", object_id);
    snprintf(out->policy, sizeof out->policy, "%s", PLAYBACK_POLICY[policy]);
    out->is_signed = policy == POLICY_SIGNED;
    return E_OK;
}

enum err playback_id_get(struct db *db, const char *id, struct playback_id *out)
{
    struct db_rows *q = db_query(db, PLAYBACK_SELECT "WHERE p.id = ?1", "s", id);
    const bool found = db_next(q);
    if (found) row_read(q, out);
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

enum err playback_id_remove(struct db *db, const char *object_id, const char *id)
{
    const enum err e = db_exec(db, "DELETE FROM playback_ids WHERE id = ?1 AND object_id = ?2",
                               "ss", id, object_id);
    return e != E_OK ? e : db_changes(db) ? E_OK : E_NOTFOUND;
}

enum err playback_id_list(struct db *db, const char *object_id,
                          struct playback_id out[LIMIT_MUX_PLAYBACK_IDS], size_t *n)
{
    struct db_rows *q =
        db_query(db, PLAYBACK_SELECT "WHERE p.object_id = ?1 ORDER BY p.created_at, p.id LIMIT ?2",
                 "si", object_id, (int64_t)LIMIT_MUX_PLAYBACK_IDS);
    *n = 0;
    while (*n < LIMIT_MUX_PLAYBACK_IDS && db_next(q)) row_read(q, &out[(*n)++]);
    return db_done(q);
}
