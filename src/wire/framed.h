/* SPDX-License-Identifier: MIT */
/* wire/framed.h - datagrams in a stream: two bytes of length, then that many bytes.
 *
 * Sources: RFC 4571 (framing), RFC 6544, 3 (its use for ICE over TCP). Pure; a reader keeps at most
 * one frame. Frames of no bytes are skipped. */
#pragma once
#include "base/err.h"
#include "base/limits.h"
#include "base/span.h"

#define FRAMED_HEAD 2

/* `struct framed f = {0}` is an empty one. */
struct framed {
    uint16_t have; /* bytes of the header and the frame that have come */
    uint16_t len;  /* E_OK: of the frame */
    uint8_t head[FRAMED_HEAD];
    uint8_t bytes[LIMIT_UDP_BYTES]; /* E_OK: the frame, writable, valid until the next call */
};

/* Takes from `in` what it needs. E_OK: a frame. E_MORE: all of `in` was taken and the frame is not
 * whole yet. E_LIMIT: it is longer than a datagram; the stream is of no use any more. */
enum err framed_next(struct framed *f, struct span *in) WARN_UNUSED;
/* A frame has begun and is not whole. */
bool framed_partial(const struct framed *f);
/* The header of a frame of `len` bytes. */
static inline void framed_head(uint8_t out[FRAMED_HEAD], uint16_t len)
{
    out[0] = (uint8_t)(len >> 8);
    out[1] = (uint8_t)len;
}
