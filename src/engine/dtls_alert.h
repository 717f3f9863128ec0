/* SPDX-License-Identifier: MIT */
/* engine/dtls_alert.h - alerts of a DTLS 1.2 session whose handshake is long over, without the
 * library's object for it, which weighs 38 KB: the keys of its two directions are all that it takes
 * to say goodbye and to hear it. [libssl, libcrypto]
 *
 * Sources: RFC 6347, 4.1 (records); RFC 5246, 6.3 (key block) and 7.2 (alerts); RFC 5288 (AES-GCM).
 * Embedded by value, one thread. Server side. */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include <openssl/ssl.h>

struct dtls_alert {
    size_t key_len; /* 16 or 32 */
    uint8_t read_key[32], write_key[32], read_iv[4], write_iv[4];
    uint64_t next; /* number of our next record of epoch 1 */
};

#define DTLS_ALERT_BYTES 39 /* a sealed record with an alert */

/* Takes the keys of a session whose handshake is complete. E_UNSUPPORTED: its cipher is not
 * AES-GCM.
 */
enum err dtls_alert_take(struct dtls_alert *a, SSL *ssl) WARN_UNUSED;
/* Looks at records; E_CLOSED: one is an authentic goodbye, or a fatal alert. */
enum err dtls_alert_read(const struct dtls_alert *a, struct span records) WARN_UNUSED;
void dtls_alert_close(struct dtls_alert *a, uint8_t out[DTLS_ALERT_BYTES]); /* close_notify */
