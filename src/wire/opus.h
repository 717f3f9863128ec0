/* SPDX-License-Identifier: MIT */
/* wire/opus.h - OpusHead and the duration of a packet. Opus always runs at 48 kHz.
 *
 * Sources: RFC 7845, 5.1 (identification header); RFC 6716, 3.1 (TOC byte), 3.2 (framing);
 * Encapsulation of Opus in ISOBMFF 0.8.1, 4.3.2 (dOps). Pure. */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include "base/wr.h"

#define OPUS_RATE        48000
#define OPUS_SAMPLES_MAX 5760 /* 120 ms */

struct opus_head {
    uint8_t channels;
    uint16_t pre_skip;   /* samples at 48 kHz */
    uint32_t input_rate; /* of the source, for information */
    int16_t gain;        /* 1/256 dB */
    uint8_t family;      /* channel mapping */
    struct span mapping; /* streams, coupled, map; empty for family 0 */
};

/* E_MORE: cut short. E_PROTO: no OpusHead. E_UNSUPPORTED: a major version above 0. */
enum err opus_head_parse(struct span in, struct opus_head *out) WARN_UNUSED;
void opus_head_build(const struct opus_head *h, struct wr *w);
/* The body of the dOps box: the same fields, big-endian, without magic, version 0. */
void opus_dops_build(const struct opus_head *h, struct wr *w);
/* Samples at 48 kHz in a packet. E_PROTO: empty, or more than 120 ms. */
enum err opus_packet_samples(struct span packet, unsigned *out) WARN_UNUSED;
