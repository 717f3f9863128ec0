/* SPDX-License-Identifier: MIT */
/* serve/rtc/whep_priv.h - a viewer's session, between the files that make it: whep.c (its life),
 * whep_post.c (how it begins), whep_send.c (packets), whep_video.c (which of them, and when),
 * whep_layers.c (which layer), whep_control.c (what it says). */
#pragma once
#include "engine/rtc_bwe.h"
#include "engine/rtc_layers.h"
#include "engine/rtc_rewrite.h"
#include "serve/rtc/rtc_priv.h"

#define WHEP_CNAME    "bspnode"
#define WHEP_HEAD_MAX 44 /* header and extensions */
#define WHEP_RESENT   64

struct whep_track {
    bool is, started;
    bool fresh; /* what comes next is another publisher's */
    bool nack;  /* it may ask for packets again */
    enum codec codec;
    enum rtp_format format;
    uint8_t pt, rtx_pt;
    uint8_t head_len;
    uint8_t twcc_at;         /* where in the header its transport-wide number is; 0: nowhere */
    uint32_t ssrc, rtx_ssrc; /* rtx_ssrc 0: no RTX */
    uint32_t clock;
    struct rtc_rewrite map;
    uint64_t rtx_seq;
    uint8_t head[WHEP_HEAD_MAX]; /* what all its packets' headers have in common */
    uint32_t packets, bytes;
    struct rtp_vpx_ids ids; /* of the last frame sent; ours */
};

/* A packet that was sent again lately. */
struct whep_resent {
    uint16_t seq;
    uint32_t ms;
};

struct whep {
    struct list node; /* of the relay */
    struct rtc_peer *peer;
    struct channel *channel;
    unsigned dismissals; /* of the channel, when it was let in */
    struct relay *relay;
    struct whep_track tracks[2];
    struct rtc_layers layers; /* its target is what video goes on with at a key frame */
    int64_t probe_us, probe_wait_us;
    bool look;                    /* a key frame may be there to begin with */
    uint64_t skip;                /* but not this one: the line is too slow to catch up from it */
    int64_t caught_us, repeat_us; /* when it last caught up; when it may again */
    /* Video that goes out by the clock and not as it comes: */
    bool behind;
    uint64_t cursor; /* the lane's number of the next packet */
    int64_t behind_us, paced_us, credit;
    /* What is sent again: */
    struct whep_resent resent[WHEP_RESENT];
    int64_t again_us, again_credit;
    struct rtc_bwe bwe;
    struct rtc_bwe_packet *sent; /* the estimate's */
};

/* --- whep_send.c --- */

/* What is being sealed into the loop's burst buffer, to leave together. */
struct whep_batch {
    uint8_t *at, *end;
    uint16_t sizes[2 * LANE_BURST_MAX];
    unsigned n;
    uint32_t even; /* bytes that a payload is filled up to when it has almost as many; 0: not */
    int64_t now_us;
};
struct whep_batch whep_batch(struct whep *v);
void whep_flush(struct whep *v, struct whep_batch *b);
void whep_packet(struct whep *v, struct whep_track *t, struct whep_batch *b,
                 const struct lane_burst *burst, const struct lane_packet *p);
/* Sends a packet once more; E_NOTFOUND: nobody has it. *n: its bytes. */
enum err whep_again(struct whep *v, struct whep_track *t, uint8_t track, uint64_t number,
                    struct whep_batch *b, size_t *n) WARN_UNUSED;
/* Sends padding worth `bytes` at once, to see how fast it comes. */
void whep_probe(struct whep *v, size_t bytes);

/* --- whep_video.c --- */

/* A first picture at once when the last key frame will do, else a new one is asked for. */
void whep_begin_video(struct whep *v, int64_t now_us);
/* The viewer cannot decode: a key frame is asked for, or the last one is sent again. */
void whep_want_key(struct whep *v, int64_t now_us);
/* Returns when it wants to be called again. */
int64_t whep_pace(struct whep *v, int64_t now_us);

/* --- whep_layers.c --- */

/* Chooses a layer by what the line carries now, and goes after it. */
void whep_choose(struct whep *v, int64_t now_us);
/* The layer that is sent; RTC_LAYER_NONE: none. */
uint8_t whep_layer_now(const struct whep *v);

/* --- whep_control.c --- */

void whep_on_rtcp(struct rtc_peer *p, const struct rtcp *c, int64_t now_us);
