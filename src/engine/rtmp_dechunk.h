/* SPDX-License-Identifier: MIT */
/* engine/rtmp_dechunk.h - puts RTMP messages together from chunks (RTMP 1.0, section 5.3).
 *
 * Takes Set Chunk Size and Abort itself; every other message comes out of rtmp_dechunk_next().
 * One direction of one connection; embedded, rtmp_dechunk_init/fini.
 *
 * Memory: nothing before the first byte. A partial message grows with the bytes received, not with
 * the length declared; all together stay under LIMIT_RTMP_PARTIAL_BYTES, and at most
 * LIMIT_RTMP_CHUNK_STREAMS chunk streams are remembered. A message that came in one piece is not
 * copied at all. */
#pragma once
#include "wire/rtmp_chunk.h"

struct rtmp_msg {
    enum rtmp_type type;
    uint32_t ts_ms; /* wraps after 49.7 days; may jump or run backwards, as the peer likes */
    uint32_t stream;
    struct span
        body; /* valid until the next call of rtmp_dechunk_next, and no longer than its input */
};

struct rtmp_chunk_stream;
struct rtmp_dechunk {
    struct rtmp_chunk_stream *streams;
    uint16_t n_streams, cap_streams;
    uint8_t carry_len;
    uint8_t carry[RTMP_CHUNK_HDR_MAX + 4]; /* a header that was cut by the end of a read */
    uint8_t small[4];                      /* payload that was taken for a timestamp at first */
    uint32_t chunk_size;
    uint32_t max_message; /* larger ones are E_LIMIT; the owner raises it once it trusts the peer */
    size_t partial_bytes; /* allocated for partial messages */
    size_t chunk_left;    /* payload bytes that still come before the next header */
    struct rtmp_chunk_stream *at; /* the chunk stream of the chunk being read */
    uint8_t *done, *spare;        /* the message handed out last; one buffer kept for the next */
    size_t done_cap, spare_cap;
    const char *why; /* what broke, after an error */
};

void rtmp_dechunk_init(struct rtmp_dechunk *d, uint32_t max_message);
void rtmp_dechunk_fini(struct rtmp_dechunk *d);

/* Takes bytes from the front of *in until a message is whole. E_MORE: all of *in was taken and
 * none is. E_PROTO, E_LIMIT: the connection is lost, `why` says how. */
enum err rtmp_dechunk_next(struct rtmp_dechunk *d, struct span *in,
                           struct rtmp_msg *out) WARN_UNUSED;

/* Frees what is only kept for speed: for connections that will send little more. */
void rtmp_dechunk_trim(struct rtmp_dechunk *d);
