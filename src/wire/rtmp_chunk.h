/* SPDX-License-Identifier: MIT */
/* wire/rtmp_chunk.h - the header of one RTMP chunk (RTMP 1.0, section 5.3.1). Pure functions.
 *
 *   basic header   1 to 3 bytes: fmt (2 bits), chunk stream id 2..65599
 *   message header 11, 7, 3 or 0 bytes for fmt 0..3: timestamp or delta (3), length (3), type (1),
 *                  message stream id (4, little-endian)
 *   extended timestamp, 4 bytes, when the 3-byte field is 0xffffff
 *
 * A type 3 chunk repeats the extended timestamp of the header it continues, or does not: senders
 * differ. So reading one does not include it; the dechunker peeks and compares. */
#pragma once
#include "base/err.h"
#include "base/wr.h"

#define RTMP_CHUNK_HDR_MAX 18 /* 3 + 11 + 4 */
#define RTMP_CSID_MIN      2
#define RTMP_CSID_MAX      65599
#define RTMP_TS_EXT        0xffffffu

/* Message types (RTMP 1.0, sections 5.4, 6.2, 7.1). */
enum rtmp_type {
    RTMP_SET_CHUNK_SIZE = 1,
    RTMP_ABORT = 2,
    RTMP_ACK = 3,
    RTMP_USER_CONTROL = 4,
    RTMP_WINDOW_ACK_SIZE = 5,
    RTMP_SET_PEER_BANDWIDTH = 6,
    RTMP_AUDIO = 8,
    RTMP_VIDEO = 9,
    RTMP_DATA_AMF3 = 15,
    RTMP_COMMAND_AMF3 = 17,
    RTMP_DATA_AMF0 = 18,
    RTMP_COMMAND_AMF0 = 20,
    RTMP_AGGREGATE = 22,
};

struct rtmp_chunk_hdr {
    uint8_t fmt;         /* 0..3 */
    bool ext;            /* the extended timestamp is in use */
    uint8_t msg_type;    /* fmt 0 and 1 */
    uint8_t size;        /* bytes of this header; set by the parser */
    uint32_t csid;       /* RTMP_CSID_MIN..RTMP_CSID_MAX */
    uint32_t ts_ms;      /* fmt 0: absolute; 1 and 2: a delta; with ext, the 32-bit field */
    uint32_t msg_len;    /* fmt 0 and 1, 24 bits */
    uint32_t msg_stream; /* fmt 0 */
};

/* Reads `in`; writes *out only on E_OK. E_MORE: a valid beginning. No input is malformed at this
 * level: limits are the dechunker's. */
enum err rtmp_chunk_hdr_parse(struct span in, struct rtmp_chunk_hdr *out) WARN_UNUSED;

/* Writes the header with the shortest basic header. `ext` is ignored for fmt 0 to 2 (it follows
 * from ts_ms); a type 3 header with `ext` repeats ts_ms as extended timestamp. */
void rtmp_chunk_hdr_write(struct wr *w, const struct rtmp_chunk_hdr *h);
