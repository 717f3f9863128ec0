/* SPDX-License-Identifier: MIT */
/* product/ingest.h - the live stream behind a stream, and its key.
 *
 * The key is kept twice, neither time in clear: as a keyed hash, to be found by when an encoder
 * comes, and sealed, to be shown to its owner. Both need secret.key, so a stolen database does not
 * publish. Pool threads. */
#pragma once
#include "base/secret.h"
#include "product/account.h"

/* Short enough for every encoder (ffmpeg caps the whole URL); 166 random bits. */
#define INGEST_KEY_CHARS 28
#define INGEST_KEY_CAP   (INGEST_KEY_CHARS + 1)

/* Whether this secret is the one that the database's keys were made with; notes it the first time.
 * E_AUTH: it is another one, and every stream needs a new key. */
enum err ingest_check_secret(struct db *db, const struct secret *s) WARN_UNUSED;

/* A live stream with a key, without a playback id; ingest_add: with a public one. Within the
 * caller's transaction. */
enum err ingest_add_bare(struct db *db, const struct secret *s, const char *user_id, int64_t now_us,
                         char id[ID_CAP]) WARN_UNUSED;
enum err ingest_add(struct db *db, const struct secret *s, const char *user_id, int64_t now_us,
                    char id[ID_CAP]) WARN_UNUSED;
/* The key, for its owner. E_AUTH: it was sealed with another secret.key. */
enum err ingest_key(struct db *db, const struct secret *s, const char *id,
                    char key[INGEST_KEY_CAP]) WARN_UNUSED;
/* The same of a stream that Mux takes in; E_NOTFOUND: Mux has not given one yet. */
enum err ingest_remote_key(struct db *db, const struct secret *s, const char *id, char *key,
                           size_t cap) WARN_UNUSED;
/* From now on only the new key is good; whoever publishes with the old one is the caller's to send
 * away. */
enum err ingest_reset_key(struct db *db, const struct secret *s, const char *id) WARN_UNUSED;
/* The row and its playback ids, within the caller's transaction. */
enum err ingest_remove(struct db *db, const char *id) WARN_UNUSED;
