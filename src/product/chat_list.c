/* SPDX-License-Identifier: MIT */
/* What is in a room, read. */
#include "base/clock.h"
#include "product/chat.h"
#include <stdio.h>

#define SELECT_MESSAGE                                                                             \
    "SELECT m.id, m.stream_id, m.user_id, u.name, u.image, m.content, m.program_at,"               \
    " m.created_at, COALESCE(m.deleted_event, 0), CASE WHEN s.user_id = m.user_id THEN 2 WHEN"     \
    " EXISTS (SELECT 1 FROM chat_moderators o WHERE o.owner_id = s.user_id AND o.user_id ="        \
    " m.user_id) THEN 1 ELSE 0 END, u.handle FROM chat_messages m JOIN users u ON u.id = "         \
    "m.user_id"                                                                                    \
    " JOIN streams s ON s.id = m.stream_id "

#define TAKE(field, col) snprintf(field, sizeof(field), "%s", db_text(q, col))

static void take(struct db_rows *q, struct chat_message *m)
{
    m->id = db_int(q, 0);
    TAKE(m->stream_id, 1);
    TAKE(m->user_id, 2);
    TAKE(m->user_name, 3);
    TAKE(m->user_image, 4);
    TAKE(m->content, 5);
    m->program_at = db_int(q, 6);
    m->created_at = db_int(q, 7);
    m->deleted_event = db_int(q, 8);
    m->role = (enum chat_role)db_int(q, 9);
    TAKE(m->user_handle, 10);
}

static enum err take_all(struct db_rows *q, struct chat_message *out, size_t *n)
{
    const size_t room = *n;
    *n = 0;
    while (*n < room && db_next(q)) take(q, &out[(*n)++]);
    return db_done(q);
}

enum err chat_get(struct db *db, const char *stream_id, int64_t id, struct chat_message *out)
{
    size_t n = 1;
    const enum err e = take_all(db_query(db,
                                         SELECT_MESSAGE "WHERE m.id = ?1 AND m.stream_id = ?2"
                                                        " AND m.deleted_event IS NULL",
                                         "is", id, stream_id),
                                out, &n);
    return e == E_OK && !n ? E_NOTFOUND : e;
}

enum err chat_list(struct db *db, const char *stream_id, int64_t before, struct chat_message *out,
                   size_t *n)
{
    return take_all(db_query(db,
                             SELECT_MESSAGE "WHERE m.stream_id = ?1 AND m.id < ?2 AND"
                                            " m.deleted_event IS NULL ORDER BY m.id DESC LIMIT ?3",
                             "sii", stream_id, before, (int64_t)*n),
                    out, n);
}

/* What was both written and deleted since is nothing to whoever was away. */
enum err chat_since(struct db *db, const char *stream_id, int64_t id, struct chat_message *out,
                    size_t *n)
{
    const size_t room = *n;
    const enum err e = take_all(
        db_query(db,
                 SELECT_MESSAGE "WHERE m.stream_id = ?1 AND ((m.id > ?2 AND m.deleted_event IS"
                                " NULL) OR (m.id <= ?2 AND m.deleted_event > ?2))"
                                " ORDER BY COALESCE(m.deleted_event, m.id) LIMIT ?3",
                 "sii", stream_id, id, (int64_t)room),
        out, n);
    return e == E_OK && *n == room ? E_LIMIT : e;
}

/* A clip of a clip has its source's, and so on: asked for a few times at most. */
enum err chat_played(struct db *db, const char *playback_id, char stream_id[ID_CAP])
{
    struct db_rows *q = db_query(
        db,
        "WITH RECURSIVE line (id, source, stream_id, n) AS (SELECT a.id, a.source_asset_id,"
        " a.stream_id, 0 FROM playback_ids v JOIN assets a ON a.id = v.object_id WHERE v.id = ?1"
        " AND v.kind = 'asset' AND v.policy = 'public' UNION ALL SELECT a.id, a.source_asset_id,"
        " a.stream_id, l.n + 1 FROM line l JOIN assets a ON a.id = l.source WHERE l.n < 8)"
        " SELECT stream_id FROM line WHERE stream_id IS NOT NULL ORDER BY n LIMIT 1",
        "s", playback_id);
    const bool found = db_next(q);
    if (found) snprintf(stream_id, ID_CAP, "%s", db_text(q, 0));
    const enum err e = db_done(q);
    return e == E_OK && !found ? E_NOTFOUND : e;
}

enum err chat_newest(struct db *db, int64_t *id)
{
    struct db_rows *q =
        db_query(db,
                 "SELECT COALESCE(MAX(x), 0) FROM (SELECT MAX(id) AS x FROM chat_messages UNION"
                 " ALL SELECT MAX(deleted_event) FROM chat_messages WHERE deleted_event IS NOT"
                 " NULL UNION ALL SELECT MAX(version) FROM chat_rooms UNION ALL SELECT MAX(id)"
                 " FROM chat_log) t",
                 "");
    *id = db_next(q) ? db_int(q, 0) : 0;
    return db_done(q);
}

enum err chat_sweep(struct db *db)
{
    const int64_t now = clock_wall_us(), day = INT64_C(24) * 3600 * US_PER_SEC;
    const int64_t old = now - LIMIT_CHAT_LOG_DAYS * day;
    static const char *const SWEEPS[] = {
        "DELETE FROM chat_addresses WHERE seen_at < ?1",
        "DELETE FROM chat_ban_addresses WHERE until < ?1",
        "DELETE FROM chat_bans WHERE until < ?1",
        "DELETE FROM chat_messages WHERE deleted_event IS NOT NULL AND created_at < ?1",
        "DELETE FROM chat_log WHERE at < ?1",
    };
    const int64_t before[] = {now - LIMIT_CHAT_ADDRESS_DAYS * day, now, now, old, old};
    enum err e = E_OK;
    for (size_t i = 0; i < sizeof before / sizeof *before && e == E_OK; i++)
        e = db_exec(db, SWEEPS[i], "i", before[i]);
    return e;
}
