/* SPDX-License-Identifier: MIT */
/* Plain connections pass through. A TLS connection keeps what is to be sent as pieces (references)
 * and encrypts them only as fast as the socket takes them, so that a large file or segment costs
 * its viewers no memory.
 *
 *   conn_send -> pieces --pump()--> tls_write -> tls_output -> tcp_send_copy
 *   on_read <- tls_read <- tls_feed <- tcp
 */
#include "serve/conn.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "engine/tls.h"
#include <unistd.h>

#define AHEAD_BYTES (128u << 10) /* encrypted and not yet taken by the socket */
#define PIECE_BYTES (64u << 10)  /* encrypted at once */

struct piece {
    struct piece *next;
    struct buf *buf; /* one of the two */
    struct file *file;
    uint64_t off, len;
};

struct secure {
    struct tls *tls;
    struct timer timer; /* the handshake's deadline, then the pump's wake-up */
    struct piece *first, **end;
    uint64_t bytes; /* in the pieces */
    bool kept;      /* pieces outlived an iteration: their end is told by on_drain */
    bool want_read, reading, broken;
};

struct conn {
    struct tcp *tcp;
    struct loop *loop;
    const struct conn_ops *ops;
    void *ctx;
    struct secure *s; /* NULL: plain */
    bool open, closed;
};

static void free_conn(void *arg)
{
    struct conn *c = arg;
    if (c->s) {
        tls_free(c->s->tls);
        free(c->s);
    }
    free(c);
}

/* Nothing of the user's is called after this; memory goes in the close phase. */
static void detach(struct conn *c)
{
    c->closed = true;
    c->ops = NULL;
    if (c->s) {
        timer_stop(&c->s->timer);
        for (struct piece *p = c->s->first; p;) {
            struct piece *next = p->next;
            buf_unref(p->buf);
            file_unref(p->file);
            free(p);
            p = next;
        }
        c->s->first = NULL;
    }
    loop_defer(c->loop, free_conn, c);
}

static void ended(struct conn *c, enum err e)
{
    const struct conn_ops *ops = c->ops;
    if (c->s) timer_stop(&c->s->timer);
    c->ops = NULL; /* once */
    if (ops) ops->on_closed(c->ctx, e);
}

/* --- plain -------------------------------------------------------------------------------- */

static void plain_read(void *ctx, struct span bytes)
{
    struct conn *c = ctx;
    if (c->ops) c->ops->on_read(c->ctx, bytes);
}

static void plain_drain(void *ctx)
{
    struct conn *c = ctx;
    if (c->ops && c->ops->on_drain) c->ops->on_drain(c->ctx);
}

static void plain_closed(void *ctx, enum err e)
{
    ended(ctx, e);
}

static const struct tcp_ops PLAIN = {plain_read, plain_drain, plain_closed};

/* --- TLS: sending ------------------------------------------------------------------------- */

static void send_output(struct conn *c)
{
    struct span out;
    while (tls_output(c->s->tls, &out)) tcp_send_copy(c->tcp, out);
}

static bool encrypt(struct conn *c, struct span plain)
{
    if (tls_write(c->s->tls, plain) != E_OK) return false;
    send_output(c);
    return true;
}

/* The beginning of the first piece. Files are read on the loop: hot ones come from the page
 * cache, and a cold read of 64 KiB is what sendfile would have waited for as well. */
static bool encrypt_some(struct conn *c, struct piece *p, size_t n)
{
    if (p->buf) return encrypt(c, span_of(p->buf->data + p->off, n));
    static _Thread_local uint8_t block[PIECE_BYTES];
    if (pread(p->file->fd, block, n, (off_t)p->off) != (ssize_t)n) return false; /* too short */
    return encrypt(c, span_of(block, n));
}

static void pop(struct secure *s)
{
    struct piece *p = s->first;
    s->first = p->next;
    if (!s->first) s->end = &s->first;
    buf_unref(p->buf);
    file_unref(p->file);
    free(p);
}

