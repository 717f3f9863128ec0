/* SPDX-License-Identifier: MIT */
/* wire/aac_level.h - how loud an AAC-LC frame is, without making sound of it.
 *
 * The spectrum is read (Huffman codes, scale factors) and its energy added up, which by Parseval's
 * theorem is the energy of the sound; windows and inverse transform are left out. How good that is:
 * within half a decibel of the samples for steady sound; temporal noise shaping and the overlap of
 * frames move single frames by a few. Of several channels the first element counts: a pair's both
 * together, of surround sound the centre. With SBR (HE-AAC) the upper half of the spectrum is not
 * counted, which hardly ever matters.
 * Sources: ISO/IEC 14496-3, 4.4.2 (syntax), 4.6.1 to 4.6.3 (quantisation, scale factors, Huffman
 * coding), 4.6.8.1 (M/S), 4.6.13 (PNS). Pure. */
#pragma once
#include "base/err.h"
#include "base/span.h"

/* `rate` is the core's. *power: mean square relative to full scale, 0 for digital silence. E_PROTO:
 * broken or cut short. E_UNSUPPORTED: another kind of AAC, or another rate. */
enum err aac_power(struct span frame, uint32_t rate, double *power) WARN_UNUSED;
