/* SPDX-License-Identifier: MIT */
/* wire/rtp_frame_priv.h - one pair of functions a format, for the table in rtp_frame.c. */
#pragma once
#include "wire/rtp_frame.h"

struct rtp_peek rtp_peek_h264(struct span p);
struct rtp_peek rtp_peek_vp8(struct span p);
struct rtp_peek rtp_peek_vp9(struct span p);
struct rtp_peek rtp_peek_av1(struct span p);
enum err rtp_join_h264(const struct span *payloads, unsigned n, struct wr *w);
enum err rtp_join_vp8(const struct span *payloads, unsigned n, struct wr *w);
enum err rtp_join_vp9(const struct span *payloads, unsigned n, struct wr *w);
enum err rtp_join_av1(const struct span *payloads, unsigned n, struct wr *w);
