/* SPDX-License-Identifier: MIT */
/* serve/images/image_params.h - what a request for an image asks for: the parameters of Mux's image
 * host, read and checked. Pure functions. Limits: LIMIT_IMAGE_*. */
#pragma once
#include "base/err.h"
#include "base/str.h"
#include "wire/image_msg.h"

enum image_kind { IMAGE_THUMBNAIL, IMAGE_ANIMATED, IMAGE_STORYBOARD, IMAGE_TILES };
enum image_text { IMAGE_NO_TEXT, IMAGE_VTT, IMAGE_JSON }; /* of TILES */

#define IMAGE_NO_TIME INT64_MIN

struct image_params {
    enum image_kind kind;
    enum image_text text;
    enum image_format format; /* TILES: of the sheet that it points at */
    enum image_fit fit;
    uint16_t width, height, rotate, fps;
    bool flip_h, flip_v, latest;
    int64_t time_us, program_us; /* THUMBNAIL; IMAGE_NO_TIME: not said */
    int64_t start_us, end_us;    /* ANIMATED */
};

/* The last part of a path: "thumbnail.jpg", "storyboard.vtt". The others get their defaults.
 * E_NOTFOUND. */
enum err image_params_name(struct span name, struct image_params *out) WARN_UNUSED;
/* One parameter, decoded. Those that the kind does not have are ignored. E_INVALID: a value that
 * cannot be; `problem` is a sentence about it. */
enum err image_params_set(struct image_params *p, struct span name, struct span value,
                          const char **problem) WARN_UNUSED;
/* All of a raw query, and the rules between them. */
enum err image_params_query(struct image_params *p, struct span query,
                            const char **problem) WARN_UNUSED;
/* The rules between them, when they came one by one. */
enum err image_params_check(const struct image_params *p, const char **problem) WARN_UNUSED;
/* The same text for the same image: everything that makes a difference. */
void image_params_key(const struct image_params *p, struct str *out);
const char *image_format_name(enum image_format f); /* "jpg" */
const char *image_format_type(enum image_format f); /* "image/jpeg" */
