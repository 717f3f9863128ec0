/* SPDX-License-Identifier: MIT */
/* A connection: uv_poll tells when the socket is ready; read, writev and sendfile are ours. */
#include "io/tcp.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/xalloc.h"
#include "io/loop_priv.h"
#include "io/peer_count.h"
#include "io/send_queue.h"
#include "io/tcp_priv.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define READS_PER_WAKE  4                /* fairness: then the other connections have their turn */
#define READS_OF_REST   256              /* more than a socket holds */
#define GENTLE_CLOSE_US (2 * US_PER_SEC) /* how long the peer may take to close its half */

/* A connection that closes gently has no owner: it ends by its timer, or with its loop. */
struct gentle {
    struct timer timer;
    struct flush at_end;
    struct tcp *tcp;
};

struct tcp {
    struct loop *loop;
    uv_poll_t poll;
    struct flush flush;
    int fd;
    uint32_t slot; /* io/peer_count.h */
    int events;    /* what poll is set to now */
    bool started, connecting, corked, closed, half_closed, want_read, blocked, last_words;
    const struct tcp_ops *ops;
    void *ctx;
    struct send_queue queue;
    int64_t progress_us;
    struct gentle *gentle; /* only while closing gently */
    char peer[TCP_PEER_LEN];
};

static void on_poll(uv_poll_t *h, int status, int events);
static void flush_now(struct flush *f);

static void set_events(struct tcp *c)
{
    const int want = (c->want_read && c->started ? UV_READABLE : 0) |
                     (c->blocked || c->connecting ? UV_WRITABLE : 0);
    if (want == c->events || c->closed) return;
    c->events = want;
    if (want)
        uv_poll_start(&c->poll, want, on_poll);
    else
        uv_poll_stop(&c->poll);
}

struct tcp *tcp_adopt(struct loop *l, int fd, const char *peer, uint32_t slot)
{
    struct tcp *c = NEW(struct tcp);
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->loop = l;
    c->fd = fd;
    c->slot = slot;
    c->want_read = true;
    c->flush.fn = flush_now;
    list_init(&c->flush.node);
    CHECK(uv_poll_init(loop_uv(l), &c->poll, fd) == 0);
    c->poll.data = c;
    for (size_t i = 0; peer[i] && i + 1 < sizeof c->peer; i++) c->peer[i] = peer[i];
    return c;
}

enum err tcp_connect(struct loop *l, const char *ip, uint16_t port, struct tcp **out)
{
    struct sockaddr_storage a = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&a;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a;
    socklen_t len;
    if (inet_pton(AF_INET, ip, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET, v4->sin_port = htons(port), len = sizeof *v4;
    } else if (inet_pton(AF_INET6, ip, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6, v6->sin6_port = htons(port), len = sizeof *v6;
    } else {
        return E_INVALID;
    }
    const int fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return E_IO;
    if (connect(fd, (struct sockaddr *)&a, len) != 0 && errno != EINPROGRESS) {
        close(fd);
        return E_IO;
    }
    *out = tcp_adopt(l, fd, ip, PEER_UNCOUNTED);
    (*out)->connecting = true;
    return E_OK;
}

void tcp_hear_last_words(struct tcp *c)
{
    c->last_words = true;
}

/* The peer is gone, and poll, or a write, says no more than that: what it had sent before is there
 * to be read nevertheless. */
static void read_rest(struct tcp *c)
{
    uint8_t *p = loop_read_buffer(c->loop);
    for (int i = 0; i < READS_OF_REST && c->ops && !c->closed; i++) {
        const ssize_t n = read(c->fd, p, LIMIT_TCP_READ_BYTES);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        c->ops->on_read(c->ctx, span_of(p, (size_t)n));
    }
}

static void end(struct tcp *c, enum err e)
{
    if (c->last_words) read_rest(c);
    if (c->closed) return;
    const struct tcp_ops *ops = c->ops;
    c->ops = NULL; /* once */
    if (c->gentle || !ops)
        tcp_close(c);
    else
        ops->on_closed(c->ctx, e);
}

static void read_some(struct tcp *c)
{
    uint8_t *p = loop_read_buffer(c->loop);
    for (int i = 0; i < READS_PER_WAKE && c->want_read && !c->closed; i++) {
        const ssize_t n = read(c->fd, p, LIMIT_TCP_READ_BYTES);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) {
            c->want_read = false;
            set_events(c);
            end(c, n == 0 ? E_CLOSED : E_IO);
            return;
        }
        if (c->ops && !c->gentle) c->ops->on_read(c->ctx, span_of(p, (size_t)n));
        if (n < LIMIT_TCP_READ_BYTES) return;
    }
}

static void half_close(struct tcp *c)
{
    if (c->half_closed) return;
    c->half_closed = true;
    shutdown(c->fd, SHUT_WR);
}

/* Writes what it can; afterwards either the queue is empty or we wait for the socket. */
static void write_some(struct tcp *c)
{
    const bool was_blocked = c->blocked;
    while (send_queue_bytes(&c->queue)) {
        const ssize_t n = send_queue_write(&c->queue, c->fd);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n <= 0) {
            c->want_read = c->blocked = false;
            set_events(c);
            end(c, E_IO);
            return;
        }
        c->progress_us = loop_now_us(c->loop);
    }
    c->blocked = send_queue_bytes(&c->queue) > 0;
    set_events(c);
    if (c->blocked) return;
    if (c->gentle) half_close(c);
    if (was_blocked && c->ops && c->ops->on_drain) c->ops->on_drain(c->ctx);
}

