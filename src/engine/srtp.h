/* SPDX-License-Identifier: MIT */
/* engine/srtp.h - protects and opens RTP and RTCP, one direction of one session [libcrypto].
 *
 * Sources: RFC 3711 (AES-CM, HMAC-SHA1-80, key derivation, replay), RFC 7714 (AES-GCM). Keying is
 * DTLS-SRTP's (engine/dtls.h). No key rotation, no MKI: WebRTC has neither.
 *
 * Lifetime: srtpx_new() and srtpx_free(), one owner, one thread. A direction either seals or opens.
 * Limits: LIMIT_SRTP_SSRCS streams; more are E_LIMIT, so that a peer cannot grow the table. */
#pragma once
#include "base/err.h"
#include "base/span.h"

enum srtpx_profile { /* numbers of the DTLS-SRTP registry */
                     SRTPX_AES_CM_SHA1_80 = 1,
                     SRTPX_AES_128_GCM = 7,
                     SRTPX_AES_256_GCM = 8,
};

#define SRTPX_KEY_MAX  32
#define SRTPX_SALT_MAX 14
#define SRTPX_GROW     20 /* a sealed packet is at most this longer: tag, and RTCP's index */

size_t srtpx_key_len(enum srtpx_profile p); /* 0: not a profile of ours */
size_t srtpx_salt_len(enum srtpx_profile p);

struct srtpx;
struct srtpx *srtpx_new(enum srtpx_profile p, const uint8_t *key, const uint8_t *salt);
void srtpx_free(struct srtpx *s); /* NULL is fine */

/* Seals the packet of header and payload into out, which has room for both and SRTPX_GROW;
 * *n is the length. The header may lie at `out` already. The payload is read where it lies, so that
 * one copy serves all viewers. `roc` counts the wraps of the sequence number: the caller's, who
 * numbers the packets. Never the same sequence number twice with other contents. */
void srtpx_seal_rtp(struct srtpx *s, struct span header, struct span payload, uint32_t roc,
                    uint8_t *out, size_t *n);
/* Opens in place: *len becomes the length without tag. E_AUTH: forged or damaged. E_CONFLICT: seen
 * before, or too old to tell. E_LIMIT: too many sources. E_PROTO, E_MORE: no RTP. */
enum err srtpx_open_rtp(struct srtpx *s, uint8_t *packet, size_t *len) WARN_UNUSED;

/* RTCP in place; `packet` has room for SRTPX_GROW more. */
void srtpx_seal_rtcp(struct srtpx *s, uint8_t *packet, size_t *len);
enum err srtpx_open_rtcp(struct srtpx *s, uint8_t *packet, size_t *len) WARN_UNUSED;
