/* SPDX-License-Identifier: MIT */
#include "deinterlace.h"
#include <libavutil/pixdesc.h>
#include <string.h>

bool deinterlace_takes(enum AVPixelFormat f)
{
    return f == AV_PIX_FMT_YUV420P || f == AV_PIX_FMT_YUVJ420P || f == AV_PIX_FMT_YUV422P ||
           f == AV_PIX_FMT_YUVJ422P || f == AV_PIX_FMT_YUV444P || f == AV_PIX_FMT_YUVJ444P;
}

static int distance(int a, int b)
{
    return a < b ? b - a : a - b;
}

/* One line of a plane with the lines above and below it, now and in the frame before. */
struct lines {
    const uint8_t *up, *here, *down;
    const uint8_t *old_up, *old_here, *old_down; /* NULL: none */
    int width;
};

/* Straight up and down, or one to the side, whichever fits best. */
static uint8_t between(const struct lines *l, int x)
{
    int best = distance(l->up[x], l->down[x]), sum = l->up[x] + l->down[x];
    for (int side = -1; side <= 1 && x > 0 && x + 1 < l->width; side += 2) {
        const int d = distance(l->up[x + side], l->down[x - side]) + 2;
        if (d >= best) continue;
        best = d;
        sum = l->up[x + side] + l->down[x - side];
    }
    return (uint8_t)((sum + 1) / 2);
}

/* At the time of the first field the sample was, if nothing moves, between what it was in the
 * second fields before and behind; the more does move, the further may it be from there. */
static uint8_t missing(const struct lines *l, int x)
{
    const int guess = between(l, x);
    if (!l->old_here) return (uint8_t)guess;
    const int before = l->old_here[x], behind = l->here[x], middle = (before + behind) / 2;
    const int first = (distance(l->old_up[x], l->up[x]) + distance(l->old_down[x], l->down[x])) / 2;
    const int second = distance(before, behind) / 2;
    const int most = first > second ? first : second;
    return (uint8_t)(guess > middle + most   ? middle + most
                     : guess < middle - most ? middle - most
                                             : guess);
}

static void make_line(const struct lines *l, uint8_t *out)
{
    for (int x = 0; x < l->width; x++) out[x] = missing(l, x);
}

static const uint8_t *row(const AVFrame *f, int plane, int y)
{
    return f->data[plane] + (ptrdiff_t)y * f->linesize[plane];
}

static void do_plane(struct deinterlacer *d, const AVFrame *f, bool old, int plane, int w, int h)
{
    const int kept = f->top_field_first ? 0 : 1; /* the field that was first */
    for (int y = 0; y < h; y++) {
        uint8_t *out = d->out->data[plane] + (ptrdiff_t)y * d->out->linesize[plane];
        const int above = y ? y - 1 : y + 1, below = y + 1 < h ? y + 1 : y - 1;
        if ((y & 1) == kept || h < 2) {
            memcpy(out, row(f, plane, y), (size_t)w);
            continue;
        }
        make_line(&(struct lines){.up = row(f, plane, above),
                                  .here = row(f, plane, y),
                                  .down = row(f, plane, below),
                                  .old_up = old ? row(d->before, plane, above) : NULL,
                                  .old_here = old ? row(d->before, plane, y) : NULL,
                                  .old_down = old ? row(d->before, plane, below) : NULL,
                                  .width = w},
                  out);
    }
}

static bool room_like(struct deinterlacer *d, const AVFrame *f)
{
    AVFrame *o = d->out;
    if (o->data[0] && o->width == f->width && o->height == f->height && o->format == f->format &&
        av_frame_is_writable(o))
        return true;
    av_frame_unref(o);
    o->width = f->width;
    o->height = f->height;
    o->format = f->format;
    return av_frame_get_buffer(o, 0) >= 0;
}

AVFrame *deinterlace(struct deinterlacer *d, AVFrame *f)
{
    const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get((enum AVPixelFormat)f->format);
    if (!d->before) d->before = av_frame_alloc();
    if (!d->out) d->out = av_frame_alloc();
    if (!d->before || !d->out || !room_like(d, f)) return NULL;
    const bool old = d->before->data[0] && d->before->width == f->width &&
                     d->before->height == f->height && d->before->format == f->format;
    for (int plane = 0; plane < 3; plane++) {
        const int dx = plane ? desc->log2_chroma_w : 0, dy = plane ? desc->log2_chroma_h : 0;
        do_plane(d, f, old, plane, -(-f->width >> dx), -(-f->height >> dy));
    }
    av_frame_unref(d->before);
    if (av_frame_ref(d->before, f) < 0 || av_frame_copy_props(d->out, f) < 0) return NULL;
    d->out->interlaced_frame = 0;
    return d->out;
}
