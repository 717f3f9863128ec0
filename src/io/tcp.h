/* SPDX-License-Identifier: MIT */
/* io/tcp.h - TCP listeners and connections on loops.
 *
 * A connection belongs to one loop. Reads arrive as spans over the loop's shared read buffer: keep
 * what you need, nothing is kept for you, so an idle connection costs no buffer. Writes are
 * references to immutable bufs (or to files), sent with writev/sendfile: what the socket does not
 * take stays queued. Sends within one iteration leave together at its end, in one writev.
 * TCP_NODELAY is set at accept.
 *
 * Closing is in two phases (libuv's rule): tcp_close() detaches at once, no callback comes after
 * it, and memory goes in the loop's close phase. on_closed comes once, only when the *other side*
 * or an error ended it; then call tcp_close() (in on_closed or later). */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/net_addr.h"
#include "io/file.h"
#include "io/loop.h"

struct tcp;

struct tcp_ops {
    void (*on_read)(void *ctx, struct span bytes);
    /* The queue fell to nothing after having been kept by the socket. May be NULL. */
    void (*on_drain)(void *ctx);
    /* E_CLOSED: orderly end; E_IO: reset or another error. */
    void (*on_closed)(void *ctx, enum err e);
};

#define TCP_PEER_LEN 64 /* "192.0.2.1" or "2001:db8::1" */

/* --- listening --- */

struct tcp_listener;
/* Called on the loop that gets the connection; loops take turns. Call tcp_start() in it, or
 * tcp_close(). */
typedef void tcp_accept_fn(void *ctx, struct tcp *c);

/* Listens on host:port ("" = every address, both families); port 0: any free one, see
 * tcp_listener_port(). Accepts on loops[0]'s thread, which must be the caller's or not yet
 * running; hands connections to all loops in turn. On failure `problem` (cap bytes) says why. */
enum err tcp_listen(struct loop *const *loops, unsigned n_loops, const char *host, uint16_t port,
                    tcp_accept_fn *fn, void *ctx, struct tcp_listener **out, char *problem,
                    size_t cap) WARN_UNUSED;
uint16_t tcp_listener_port(const struct tcp_listener *l);
void tcp_listener_close(struct tcp_listener *l); /* on loops[0] */

/* Connects (for tests, the load generators and later restreaming); on_closed(E_IO) when it cannot.
 */
enum err tcp_connect(struct loop *l, const char *ip, uint16_t port, struct tcp **out) WARN_UNUSED;

/* --- a connection: its own loop's thread only --- */

void tcp_start(struct tcp *c, const struct tcp_ops *ops, void *ctx); /* begins reading */
void tcp_set_ops(struct tcp *c, const struct tcp_ops *ops,
                 void *ctx); /* hand over to another owner */
struct loop *tcp_loop(const struct tcp *c);
const char *tcp_peer(const struct tcp *c); /* address without port, v4-mapped shown as v4 */
bool tcp_is_local(const struct tcp *c);    /* the peer is a loopback address */
/* Both ends; zeros when the connection is gone. */
void tcp_addrs(const struct tcp *c, struct net_addr *peer, struct net_addr *local);
/* The kernel's share of what waits to be sent: less is earlier known, and less late. */
void tcp_send_buffer(struct tcp *c, size_t bytes);
/* Gives the connection to another loop, where `fn` gets it as from a listener. What is queued is
 * lost, `c` is gone. */
void tcp_move(struct tcp *c, struct loop *to, tcp_accept_fn *fn, void *ctx);

/* Queues bytes [off, off+len) of b; takes its own reference. */
void tcp_send(struct tcp *c, struct buf *b, size_t off, size_t len);
void tcp_send_copy(struct tcp *c, struct span s); /* for small things */
/* Queues a piece of a file, sent with sendfile. Too short a file closes the connection. */
void tcp_send_file(struct tcp *c, struct file *f, uint64_t off, uint64_t len);
/* Bytes queued and not yet taken by the socket. */
size_t tcp_queued(const struct tcp *c);
/* While corked nothing is written at the end of the iteration; uncorking writes. */
void tcp_cork(struct tcp *c, bool on);
/* Drops queued entries that were not begun, from the newest back to the oldest that is whole,
 * and returns their bytes: for a viewer that fell behind. */
size_t tcp_drop_unsent(struct tcp *c);
/* Stops (false) and resumes (true) reading: back-pressure on uploads. */
void tcp_want_read(struct tcp *c, bool on);
/* Monotonic time of the last byte the socket took, or of the moment the queue became non-empty. */
int64_t tcp_progress_us(const struct tcp *c);
void tcp_close(struct tcp *c); /* at once, what is queued is lost */
/* Sends what is queued, half-closes, waits shortly for the peer, then closes by itself. The ops
 * are dropped: no callback any more. For error replies that must arrive. */
void tcp_close_gently(struct tcp *c);
