/* SPDX-License-Identifier: MIT */
/* tests/unit/media_file.h - the frames of a small file of tests/golden/media, for tests. */
#pragma once
#include "base/limits.h"
#include "base/rd.h"
#include "base/xalloc.h"
#include "engine/track_config.h"
#include "wire/fmp4_read.h"
#include "wire/opus.h"
#include <stdio.h>

struct media_sample {
    int64_t dts_us, pts_us;
    bool key;
    struct span data;
};

struct media_file {
    uint8_t *bytes;
    size_t len;
    struct fmp4_init init;
    uint8_t config[LIMIT_CODEC_CONFIG_BYTES];
    size_t config_len;
    enum codec codec;
    struct track *track;
    struct media_sample *samples;
    unsigned n;
};

static inline uint8_t *file_read(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        printf("cannot open %s\n", path);
        abort();
    }
    fseek(f, 0, SEEK_END);
    *len = (size_t)ftell(f);
    rewind(f);
    uint8_t *p = xmalloc(*len + 1);
    CHECK(fread(p, 1, *len, f) == *len);
    fclose(f);
    return p;
}

static inline enum codec entry_codec(const char *entry)
{
    static const struct {
        const char *entry;
        enum codec codec;
    } ALL[] = {{"avc1", CODEC_H264}, {"hvc1", CODEC_H265}, {"av01", CODEC_AV1},
               {"vp09", CODEC_VP9},  {"mp4a", CODEC_AAC},  {"Opus", CODEC_OPUS}};
    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++) {
        if (strcmp(ALL[i].entry, entry) == 0) return ALL[i].codec;
    }
    return CODEC_NONE;
}

/* What the sequence header of a live source would carry. */
static inline void media_file_config(struct media_file *m)
{
    const struct fmp4_track_info *t = &m->init.tracks[0];
    struct wr w = wr_to(m->config, sizeof m->config);
    if (m->codec == CODEC_OPUS) {
        struct rd r = rd_from(span_skip(t->config, 1));
        struct opus_head h = {.channels = rd_u8(&r)};
        h.pre_skip = rd_u16be(&r);
        h.input_rate = rd_u32be(&r);
        opus_head_build(&h, &w);
    } else {
        wr_str(&w, t->config);
    }
    CHECK(!w.overflow);
    m->config_len = wr_used(&w);
}

static inline void media_file_samples(struct media_file *m)
{
    const struct fmp4_track_info *t = &m->init.tracks[0];
    struct span rest = m->init.rest;
    struct fmp4_fragment f;
    struct fmp4_walk walk;
    struct fmp4_sample_info s;
    while (fmp4_fragment_next(&rest, &f) == E_OK) {
        fmp4_walk_init(&walk, &m->init, &f);
        while (fmp4_sample_next(&walk, &s) == E_OK) {
            m->samples = xrealloc(m->samples, (m->n + 1) * sizeof *m->samples);
            const int64_t dts = (int64_t)s.dts, pts = dts + s.offset, scale = t->timescale;
            m->samples[m->n++] = (struct media_sample){
                .dts_us = dts * 1000000 / scale,
                .pts_us = pts * 1000000 / scale,
                .key = s.key,
                .data = s.data,
            };
        }
    }
    CHECK(m->n > 0);
}

/* `name` is in tests/golden/media. Aborts when anything is wrong with it. */
static inline void media_file_open(struct media_file *m, const char *name)
{
    char path[4096];
    *m = (struct media_file){0};
    snprintf(path, sizeof path, GOLDEN_DIR "/media/%s", name);
    m->bytes = file_read(path, &m->len);
    CHECK(fmp4_init_parse(span_of(m->bytes, m->len), &m->init) == E_OK);
    m->codec = entry_codec(m->init.tracks[0].entry);
    media_file_config(m);
    media_file_samples(m);
    CHECK(track_from_config(codec_kind(m->codec) == MEDIA_VIDEO ? TRACK_ID_VIDEO : TRACK_ID_AUDIO,
                            m->codec, span_of(m->config, m->config_len), &m->track) == E_OK);
}

static inline void media_file_close(struct media_file *m)
{
    track_unref(m->track);
    free(m->samples);
    free(m->bytes);
}
