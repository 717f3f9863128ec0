/* SPDX-License-Identifier: MIT */
/* worker/image.h - the `image` mode: pictures of segments as JPEG, PNG, WebP or GIF. */
#pragma once
#include "wire/image_msg.h"
#include <libavcodec/avcodec.h>

struct image_canvas {
    int w, h;
    size_t stride;
    uint8_t *rgb; /* 24 bits a pixel */
};

/* Says why and ends the process. */
_Noreturn void image_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void image_run(int argc, char **argv);

/* image_read.c: calls `take` for each wanted picture of a piece, in order. */
void image_read(const struct image_msg *piece, void (*take)(const AVFrame *f));

/* image_still.c: calls `take` for the picture of a PNG, JPEG, GIF or WebP file. Which way it is to
 * be turned is noted in *want. */
void image_still(struct span file, struct image_want *want, void (*take)(const AVFrame *f));

/* image_scale.c: the picture as `want` has it. The canvas is used again by the next call; zeroed
 * memory is an empty one. */
void image_scale(const AVFrame *f, const struct image_want *want, struct image_canvas *out);
void image_blit(const struct image_canvas *tile, struct image_canvas *sheet, int x, int y);
void image_canvas_make(struct image_canvas *c, int w, int h); /* black */

/* image_write.c: the finished file; av_free() it. */
void image_write(const struct image_canvas *c, const struct image_want *want, uint8_t **p, int *n);
void image_anim_add(const struct image_canvas *c, const struct image_want *want);
void image_anim_end(uint8_t **p, int *n);
