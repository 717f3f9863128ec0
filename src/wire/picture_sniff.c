/* SPDX-License-Identifier: MIT */
#include "wire/picture_sniff.h"
#include "base/rd.h"

static enum err png(struct rd *r, struct picture_head *h)
{
    rd_skip(r, 8);
    const uint32_t len = rd_u32be(r), type = rd_u32be(r);
    h->width = rd_u32be(r);
    h->height = rd_u32be(r);
    return len == 13 && type == 0x49484452 ? E_OK : E_PROTO;
}

/* Segments up to the first frame header: C0 to CF without tables, arithmetic conditioning and the
 * reserved one. */
static enum err jpeg(struct rd *r, struct picture_head *h)
{
    rd_skip(r, 2);
    while (!r->underflow) {
        if (rd_u8(r) != 0xff) return E_PROTO;
        uint8_t marker = rd_u8(r);
        while (marker == 0xff && !r->underflow) marker = rd_u8(r);
        if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7)) continue;
        const uint16_t len = rd_u16be(r);
        if (len < 2 || marker == 0xd9 || marker == 0xda || marker == 0) return E_PROTO;
        if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
            marker != 0xcc) {
            (void)rd_u8(r);
            h->height = rd_u16be(r);
            h->width = rd_u16be(r);
            return E_OK;
        }
        rd_skip(r, (size_t)len - 2);
    }
    return E_PROTO;
}

static enum err gif(struct rd *r, struct picture_head *h)
{
    rd_skip(r, 6);
    h->width = (uint32_t)rd_le(r, 2);
    h->height = (uint32_t)rd_le(r, 2);
    return E_OK;
}

static enum err webp(struct rd *r, struct picture_head *h)
{
    rd_skip(r, 12);
    const struct span kind = rd_span(r, 4);
    rd_skip(r, 4);
    if (span_is(kind, "VP8X")) {
        rd_skip(r, 4);
        h->width = (uint32_t)rd_le(r, 3) + 1;
        h->height = (uint32_t)rd_le(r, 3) + 1;
    } else if (span_is(kind, "VP8L")) {
        if (rd_u8(r) != 0x2f) return E_PROTO;
        const uint32_t bits = (uint32_t)rd_le(r, 4);
        h->width = (bits & 0x3fff) + 1;
        h->height = (bits >> 14 & 0x3fff) + 1;
    } else if (span_is(kind, "VP8 ")) {
        rd_skip(r, 3);
        if ((uint32_t)rd_le(r, 3) != 0x2a019d) return E_PROTO;
        h->width = (uint32_t)rd_le(r, 2) & 0x3fff;
        h->height = (uint32_t)rd_le(r, 2) & 0x3fff;
    } else {
        return E_PROTO;
    }
    return E_OK;
}

enum err picture_sniff(struct span file, struct picture_head *out)
{
    struct rd r = rd_from(file);
    struct picture_head h = {0};
    enum err e = E_UNSUPPORTED;
    if (span_starts(file, "\x89PNG\r\n\x1a\n")) {
        h.kind = PICTURE_PNG;
        e = png(&r, &h);
    } else if (span_starts(file, "\xff\xd8\xff")) {
        h.kind = PICTURE_JPEG;
        e = jpeg(&r, &h);
    } else if (span_starts(file, "GIF87a") || span_starts(file, "GIF89a")) {
        h.kind = PICTURE_GIF;
        e = gif(&r, &h);
    } else if (span_starts(file, "RIFF") && span_starts(span_skip(file, 8), "WEBP")) {
        h.kind = PICTURE_WEBP;
        e = webp(&r, &h);
    }
    if (e == E_UNSUPPORTED) return e;
    if (e != E_OK || r.underflow || !h.width || !h.height) return E_PROTO;
    *out = h;
    return E_OK;
}
