/* SPDX-License-Identifier: MIT */
#include "io/udp.h"
#include "base/limits.h"
#include "base/xalloc.h"
#include "io/loop_priv.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 /* Linux 4.18 */
#endif
#ifndef UDP_GRO
#define UDP_GRO 104 /* Linux 5.0 */
#endif

#define MESSAGES       8 /* a read takes this many; each may be a row of datagrams (GRO) */
#define MESSAGE_BYTES  65536
#define READS_PER_WAKE 4 /* fairness */
#define BUFFER_BYTES   (4 << 20)
#define SEGMENTS_MAX   64 /* of one UDP_SEGMENT call, and its bytes: the kernel's limits */
#define SEND_BYTES_MAX 65000

struct udp {
    struct loop *loop;
    uv_poll_t poll;
    int fd;
    uint16_t port;
    bool closed, reading, gso;
    bool four; /* a machine without IPv6: the socket is of IPv4 */
    udp_read_fn *fn;
    void *ctx;
    struct udp_datagram batch[UDP_BATCH];
    unsigned n;
    uint8_t (*buffer)[MESSAGE_BYTES];
};

/* Room for the control messages of one message, aligned as they want it. */
union control {
    struct cmsghdr align;
    uint8_t room[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
};

/* Of the family that the socket has; in6 is the larger one. */
union sockaddr_any {
    struct sockaddr any;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
};

/* False: an address of IPv6 for a socket of IPv4. */
static bool to_sockaddr(const struct net_addr *a, bool four, union sockaddr_any *out,
                        socklen_t *len)
{
    static const uint8_t any[16];
    *len = four ? sizeof out->in4 : sizeof out->in6;
    if (!four) {
        out->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(a->port)};
        memcpy(&out->in6.sin6_addr, a->ip, sizeof a->ip);
        return true;
    }
    out->in4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(a->port)};
    if (net_addr_is_v4(a)) memcpy(&out->in4.sin_addr, a->ip + 12, 4);
    return net_addr_is_v4(a) || memcmp(a->ip, any, sizeof any) == 0;
}

static struct net_addr from_sockaddr(const union sockaddr_any *s)
{
    struct net_addr a = {.port = ntohs(s->in6.sin6_port)}; /* both have it in the same place */
    if (s->any.sa_family == AF_INET)
        net_addr_set_v4(&a, (const uint8_t *)&s->in4.sin_addr, a.port);
    else
        memcpy(a.ip, &s->in6.sin6_addr, sizeof a.ip);
    return a;
}

static int fail(int fd, char *problem, size_t cap, const char *what)
{
    snprintf(problem, cap, "%s: %s", what, strerror(errno));
    if (fd >= 0) close(fd);
    return -1;
}

/* That the kernel says which address a datagram came to. */
static int want_address(int fd, bool four)
{
    const int on = 1, off = 0;
    if (four) return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
}

static int bind_socket(const struct net_addr *at, bool *four, char *problem, size_t cap)
{
    const int on = 1, bytes = BUFFER_BYTES, type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    union sockaddr_any a;
    socklen_t len;
    int fd = socket(AF_INET6, type, 0);
    *four = fd < 0 && errno == EAFNOSUPPORT;
    if (*four) fd = socket(AF_INET, type, 0);
    if (fd < 0) return fail(fd, problem, cap, "cannot make a UDP socket");
    if (!to_sockaddr(at, *four, &a, &len)) {
        errno = EAFNOSUPPORT;
        return fail(fd, problem, cap, "cannot bind the UDP address");
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
        want_address(fd, *four) != 0)
        return fail(fd, problem, cap, "cannot set up a UDP socket");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on); /* without it: one datagram a message */
    if (bind(fd, &a.any, len) != 0) return fail(fd, problem, cap, "cannot bind the UDP address");
    return fd;
}

enum err udp_open(struct loop *l, const struct net_addr *at, struct udp **out, char *problem,
                  size_t cap)
{
    union sockaddr_any bound;
    socklen_t len = sizeof bound;
    bool four;
    const int fd = bind_socket(at, &four, problem, cap);
    if (fd < 0) return E_IO;
    CHECK(getsockname(fd, &bound.any, &len) == 0);
    struct udp *u = NEW(struct udp);
    u->loop = l;
    u->fd = fd;
    u->four = four;
    u->port = from_sockaddr(&bound).port;
    u->gso = true;
    u->buffer = xmalloc(MESSAGES * sizeof *u->buffer);
    CHECK(uv_poll_init(loop_uv(l), &u->poll, fd) == 0);
    u->poll.data = u;
    *out = u;
    return E_OK;
}

uint16_t udp_port(const struct udp *u)
{
    return u->port;
}

/* --- receiving --- */

static void read_control(struct msghdr *h, struct net_addr *to, size_t *segment)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            memcpy(to->ip, &info.ipi6_addr, sizeof to->ip);
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            net_addr_set_v4(to, (const uint8_t *)&info.ipi_addr, to->port);
        } else if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
            int n = 0;
            memcpy(&n, CMSG_DATA(c), sizeof n);
            if (n > 0) *segment = (size_t)n;
        }
    }
}

static void flush_batch(struct udp *u)
{
    const unsigned n = u->n;
    u->n = 0;
    if (n && !u->closed) u->fn(u->ctx, u->batch, n);
}

