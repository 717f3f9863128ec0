/* SPDX-License-Identifier: MIT */
#include "product/ingest.h"
#include "base/clock.h"
#include "base/rand.h"
#include "product/seal.h"

enum { PLAYBACK_ID_CHARS = 32 };

enum err ingest_check_secret(struct db *db, const struct secret *s)
{
    uint8_t sub[SECRET_LEN];
    char print[2 * SECRET_LEN + 1];
    secret_derive(s, "fingerprint", sub);
    hash_hex(span_of(sub, sizeof sub), print);
    enum err e = db_exec(db,
                         "INSERT INTO meta (key, value) VALUES ('secret', ?1) "
                         "ON CONFLICT (key) DO NOTHING",
                         "s", print);
    if (e != E_OK) return e;
    struct db_rows *q = db_query(db, "SELECT value FROM meta WHERE key = 'secret'", "");
    const bool same = db_next(q) && strcmp(db_text(q, 0), print) == 0;
    e = db_done(q);
    return e != E_OK ? e : same ? E_OK : E_AUTH;
}

struct fresh_key {
    char hash[STREAM_KEY_HASH_CAP];
    struct sealed sealed;
};

static void fresh_key(const struct secret *s, const char *id, struct fresh_key *k)
{
    char key[INGEST_KEY_CAP];
    rand_id(key, INGEST_KEY_CHARS);
    stream_key_hash(s, key, k->hash);
    seal_text(s, id, key, &k->sealed);
}

enum err ingest_add_bare(struct db *db, const struct secret *s, const char *user_id, int64_t now_us,
                         char id[ID_CAP])
{
    struct fresh_key k;
    rand_id(id, ID_CHARS);
    fresh_key(s, id, &k);
    return db_exec(db,
                   "INSERT INTO live_streams (id, user_id, stream_key_hash, stream_key_sealed, "
                   "created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
                   "sssbi", id, user_id, k.hash, span_of(k.sealed.bytes, k.sealed.len), now_us);
}

enum err ingest_add(struct db *db, const struct secret *s, const char *user_id, int64_t now_us,
                    char id[ID_CAP])
{
    char playback_id[PLAYBACK_ID_CHARS + 1];
    rand_id(playback_id, PLAYBACK_ID_CHARS);
    const enum err e = ingest_add_bare(db, s, user_id, now_us, id);
    if (e != E_OK) return e;
    return db_exec(db,
                   "INSERT INTO playback_ids (id, kind, object_id, policy, created_at) "
                   "VALUES (?1, 'live', ?2, 'public', ?3)",
                   "ssi", playback_id, id, now_us);
}

enum err ingest_key(struct db *db, const struct secret *s, const char *id, char key[INGEST_KEY_CAP])
{
    struct db_rows *q =
        db_query(db, "SELECT stream_key_sealed FROM live_streams WHERE id = ?1", "s", id);
    const bool found = db_next(q);
    const enum err opened =
        found ? seal_open(s, id, db_blob(q, 0), key, INGEST_KEY_CAP) : E_NOTFOUND;
    const enum err e = db_done(q);
    return e == E_OK ? opened : e;
}

enum err ingest_remote_key(struct db *db, const struct secret *s, const char *id, char *key,
                           size_t cap)
{
    struct db_rows *q =
        db_query(db, "SELECT remote_key_sealed FROM live_streams WHERE id = ?1", "s", id);
    const bool found = db_next(q) && !db_null(q, 0);
    const enum err opened = found ? seal_open(s, id, db_blob(q, 0), key, cap) : E_NOTFOUND;
    const enum err e = db_done(q);
    return e == E_OK ? opened : e;
}

enum err ingest_reset_key(struct db *db, const struct secret *s, const char *id)
{
    struct fresh_key k;
    fresh_key(s, id, &k);
    return db_exec(db,
                   "UPDATE live_streams SET stream_key_hash = ?2, stream_key_sealed = ?3, "
                   "updated_at = ?4 WHERE id = ?1",
                   "ssbi", id, k.hash, span_of(k.sealed.bytes, k.sealed.len), clock_wall_us());
}

enum err ingest_remove(struct db *db, const char *id)
{
    const enum err e = db_exec(db, "DELETE FROM playback_ids WHERE object_id = ?1", "s", id);
    return e == E_OK ? db_exec(db, "DELETE FROM live_streams WHERE id = ?1", "s", id) : e;
}