static void flush_now(struct flush *f)
{
    struct tcp *c = CONTAINER_OF(f, struct tcp, flush);
    if (!c->closed && !c->corked && !c->blocked && !c->connecting) write_some(c);
}

static void connected(struct tcp *c)
{
    int problem = 0;
    socklen_t len = sizeof problem;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &problem, &len);
    c->connecting = false;
    if (problem) {
        c->want_read = false;
        set_events(c);
        end(c, E_IO);
        return;
    }
    write_some(c);
}

static void on_poll(uv_poll_t *h, int status, int events)
{
    struct tcp *c = h->data;
    if (status < 0) {
        c->want_read = c->blocked = false;
        set_events(c);
        end(c, E_IO);
        return;
    }
    if (c->connecting)
        connected(c);
    else if (events & UV_WRITABLE)
        write_some(c);
    if (!c->closed && (events & UV_READABLE)) read_some(c);
}

void tcp_start(struct tcp *c, const struct tcp_ops *ops, void *ctx)
{
    CHECK(loop_is_mine(c->loop) && !c->started);
    c->started = true;
    tcp_set_ops(c, ops, ctx);
    set_events(c);
}

void tcp_set_ops(struct tcp *c, const struct tcp_ops *ops, void *ctx)
{
    c->ops = ops;
    c->ctx = ctx;
}

struct loop *tcp_loop(const struct tcp *c)
{
    return c->loop;
}

const char *tcp_peer(const struct tcp *c)
{
    return c->peer;
}

bool tcp_is_local(const struct tcp *c)
{
    return strncmp(c->peer, "127.", 4) == 0 || strcmp(c->peer, "::1") == 0;
}

static struct net_addr addr_of(const struct sockaddr_storage *a)
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)a;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)a;
    struct net_addr out = {0};
    uint8_t ip[4];
    if (a->ss_family == AF_INET) {
        memcpy(ip, &v4->sin_addr, sizeof ip);
        net_addr_set_v4(&out, ip, ntohs(v4->sin_port));
    } else if (a->ss_family == AF_INET6) {
        memcpy(out.ip, &v6->sin6_addr, sizeof out.ip);
        out.port = ntohs(v6->sin6_port);
    }
    return out;
}

void tcp_addrs(const struct tcp *c, struct net_addr *peer, struct net_addr *local)
{
    struct sockaddr_storage a = {0}, b = {0};
    socklen_t a_len = sizeof a, b_len = sizeof b;
    (void)getpeername(c->fd, (struct sockaddr *)&a, &a_len);
    (void)getsockname(c->fd, (struct sockaddr *)&b, &b_len);
    *peer = addr_of(&a);
    *local = addr_of(&b);
}

void tcp_send_buffer(struct tcp *c, size_t bytes)
{
    const int n = (int)bytes;
    setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &n, sizeof n);
}

static void queued(struct tcp *c, size_t before)
{
    if (before == 0) c->progress_us = loop_now_us(c->loop);
    if (!c->corked && !c->blocked) loop_flush_soon(c->loop, &c->flush);
}

