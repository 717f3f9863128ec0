/* SPDX-License-Identifier: MIT */
#include "base/fold.h"

/* U+00C0 to U+017F; '_' for what is no letter. */
static const char LATIN[] = "aaaaaaaceeeeiiiidnooooo_ouuuuytsaaaaaaaceeeeiiiidnooooo_ouuuuyty"
                            "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
                            "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
_Static_assert(sizeof LATIN == 0x180 - 0xc0 + 1, "a letter each");

uint32_t fold_code(uint32_t c)
{
    if (c >= 'A' && c <= 'Z') return c + 32;
    if (c >= 0xc0 && c < 0x180) return LATIN[c - 0xc0] == '_' ? c : (uint8_t)LATIN[c - 0xc0];
    if (c >= 0x391 && c <= 0x3a9) return c + 32;
    if (c >= 0x400 && c < 0x410) return c + 80;
    if (c >= 0x410 && c < 0x430) return c + 32;
    return c;
}

/* Only two bytes can hold what is folded beyond ASCII. */
void fold_add(struct str *out, struct span in)
{
    str_reserve(out, in.len);
    for (size_t i = 0; i < in.len; i++) {
        const uint8_t b = in.p[i];
        if (b >= 0xc2 && b < 0xe0 && i + 1 < in.len && (in.p[i + 1] & 0xc0) == 0x80) {
            const uint32_t c = fold_code((b & 31u) << 6 | (in.p[++i] & 63u));
            if (c >= 0x80) str_addc(out, (char)(0xc0 | c >> 6));
            str_addc(out, c < 0x80 ? (char)c : (char)(0x80 | (c & 63)));
        } else {
            str_addc(out, b < 0x80 ? (char)fold_code(b) : (char)b);
        }
    }
}
