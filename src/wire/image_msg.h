/* SPDX-License-Identifier: MIT */
/* wire/image_msg.h - what the server and `bspnode-worker image` say to each other over their socket
 * pair: one job, then the worker ends.
 *
 * A message is a length in four bytes, big-endian, and that many bytes: its type, and the rest. To
 * the worker: WANT once, PIECE once a segment in the order of time (or STILL once, a file that
 * somebody uploaded), END. From it: IMAGE or FAILED,
 * once. Neither believes the other's numbers. Pure. Limits: LIMIT_IMAGE_*. */
#pragma once
#include "base/err.h"
#include "base/limits.h"
#include "base/span.h"
#include "base/str.h"

enum image_format { IMAGE_JPEG, IMAGE_PNG, IMAGE_WEBP, IMAGE_GIF, IMAGE_FORMATS };
enum image_fit {
    IMAGE_PRESERVE,
    IMAGE_STRETCH,
    IMAGE_CROP,
    IMAGE_SMARTCROP,
    IMAGE_PAD,
    IMAGE_FITS
};

/* What shall come out: one picture; with `columns` a sheet of tiles of exactly width and height;
 * with `fps` an animation. */
struct image_want {
    enum image_format format;
    enum image_fit fit;
    uint16_t width, height; /* 0: by the other and the picture's shape */
    uint16_t rotate;        /* 0, 90, 180, 270, clockwise; before flipping and fitting */
    bool flip_h, flip_v;
    uint8_t columns, fps;
    uint16_t frames; /* in all, over all pieces */
};

enum image_msg_type {
    IMAGE_MSG_WANT = 1,
    IMAGE_MSG_PIECE, /* `times`, `init`, `media` */
    IMAGE_MSG_END,
    IMAGE_MSG_IMAGE,  /* `media` is the file */
    IMAGE_MSG_FAILED, /* `media` is why, in words */
    IMAGE_MSG_STILL,  /* to the worker, in PIECE's place: `media` is a picture's file */
};

struct image_msg {
    enum image_msg_type type;
    struct image_want want;
    /* PIECE. Wanted times, in microseconds after its first picture, ascending: so many numbers of
     * four bytes each. Without one the key picture at the beginning is wanted `repeat` times. */
    struct span times;
    unsigned n_times, repeat;
    struct span init, media; /* views into the input */
};
uint32_t image_msg_time(const struct image_msg *m, unsigned i);

/* Takes a whole message off *in. E_MORE: it is not there yet. E_LIMIT: longer than may be. E_PROTO:
 * not a message. */
enum err image_msg_next(struct span *in, struct image_msg *out) WARN_UNUSED;
/* How long the message will be that begins here, with its length; 0: fewer than four bytes. */
uint64_t image_msg_length(struct span in);

void image_msg_want(const struct image_want *w, struct str *out);
/* The message up to its media, of which `len` bytes must follow. `times`: n of them, or NULL and n
 * is how often the key picture is wanted. */
void image_msg_piece(const uint32_t *times, unsigned n, struct span init, size_t len,
                     struct str *out);
/* END, IMAGE, FAILED or STILL: up to its media, of which `len` bytes must follow. */
void image_msg_head(enum image_msg_type type, size_t len, struct str *out);
