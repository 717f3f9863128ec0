/* SPDX-License-Identifier: MIT */
/* hub/packets.h - the packets lane of a channel: RTP as it came, for those who pass it on.
 *
 * It runs beside the frames lane and as that one does: publisher (any loop) -> home loop -> every
 * loop with readers; a newcomer gets the latest description and clocks, the bursts since the first
 * video layer's last key frame, then what comes. Packets are numbered without gaps by the
 * publisher's session, so that each viewer only adds a constant. Bursts are shared by reference,
 * built once.
 *
 * A lane exists with its channel. While nobody publishes packets (an RTMP source) it has no
 * description, and lane_describe() says E_NOTFOUND. */
#pragma once
#include "hub/hub.h"

#define LANE_LAYERS    LIMIT_SDP_RIDS
#define LANE_BURST_MAX 64 /* packets in one burst */
#define LANE_FMTP_CAP  160
#define LANE_RID_CAP   17

enum lane_kind {
    LANE_DESCRIPTION, /* struct lane_description; without tracks: the publisher left */
    LANE_BURST,       /* struct lane_burst */
    LANE_CLOCK,       /* struct lane_clock; LANE_CLOCK + track * LANE_LAYERS + layer */
};

struct lane_track {
    enum codec codec; /* CODEC_NONE: there is no such track */
    uint8_t layers;   /* 1, or of simulcast, in the publisher's order */
    bool makes_keys;  /* a key frame comes when channel_want_key() asks for it */
    char fmtp[LANE_FMTP_CAP];
    char rids[LANE_LAYERS][LANE_RID_CAP]; /* the layers' names; empty when there is one */
};

struct lane_description {
    struct feed_msg msg;
    uint64_t id;                 /* of this publishing; another one has another */
    struct lane_track tracks[2]; /* by enum media_kind */
};

struct lane_packet {
    uint8_t track, layer; /* enum media_kind; 0 to layers - 1 */
    bool marker, key;     /* key: a decoder can begin with this packet */
    uint64_t seq;         /* of the track and layer, extended */
    uint32_t ts;
    uint32_t at, len; /* of the payload in `bytes` */
};

/* Packets that arrived together. */
struct lane_burst {
    struct feed_msg msg;
    int64_t at_us; /* monotonic, when it arrived */
    bool fresh;    /* the hub's: a key frame of the first video layer begins in it */
    unsigned n;
    uint8_t *bytes; /* behind the packets, in the same allocation */
    struct lane_packet packets[];
};

/* What a sender report said: this timestamp is of that time. */
struct lane_clock {
    struct feed_msg msg;
    uint8_t track, layer;
    uint64_t ntp;
    uint32_t ts;
};

static inline struct span lane_payload(const struct lane_burst *b, const struct lane_packet *p)
{
    return span_of(b->bytes + p->at, p->len);
}

/* --- publishing, on the publisher's loop, after on_ready --- */

/* Tells what will come; once, before the first burst. */
void lane_publish_description(struct publisher *p, const struct lane_track tracks[2]);
/* Room for n packets (at most LANE_BURST_MAX) and their bytes, to be filled. */
struct lane_burst *lane_burst_new(unsigned n, size_t bytes);
void lane_publish_burst(struct publisher *p, struct lane_burst *b); /* takes it over */
void lane_publish_clock(struct publisher *p, uint8_t track, uint8_t layer, uint64_t ntp,
                        uint32_t ts);

/* --- watching --- */

struct feed *channel_lane(const struct channel *c); /* borrowed: attach to it; kinds as above */
/* What is being published. E_NOTFOUND: no packets. Any thread. */
enum err lane_describe(const struct channel *c, struct lane_track tracks[2]) WARN_UNUSED;
/* Asks the publisher for a key frame of a layer. Any thread; the publisher throttles. */
void channel_want_key(struct channel *c, uint8_t layer);
