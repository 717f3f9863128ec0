/* SPDX-License-Identifier: MIT */
/* wire/rtp.h - RTP headers, header extensions, padding, RTX.
 *
 * Sources: RFC 3550, 5.1 (header); RFC 8285 (extensions of one and two bytes); RFC 4588 (RTX).
 * Pure; spans in results are views into the input. */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include "base/wr.h"

#define RTP_HEADER 12

struct rtp {
    bool marker, padded;
    uint8_t pt;
    uint16_t seq;
    uint32_t ts, ssrc;
    uint16_t ext_profile; /* 0xbede: one-byte headers; 0x100x: two-byte ones; 0: none */
    struct span ext;      /* without its four bytes of header */
    size_t header_len;
    struct span payload; /* behind the header; see rtp_unpad() */
};

/* Whether a datagram of version 2 is RTCP and not RTP (RFC 5761, 4): packet types 192 to 223. */
bool rtp_is(struct span in);
bool rtcp_is(struct span in);

/* The header of a packet, encrypted or not. E_MORE: cut short. E_PROTO: another version. */
enum err rtp_parse(struct span in, struct rtp *out) WARN_UNUSED;
/* Takes padding off the payload of a decrypted packet. E_PROTO: more than there is. A packet of
 * nothing but padding has an empty payload afterwards. */
enum err rtp_unpad(struct rtp *p) WARN_UNUSED;
/* The extension element of that id; p == NULL: absent (an element of no bytes has p). */
struct span rtp_ext(const struct rtp *p, uint8_t id);

/* Writes a header without padding; extensions follow with rtp_ext_begin() and so on. */
void rtp_write(struct wr *w, const struct rtp *p, bool has_ext);
/* One-byte headers: ids 1 to 14, values of 1 to 16 bytes. end() pads and sets the length. */
size_t rtp_ext_begin(struct wr *w);
void rtp_ext_put(struct wr *w, uint8_t id, struct span value);
void rtp_ext_end(struct wr *w, size_t mark);

/* a is newer than b, modulo 2^16. */
static inline bool seq_after(uint16_t a, uint16_t b)
{
    return a != b && (uint16_t)(a - b) < 0x8000;
}
/* The 64-bit number whose low 16 bits are seq and which is nearest to `near`. Start `near` high
 * enough (65536) that one step back stays positive. */
static inline uint64_t seq_extend(uint64_t near, uint16_t seq)
{
    return near + (uint64_t)(int64_t)(int16_t)(uint16_t)(seq - (uint16_t)near);
}
