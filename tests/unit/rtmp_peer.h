/* SPDX-License-Identifier: MIT */
/* tests/unit/rtmp_peer.h - an RTMP client on a blocking socket, for tests: engine/rtmp_client.h
 * over loopback, with a time limit on every wait. */
#pragma once
#include "base/xalloc.h"
#include "engine/rtmp_client.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define RTMP_PEER_WAIT_S 20 /* sanitizers are slow; nothing waits this long when all is well */

struct rtmp_peer {
    int fd;
    struct rtmp_client c;
    uint8_t in[65536];
    bool closed;
};

static inline int rtmp_peer_socket(uint16_t port, int rcvbuf)
{
    const struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval wait = {.tv_sec = RTMP_PEER_WAIT_S};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0);
    if (rcvbuf) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    CHECK(connect(fd, (const struct sockaddr *)&a, sizeof a) == 0);
    return fd;
}

static inline void rtmp_peer_flush(struct rtmp_peer *p)
{
    struct span out = rtmp_client_output(&p->c);
    while (out.len && !p->closed) {
        const ssize_t n = send(p->fd, out.p, out.len, MSG_NOSIGNAL);
        if (n <= 0) p->closed = true;
        if (n > 0) out = span_skip(out, (size_t)n);
    }
    rtmp_client_sent(&p->c);
}

static inline void rtmp_peer_open(struct rtmp_peer *p, uint16_t port, bool play, const char *name,
                                  int rcvbuf)
{
    p->fd = rtmp_peer_socket(port, rcvbuf);
    p->closed = false;
    rtmp_client_init(&p->c, play, "live", "rtmp://127.0.0.1/live", name);
    rtmp_peer_flush(p);
}

/* Waits for the next event; false: the connection was closed. */
static inline bool rtmp_peer_next(struct rtmp_peer *p, struct rtmp_client_event *ev)
{
    while (!rtmp_client_next(&p->c, ev)) {
        rtmp_peer_flush(p);
        const ssize_t n = recv(p->fd, p->in, sizeof p->in, 0);
        if (n <= 0) return false;
        rtmp_client_feed(&p->c, span_of(p->in, (size_t)n));
    }
    rtmp_peer_flush(p);
    return true;
}

/* Waits for an event of that kind. */
static inline bool rtmp_peer_until(struct rtmp_peer *p, enum rtmp_client_event_kind kind,
                                   struct rtmp_client_event *ev)
{
    while (rtmp_peer_next(p, ev)) {
        if (ev->kind == kind) return true;
    }
    return false;
}

static inline void rtmp_peer_close(struct rtmp_peer *p)
{
    close(p->fd);
    rtmp_client_fini(&p->c);
}
