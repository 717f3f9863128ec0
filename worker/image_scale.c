/* SPDX-License-Identifier: MIT */
/* From a decoded picture to RGB of the size, shape and direction that is wanted. */
#include "base/xalloc.h"
#include "image.h"
#include <libswscale/swscale.h>
#include <math.h>

#define PIXELS_MAX (64 << 20)

void image_canvas_make(struct image_canvas *c, int w, int h)
{
    if (w < 1 || h < 1 || (int64_t)w * h > PIXELS_MAX) image_fail("no picture can have this shape");
    const size_t stride = ((size_t)w * 3 + 63) & ~(size_t)63;
    if (c->w != w || c->h != h) {
        free(c->rgb);
        c->rgb = xmalloc(stride * (size_t)h + 64); /* the scaler writes in strides */
    }
    *c = (struct image_canvas){w, h, stride, c->rgb};
    memset(c->rgb, 0, stride * (size_t)h);
}

static uint8_t *pixel(const struct image_canvas *c, int x, int y)
{
    return c->rgb + (size_t)y * c->stride + (size_t)x * 3;
}

void image_blit(const struct image_canvas *t, struct image_canvas *sheet, int x, int y)
{
    const int w = x + t->w > sheet->w ? sheet->w - x : t->w;
    const int h = y + t->h > sheet->h ? sheet->h - y : t->h;
    for (int i = 0; i < h && w > 0; i++)
        memcpy(pixel(sheet, x, y + i), pixel(t, 0, i), (size_t)w * 3);
}

/* --- size --- */

struct shape {
    int w, h;       /* of the canvas */
    int in_w, in_h; /* of the whole picture, scaled, as it is seen */
};

static int whole(double v)
{
    return v < 1 ? 1 : v > PIXELS_MAX ? PIXELS_MAX : (int)lround(v);
}

/* `dw`, `dh`: the picture as it is seen, square pixels, turned. */
static struct shape shape_of(double dw, double dh, const struct image_want *want)
{
    double w = want->width, h = want->height;
    if (w == 0 && h == 0) w = dw, h = dh;
    if (w == 0) w = h * dw / dh;
    if (h == 0) h = w * dh / dw;
    const double small = fmin(w / dw, h / dh), large = fmax(w / dw, h / dh);
    struct shape s = {whole(w), whole(h), whole(w), whole(h)};
    switch (want->fit) {
    case IMAGE_PRESERVE:
        s.w = s.in_w = whole(dw * small);
        s.h = s.in_h = whole(dh * small);
        break;
    case IMAGE_PAD:
        s.in_w = whole(dw * small);
        s.in_h = whole(dh * small);
        break;
    case IMAGE_CROP:
    case IMAGE_SMARTCROP:
        s.in_w = whole(dw * large);
        s.in_h = whole(dh * large);
        if (s.in_w < s.w) s.in_w = s.w;
        if (s.in_h < s.h) s.in_h = s.h;
        break;
    default:
        break;
    }
    return s;
}

/* --- colour and scale --- */

static void scale(const AVFrame *f, int w, int h, struct image_canvas *out)
{
    static struct SwsContext *sws;
    const int space = f->colorspace == AVCOL_SPC_UNSPECIFIED
                          ? (f->height >= 720 ? SWS_CS_ITU709 : SWS_CS_ITU601)
                          : (int)f->colorspace;
    image_canvas_make(out, w, h);
    sws =
        sws_getCachedContext(sws, f->width, f->height, f->format, w, h, AV_PIX_FMT_RGB24,
                             SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, NULL, NULL, NULL);
    if (!sws) image_fail("this kind of picture cannot be converted");
    const int *coefficients = sws_getCoefficients(space);
    (void)sws_setColorspaceDetails(sws, coefficients, f->color_range == AVCOL_RANGE_JPEG,
                                   sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
    uint8_t *to[4] = {out->rgb};
    const int strides[4] = {(int)out->stride};
    if (sws_scale(sws, (const uint8_t *const *)f->data, f->linesize, 0, f->height, to, strides) < 0)
        image_fail("the picture could not be scaled");
}

/* --- where to cut: where most happens --- */

static int differs(const uint8_t *a, const uint8_t *b)
{
    return abs(a[0] - b[0]) + abs(a[1] - b[1]) + abs(a[2] - b[2]);
}

/* The offset of the window of `len` lines with the most edges, along x or y. */
static int busiest(const struct image_canvas *c, bool along_x, int len)
{
    const int n = along_x ? c->w : c->h, other = along_x ? c->h : c->w;
    int64_t *sum = xcalloc((size_t)n + 1, sizeof *sum), best_value = -1;
    int best = (n - len) / 2;
    for (int i = 0; i < n; i++) {
        int64_t edges = 0;
        for (int k = 0; k + 4 < other; k += 4)
            edges += along_x ? differs(pixel(c, i, k), pixel(c, i, k + 4))
                             : differs(pixel(c, k, i), pixel(c, k + 4, i));
        sum[i + 1] = sum[i] + edges;
    }
    best_value = sum[best + len] - sum[best]; /* the middle, unless another is clearly better */
    best_value += best_value / 20;
    for (int i = 0; i + len <= n; i++)
        if (sum[i + len] - sum[i] > best_value) best = i, best_value = sum[i + len] - sum[i];
    free(sum);
    return best;
}

/* --- direction --- */

/* The canvas `to` shows `from` turned clockwise, then flipped, moved by (ox, oy). */
static void turn(const struct image_canvas *from, const struct image_want *want, int ox, int oy,
                 const struct shape *s, struct image_canvas *to)
{
    for (int y = 0; y < to->h; y++) {
        for (int x = 0; x < to->w; x++) {
            int u = x - ox, v = y - oy;
            if (u < 0 || v < 0 || u >= s->in_w || v >= s->in_h) continue;
            if (want->flip_h) u = s->in_w - 1 - u;
            if (want->flip_v) v = s->in_h - 1 - v;
            const uint8_t *p = want->rotate == 90    ? pixel(from, v, from->h - 1 - u)
                               : want->rotate == 180 ? pixel(from, from->w - 1 - u, from->h - 1 - v)
                               : want->rotate == 270 ? pixel(from, from->w - 1 - v, u)
                                                     : pixel(from, u, v);
            memcpy(pixel(to, x, y), p, 3);
        }
    }
}

void image_scale(const AVFrame *f, const struct image_want *want, struct image_canvas *out)
{
    static struct image_canvas scaled, turned;
    const AVRational sar = f->sample_aspect_ratio;
    const double wide = sar.num > 0 && sar.den > 0 ? av_q2d(sar) : 1;
    const bool on_side = want->rotate % 180 != 0;
    const double w = f->width * wide, h = f->height;
    const struct shape s = shape_of(on_side ? h : w, on_side ? w : h, want);
    if ((int64_t)s.in_w * s.in_h > PIXELS_MAX) image_fail("no picture can have this shape");
    scale(f, on_side ? s.in_h : s.in_w, on_side ? s.in_w : s.in_h, &scaled);
    int ox = (s.w - s.in_w) / 2, oy = (s.h - s.in_h) / 2;
    if (want->fit == IMAGE_SMARTCROP && (ox < 0 || oy < 0)) {
        image_canvas_make(&turned, s.in_w, s.in_h);
        turn(&scaled, want, 0, 0, &s, &turned);
        if (ox < 0) ox = -busiest(&turned, true, s.w);
        if (oy < 0) oy = -busiest(&turned, false, s.h);
    }
    image_canvas_make(out, s.w, s.h);
    turn(&scaled, want, ox, oy, &s, out);
}
