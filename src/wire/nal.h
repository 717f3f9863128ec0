/* SPDX-License-Identifier: MIT */
/* wire/nal.h - NAL units of H.264 and H.265 in their two packings.
 *
 * Inside the program a frame is a row of NAL units, each behind its length in four bytes
 * (ISO/IEC 14496-15). Sources also come with shorter length fields, or with start codes
 * (Annex B: 0 0 1 before each). Pure; results are views into the input. */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include "base/wr.h"

/* Takes the next NAL unit off *rest. `size` is the length field's, 1 to 4. Empty units are skipped
 * (some encoders send them). E_NOTFOUND: no more. E_PROTO: a length past the end. */
enum err nal_next(struct span *rest, unsigned size, struct span *nal) WARN_UNUSED;

/* The same for Annex B, from anywhere before a start code. Zeros at the end of a unit are not part
 * of it. E_NOTFOUND: no more. */
enum err nal_next_annexb(struct span *rest, struct span *nal) WARN_UNUSED;

/* Rewrites to four-byte lengths. A size that always suffices: nal_max_bytes().
 * E_LIMIT: more than LIMIT_NALS_PER_FRAME units, or w is too small. E_PROTO as above. */
enum err nal_widen(struct span in, unsigned size, struct wr *w) WARN_UNUSED;
enum err nal_from_annexb(struct span in, struct wr *w) WARN_UNUSED;

static inline size_t nal_max_bytes(size_t in_len)
{
    return in_len / 2 * 5 + 5; /* a one-byte unit behind a one-byte length: two become five */
}