void tcp_send(struct tcp *c, struct buf *b, size_t off, size_t len)
{
    CHECK(loop_is_mine(c->loop) && off <= b->len && len <= b->len - off);
    const size_t before = send_queue_bytes(&c->queue);
    if (c->closed || len == 0) return;
    send_queue_buf(&c->queue, b, off, len);
    queued(c, before);
}

void tcp_send_copy(struct tcp *c, struct span s)
{
    if (s.len == 0) return;
    struct buf *b = buf_copy(s);
    tcp_send(c, b, 0, s.len);
    buf_unref(b);
}

void tcp_send_file(struct tcp *c, struct file *f, uint64_t off, uint64_t len)
{
    CHECK(loop_is_mine(c->loop));
    const size_t before = send_queue_bytes(&c->queue);
    if (c->closed || len == 0) return;
    send_queue_file(&c->queue, f, off, len);
    queued(c, before);
}

size_t tcp_queued(const struct tcp *c)
{
    return send_queue_bytes(&c->queue);
}

void tcp_cork(struct tcp *c, bool on)
{
    c->corked = on;
    if (!on && !c->closed && !c->blocked && send_queue_bytes(&c->queue))
        loop_flush_soon(c->loop, &c->flush);
}

size_t tcp_drop_unsent(struct tcp *c)
{
    return send_queue_drop_unsent(&c->queue);
}

void tcp_want_read(struct tcp *c, bool on)
{
    c->want_read = on;
    set_events(c);
}

int64_t tcp_progress_us(const struct tcp *c)
{
    return c->progress_us;
}

static void free_closed(uv_handle_t *h)
{
    struct tcp *c = h->data;
    free(c->gentle);
    free(c);
}

/* Everything but the descriptor and the place among its address's connections. */
static void detach(struct tcp *c)
{
    c->closed = true;
    c->ops = NULL;
    if (c->gentle) {
        timer_stop(&c->gentle->timer);
        list_remove(&c->gentle->at_end.node);
    }
    list_remove(&c->flush.node);
    send_queue_fini(&c->queue);
    uv_close((uv_handle_t *)&c->poll,
             free_closed); /* it leaves the loop's set of descriptors now */
}

void tcp_close(struct tcp *c)
{
    CHECK(loop_is_mine(c->loop));
    if (c->closed) return;
    detach(c);
    close(c->fd);
    peer_count_leave(c->slot);
}

struct move {
    struct loop *to;
    int fd;
    uint32_t slot;
    char peer[TCP_PEER_LEN];
    tcp_accept_fn *fn;
    void *ctx;
};

static void on_moved(void *arg)
{
    struct move *m = arg;
    m->fn(m->ctx, tcp_adopt(m->to, m->fd, m->peer, m->slot));
    free(m);
}

void tcp_move(struct tcp *c, struct loop *to, tcp_accept_fn *fn, void *ctx)
{
    CHECK(loop_is_mine(c->loop) && !c->closed && !c->gentle);
    struct move *m = NEW(struct move);
    *m = (struct move){.to = to, .fd = c->fd, .slot = c->slot, .fn = fn, .ctx = ctx};
    memcpy(m->peer, c->peer, sizeof m->peer);
    detach(c);
    loop_post(to, on_moved, m);
}

static void gentle_over(struct timer *t, void *ctx)
{
    (void)t;
    tcp_close(ctx);
}

static void gentle_cut(struct flush *f)
{
    tcp_close(CONTAINER_OF(f, struct gentle, at_end)->tcp);
}

void tcp_close_gently(struct tcp *c)
{
    CHECK(loop_is_mine(c->loop));
    if (c->closed || c->gentle) return;
    c->ops = NULL;
    c->gentle = NEW(struct gentle);
    c->gentle->tcp = c;
    c->gentle->at_end.fn = gentle_cut;
    loop_at_end(c->loop, &c->gentle->at_end);
    c->corked = false;
    c->want_read = c->started = true;
    timer_init(&c->gentle->timer, c->loop, gentle_over, c);
    timer_at(&c->gentle->timer, loop_now_us(c->loop) + GENTLE_CLOSE_US);
    if (send_queue_bytes(&c->queue)) {
        if (!c->blocked) loop_flush_soon(c->loop, &c->flush);
    } else {
        half_close(c);
    }
    set_events(c);
}
