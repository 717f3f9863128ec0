/* SPDX-License-Identifier: MIT */
/* A program of what can happen to a packager, two bytes a step, in virtual time; whatever happens,
 * its output keeps the promises that tests/unit/packager_check.h knows.
 *
 *   byte 0: what (low 3 bits) and details (high 5 bits); byte 1: how much time passes */
#include "../tests/unit/packager_check.h"
#include "engine/track_config.h"
#include "media/timeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX  1000
#define FRAMES_MAX 2500

static const uint8_t AVCC_A[] = {0x01, 0x42, 0xc0, 0x0b, 0xff, 0xe1, 0x00, 0x18, 0x67, 0x42,
                                 0xc0, 0x0b, 0xda, 0x0a, 0x37, 0xe4, 0xc0, 0x44, 0x00, 0x00,
                                 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf2, 0x3c, 0x50,
                                 0xaa, 0x80, 0x01, 0x00, 0x04, 0x68, 0xce, 0x3c, 0x80};
static const uint8_t AVCC_B[] = {0x01, 0x64, 0x00, 0x0b, 0xff, 0xe1, 0x00, 0x19, 0x67, 0x64, 0x00,
                                 0x0b, 0xac, 0xd9, 0x42, 0xcd, 0xe4, 0xac, 0x04, 0x40, 0x00, 0x00,
                                 0x03, 0x00, 0x40, 0x00, 0x00, 0x0f, 0x03, 0xc5, 0x0a, 0x65, 0x80,
                                 0x01, 0x00, 0x05, 0x68, 0xeb, 0xec, 0xb2, 0x2c};
static const uint8_t OPUS_HEAD[] = {'O',  'p', 'u',  's',  'H', 'e', 'a', 'd', 1, 2,
                                    0x38, 1,   0x80, 0xbb, 0,   0,   0,   0,   0};

struct run {
    struct packager *p;
    struct timeline tl;
    struct check check;
    struct track *tracks[5]; /* two of video, three of audio */
    struct track *now[2];
    uint32_t ms[2];
    int64_t mono_us;
    unsigned sent;
};

static struct track *track_of(uint8_t id, enum codec c, const void *config, size_t n)
{
    struct track *t = NULL;
    CHECK(track_from_config(id, c, span_of(config, n), &t) == E_OK);
    return t;
}

static void send(struct run *r, unsigned kind, unsigned detail)
{
    static const uint8_t OPUS_20MS[] = {0xf8, 0xff, 0xfe};
    const struct track *t = r->now[kind];
    if (r->sent++ > FRAMES_MAX) return;
    const enum codec codec = t ? t->codec : kind ? CODEC_AAC : CODEC_H264;
    struct frame *f = frame_new(3);
    memcpy(f->data, OPUS_20MS, 3);
    const struct timeline_stamp at =
        timeline_map(&r->tl, (uint8_t)kind, r->ms[kind], kind ? 0 : (int32_t)(detail & 3) * 33);
    if (r->check.trace) {
        fprintf(stderr, "%c%s%s dts %" PRId64 " pts %" PRId64 " now %" PRId64 "\n",
                kind ? 'A' : 'V', kind || (detail & 4) ? " key" : "",
                at.discontinuity ? " disc" : "", at.dts_us, at.pts_us, r->mono_us);
    }
    f->track = (uint8_t)kind;
    f->codec = codec;
    f->key = kind || (detail & 4);
    f->discontinuity = at.discontinuity;
    f->dts_us = at.dts_us;
    f->pts_us = at.pts_us;
    f->wall_us = r->mono_us;
    packager_frame(r->p, f, r->mono_us);
    frame_unref(f);
}

static void give(struct run *r, unsigned kind, unsigned which)
{
    struct track *t = r->tracks[kind ? 2 + which % 3 : which % 2];
    r->now[kind] = t;
    CHECK(packager_track(r->p, t, r->mono_us) == E_OK);
}

static void one_step(struct run *r, uint8_t what, uint8_t much)
{
    const unsigned detail = what >> 3, kind = what & 1;
    switch (what & 7) {
    case 0:
    case 1: /* a frame, at up to a quarter of a second after the one before */
        r->ms[kind] += much;
        send(r, kind, detail);
        break;
    case 2: /* both go on in step, as an encoder does */
        for (unsigned i = 0; i <= detail; i++) {
            r->ms[0] += 33;
            send(r, 0, i == 0 ? 4 : 0);
            for (int n = 0; n < 4 && (int32_t)(r->ms[0] - r->ms[1]) > 0; n++) {
                r->ms[1] += 21;
                send(r, 1, 0);
            }
            r->mono_us += 33000;
        }
        break;
    case 3:
        give(r, detail & 1, much);
        break;
    case 4:
        if (detail < 28) break;
        packager_break(r->p, r->mono_us);
        r->now[0] = r->now[1] = NULL;
        timeline_init(&r->tl, timeline_end_us(&r->tl), true);
        break;
    case 5: /* time passes */
        r->mono_us += much * INT64_C(4000);
        if (packager_deadline_us(r->p) <= r->mono_us) packager_tick(r->p, r->mono_us);
        break;
    case 6:
        r->ms[detail & 1] += much * 100u;
        break; /* timestamps jump */
    case 7:
        r->ms[detail & 1] -= much * 100u;
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct packager_config CONFIG = {334, 2000, 10};
    struct run r = {.p = packager_new(&CONFIG),
                    .check = {.target_s = 10, .irregular = true, .audio_frame_us = 21333}};
    r.tracks[0] = track_of(0, CODEC_H264, AVCC_A, sizeof AVCC_A);
    r.tracks[1] = track_of(0, CODEC_H264, AVCC_B, sizeof AVCC_B);
    r.tracks[2] = track_of(1, CODEC_AAC, "\x11\x90", 2);
    r.tracks[3] = track_of(1, CODEC_AAC, "\x12\x10", 2);
    r.tracks[4] = track_of(1, CODEC_OPUS, OPUS_HEAD, sizeof OPUS_HEAD);
    r.check.trace = getenv("BSPNODE_FUZZ_TRACE") != NULL;
    timeline_init(&r.tl, 0, false);
    for (size_t i = 0; i + 1 < size && i < 2 * STEPS_MAX; i += 2) {
        one_step(&r, data[i], data[i + 1]);
        check_drain(&r.check, r.p);
    }
    packager_end(r.p, r.mono_us);
    check_drain(&r.check, r.p);
    CHECK(!r.check.v.open && !r.check.a.open);
    packager_free(r.p);
    check_fini(&r.check);
    for (int i = 0; i < 5; i++) track_unref(r.tracks[i]);
    return 0;
}
