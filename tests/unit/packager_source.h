/* SPDX-License-Identifier: MIT */
/* tests/unit/packager_source.h - a source in virtual time: RTMP-like millisecond timestamps of a
 * regular encoder, through a timeline, into a packager. */
#pragma once
#include "media/timeline.h"
#include "media_file.h"
#include "packager_check.h"

struct source_sim {
    struct packager *p;
    struct timeline tl;
    struct check check;
    struct track *video, *audio; /* borrowed; NULL: none */
    double fps;
    double gop_s;
    unsigned bframes;          /* pts runs this many frames ahead of dts, in an I B B P pattern */
    uint32_t origin_ms;        /* the source's timestamp at its start */
    int64_t wall_us;           /* of its start */
    double t_s, end_s;         /* source time */
    uint64_t v_n, a_n;         /* frames sent */
    double v_from_s, a_from_s; /* kinds that start late */
    int64_t now_us;
};

static inline struct packager_config packager_usual(void)
{
    return (struct packager_config){.part_ms = 334, .segment_ms = 2000, .target_s = 10};
}

static inline void sim_init(struct source_sim *s, struct track *video, struct track *audio)
{
    const struct packager_config c = packager_usual();
    *s = (struct source_sim){.video = video,
                             .audio = audio,
                             .fps = 30,
                             .gop_s = 2,
                             .wall_us = INT64_C(1767225600000000),
                             .p = packager_new(&c)};
    s->check = (struct check){.target_s = c.target_s};
    if (audio) {
        s->check.audio_frame_us =
            (int64_t)(audio->samples_per_frame ? audio->samples_per_frame : 960) * 1000000 /
            audio->sample_rate;
    }
    timeline_init(&s->tl, 0, false);
    if (video) CHECK(packager_track(s->p, video, 0) == E_OK);
    if (audio) CHECK(packager_track(s->p, audio, 0) == E_OK);
}

/* Wall clock passes; the packager is ticked at its deadlines, as a loop's timer would. */
static inline void sim_pass(struct source_sim *s, int64_t now_us)
{
    while (packager_deadline_us(s->p) <= now_us) {
        s->now_us = packager_deadline_us(s->p) > s->now_us ? packager_deadline_us(s->p) : s->now_us;
        packager_tick(s->p, s->now_us);
        check_drain(&s->check, s->p);
    }
    if (now_us > s->now_us) s->now_us = now_us;
}

static inline void sim_send(struct source_sim *s, struct track *t, double dts_s, double cts_s,
                            bool key)
{
    static const uint8_t OPUS_20MS[] = {0xf8, 0xff, 0xfe};
    struct frame *f = frame_new(t->codec == CODEC_OPUS ? 3 : 16 + (key ? 64 : 0));
    memset(f->data, 0, f->len);
    if (t->codec == CODEC_OPUS) memcpy(f->data, OPUS_20MS, 3);
    const uint32_t dts_ms = (uint32_t)(s->origin_ms + (uint64_t)(dts_s * 1000 + 1e-6));
    const int32_t cts_ms =
        (int32_t)((uint64_t)((dts_s + cts_s) * 1000 + 1e-6) - (uint64_t)(dts_s * 1000 + 1e-6));
    const struct timeline_stamp at = timeline_map(&s->tl, t->id, dts_ms, cts_ms);
    f->track = t->id;
    f->codec = t->codec;
    f->key = key;
    f->discontinuity = at.discontinuity;
    f->dts_us = at.dts_us;
    f->pts_us = at.pts_us;
    f->wall_us = s->wall_us + (int64_t)(dts_s * 1e6);
    sim_pass(s, (int64_t)(dts_s * 1e6));
    packager_frame(s->p, f, s->now_us);
    frame_unref(f);
    check_drain(&s->check, s->p);
}

/* Composition offsets of I B B P B B P with n B-frames between: anchors are shown after the
 * B-frames that follow them in decoding order. */
static inline double sim_cts_s(const struct source_sim *s, uint64_t n_in_gop)
{
    if (s->bframes == 0) return 0;
    const unsigned run = s->bframes + 1;
    const double delay = 1;
    if (n_in_gop == 0) return delay / s->fps;
    return ((n_in_gop - 1) % run == 0 ? delay + s->bframes : delay - 1) / s->fps;
}

static inline void sim_video(struct source_sim *s, double dts_s)
{
    const uint64_t per_gop = (uint64_t)(s->gop_s * s->fps + 0.5);
    const uint64_t in_gop = s->v_n % per_gop;
    sim_send(s, s->video, dts_s, sim_cts_s(s, in_gop), in_gop == 0);
    s->v_n++;
}

/* Runs the source until its time `until_s`, frames of both kinds in the order of their time. */
static inline void sim_run(struct source_sim *s, double until_s)
{
    const double audio_s = s->audio
                               ? (s->audio->samples_per_frame ? s->audio->samples_per_frame : 960) /
                                     (double)s->audio->sample_rate
                               : 0;
    for (;;) {
        const double v = s->video ? s->v_from_s + (double)s->v_n / s->fps : 1e18;
        const double a = s->audio ? s->a_from_s + (double)s->a_n * audio_s : 1e18;
        if (v >= until_s && a >= until_s) break;
        if (v <= a) {
            sim_video(s, v);
        } else {
            sim_send(s, s->audio, a, 0, true);
            s->a_n++;
        }
    }
    s->t_s = until_s;
}

static inline void sim_end(struct source_sim *s)
{
    packager_end(s->p, s->now_us);
    check_drain(&s->check, s->p);
    check_aligned(&s->check);
}

static inline void sim_fini(struct source_sim *s)
{
    packager_free(s->p);
    check_fini(&s->check);
}
