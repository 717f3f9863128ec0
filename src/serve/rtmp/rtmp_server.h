/* SPDX-License-Identifier: MIT */
/* serve/rtmp/rtmp_server.h - RTMP and RTMPS: publish by stream key, play by playback id.
 *
 * Sockets, the engine (engine/rtmp.h) and the hub, nothing else: who may do what is asked of the
 * gate. One server for each address. */
#pragma once
#include "base/err.h"
#include "io/loop.h"
#include "serve/gate.h"

struct rtmp_server;
struct tls_ctx;

struct rtmp_config {
    struct loop *const *loops;
    unsigned n_loops;
    const char *host;        /* "" = every address */
    uint16_t port;           /* 0: any free one */
    struct tls_ctx *tls;     /* NULL: plain RTMP */
    const struct gate *gate; /* must outlive the server */
    int write_interval_ms;   /* setting rtmp-write-ms */
    int stall_ms;            /* 0: LIMIT_RTMP_VIEWER_STALL_MS */
};

/* Before the loops run. On failure `problem` says why, in words. */
enum err rtmp_server_open(const struct rtmp_config *cfg, struct rtmp_server **out, char *problem,
                          size_t cap) WARN_UNUSED;
uint16_t rtmp_server_port(const struct rtmp_server *s);
/* Stops accepting; connections without a channel close. Publishers and viewers are closed by the
 * end of their channels, and get what is queued. On loops[0]. */
void rtmp_server_drain(struct rtmp_server *s);
unsigned rtmp_server_connections(const struct rtmp_server *s); /* any thread */
/* Viewers of a channel by RTMP now. Any thread. */
unsigned rtmp_server_viewers(const struct rtmp_server *s, const char *channel_id);
/* After all loops have stopped and before they are freed. */
void rtmp_server_free(struct rtmp_server *s);
