/* SPDX-License-Identifier: MIT */
#include "wire/image_msg.h"
#include "base/rd.h"

#define WANT_BYTES 14

static enum err read_want(struct rd *r, struct image_want *w)
{
    const uint8_t format = rd_u8(r), fit = rd_u8(r);
    w->width = rd_u16be(r);
    w->height = rd_u16be(r);
    w->rotate = rd_u16be(r);
    const uint8_t flips = rd_u8(r);
    w->columns = rd_u8(r);
    w->fps = rd_u8(r);
    w->frames = rd_u16be(r);
    if (r->underflow || rd_left(r) != 1) return E_PROTO;
    w->format = (enum image_format)format;
    w->fit = (enum image_fit)fit;
    w->flip_h = flips & 1;
    w->flip_v = flips & 2;
    const bool sheet = w->columns > 0, anim = w->fps > 0;
    const bool turned = w->rotate % 90 == 0 && w->rotate < 360;
    const bool animates = format == IMAGE_GIF || format == IMAGE_WEBP;
    if (format >= IMAGE_FORMATS || fit >= IMAGE_FITS || flips > 3 || !turned) return E_PROTO;
    if (w->width > LIMIT_IMAGE_SIDE || w->height > LIMIT_IMAGE_SIDE) return E_LIMIT;
    if (!w->frames || w->frames > LIMIT_IMAGE_FRAMES) return E_LIMIT;
    if (w->fps > LIMIT_IMAGE_FPS || (sheet && anim)) return E_PROTO;
    if (anim ? !animates : format == IMAGE_GIF) return E_PROTO;
    if (sheet && (!w->width || !w->height || w->width > LIMIT_IMAGE_TILE ||
                  w->height > LIMIT_IMAGE_TILE || w->frames % w->columns))
        return E_PROTO;
    return !sheet && !anim && w->frames != 1 ? E_PROTO : E_OK;
}

static enum err read_piece(struct rd *r, struct image_msg *m)
{
    const unsigned n = rd_u16be(r);
    const uint8_t key = rd_u8(r);
    const uint32_t init = rd_u32be(r);
    if (r->underflow || key > 1) return E_PROTO;
    if (!n || n > LIMIT_IMAGE_FRAMES || init > LIMIT_IMAGE_INIT_BYTES) return E_LIMIT;
    if (key)
        m->repeat = n;
    else
        m->n_times = n;
    m->times = rd_span(r, 4 * (size_t)m->n_times);
    m->init = rd_span(r, init);
    m->media = rd_rest(r);
    if (r->underflow) return E_PROTO;
    for (unsigned i = 1; i < m->n_times; i++)
        if (image_msg_time(m, i) < image_msg_time(m, i - 1)) return E_PROTO;
    return E_OK;
}

uint32_t image_msg_time(const struct image_msg *m, unsigned i)
{
    struct rd r = rd_from(span_skip(m->times, 4 * (size_t)i));
    return rd_u32be(&r);
}

uint64_t image_msg_length(struct span in)
{
    struct rd r = rd_from(in);
    const uint32_t n = rd_u32be(&r);
    return r.underflow ? 0 : 4 + (uint64_t)n;
}

enum err image_msg_next(struct span *in, struct image_msg *out)
{
    const uint64_t len = image_msg_length(*in);
    enum err e = E_OK;
    if (!len) return E_MORE;
    if (len > LIMIT_IMAGE_MSG_BYTES) return E_LIMIT;
    if (in->len < len) return E_MORE;
    struct rd r = rd_from(span_skip(span_head(*in, (size_t)len), 4));
    struct image_msg m = {.type = (enum image_msg_type)rd_u8(&r)};
    switch (m.type) {
    case IMAGE_MSG_WANT:
        e = read_want(&r, &m.want);
        break;
    case IMAGE_MSG_PIECE:
        e = read_piece(&r, &m);
        break;
    case IMAGE_MSG_END:
        e = rd_left(&r) ? E_PROTO : E_OK;
        break;
    case IMAGE_MSG_IMAGE:
    case IMAGE_MSG_FAILED:
    case IMAGE_MSG_STILL:
        m.media = rd_rest(&r);
        break;
    default:
        e = E_PROTO;
    }
    if (r.underflow) e = E_PROTO;
    if (e != E_OK) return e;
    *in = span_skip(*in, (size_t)len);
    *out = m;
    return E_OK;
}

void image_msg_want(const struct image_want *w, struct str *out)
{
    str_be(out, 1 + WANT_BYTES, 4);
    str_be(out, IMAGE_MSG_WANT, 1);
    str_be(out, w->format, 1);
    str_be(out, w->fit, 1);
    str_be(out, w->width, 2);
    str_be(out, w->height, 2);
    str_be(out, w->rotate, 2);
    str_be(out, (w->flip_h ? 1u : 0u) | (w->flip_v ? 2u : 0u), 1);
    str_be(out, w->columns, 1);
    str_be(out, w->fps, 1);
    str_be(out, w->frames, 2);
    str_be(out, 0, 1);
}

void image_msg_piece(const uint32_t *times, unsigned n, struct span init, size_t len,
                     struct str *out)
{
    const size_t list = times ? 4 * (size_t)n : 0;
    str_be(out, 1 + 2 + 1 + 4 + list + init.len + len, 4);
    str_be(out, IMAGE_MSG_PIECE, 1);
    str_be(out, n, 2);
    str_be(out, times ? 0 : 1, 1);
    str_be(out, init.len, 4);
    for (unsigned i = 0; times && i < n; i++) str_be(out, times[i], 4);
    str_add(out, init);
}

void image_msg_head(enum image_msg_type type, size_t len, struct str *out)
{
    str_be(out, 1 + len, 4);
    str_be(out, type, 1);
}
