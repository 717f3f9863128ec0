/* SPDX-License-Identifier: MIT */
/* wire/rtcp.h - RTCP: reports, feedback, and the compounds they travel in.
 *
 * Sources: RFC 3550, 6.4 (SR, RR, SDES, BYE); RFC 4585, 6 (NACK, PLI); RFC 5104, 4.3.1 (FIR);
 * RFC 5506 (reduced size); draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1;
 * draft-alvestrand-rmcat-remb-03. Pure; spans in results are views into the input.
 * A compound cut anywhere, or with a strange packet in it, is read up to there. */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include "base/wr.h"

enum rtcp_type {
    RTCP_SR = 200,
    RTCP_RR = 201,
    RTCP_SDES = 202,
    RTCP_BYE = 203,
    RTCP_RTPFB = 205, /* transport feedback: `count` says which */
    RTCP_PSFB = 206,  /* payload-specific feedback */
    RTCP_XR = 207,    /* extended reports (RFC 3611) */
};
enum { /* `count` of RTPFB and PSFB */
       RTCP_NACK = 1,
       RTCP_TWCC = 15,
       RTCP_PLI = 1,
       RTCP_FIR = 4,
       RTCP_AFB = 15,
};

struct rtcp {
    uint8_t type, count;
    uint32_t ssrc;    /* the sender's; 0 for BYE and SDES without any */
    struct span body; /* behind the sender's SSRC, without padding */
};

/* Takes the next packet off *rest. E_NOTFOUND: no more. E_PROTO: broken, *rest is then empty.
 * At most LIMIT_RTCP_PACKETS are worth asking for. */
enum err rtcp_next(struct span *rest, struct rtcp *out) WARN_UNUSED;

struct rtcp_sr {
    uint64_t ntp; /* seconds since 1900 in 32.32 */
    uint32_t rtp_ts, packets, bytes;
};
struct rtcp_report {
    uint32_t ssrc;
    uint8_t fraction_lost;   /* of 256 */
    int32_t lost;            /* 24 bits, signed */
    uint32_t highest_seq;    /* extended */
    uint32_t jitter;         /* in units of the timestamp */
    uint32_t last_sr, delay; /* middle of the NTP time; in 1/65536 s */
};
enum err rtcp_sr_parse(const struct rtcp *p, struct rtcp_sr *out) WARN_UNUSED;
/* The i-th report block of an SR or RR; false: no more. */
bool rtcp_report_at(const struct rtcp *p, unsigned i, struct rtcp_report *out);

/* NACK: `media` is whose packets are missing; then each entry names one and 16 that follow. */
struct rtcp_nack {
    uint32_t media;
    struct span entries;
};
enum err rtcp_nack_parse(const struct rtcp *p, struct rtcp_nack *out) WARN_UNUSED;
bool rtcp_nack_next(struct rtcp_nack *n, uint16_t *seq, uint16_t *bits);

/* PLI or FIR: the i-th source whose key frame is asked for; false: no more, or neither. */
bool rtcp_key_request_at(const struct rtcp *p, unsigned i, uint32_t *media);
/* REMB: bits a second. E_NOTFOUND: something else. */
enum err rtcp_remb_parse(const struct rtcp *p, uint64_t *bps) WARN_UNUSED;

/* Who only receives learns the round trip like so (RFC 3611, 4.4 and 4.5): it sends the time by a
 * clock of its own (rtcp_put_rrtr), and the other says with its next report how long ago that came.
 * False: an XR packet has nothing about `ssrc`, or it is another packet, or nonsense. */
bool rtcp_dlrr_rtt(const struct rtcp *p, uint32_t ssrc, int64_t now_us, int64_t *rtt_us);

/* Writing; each adds one packet. */
void rtcp_put_sr(struct wr *w, uint32_t ssrc, const struct rtcp_sr *sr);
void rtcp_put_rr(struct wr *w, uint32_t ssrc, const struct rtcp_report *r, unsigned n);
void rtcp_put_rrtr(struct wr *w, uint32_t ssrc, int64_t now_us);
void rtcp_put_cname(struct wr *w, uint32_t ssrc, struct span cname);
void rtcp_put_bye(struct wr *w, uint32_t ssrc);
void rtcp_put_pli(struct wr *w, uint32_t ssrc, uint32_t media);
void rtcp_put_remb(struct wr *w, uint32_t ssrc, const uint32_t *media, unsigned n, uint64_t bps);
/* Sequence numbers in rising order (modulo 2^16); as few entries as possible. */
void rtcp_put_nack(struct wr *w, uint32_t ssrc, uint32_t media, const uint16_t *seqs, unsigned n);
