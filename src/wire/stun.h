/* SPDX-License-Identifier: MIT */
/* wire/stun.h - STUN messages as ICE uses them: binding requests, their answers, two checksums.
 *
 * Sources: RFC 8489 sections 5 (header), 14 (attributes); RFC 8445, 7.1 (ICE's attributes).
 * A message is one datagram. Pure; spans in results are views into the input. */
#pragma once
#include "base/err.h"
#include "base/net_addr.h"
#include "base/wr.h"

#define STUN_BINDING   1
#define STUN_HEADER    20
#define STUN_TID_BYTES 12

enum stun_class { STUN_REQUEST, STUN_INDICATION, STUN_SUCCESS, STUN_ERROR };

enum stun_attr {
    STUN_USERNAME = 0x0006,
    STUN_MESSAGE_INTEGRITY = 0x0008,
    STUN_ERROR_CODE = 0x0009,
    STUN_UNKNOWN_ATTRIBUTES = 0x000a,
    STUN_XOR_MAPPED_ADDRESS = 0x0020,
    STUN_PRIORITY = 0x0024,
    STUN_USE_CANDIDATE = 0x0025,
    STUN_FINGERPRINT = 0x8028,
    STUN_ICE_CONTROLLED = 0x8029,
    STUN_ICE_CONTROLLING = 0x802a,
};

#define STUN_UNKNOWN_MAX 8

struct stun_msg {
    enum stun_class kind;
    uint16_t method;
    uint8_t tid[STUN_TID_BYTES];
    struct span username; /* p == NULL: absent */
    uint32_t priority;    /* 0: absent */
    bool use_candidate, controlling, controlled;
    uint64_t tiebreaker; /* of controlling or controlled */
    uint16_t error;      /* 300 to 699; 0: absent */
    bool has_mapped;
    struct net_addr mapped;             /* XOR-MAPPED-ADDRESS */
    uint16_t unknown[STUN_UNKNOWN_MAX]; /* types that must be understood and are not */
    unsigned n_unknown;
    size_t integrity_at; /* where MESSAGE-INTEGRITY begins; 0: absent */
    bool has_fingerprint;
};

/* Whether a datagram is STUN and not DTLS or RTP (RFC 7983), without looking further. */
bool stun_is(struct span in);
/* A whole datagram. E_MORE: cut short. E_PROTO: not STUN, an attribute past the end, bytes after
 * the end, or a FINGERPRINT that is not last or does not fit. What stands behind
 * MESSAGE-INTEGRITY is not believed (RFC 8489, 14.5). */
enum err stun_parse(struct span in, struct stun_msg *out) WARN_UNUSED;
/* Whether MESSAGE-INTEGRITY is there and made with `key`; `in` is what `m` was parsed from. */
bool stun_integrity_ok(struct span in, const struct stun_msg *m, struct span key);

/* Writing: begin, put, end, into one buffer that begins with the message. */
void stun_begin(struct wr *w, enum stun_class kind, uint16_t method,
                const uint8_t tid[STUN_TID_BYTES]);
void stun_put(struct wr *w, enum stun_attr type, struct span value);
void stun_put_u32(struct wr *w, enum stun_attr type, uint32_t v);
void stun_put_u64(struct wr *w, enum stun_attr type, uint64_t v);
void stun_put_mapped(struct wr *w, const struct net_addr *a);
void stun_put_error(struct wr *w, uint16_t code, const char *reason);
/* Adds MESSAGE-INTEGRITY when key.len > 0, then FINGERPRINT, and sets the length. */
void stun_end(struct wr *w, struct span key);
