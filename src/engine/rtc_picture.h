/* SPDX-License-Identifier: MIT */
/* engine/rtc_picture.h - how large the pictures of an RTP source are, by a packet that begins a key
 * frame. Sources: RFC 6184, 5.6 and 5.7.1 (SPS alone or in a STAP-A); RFC 7741, 4.3. Pure. */
#pragma once
#include "media/codec.h"

/* False: this packet does not say (always of VP9 and AV1). */
bool rtc_picture_size(enum codec c, struct span payload, uint16_t *width, uint16_t *height);
