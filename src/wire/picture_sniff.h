/* SPDX-License-Identifier: MIT */
/* wire/picture_sniff.h - what kind of still picture a file says it is, and how large it says it
 * will be when unpacked: looked at before anything unpacks it.
 *
 * Sources: PNG (W3C) 5.2 and 11.2.1; ITU-T T.81 B.1 (JPEG); GIF89a, 17 and 18; RFC 9649 (WebP) with
 * RFC 6386 9.1 and the lossless bitstream's 3. Only the head is read: what follows is the
 * decoder's. Pure. */
#pragma once
#include "base/err.h"
#include "base/span.h"

enum picture_kind { PICTURE_PNG, PICTURE_JPEG, PICTURE_GIF, PICTURE_WEBP };

struct picture_head {
    enum picture_kind kind;
    uint32_t width, height;
};

/* E_UNSUPPORTED: none of the four. E_PROTO: one of them, and broken before its size is told. */
enum err picture_sniff(struct span file, struct picture_head *out) WARN_UNUSED;
