/* SPDX-License-Identifier: MIT */
/* product/seal.h - short secrets in the database, readable only with the installation's secret.
 * XChaCha20-Poly1305 by libsodium; bound to the row they belong to, so that a sealed value copied
 * to another row does not open. Any thread. */
#pragma once
#include "base/secret.h"

#define SEAL_TEXT_MAX 128
#define SEAL_CAP      (1 + 24 + SEAL_TEXT_MAX + 16) /* version, nonce, text, tag */

struct sealed {
    uint8_t bytes[SEAL_CAP];
    size_t len;
};

void seal_text(const struct secret *s, const char *row_id, const char *text, struct sealed *out);
/* E_AUTH: not sealed by this installation for this row. */
enum err seal_open(const struct secret *s, const char *row_id, struct span sealed, char *out,
                   size_t cap) WARN_UNUSED;
