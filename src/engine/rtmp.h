/* SPDX-License-Identifier: MIT */
/* engine/rtmp.h - the server's side of one RTMP connection, without I/O (RTMP 1.0; Enhanced RTMP
 * v2).
 *
 *   rtmp_feed(&x, bytes, now);
 *   while (rtmp_next(&x, now, &ev)) ...;      until it says false, each time
 *   send what rtmp_output(&x) holds, then rtmp_sent(&x)
 *   call rtmp_tick(&x, now) at rtmp_deadline_us(&x)
 *
 * The handshake is the simple one, whatever the client begins: C1 is echoed exactly in S2.
 * A publish or play request waits for rtmp_accept() or rtmp_refuse(); what the client
 * sends meanwhile is kept (LIMIT_RTMP_STASH_BYTES) and handled afterwards, so nothing is told to
 * the client before the gate has spoken, and nothing pipelined is lost.
 *
 * Lifetime: embedded; init/fini. One thread at a time. Memory: nothing before the first byte, then
 * see engine/rtmp_dechunk.h. Before a publisher is accepted a message is at most
 * LIMIT_RTMP_COMMAND_BYTES. */
#pragma once
#include "base/str.h"
#include "engine/rtmp_dechunk.h"
#include "engine/rtmp_name.h"

/* What we send in: large chunks cost the viewer nothing and us no header. */
#define RTMP_OUT_CHUNK_SIZE 65536
/* The one message stream of a connection; every createStream is answered with it. */
#define RTMP_OUT_STREAM 1

enum rtmp_event_kind {
    RTMP_EV_PUBLISH, /* wants to publish: answer with accept or refuse */
    RTMP_EV_PLAY,    /* wants to play: the same */
    RTMP_EV_VIDEO,   /* from an accepted publisher */
    RTMP_EV_AUDIO,
    RTMP_EV_DATA,      /* AMF0 values: the name ("onMetaData"; "@setDataFrame" is taken off), … */
    RTMP_EV_UNPUBLISH, /* the publisher said goodbye; the connection may go on */
    RTMP_EV_STOP,      /* the player said goodbye */
    RTMP_EV_CLOSE,     /* once, last: `err` and `why`; E_CLOSED never comes from here */
};

struct rtmp_event {
    enum rtmp_event_kind kind;
    uint32_t ts_ms;        /* VIDEO, AUDIO, DATA */
    struct span body;      /* VIDEO, AUDIO, DATA: valid until the next call */
    struct rtmp_name name; /* PUBLISH, PLAY: valid until accept, refuse or fini */
    enum err err;          /* CLOSE */
    const char *why;       /* CLOSE: static, for people */
};

enum rtmp_state {
    RTMP_ST_C0,      /* nothing yet */
    RTMP_ST_C1,      /* C0 seen */
    RTMP_ST_C2,      /* our part of the handshake is sent */
    RTMP_ST_COMMAND, /* connect, createStream, … */
    RTMP_ST_ASKED,   /* a request waits for its answer */
    RTMP_ST_PUBLISH,
    RTMP_ST_PLAY,
    RTMP_ST_CLOSED,
};

struct rtmp {
    enum rtmp_state state;
    bool connected, asked_play, fc_publish, close_told;
    uint8_t caps; /* capsEx of the client */
    struct rtmp_dechunk in;
    struct span input; /* borrowed, between feed and the end of next */
    struct str stash;  /* input kept until an answer comes, or C1 is whole; from stash_at on */
    size_t stash_at;
    struct str out;                 /* what is to be sent */
    struct str app, tc_url, stream; /* as the client wrote them: what names point at */
    struct str flash_ver;           /* what the client calls itself */
    struct span aggregate;          /* the rest of an aggregate message */
    uint32_t aggregate_shift_ms;    /* from the times inside it to the connection's */
    bool aggregate_begun;
    uint32_t bytes_in, bytes_acked, ack_window; /* modulo 2^32, as the protocol has it */
    size_t skip;                                /* bytes of C2 still to come */
    uint64_t seed;
    int64_t deadline_us;
    enum err err;
    const char *why;
};

/* `seed` fills the handshake: any number that is not the same each time. */
void rtmp_init(struct rtmp *x, uint64_t seed, int64_t now_us);
void rtmp_fini(struct rtmp *x);

/* Hands bytes in. They are borrowed until rtmp_next() has returned false. */
void rtmp_feed(struct rtmp *x, struct span bytes, int64_t now_us);
/* The next event; false: there is none before more bytes, an answer or a tick. */
bool rtmp_next(struct rtmp *x, int64_t now_us, struct rtmp_event *ev);

/* The answer to a request; call rtmp_next() again afterwards. */
void rtmp_accept(struct rtmp *x, int64_t now_us);
/* E_AUTH, E_NOTFOUND, E_CONFLICT, E_CLOSED, …: in words, as encoders show them. Also ends an
 * accepted publisher or player ("the stream was ended by its owner"). RTMP_EV_CLOSE follows. */
void rtmp_refuse(struct rtmp *x, enum err e, const char *words);
/* For a player whose stream has ended: Play.UnpublishNotify and Stream EOF. RTMP_EV_CLOSE follows.
 */
void rtmp_end_play(struct rtmp *x);

/* What the encoder of an RTMP_EV_DATA event's body calls itself (onMetaData), or, without one, what
 * it said in connect; printable ASCII, shortened to `cap`. False: neither says anything. */
bool rtmp_encoder_name(const struct rtmp *x, struct span data, char *out, size_t cap);

/* Bytes to send now, in one write; valid until the next call with `x`. */
struct span rtmp_output(const struct rtmp *x);
void rtmp_sent(struct rtmp *x); /* all of it was queued */

/* When rtmp_tick() wants to be called; INT64_MAX: never. The client's activity does not
 * move it, except for a publisher's messages. */
int64_t rtmp_deadline_us(const struct rtmp *x);
void rtmp_tick(struct rtmp *x, int64_t now_us);
