/* SPDX-License-Identifier: MIT */
/* serve/conn.h - one face for plain TCP and TLS connections (engine/tls over io/tcp).
 *
 * Plain connections pass straight through to tcp_*: no copy, sendfile stays sendfile. With TLS,
 * bytes are encrypted when sent and files are read on the loop in pieces of at most 64 KiB as the
 * socket drains. Same rules as io/tcp.h: one loop, spans valid during the call, two-phase close.
 * A TLS handshake that takes longer than LIMIT_HTTP_HEAD_MS ends with on_closed(E_TIMEOUT). */
#pragma once
#include "io/tcp.h"

struct conn;
struct tls_ctx; /* engine/tls.h */

struct conn_ops {
    /* TLS: after the handshake; plain: at once, from within conn_start(). `alpn` is "" when none
     * was agreed. May be NULL. */
    void (*on_open)(void *ctx, const char *alpn);
    void (*on_read)(void *ctx, struct span bytes);
    void (*on_drain)(void *ctx);
    void (*on_closed)(void *ctx, enum err e);
};

/* Takes the tcp connection over. tls == NULL: plain. */
struct conn *conn_start(struct tcp *t, struct tls_ctx *tls, const struct conn_ops *ops, void *ctx);
struct loop *conn_loop(const struct conn *c);
const char *conn_peer(const struct conn *c);
bool conn_secure(const struct conn *c);
void conn_send(struct conn *c, struct buf *b, size_t off, size_t len);
void conn_send_copy(struct conn *c, struct span s);
void conn_send_file(struct conn *c, struct file *f, uint64_t off, uint64_t len);
size_t conn_queued(const struct conn *c);
void conn_cork(struct conn *c, bool on);
size_t conn_drop_unsent(struct conn *c); /* 0 with TLS: what is encrypted must go */
void conn_want_read(struct conn *c, bool on);
int64_t conn_progress_us(const struct conn *c);
void conn_close(struct conn *c);
void conn_close_gently(struct conn *c);
