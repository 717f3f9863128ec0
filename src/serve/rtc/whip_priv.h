/* SPDX-License-Identifier: MIT */
/* serve/rtc/whip_priv.h - a publisher's session, between the files that make it: whip.c (what
 * arrives), whip_feedback.c (what it is told), whip_frames.c (the frames lane), whip_post.c. */
#pragma once
#include "base/xalloc.h"
#include "bridge/inward.h"
#include "engine/rtc_arrivals.h"
#include "engine/rtc_in.h"
#include "engine/rtp_to_frames.h"
#include "hub/ingest_stats.h"
#include "serve/rtc/rtc_priv.h"

#define WHIP_DROPS 32

/* What was agreed on, without spans into the offer. */
struct rtc_track_set {
    bool is;
    enum codec codec;
    enum rtp_format format;
    uint8_t pt, fb, layers;
    int rtx_pt; /* -1: none */
    uint32_t clock;
    uint8_t ext[SDP_EXT_COUNT];
    char rids[LIMIT_SDP_RIDS][17];
    unsigned n_rids;
    char fmtp[LANE_FMTP_CAP];
};

struct whip_source {
    struct rtc_in in;
    uint8_t track, layer;
    bool rtx;
    bool begun;
    int64_t heard_us; /* the last packet with something in it */
    uint64_t lane_top, shift;
    uint64_t drops[WHIP_DROPS]; /* numbers of padding that was dropped lately */
    unsigned n_drops;
};

/* A track of the frames lane. */
struct whip_slot {
    bool told;    /* of it */
    bool stopped; /* nothing comes of it now: it is not announced */
    int64_t heard_us;
};

struct whip_held;

struct whip {
    struct rtc_peer *peer;
    struct channel *channel;
    struct publisher *publisher;
    bool ready;
    struct http_request *r; /* the POST, until it is answered */
    struct sdp *offer;      /* until then */
    struct rtc_agreed agreed;
    struct rtc_track_set tracks[2];
    struct whip_source sources[LIMIT_RTC_SOURCES];
    unsigned n_sources;
    /* feedback */
    struct rtc_arrivals arrivals;
    uint8_t twcc_id;
    uint32_t our_ssrc, heard_ssrc;
    int64_t report_us, feedback_us; /* when the next is due */
    int64_t cut_us[LANE_LAYERS];    /* the key frame that began the last segment */
    int64_t asked_us[LANE_LAYERS];
    bool want_key[LANE_LAYERS];
    /* what the health page shows (whip_health.c) */
    struct ingest_source who;
    struct ingest_network network;
    int64_t jitter_us[3]; /* of the last reports */
    unsigned n_reports;
    uint32_t network_of; /* the source that it is about; 0: none yet */
    /* frames, by RTP_SLOT_* */
    struct rtc_order *order[RTP_SLOTS]; /* NULL: not carried */
    struct rtp_to_frames frames;
    struct inward *inward; /* what players of segments do not take is transcoded there */
    struct whip_slot slots[RTP_SLOTS];
    bool told;
    unsigned n_layers_told;
    int64_t first_us;
    struct whip_held *held; /* of tracks not told of yet; NULL: none so far */
    unsigned n_held;
    size_t held_bytes;
};

extern const struct rtc_peer_ops WHIP_OPS;

void whip_want_key(struct whip *w, uint8_t layer);
void whip_saw_key(struct whip *w, uint8_t layer, int64_t now_us);
int64_t whip_feedback(struct rtc_peer *peer, int64_t now_us);

/* whip_health.c */
void whip_health_who(struct whip *w, struct http_request *r);
void whip_health_level(struct whip *w, const struct whip_source *s, const struct rtp *p);
void whip_health_report(struct whip *w, const struct whip_source *s, const struct rtcp_report *r);
void whip_health_xr(struct whip *w, const struct rtcp *c, int64_t now_us);

void whip_frames_open(struct whip *w, int64_t base_us);
/* `number` is the lane's: it goes on from source to source. */
void whip_frames_add(struct whip *w, const struct whip_source *s, uint64_t number,
                     const struct rtp *p, int64_t now_us);
void whip_frames_clock(struct whip *w, const struct whip_source *s, uint32_t ts);
void whip_frames_poll(struct whip *w, int64_t now_us);
void whip_frames_close(struct whip *w);
