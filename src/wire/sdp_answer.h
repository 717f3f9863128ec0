/* SPDX-License-Identifier: MIT */
/* wire/sdp_answer.h - writes the answer of an ICE-lite server with everything in one transport.
 *
 * Sources: as wire/sdp.h; RFC 9725, 4.4 for what WHIP asks of it. The media sections are the
 * offer's, one for one, in its order. Spans are borrowed during the call. */
#pragma once
#include "wire/sdp.h"

#define SDP_ANSWER_CODECS 8

struct sdp_answer_media {
    const struct sdp_media *offer; /* name, protocol, formats and mid are taken from it */
    bool accepted;                 /* false: port 0, and nothing below is written */
    enum sdp_direction direction;
    struct sdp_codec codecs[SDP_ANSWER_CODECS]; /* RTX too, with fmtp "apt=..." */
    unsigned n_codecs;
    uint8_t ext[SDP_EXT_COUNT];       /* the offer's ids; 0: not agreed */
    struct span rids[LIMIT_SDP_RIDS]; /* layers to be received; none: no simulcast */
    unsigned n_rids;
    uint32_t ssrc, rtx_ssrc;  /* of what is sent; 0: not said */
    struct span cname, track; /* with ssrc; the stream is named as cname is */
};

struct sdp_answer {
    uint64_t session; /* o= line; below 2^63 */
    struct span ufrag, pwd;
    uint8_t fingerprint[32];           /* SHA-256 of the certificate */
    const struct net_addr *candidates; /* host, UDP; the first one is preferred */
    unsigned n_candidates;
    bool tcp; /* the same addresses and ports take connections too (RFC 6544, passive) */
    struct sdp_answer_media media[LIMIT_SDP_MEDIA];
    unsigned n_media;
};

void sdp_answer_write(const struct sdp_answer *a, struct str *out);
/* The body of the reply to an ICE restart (RFC 8840): credentials and candidates. `mid` is the
 * transport's, the first accepted section's. */
void sdp_frag_write(const struct sdp_answer *a, struct span media_line, struct span mid,
                    struct str *out);
