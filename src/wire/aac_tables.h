/* SPDX-License-Identifier: MIT */
/* wire/aac_tables.h - the numbers of ISO/IEC 14496-3: Huffman codebooks of scale factors and
 * spectra (tables 4.A.1 to 4.A.12) and scale factor bands (4.129 to 4.147). For aac_level.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aac_book {
    const uint16_t *entries; /* length << 10 | index */
    uint16_t n;
    uint8_t values; /* that one codeword stands for: 4, 2, 1 */
    uint8_t side;   /* how many different ones each may be */
    bool is_signed; /* else a sign follows for each that is not 0 */
};
extern const struct aac_book AAC_BOOKS[12]; /* 1 to 11 */
extern const struct aac_book AAC_SCALE_BOOK;

struct aac_bands {
    const uint8_t *long_widths; /* in fours */
    size_t n_long;
    const uint8_t *short_widths;
    size_t n_short;
};
extern const struct aac_bands AAC_BANDS[13];