/* In the next iteration: a timer that is due already would fire in this one, before the flush. */
static void wake_next(struct conn *c)
{
    timer_at(&c->s->timer, loop_now_us(c->loop) + 1);
}

/* Encrypts until the socket has enough to do; goes on in the next iteration, for the others' sake.
 * A failure ends the connection from the timer: never from within the user's own call. */
static void pump(struct conn *c)
{
    struct secure *s = c->s;
    if (!c->open) return;
    while (s->first && !s->broken && tcp_queued(c->tcp) < AHEAD_BYTES) {
        struct piece *p = s->first;
        const size_t n = p->len < PIECE_BYTES ? (size_t)p->len : PIECE_BYTES;
        s->broken = !encrypt_some(c, p, n);
        p->off += n;
        p->len -= n;
        s->bytes -= n;
        if (p->len == 0) pop(s);
    }
    s->kept |= s->first != NULL;
    if (s->first || s->broken) wake_next(c);
}

static void tell_drain(struct conn *c)
{
    if (!c->s->kept) return;
    c->s->kept = false;
    if (c->ops && c->ops->on_drain) c->ops->on_drain(c->ctx);
}

/* Writes have been flushed since the timer was set: what is queued now, the socket has kept, and
 * on_drain will come for it. */
static void on_timer(struct timer *t, void *ctx)
{
    (void)t;
    struct conn *c = ctx;
    struct secure *s = c->s;
    if (!c->open || s->broken) {
        ended(c, s->broken ? E_IO : E_TIMEOUT);
    } else if (s->first && tcp_queued(c->tcp) < AHEAD_BYTES) {
        pump(c);
        if (!s->first) wake_next(c);
    } else if (!s->first && tcp_queued(c->tcp) == 0) {
        tell_drain(c);
    }
}

static void secure_drain(void *ctx)
{
    struct conn *c = ctx;
    c->s->kept = true; /* the socket kept it, which is the same to the user */
    pump(c);
    if (c->s->first) return;
    if (tcp_queued(c->tcp))
        wake_next(c);
    else
        tell_drain(c);
}

static void push(struct conn *c, struct buf *b, struct file *f, uint64_t off, uint64_t len)
{
    struct secure *s = c->s;
    if (len == 0 || c->closed) return;
    struct piece *p = NEW(struct piece);
    *p = (struct piece){NULL, buf_ref(b), file_ref(f), off, len};
    *s->end = p;
    s->end = &p->next;
    s->bytes += len;
    pump(c);
}

/* --- TLS: receiving ----------------------------------------------------------------------- */

static void opened(struct conn *c)
{
    c->open = true;
    timer_stop(&c->s->timer);
    if (c->ops && c->ops->on_open) c->ops->on_open(c->ctx, tls_alpn(c->s->tls));
    if (!c->closed) pump(c);
}

/* The loop's read buffer is free again: tls_feed has copied what was in it. */
static void decrypt(struct conn *c)
{
    struct secure *s = c->s;
    enum err e = E_OK;
    if (s->reading) return;
    s->reading = true;
    while (e == E_OK && !c->closed && s->want_read) {
        uint8_t *p = loop_read_buffer(c->loop);
        size_t n = 0;
        e = tls_read(s->tls, p, LIMIT_TCP_READ_BYTES, &n);
        send_output(c);
        if (!c->open && tls_is_ready(s->tls)) opened(c);
        if (e == E_OK && c->ops) c->ops->on_read(c->ctx, span_of(p, n));
    }
    s->reading = false;
    if (c->closed || e == E_OK || e == E_MORE) return;
    if (e == E_PROTO)
        log_peer("tls", "peer=%s problem=\"%s\"", tcp_peer(c->tcp), tls_problem(s->tls));
    ended(c, e);
}

static void secure_read(void *ctx, struct span bytes)
{
    struct conn *c = ctx;
    tls_feed(c->s->tls, bytes);
    decrypt(c);
}

static void secure_closed(void *ctx, enum err e)
{
    ended(ctx, e);
}

static const struct tcp_ops SECURE = {secure_read, secure_drain, secure_closed};

