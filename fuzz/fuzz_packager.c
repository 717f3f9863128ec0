/* SPDX-License-Identifier: MIT */
/* A program of what can happen to a packager, two bytes a step, in virtual time; whatever happens,
 * its output keeps the promises that tests/unit/packager_check.h knows.
 *
 *   byte 0: what (low 3 bits) and details (high 5 bits); byte 1: how much time passes
 *
 * There are up to four renditions of the picture, and sound. */
#include "../tests/unit/packager_check.h"
#include "engine/track_config.h"
#include "media/timeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX  1000
#define FRAMES_MAX 2500
#define LAYERS     4
#define SOUND      LAYERS

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

static const uint8_t IDS[LAYERS + 1] = {0, 2, 3, 4, 1};

struct run {
    struct packager *p;
    struct timeline tl;
    struct check check;
    struct track *videos[LAYERS][2], *audios[3];
    struct track *now[LAYERS + 1];
    uint32_t ms[LAYERS + 1];
    int64_t mono_us;
    unsigned sent;
};

static struct track *track_of(uint8_t id, enum codec c, const void *config, size_t n)
{
    struct track *t = NULL;
    CHECK(track_from_config(id, c, span_of(config, n), &t) == E_OK);
    return t;
}

static void send(struct run *r, unsigned which, unsigned detail)
{
    static const uint8_t OPUS_20MS[] = {0xf8, 0xff, 0xfe};
    const struct track *t = r->now[which];
    const bool sound = which == SOUND;
    if (r->sent++ > FRAMES_MAX) return;
    const enum codec codec = t ? t->codec : sound ? CODEC_AAC : CODEC_H264;
    struct frame *f = frame_new(3);
    memcpy(f->data, OPUS_20MS, 3);
    const struct timeline_stamp at =
        timeline_map(&r->tl, IDS[which], r->ms[which], sound ? 0 : (int32_t)(detail & 3) * 33);
    if (r->check.trace) {
        fprintf(stderr, "%c%u%s%s dts %" PRId64 " pts %" PRId64 " now %" PRId64 "\n",
                sound ? 'A' : 'V', which, sound || (detail & 4) ? " key" : "",
                at.discontinuity ? " disc" : "", at.dts_us, at.pts_us, r->mono_us);
    }
    f->track = IDS[which];
    f->codec = codec;
    f->key = sound || (detail & 4);
    f->discontinuity = at.discontinuity;
    f->dts_us = at.dts_us;
    f->pts_us = at.pts_us;
    f->wall_us = r->mono_us;
    packager_frame(r->p, f, r->mono_us);
    frame_unref(f);
}

/* A configuration comes, or (255) a track goes. */
static void give(struct run *r, unsigned which, unsigned config)
{
    if (config == 255) {
        r->now[which] = NULL;
        packager_untrack(r->p, which == SOUND ? MEDIA_AUDIO : MEDIA_VIDEO, IDS[which], r->mono_us);
        return;
    }
    struct track *t = which == SOUND ? r->audios[config % 3] : r->videos[which][config % 2];
    r->now[which] = t;
    CHECK(packager_track(r->p, t, r->mono_us) == E_OK);
}

/* All go on in step, as an encoder does. */
static void in_step(struct run *r, unsigned pictures)
{
    for (unsigned i = 0; i <= pictures; i++) {
        for (unsigned k = 0; k < LAYERS; k++) {
            if (k > 0 && !r->now[k]) continue;
            if (k > 0 && (int32_t)(r->ms[k] - r->ms[0]) < 0) r->ms[k] = r->ms[0];
            r->ms[k] += 33;
            send(r, k, i == 0 ? 4 : 0);
        }
        for (int n = 0; n < 4 && (int32_t)(r->ms[0] - r->ms[SOUND]) > 0; n++) {
            r->ms[SOUND] += 21;
            send(r, SOUND, 0);
        }
        r->mono_us += 33000;
    }
}

static void one_step(struct run *r, uint8_t what, uint8_t much)
{
    const unsigned detail = what >> 3, which = what & 1 ? SOUND : detail >> 3 & 3;
    switch (what & 7) {
    case 0:
    case 1: /* a frame, at up to a quarter of a second after the one before */
        r->ms[which] += much;
        send(r, which, detail);
        break;
    case 2:
        in_step(r, detail);
        break;
    case 3:
        give(r, detail & 1 ? SOUND : detail >> 1 & 3, much);
        break;
    case 4:
        if (detail < 28) break;
        packager_break(r->p, r->mono_us);
        memset(r->now, 0, sizeof r->now);
        timeline_init(&r->tl, timeline_end_us(&r->tl), true);
        break;
    case 5: /* time passes */
        r->mono_us += much * INT64_C(4000);
        if (packager_deadline_us(r->p) <= r->mono_us) packager_tick(r->p, r->mono_us);
        break;
    case 6:
        r->ms[detail & 1 ? SOUND : detail >> 1 & 3] += much * 100u;
        break; /* timestamps jump */
    case 7:
        r->ms[detail & 1 ? SOUND : detail >> 1 & 3] -= much * 100u;
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct packager_config CONFIG = {334, 2000, 10};
    struct run r = {.p = packager_new(&CONFIG),
                    .check = {.target_s = 10, .irregular = true, .audio_frame_us = 21333}};
    for (unsigned k = 0; k < LAYERS; k++) {
        r.videos[k][0] = track_of(IDS[k], CODEC_H264, AVCC_A, sizeof AVCC_A);
        r.videos[k][1] = track_of(IDS[k], CODEC_H264, AVCC_B, sizeof AVCC_B);
    }
    r.audios[0] = track_of(1, CODEC_AAC, "\x11\x90", 2);
    r.audios[1] = track_of(1, CODEC_AAC, "\x12\x10", 2);
    r.audios[2] = track_of(1, CODEC_OPUS, OPUS_HEAD, sizeof OPUS_HEAD);
    r.check.trace = getenv("BSPNODE_FUZZ_TRACE") != NULL;
    timeline_init(&r.tl, 0, false);
    for (size_t i = 0; i + 1 < size && i < 2 * STEPS_MAX; i += 2) {
        one_step(&r, data[i], data[i + 1]);
        check_drain(&r.check, r.p);
    }
    packager_end(r.p, r.mono_us);
    check_drain(&r.check, r.p);
    for (unsigned i = 0; i < CHECK_LANES; i++) CHECK(!check_nth(&r.check, i)->open);
    packager_free(r.p);
    check_fini(&r.check);
    for (unsigned k = 0; k < 2 * LAYERS; k++) track_unref(r.videos[k / 2][k % 2]);
    for (unsigned k = 0; k < 3; k++) track_unref(r.audios[k]);
    return 0;
}
