/* SPDX-License-Identifier: MIT */
/* serve/rtmp/rtmp_priv.h - inside serve/rtmp: the server, its share on each loop, one connection.
 *
 * A connection (struct rtmp_conn) lives on one loop. It is a table of steps (rtmp_conn.c); bytes,
 * timers and answers all re-enter through rtmp_conn_run(). As a publisher it has a struct rtmp_pub
 * (rtmp_pub.c), as a viewer it is a member of a room (rtmp_room.c).
 * Memory: a silent connection costs this struct and the socket's, no buffer. */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "engine/rtmp_frames.h"
#include "serve/conn.h"
#include "serve/rtmp/rtmp_server.h"
#include <pthread.h>

/* The server's part on one loop; that loop's thread only. */
struct rtmp_ctx {
    struct rtmp_server *server;
    struct loop *loop;
    struct list conns;
    struct map rooms; /* channel id -> struct rtmp_room */
    bool draining;
};

struct rtmp_server {
    struct rtmp_config cfg;
    struct tcp_listener *listener; /* loops[0]'s */
    _Atomic unsigned n_conns;
    _Atomic unsigned next_id;
    _Atomic unsigned n_open; /* loops that still have a part, while it is being freed */
    pthread_mutex_t lock;    /* of viewers: taken when a viewer comes or goes */
    struct map viewers;      /* channel id -> struct viewer_count */
    struct rtmp_ctx ctxs[];
};

/* Counts viewers by channel, over all loops. Any thread. */
void rtmp_viewer_count(struct rtmp_server *s, const char *channel_id, int change);

struct rtmp_room;
struct rtmp_pub;

enum rtmp_step { STEP_HELLO, STEP_ASK, STEP_OPEN, STEP_ANALYSE, STEP_LIVE, STEP_PLAY };
enum next { MORE, WAIT, DONE };

#define RTMP_CONN_MAGIC 0x52744370u

struct rtmp_conn {
    uint32_t magic;
    uint32_t refs; /* one of its own, and one for each question that waits at the gate */
    unsigned id;   /* for logs */
    enum rtmp_step step;
    bool running, again, closed;
    struct list node; /* ctx->conns */
    struct rtmp_ctx *ctx;
    struct conn *conn; /* NULL once closed */
    struct rtmp rtmp;
    struct timer timer;
    int64_t step_until_us;
    /* what was asked for, and the answer */
    bool is_play, answered;
    enum err answer;
    char *reason;
    struct channel *channel; /* owned; after an answer of E_OK */
    struct rtmp_pub *pub;
    /* as a viewer */
    struct rtmp_room *room;
    struct list in_room;
    unsigned dismissals; /* of the channel, when it was let in */
    bool wait_key;       /* nothing is sent before the next key frame */
    int64_t start_us;    /* when the stream began, or began again, for it */
    size_t burst;        /* of the GOP cache, not counted as falling behind until it has gone */
};

void rtmp_conn_accept(struct rtmp_ctx *ctx, struct tcp *t);
void rtmp_conn_run(struct rtmp_conn *c);
/* Enters a step and starts its clock. */
enum next rtmp_conn_go(struct rtmp_conn *c, enum rtmp_step step);
/* Ends it; gently: what is queued is sent first. No callback comes after it. */
void rtmp_conn_end(struct rtmp_conn *c, bool gently);
void rtmp_conn_ref(struct rtmp_conn *c);
void rtmp_conn_unref(struct rtmp_conn *c);
int64_t rtmp_conn_now(const struct rtmp_conn *c);
/* The engine's last event: logs it. Always DONE. */
enum next rtmp_conn_finish(struct rtmp_conn *c, const struct rtmp_event *ev);

/* --- publishers (rtmp_pub.c) --- */

void rtmp_pub_open(struct rtmp_conn *c);
void rtmp_pub_close(struct rtmp_conn *c, bool clean); /* without a publisher: nothing */
enum next rtmp_pub_opening(struct rtmp_conn *c);
enum next rtmp_pub_analyse(struct rtmp_conn *c);
enum next rtmp_pub_analysed(struct rtmp_conn *c); /* the time for it is over */
enum next rtmp_pub_live(struct rtmp_conn *c);

/* --- viewers (rtmp_room.c) --- */

/* Joins the room of c->channel on this loop, made when it is the first. */
void rtmp_room_join(struct rtmp_conn *c);
void rtmp_room_leave(struct rtmp_conn *c); /* without a room: nothing */
