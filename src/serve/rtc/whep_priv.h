/* SPDX-License-Identifier: MIT */
/* serve/rtc/whep_priv.h - a viewer's session, between the files that make it: whep.c (what it is
 * sent and says), whep_post.c (how it begins). */
#pragma once
#include "serve/rtc/rtc_priv.h"

#define WHEP_CNAME "bspnode"

struct whep_track {
    bool is, started;
    enum codec codec;
    uint8_t pt, rtx_pt, layer;
    uint32_t ssrc, rtx_ssrc; /* rtx_ssrc 0: no RTX */
    uint32_t clock;
    uint64_t delta; /* ours = the lane's number + delta, modulo 2^64 */
    uint64_t next;  /* our number after the highest sent */
    uint64_t rtx_seq;
    uint8_t ext[24]; /* the extension block, or none */
    uint8_t ext_len;
    uint32_t packets, bytes;
};

struct whep {
    struct list node; /* of the relay */
    struct rtc_peer *peer;
    struct channel *channel;
    struct relay *relay;
    struct whep_track tracks[2];
};

extern const struct rtc_peer_ops WHEP_OPS;