static struct secure *secure_new(struct conn *c, struct tls_ctx *ctx)
{
    struct secure *s = NEW(struct secure);
    s->tls = tls_new(ctx);
    s->end = &s->first;
    s->want_read = true;
    timer_init(&s->timer, c->loop, on_timer, c);
    timer_at(&s->timer, loop_now_us(c->loop) + LIMIT_HTTP_HEAD_MS * US_PER_MS);
    return s;
}

/* --- the one face ------------------------------------------------------------------------- */

struct conn *conn_start(struct tcp *t, struct tls_ctx *tls, const struct conn_ops *ops, void *ctx)
{
    struct conn *c = NEW(struct conn);
    *c = (struct conn){.tcp = t, .loop = tcp_loop(t), .ops = ops, .ctx = ctx, .open = !tls};
    if (tls) c->s = secure_new(c, tls);
    tcp_start(t, tls ? &SECURE : &PLAIN, c);
    if (!tls && ops->on_open) ops->on_open(ctx, "");
    return c;
}

struct loop *conn_loop(const struct conn *c)
{
    return c->loop;
}

const char *conn_peer(const struct conn *c)
{
    return tcp_peer(c->tcp);
}

bool conn_secure(const struct conn *c)
{
    return c->s != NULL;
}

void conn_send(struct conn *c, struct buf *b, size_t off, size_t len)
{
    if (c->s)
        push(c, b, NULL, off, len);
    else
        tcp_send(c->tcp, b, off, len);
}

void conn_send_copy(struct conn *c, struct span s)
{
    if (!c->s) {
        tcp_send_copy(c->tcp, s);
    } else if (c->open && !c->s->first && s.len <= PIECE_BYTES &&
               tcp_queued(c->tcp) < AHEAD_BYTES) {
        /* The shortest way: no piece, no reference. */
        if (encrypt(c, s)) return;
        c->s->broken = true;
        wake_next(c);
    } else {
        struct buf *b = buf_copy(s);
        push(c, b, NULL, 0, s.len);
        buf_unref(b);
    }
}

void conn_send_file(struct conn *c, struct file *f, uint64_t off, uint64_t len)
{
    if (c->s)
        push(c, NULL, f, off, len);
    else
        tcp_send_file(c->tcp, f, off, len);
}

size_t conn_queued(const struct conn *c)
{
    return tcp_queued(c->tcp) + (c->s ? (size_t)c->s->bytes : 0);
}

void conn_cork(struct conn *c, bool on)
{
    tcp_cork(c->tcp, on);
}

size_t conn_drop_unsent(struct conn *c)
{
    return c->s ? 0 : tcp_drop_unsent(c->tcp);
}

static void read_again(void *arg)
{
    struct conn *c = arg;
    if (!c->closed && c->ops) decrypt(c);
}

void conn_want_read(struct conn *c, bool on)
{
    tcp_want_read(c->tcp, on);
    if (!c->s || c->s->want_read == on) return;
    c->s->want_read = on;
    /* What is decrypted already would wait for the peer's next packet. Deferred work runs before
     * the deferred free of a connection that is closed meanwhile. */
    if (on && !c->s->reading && !c->closed) loop_defer(c->loop, read_again, c);
}

int64_t conn_progress_us(const struct conn *c)
{
    return tcp_progress_us(c->tcp);
}

void conn_close(struct conn *c)
{
    if (c->closed) return;
    tcp_close(c->tcp);
    detach(c);
}

void conn_close_gently(struct conn *c)
{
    if (c->closed) return;
    if (c->s && c->open) {
        for (bool ok = true; ok && c->s->first; pop(c->s)) {
            struct piece *p = c->s->first;
            for (; ok && p->len; p->off += PIECE_BYTES) {
                const size_t n = p->len < PIECE_BYTES ? (size_t)p->len : PIECE_BYTES;
                ok = encrypt_some(c, p, n);
                p->len -= n;
            }
        }
        tls_shutdown(c->s->tls);
        send_output(c);
    }
    tcp_close_gently(c->tcp);
    detach(c);
}
