/* SPDX-License-Identifier: MIT */
/* bridge/packer.h - frames into bursts of the packets lane, once for all viewers.
 *
 * Embedded by value, one loop's. Packets are numbered without gaps over the packer's whole life,
 * whatever tracks come. H.264 (RFC 6184): a key frame begins with its parameter sets, delimiters,
 * SEI and filler stay behind; AV1: a key frame has its sequence header; payloads of a frame are of
 * equal size so that it leaves in one segmented send. Timestamps are of the time handed in, 90 kHz
 * and 48 kHz; sound goes on in steps of its own duration while the time agrees within
 * PACKER_SLACK_US, because RTMP counts in milliseconds. */
#pragma once
#include "hub/packets.h"

#define PACKER_MTU      1152 /* of a payload; 1200 less what a sender of ours puts around it */
#define PACKER_SLACK_US 30000

struct packer {
    struct track *tracks[2]; /* by enum media_kind; references */
    uint64_t seq[2];         /* of the next packet */
    bool sound;              /* audio_ts is set */
    uint32_t audio_ts;       /* of the next audio packet, if nothing is lost */
    uint16_t picture_id;     /* of VP8 and VP9 */
    uint8_t *scratch;        /* of the frame being cut */
    size_t scratch_cap;
    uint8_t bytes[LANE_BURST_MAX * PACKER_MTU]; /* of the burst being filled */
};

typedef void packer_put(void *ctx, struct lane_burst *b); /* takes it over */

void packer_init(struct packer *p);
void packer_fini(struct packer *p);
void packer_track(struct packer *p, enum media_kind kind, struct track *t); /* NULL: none */
/* Whether frames of that codec can be cut here. */
bool packer_carries(enum codec c);
/* `rtp_us` is the frame's presentation time on the viewers' clock. E_NOTFOUND: nothing is left to
 * send of it, or no track was told. E_PROTO: broken, nothing or a part of it went out. */
enum err packer_frame(struct packer *p, const struct frame *f, int64_t rtp_us, int64_t now_us,
                      packer_put *put, void *ctx) WARN_UNUSED;
uint32_t packer_ts(enum media_kind kind, int64_t rtp_us);
