/* SPDX-License-Identifier: MIT */
/* One socket, accepted on the first loop, connections handed round: every loop gets the same share
 * whatever the kernel's hash says, and a second server on the port is still an error. */
#include "base/limits.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "io/loop_priv.h"
#include "io/peer_count.h"
#include "io/tcp_priv.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_PER_WAKE 64
#define BACKLOG          4096

struct tcp_listener {
    uv_poll_t poll;
    int fd, spare_fd; /* the spare is given up to turn a connection away when descriptors run out */
    uint16_t port;
    tcp_accept_fn *fn;
    void *ctx;
    struct loop *const *loops;
    unsigned n_loops, next;
    bool closed;
};

struct handover {
    struct loop *loop;
    tcp_accept_fn *fn;
    void *ctx;
    int fd;
    uint32_t slot; /* io/peer_count.h */
    char peer[TCP_PEER_LEN];
};

static void arrive(void *arg)
{
    struct handover *h = arg;
    h->fn(h->ctx, tcp_adopt(h->loop, h->fd, h->peer, h->slot));
    free(h);
}

static void peer_name(const struct sockaddr_storage *a, char out[TCP_PEER_LEN])
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)a;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)a;
    out[0] = 0;
    if (a->ss_family == AF_INET)
        inet_ntop(AF_INET, &v4->sin_addr, out, TCP_PEER_LEN);
    else if (a->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], out, TCP_PEER_LEN);
    else if (a->ss_family == AF_INET6)
        inet_ntop(AF_INET6, &v6->sin6_addr, out, TCP_PEER_LEN);
}

static void turn_one_away(struct tcp_listener *l)
{
    if (l->spare_fd < 0) return;
    close(l->spare_fd);
    const int fd = accept(l->fd, NULL, NULL);
    if (fd >= 0) close(fd);
    l->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    log_peer("accept", "error=\"no file descriptor left\"");
}

static void on_accept(uv_poll_t *h, int status, int events)
{
    struct tcp_listener *l = h->data;
    if (status < 0 || !(events & UV_READABLE)) return;
    for (int i = 0; i < ACCEPTS_PER_WAKE; i++) {
        struct sockaddr_storage a = {0};
        socklen_t len = sizeof a;
        const int fd = accept4(l->fd, (struct sockaddr *)&a, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE)) turn_one_away(l);
        if (fd < 0) return;
        uint32_t slot;
        if (!peer_count_enter(&a, &slot)) {
            log_peer("accept", "error=\"too many connections from one address\"");
            close(fd);
            continue;
        }
        struct handover *x = NEW(struct handover);
        *x = (struct handover){l->loops[l->next++ % l->n_loops], l->fn, l->ctx, fd, slot, ""};
        peer_name(&a, x->peer);
        if (x->loop == loop_current())
            arrive(x);
        else
            loop_post(x->loop, arrive, x);
    }
}

static int bind_one(const struct addrinfo *ai)
{
    const int one = 1, zero = 0;
    const int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (ai->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
    const int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int bind_any(const char *host, uint16_t port, char *problem, size_t cap)
{
    char service[8];
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    snprintf(service, sizeof service, "%u", port);
    const int rc = getaddrinfo(host[0] ? host : "::", service, &hints, &found);
    if (rc != 0) {
        snprintf(problem, cap, "cannot listen on %s: %s", host, gai_strerror(rc));
        return -1;
    }
    int fd = -1;
    for (struct addrinfo *ai = found; ai && fd < 0; ai = ai->ai_next) fd = bind_one(ai);
    if (fd < 0)
        snprintf(problem, cap, "cannot listen on %s port %u: %s", host[0] ? host : "any address",
                 port, strerror(errno));
    freeaddrinfo(found);
    return fd;
}

enum err tcp_listen(struct loop *const *loops, unsigned n_loops, const char *host, uint16_t port,
                    tcp_accept_fn *fn, void *ctx, struct tcp_listener **out, char *problem,
                    size_t cap)
{
    CHECK(n_loops && loop_is_mine(loops[0]));
    int fd = bind_any(host, port, problem, cap);
    /* A machine without IPv6: every address is then every IPv4 address. */
    if (fd < 0 && !host[0]) fd = bind_any("0.0.0.0", port, problem, cap);
    if (fd < 0) return E_IO;
    struct sockaddr_storage a = {0};
    socklen_t len = sizeof a;
    getsockname(fd, (struct sockaddr *)&a, &len);
    struct tcp_listener *l = NEW(struct tcp_listener);
    *l = (struct tcp_listener){.fd = fd, .fn = fn, .ctx = ctx, .loops = loops, .n_loops = n_loops};
    l->port = ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                                            : ((struct sockaddr_in *)&a)->sin_port);
    l->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(uv_poll_init(loop_uv(loops[0]), &l->poll, fd) == 0);
    l->poll.data = l;
    uv_poll_start(&l->poll, UV_READABLE, on_accept);
    *out = l;
    return E_OK;
}

uint16_t tcp_listener_port(const struct tcp_listener *l)
{
    return l->port;
}

static void free_listener(uv_handle_t *h)
{
    free(h->data);
}

void tcp_listener_close(struct tcp_listener *l)
{
    CHECK(loop_is_mine(l->loops[0]));
    if (l->closed) return;
    l->closed = true;
    uv_close((uv_handle_t *)&l->poll, free_listener);
    close(l->fd);
    if (l->spare_fd >= 0) close(l->spare_fd);
}
