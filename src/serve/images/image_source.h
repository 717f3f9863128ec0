/* SPDX-License-Identifier: MIT */
/* serve/images/image_source.h - from what is asked and what there is of a stream to the bytes that
 * a worker needs for it. Blocks on the disk: for the pool. Memory: LIMIT_IMAGE_MEDIA_BYTES. */
#pragma once
#include "record/log.h"
#include "serve/images/image_params.h"

/* Pictures of a finished recording (its archive), or of a running stream (the latest snapshot of
 * each rendition). Borrowed. */
struct image_source {
    const struct archive *archive;                      /* NULL: running */
    struct log_snapshot *snap[LIMIT_RECORD_RENDITIONS]; /* NULL: none of this rendition yet */
    unsigned n;
    int64_t usual_us; /* time of a thumbnail that says none; IMAGE_NO_TIME: the middle */
};

#define IMAGE_COLUMNS   5
#define IMAGE_TILES_MAX 100

/* Where the tiles of a storyboard are. */
struct image_tiles {
    unsigned n;
    uint16_t width, height;
    int64_t duration_us;
};

/* `msgs`: n buffers that make up the whole conversation with the worker, in order. */
struct image_plan {
    struct buf **msgs;
    unsigned n;
    size_t bytes;
    uint64_t msn; /* of the newest segment in it */
    struct image_tiles tiles;
};

/* E_NOTFOUND: no pictures in it. E_INVALID: a time that there is not. E_CLOSED: not while it is
 * running, or not yet. E_LIMIT: too much to read. E_IO. `problem` is a sentence, set unless E_OK.
 * TILES make no messages. */
enum err image_plan_make(const struct image_source *s, const struct image_params *p,
                         struct image_plan *out, const char **problem) WARN_UNUSED;
void image_plan_fini(struct image_plan *p);
int64_t image_tile_start(const struct image_tiles *t, unsigned i);

/* The texts that point at the sheet, whose address is `url`. */
void image_tiles_vtt(const struct image_tiles *t, const char *url, struct str *out);
void image_tiles_json(const struct image_tiles *t, const char *url, struct str *out);
