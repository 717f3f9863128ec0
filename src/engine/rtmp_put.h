/* SPDX-License-Identifier: MIT */
/* engine/rtmp_put.h - RTMP messages appended to a string, for both ends of a connection. */
#pragma once
#include "base/str.h"
#include "wire/amf0.h"
#include "wire/rtmp_chunk.h"

/* Chunk streams we use; each of our messages begins with a type 0 chunk, so that a message is the
 * same bytes for everybody and stands alone. */
enum {
    RTMP_CS_CONTROL = 2,
    RTMP_CS_COMMAND = 3,
    RTMP_CS_AUDIO = 4,
    RTMP_CS_STATUS = 5,
    RTMP_CS_VIDEO = 6
};

/* User control events (RTMP 1.0, section 7.1.7). */
enum rtmp_control {
    RTMP_STREAM_BEGIN = 0,
    RTMP_STREAM_EOF = 1,
    RTMP_SET_BUFFER = 3,
    RTMP_PING = 6,
    RTMP_PONG = 7,
};

/* Bytes of a message as rtmp_put_chunks writes it. */
size_t rtmp_chunks_size(size_t body_len, uint32_t ts_ms, uint32_t chunk_size);
/* The body given in two parts (a tag header and a frame), cut into chunks. `w` needs the room. */
void rtmp_put_chunks(struct wr *w, uint32_t csid, enum rtmp_type type, uint32_t stream,
                     uint32_t ts_ms, struct span head, struct span body, uint32_t chunk_size);

void rtmp_put_message(struct str *out, uint32_t csid, enum rtmp_type type, uint32_t stream,
                      uint32_t ts_ms, struct span body, uint32_t chunk_size);
/* Set Chunk Size, Ack, Window Ack Size: one 32-bit number. */
void rtmp_put_number(struct str *out, enum rtmp_type type, uint32_t n);
void rtmp_put_peer_bandwidth(struct str *out, uint32_t n);
void rtmp_put_user_control(struct str *out, enum rtmp_control event, uint32_t value);
