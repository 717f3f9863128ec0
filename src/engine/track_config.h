/* SPDX-License-Identifier: MIT */
/* engine/track_config.h - makes a track out of a codec's configuration record.
 *
 * Pure: no I/O, no state. The configuration is what the sequence header of the source carries and
 * what media/codec.h names: avcC, hvcC, av1C, vpcC (with or without its four bytes of version and
 * flags), AudioSpecificConfig, OpusHead. The track's own `config` is normalised: length fields of
 * four bytes in avcC and hvcC, vpcC without version and flags.
 * Sources: ISO/IEC 14496-15, AV1 in ISOBMFF 1.2, VP9 in ISOBMFF 1.0, ISO/IEC 14496-3, RFC 7845,
 * RFC 6381 and ISO/IEC 14496-15 Annex E for the codecs string. */
#pragma once
#include "base/err.h"
#include "media/track.h"

/* A new track, the caller's. E_PROTO: the record is broken. E_LIMIT: a size above LIMIT_*.
 * E_UNSUPPORTED: a codec or a profile that we cannot carry (MP3, AAC Main, bad chroma).
 * E_MORE: empty or cut short. width and height may be 0 for VP8 and VP9 (the record has none) and
 * for AV1 without a sequence header: see track_refine(). */
enum err track_from_config(uint8_t id, enum codec codec, struct span config,
                           struct track **out) WARN_UNUSED;

/* What a key frame says beyond the record: the size of VP8, VP9 and AV1 pictures. Cheap (reads a
 * few bytes), meant to be called for every key frame. E_OK: *out is a new track that differs from
 * t. E_NOTFOUND: nothing new. Others: the frame is broken. */
enum err track_refine(const struct track *t, struct span key_frame, struct track **out) WARN_UNUSED;
