/* SPDX-License-Identifier: MIT */
/* hub/packets.h - the packets lane of a channel: RTP as it came, for those who pass it on.
 *
 * It runs beside the frames lane and as that one does: publisher (any loop) -> home loop -> every
 * loop with readers; a newcomer gets the latest description and clocks, the bursts since the first
 * video layer's last key frame, then what comes. Packets are numbered without gaps by the
 * publisher's session, so that each viewer only adds a constant. Bursts are shared by reference,
 * built once.
 *
 * A lane exists with its channel. While nobody publishes packets it has no description, and
 * lane_describe() says E_NOTFOUND. For a source of frames (RTMP) a bridge may write it, on the
 * home loop; a publisher of packets comes before the bridge. */
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

struct lane_clock *lane_clock_new(uint8_t track, uint8_t layer, uint64_t ntp, uint32_t ts);

/* --- a bridge: it writes the lane of a channel whose publisher has no packets; home loop --- */

/* Embedded in the bridge, which belongs to itself: it closes when it is not needed any more. */
struct lane_bridge {
    void (*on_want_key)(struct lane_bridge *b, uint8_t layer);
};
struct lane_bridge *lane_bridge_of(const struct channel *c);     /* NULL: there is none */
void lane_bridge_open(struct channel *c, struct lane_bridge *b); /* where there is none */
/* The publisher's own packets are on the lane: what the bridge writes is dropped. */
bool lane_bridge_barred(const struct channel *c);
/* A new description; without tracks: nothing comes for now. When the publisher leaves, that is
 * told without the bridge. `goes_on`: the same packets, otherwise described; viewers need not begin
 * anew. */
void lane_bridge_describe(struct channel *c, const struct lane_track tracks[2], bool goes_on);
void lane_bridge_send(struct channel *c, struct feed_msg *m); /* burst or clock; takes it over */
void lane_bridge_close(struct channel *c, struct lane_bridge *b); /* with its description */
/* What the bridge tells people: a state of its own reckoning, and a static sentence or "". */
void lane_bridge_set_note(struct channel *c, unsigned state, const char *sentence);
unsigned lane_bridge_note(const struct channel *c, const char **sentence); /* any thread */

/* --- watching --- */

struct feed *channel_lane(const struct channel *c); /* borrowed: attach to it; kinds as above */
/* What is being published. E_NOTFOUND: no packets. Any thread. */
enum err lane_describe(const struct channel *c, struct lane_track tracks[2]) WARN_UNUSED;
/* Asks the publisher for a key frame of a layer. Any thread; the publisher throttles. */
void channel_want_key(struct channel *c, uint8_t layer);
