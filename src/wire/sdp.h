/* SPDX-License-Identifier: MIT */
/* wire/sdp.h - offers and answers of WebRTC: a bounded struct out of text, and text out of one.
 *
 * Sources: RFC 8866 (SDP), RFC 8829 (JSEP), 8839 (ICE), 8122 and 8842 (fingerprint, setup), 8843
 * (BUNDLE), 8285 (extmap), 8851 and 8853 (rid, simulcast), 4585 (rtcp-fb), 5576 (ssrc), 8840
 * (fragments). Pure; spans in results are views into the text. Lines may end with LF alone.
 * Unknown attributes and unknown fmtp keys are skipped: they are for others. */
#pragma once
#include "base/err.h"
#include "base/limits.h"
#include "base/net_addr.h"
#include "base/str.h"

enum sdp_kind { SDP_OTHER, SDP_AUDIO, SDP_VIDEO };
enum sdp_direction { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };
enum sdp_setup { SDP_SETUP_NONE, SDP_ACTPASS, SDP_ACTIVE, SDP_PASSIVE };

enum { /* rtcp-fb of a payload type */
       SDP_FB_NACK = 1,
       SDP_FB_PLI = 2,
       SDP_FB_FIR = 4,
       SDP_FB_REMB = 8,
       SDP_FB_TWCC = 16,
};

/* What the program does with header extensions; others are not agreed on. */
enum sdp_ext {
    SDP_EXT_MID,
    SDP_EXT_RID,
    SDP_EXT_REPAIRED_RID,
    SDP_EXT_TWCC,
    SDP_EXT_PLAYOUT_DELAY,
    SDP_EXT_LEVEL, /* of the sound in a packet (RFC 6464) */
    SDP_EXT_COUNT,
};
extern const char *const SDP_EXT_URI[SDP_EXT_COUNT];

struct sdp_codec {
    uint8_t pt;
    uint8_t channels; /* 0: not said */
    uint8_t fb;       /* SDP_FB_* */
    uint32_t clock;
    struct span name; /* "H264"; letters of either case */
    struct span fmtp; /* may be empty */
};

struct sdp_fingerprint {
    struct span algorithm; /* "sha-256" */
    uint8_t digest[64];
    uint8_t len; /* 0: absent */
};

struct sdp_transport { /* of a media section, or of the session for all that have none */
    struct span ufrag, pwd;
    struct sdp_fingerprint fingerprint;
    enum sdp_setup setup;
};

struct sdp_media {
    enum sdp_kind kind;
    struct span name, proto; /* "video", "UDP/TLS/RTP/SAVPF" */
    struct span formats;     /* as they are in the m-line */
    bool rejected;           /* port 0, and not only bundled */
    struct span mid;
    enum sdp_direction direction;
    bool rtcp_mux;
    struct sdp_transport transport;
    struct sdp_codec codecs[LIMIT_SDP_CODECS]; /* in the order of the m-line */
    unsigned n_codecs;
    uint8_t ext[SDP_EXT_COUNT];       /* id of 1 to 255; 0: not offered */
    struct span rids[LIMIT_SDP_RIDS]; /* layers to be sent, in the offerer's order */
    unsigned n_rids;
    struct span msid_stream, msid_track; /* may be empty */
    uint32_t ssrc; /* of the media: the first a=ssrc, or FID's first; 0: absent */
    uint32_t rtx_ssrc;
};

struct sdp {
    bool ice_lite;
    bool bundle; /* every media section that is not rejected is in one BUNDLE group */
    struct sdp_media media[LIMIT_SDP_MEDIA];
    unsigned n_media;
};

/* E_PROTO: not SDP, or a line of those we read is malformed. E_LIMIT: LIMIT_SDP_*. The session's
 * transport attributes are copied into the sections that have none of their own. */
enum err sdp_parse(struct span text, struct sdp *out) WARN_UNUSED;
/* Value of a fmtp parameter; p == NULL: absent. Keys in either case. */
struct span sdp_fmtp(struct span fmtp, const char *key);

/* A body of application/trickle-ice-sdpfrag: what an ICE-lite server needs of it. */
struct sdp_frag {
    struct span ufrag, pwd; /* empty: absent */
    unsigned n_candidates;
};
enum err sdp_frag_parse(struct span text, struct sdp_frag *out) WARN_UNUSED;
