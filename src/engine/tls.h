/* SPDX-License-Identifier: MIT */
/* engine/tls.h - the server's half of TLS 1.2 and 1.3 in memory, without I/O [libssl].
 *
 * Ciphertext in by tls_feed(), plaintext out by tls_read(); plaintext in by tls_write(), ciphertext
 * out by tls_output(), which also carries the handshake: look at it after every other call.
 *
 * A context is made once and shared by every loop (OpenSSL's reference counts are atomic); a
 * session belongs to one thread. The client's server name is ignored: one certificate. */
#pragma once
#include "base/err.h"
#include "base/span.h"

struct tls_ctx;
struct tls;

enum tls_use {
    TLS_FOR_HTTP, /* ALPN: h2, then http/1.1; a client that offers neither is refused */
    TLS_PLAIN,    /* no ALPN (RTMPS) */
};

/* Reads a certificate chain and its key, both PEM. On failure (E_NOTFOUND, E_INVALID) `problem`
 * says in words which file is missing, unreadable, or does not fit the other. */
enum err tls_ctx_new(const char *cert_path, const char *key_path, enum tls_use use,
                     struct tls_ctx **out, char *problem, size_t cap) WARN_UNUSED;
void tls_ctx_free(struct tls_ctx *c); /* NULL is fine; sessions may outlive it */
/* Seconds since 1970 when the certificate ends, for doctor and the log. */
int64_t tls_ctx_not_after(const struct tls_ctx *c);

struct tls *tls_new(struct tls_ctx *c);
void tls_free(struct tls *t); /* NULL is fine */

void tls_feed(struct tls *t, struct span cipher);
/* Drives the handshake and takes up to cap bytes of plaintext. E_MORE: nothing now. E_CLOSED: the
 * peer closed orderly. E_PROTO: it broke TLS; tls_problem() has the reason. */
enum err tls_read(struct tls *t, uint8_t *out, size_t cap, size_t *n) WARN_UNUSED;
/* All of it, after the handshake. */
enum err tls_write(struct tls *t, struct span plain) WARN_UNUSED;
/* Ciphertext to send, valid until the next call; false: none. */
bool tls_output(struct tls *t, struct span *out);
void tls_shutdown(struct tls *t); /* puts close_notify in the output */

bool tls_is_ready(const struct tls *t);    /* the handshake is done */
const char *tls_alpn(const struct tls *t); /* "h2", "http/1.1" or "" */
const char *tls_problem(const struct tls *t);
