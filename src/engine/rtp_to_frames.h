/* SPDX-License-Identifier: MIT */
/* engine/rtp_to_frames.h - from whole RTP frames (engine/rtc_order.h) to tracks and frames of the
 * frames lane: configurations are taken out of the bitstream, times are put on one clock.
 *
 * Each source has a clock of its own with a random beginning. Until sender reports tell how they
 * stand to each other, the first arrivals do; then the sound is moved once to where it belongs.
 * Sources: ISO/IEC 14496-15 (avcC), RFC 7845 (OpusHead), AV1 and VP9 in ISOBMFF. One owner, one
 * thread. VP8 is for a transcoder: what plays segments does not play it. */
#pragma once
#include "base/limits.h"
#include "engine/rtc_order.h"
#include "media/frame.h"
#include "media/timeline.h"
#include "media/track.h"

/* The tracks of a source: up to four renditions of the picture, and the sound. */
enum { RTP_SLOT_AUDIO = LIMIT_SDP_RIDS, RTP_SLOTS };

struct rtp_clock {
    uint32_t rate; /* ticks a second; 0: no such track */
    enum codec codec;
    bool seen;
    uint32_t last_ts;
    int64_t ticks;   /* since the first frame, unwrapped */
    int64_t zero_us; /* where the first frame is on the source's clock */
    bool reported;   /* a sender report has come: */
    uint32_t sr_ts;
    int64_t sr_ntp_us;
    int64_t ntp_zero_us; /* NTP time of the first frame; when reported and seen */
};

struct rtp_to_frames {
    struct timeline timeline;
    struct rtp_clock clocks[RTP_SLOTS];
    struct track *tracks[RTP_SLOTS]; /* newest configuration; NULL: not yet */
    uint8_t ids[RTP_SLOTS];          /* of the tracks */
    bool changed[RTP_SLOTS];         /* the configuration is not the first one */
    bool aligned;                    /* the sound to the picture */
};

static inline enum media_kind rtp_slot_kind(unsigned slot)
{
    return slot == RTP_SLOT_AUDIO ? MEDIA_AUDIO : MEDIA_VIDEO;
}

bool rtp_to_frames_carries(enum codec c);
void rtp_to_frames_init(struct rtp_to_frames *t, int64_t base_us, bool continued);
void rtp_to_frames_fini(struct rtp_to_frames *t);
/* Announces a track; its id is TRACK_ID_VIDEO or _AUDIO until rtp_to_frames_id() changes it. */
void rtp_to_frames_track(struct rtp_to_frames *t, unsigned slot, enum codec codec, uint32_t rate);
void rtp_to_frames_id(struct rtp_to_frames *t, unsigned slot, uint8_t id); /* before its frames */
/* How many pixels a key frame shows. Others than E_OK: it has no configuration that can be read. */
enum err rtp_to_frames_pixels(const struct rtp_to_frames *t, unsigned slot,
                              const struct rtc_frame *f, unsigned *pixels) WARN_UNUSED;

struct rtp_media {
    struct track *track; /* a new configuration, to be announced before the frame; or NULL */
    struct frame *frame; /* or NULL: not decodable yet */
};
/* The caller owns what it gets. E_MORE: video before its first configuration. Others: broken. */
enum err rtp_to_frames(struct rtp_to_frames *t, unsigned slot, const struct rtc_frame *f,
                       int64_t now_us, int64_t wall_us, struct rtp_media *out) WARN_UNUSED;
/* A sender report said: timestamp `ts` is of that NTP time (microseconds). Renditions of the
 * picture are put together by the reports that come before their first frames. */
void rtp_to_frames_sync(struct rtp_to_frames *t, unsigned slot, uint32_t ts, int64_t ntp_us);
static inline bool rtp_to_frames_synced(const struct rtp_to_frames *t, unsigned slot)
{
    return t->clocks[slot].reported;
}
