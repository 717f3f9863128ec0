/* SPDX-License-Identifier: MIT */
/* base/secret.h - the installation's own secret, kept beside the database and not in it: whoever
 * steals the database alone can neither publish nor read a stream key.
 *
 * The file `secret.key` in the data folder holds 32 random bytes as hex, mode 0600, made at the
 * first start. Keys for one purpose each are derived from it. Constant once opened: any thread. */
#pragma once
#include "base/err.h"
#include "base/hash.h"

#define SECRET_LEN 32

struct secret {
    uint8_t master[SECRET_LEN];
};

/* Reads the file, or makes it. E_PROTO: the file is not a secret; E_IO. `problem` gets words. */
enum err secret_open(const char *data_dir, struct secret *out, char *problem,
                     size_t cap) WARN_UNUSED;

/* The key for one purpose: HMAC-SHA-256 of the purpose's name under the master secret. */
void secret_derive(const struct secret *s, const char *purpose, uint8_t out[SECRET_LEN]);

/* What live_streams.stream_key_hash holds for a stream key: a keyed hash, as hex. */
#define STREAM_KEY_HASH_CAP 65
void stream_key_hash(const struct secret *s, const char *key, char out[STREAM_KEY_HASH_CAP]);