/* One message: a datagram, or several of the same size behind each other. */
static void take(struct udp *u, struct mmsghdr *m, uint8_t *p, const union sockaddr_any *from)
{
    struct net_addr to = {.port = u->port};
    size_t segment = m->msg_len;
    if (m->msg_hdr.msg_flags & MSG_TRUNC) return;
    read_control(&m->msg_hdr, &to, &segment);
    for (size_t at = 0; at < m->msg_len; at += segment) {
        const size_t left = m->msg_len - at;
        if (u->n == UDP_BATCH) flush_batch(u);
        u->batch[u->n++] =
            (struct udp_datagram){p + at, left < segment ? left : segment, from_sockaddr(from), to};
    }
}

static int read_once(struct udp *u)
{
    struct mmsghdr m[MESSAGES];
    struct iovec iov[MESSAGES];
    union sockaddr_any from[MESSAGES];
    union control control[MESSAGES];
    for (int i = 0; i < MESSAGES; i++) {
        iov[i] = (struct iovec){u->buffer[i], MESSAGE_BYTES};
        m[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &from[i],
                                            .msg_namelen = sizeof from[i],
                                            .msg_iov = &iov[i],
                                            .msg_iovlen = 1,
                                            .msg_control = control[i].room,
                                            .msg_controllen = sizeof control[i].room}};
    }
    const int n = recvmmsg(u->fd, m, MESSAGES, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) take(u, &m[i], u->buffer[i], &from[i]);
    flush_batch(u);
    return n;
}

static void on_poll(uv_poll_t *h, int status, int events)
{
    struct udp *u = h->data;
    u->reading = true; /* so that closing inside the callback does not free */
    for (int i = 0; i < READS_PER_WAKE && !u->closed; i++)
        if (read_once(u) < MESSAGES) break;
    u->reading = false;
}

void udp_start(struct udp *u, udp_read_fn *fn, void *ctx)
{
    u->fn = fn;
    u->ctx = ctx;
    uv_poll_start(&u->poll, UV_READABLE, on_poll);
}

static void on_closed(uv_handle_t *h)
{
    struct udp *u = h->data;
    close(u->fd);
    free(u->buffer);
    free(u);
}

void udp_close(struct udp *u)
{
    CHECK(loop_is_mine(u->loop) && !u->closed);
    u->closed = true;
    uv_poll_stop(&u->poll);
    uv_close((uv_handle_t *)&u->poll, on_closed);
}

/* --- sending --- */

/* Which of our addresses it leaves from; the room that it takes. */
static size_t put_source(struct cmsghdr *c, bool four, const struct net_addr *from)
{
    if (four) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, from->ip + 12, sizeof info.ipi_spec_dst);
        *c = (struct cmsghdr){CMSG_LEN(sizeof info), IPPROTO_IP, IP_PKTINFO};
        memcpy(CMSG_DATA(c), &info, sizeof info);
        return CMSG_SPACE(sizeof info);
    }
    struct in6_pktinfo info = {0};
    memcpy(&info.ipi6_addr, from->ip, sizeof info.ipi6_addr);
    *c = (struct cmsghdr){CMSG_LEN(sizeof info), IPPROTO_IPV6, IPV6_PKTINFO};
    memcpy(CMSG_DATA(c), &info, sizeof info);
    return CMSG_SPACE(sizeof info);
}

static void put_control(struct msghdr *h, bool four, const struct net_addr *from, size_t segment)
{
    size_t used = 0;
    struct cmsghdr *c = CMSG_FIRSTHDR(h);
    if (from) {
        used += put_source(c, four, from);
        c = CMSG_NXTHDR(h, c);
    }
    if (segment) {
        const uint16_t n = (uint16_t)segment;
        *c = (struct cmsghdr){CMSG_LEN(sizeof n), SOL_UDP, UDP_SEGMENT};
        memcpy(CMSG_DATA(c), &n, sizeof n);
        used += CMSG_SPACE(sizeof n);
    }
    h->msg_controllen = used;
    if (used == 0) h->msg_control = NULL;
}

/* `segment` 0: one datagram. */
static bool send_some(struct udp *u, const struct net_addr *to, const struct net_addr *from,
                      struct span bytes, size_t segment)
{
    union control control = {0};
    union sockaddr_any a;
    socklen_t len;
    struct iovec iov = {(void *)(uintptr_t)bytes.p, bytes.len};
    if (!to_sockaddr(to, u->four, &a, &len)) return false;
    struct msghdr h = {.msg_name = &a,
                       .msg_namelen = len,
                       .msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = sizeof control.room};
    ssize_t n;
    put_control(&h, u->four, from, segment);
    do n = sendmsg(u->fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n >= 0;
}

static bool send_each(struct udp *u, const struct net_addr *to, const struct net_addr *from,
                      struct span bytes, size_t segment)
{
    bool ok = true;
    for (; bytes.len; bytes = span_skip(bytes, segment))
        ok &= send_some(u, to, from, span_head(bytes, segment), 0);
    return ok;
}

bool udp_send(struct udp *u, const struct net_addr *to, const struct net_addr *from,
              struct span bytes, size_t segment)
{
    bool ok = true;
    size_t run = SEND_BYTES_MAX / segment;
    if (run > SEGMENTS_MAX) run = SEGMENTS_MAX;
    for (; bytes.len; bytes = span_skip(bytes, run * segment)) {
        const struct span part = span_head(bytes, run * segment);
        if (!u->gso || part.len <= segment) {
            ok &= send_each(u, to, from, part, segment);
        } else if (!send_some(u, to, from, part, segment)) {
            if (errno != EIO && errno != EINVAL) {
                ok = false;
                continue;
            }
            u->gso = false; /* the device or the kernel cannot */
            ok &= send_each(u, to, from, part, segment);
        }
    }
    return ok;
}
