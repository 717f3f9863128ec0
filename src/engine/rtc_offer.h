/* SPDX-License-Identifier: MIT */
/* engine/rtc_offer.h - from an offer to what both sides will do: the negotiation of WHIP and WHEP.
 *
 * Sources: RFC 9725, 4.4 (one audio, one video, BUNDLE, rtcp-mux, never half an answer); RFC 6184,
 * 8.2.2 (H.264: profile and packetization mode, level aside); RFC 8853 (simulcast); RFC 4588 (RTX).
 * Pure; results borrow from the offer. One codec a track is answered: what the program can carry
 * furthest, H.264 before the others, so that every way of watching works without transcoding. */
#pragma once
#include "media/codec.h"
#include "wire/rtp_frame.h"
#include "wire/sdp_answer.h"

struct rtc_track {
    bool is;
    unsigned section; /* of the offer */
    enum codec codec;
    enum rtp_format format;
    const struct sdp_codec *media, *rtx; /* rtx: NULL when not offered */
    uint8_t fb;                          /* SDP_FB_*, of those we know */
    uint8_t ext[SDP_EXT_COUNT];
    struct span rids[LIMIT_SDP_RIDS];
    unsigned n_rids;
};

struct rtc_agreed {
    struct rtc_track tracks[2];            /* by enum media_kind */
    const struct sdp_transport *transport; /* of the bundle */
};

/* E_INVALID: the offer is not one of a publisher or lacks what WebRTC needs; E_UNSUPPORTED: no
 * codec in common. `why` gets a sentence for people. */
enum err rtc_agree_publisher(const struct sdp *offer, struct rtc_agreed *out,
                             const char **why) WARN_UNUSED;

struct rtc_wanted {
    enum codec codec; /* CODEC_NONE: there is no such track */
    struct span fmtp; /* as the publisher announced it */
};
/* The same for a viewer of these tracks (by enum media_kind). A track that the viewer did not ask
 * for, or cannot decode while it can the other, is left out. */
enum err rtc_agree_viewer(const struct sdp *offer, const struct rtc_wanted want[2],
                          struct rtc_agreed *out, const char **why) WARN_UNUSED;

/* Fills the answer's media sections; transport, candidates and sources are the caller's. What a
 * viewer does not get stays in, inactive. */
void rtc_answer(const struct sdp *offer, const struct rtc_agreed *g, enum sdp_direction direction,
                struct sdp_answer *a);
