/* SPDX-License-Identifier: MIT */
/* wire/worker_msg.h - what the server and bspnode-worker say to each other over their socket pair.
 *
 * A message is a length in four bytes, big-endian, and that many bytes: its type, the kind of the
 * track (0 video, 1 audio), fields, and to the end its data. Both programs are built together, so
 * there are no versions but the number in READY; still neither believes the other's lengths and
 * numbers. Pure. Limits: LIMIT_WORKER_MSG_BYTES, LIMIT_CODEC_CONFIG_BYTES, LIMIT_WORKER_TEXT,
 * LIMIT_WORKER_INPUT. */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include "base/wr.h"

#define WORKER_VERSION    1
#define WORKER_HEAD_BYTES 48 /* more than everything of a message but its data */

enum worker_msg_type {
    WORKER_WANT = 1, /* to the worker: codec, bitrate, max_height, gop_ms of an output track, and
                        the pts from which on it is wanted */
    WORKER_TRACK,    /* both ways: codec, sizes, data is the configuration */
    WORKER_FRAME,    /* both ways: key, discontinuity, dts, pts, data is the frame */
    WORKER_KEY,      /* to the worker: the next picture out shall be a key frame */
    WORKER_READY,    /* to the server: it is shut in and takes frames; `version` */
    WORKER_LOST,     /* to the server: no pictures until the input has a key frame */
    WORKER_FAILED,   /* to the server: it cannot do this; data is why, in words */
    WORKER_PING,     /* to the worker, and answered when everything before it has been done */
    WORKER_INPUT,    /* to the server: what the file is; data is lines of words (video/importer) */
    WORKER_PROGRESS, /* to the server: per_mille of the file have been read */
    WORKER_END,      /* to the server: that was all of the file */
};

/* As media/track.h and media/frame.h; `codec` is an enum codec. */
struct worker_msg {
    enum worker_msg_type type;
    uint8_t kind; /* enum media_kind */
    uint8_t codec;
    uint8_t version;
    uint16_t width, height;
    uint32_t fps_milli, sample_rate;
    uint8_t channels;
    uint32_t bitrate;
    uint16_t max_height, gop_ms, per_mille;
    bool key, discontinuity;
    int64_t dts_us, pts_us; /* 0 to 2^62 */
    struct span data;       /* a view into the input */
};

/* Takes a whole message off *in. E_MORE: it is not there yet. E_LIMIT: longer than may be.
 * E_PROTO: not a message. */
enum err worker_msg_next(struct span *in, struct worker_msg *out) WARN_UNUSED;
/* The message up to its data, which must follow: m->data.len bytes. At most WORKER_HEAD_BYTES. */
void worker_msg_head(const struct worker_msg *m, struct wr *w);
