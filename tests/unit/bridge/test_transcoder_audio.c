/* SPDX-License-Identifier: MIT */
/* Sound through the real worker, listened to by somebody else: ffmpeg decodes it. */
#include "rig.h"
#include "wire/opus.h"
#include <math.h>
#include <unistd.h>

#define RATE 48000

static char dir[] = "/tmp/bspnode-transcoder-XXXXXX";

static void save(const char *name, const struct str *s, char path[256])
{
    snprintf(path, 256, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(s->p, 1, s->len, f), s->len);
    fclose(f);
}

/* The frames behind ADTS headers (ISO/IEC 14496-3, 1.A.2.2): AAC-LC, 48 kHz, stereo. */
static void adts(const struct rig *r, struct str *out)
{
    for (unsigned i = 0; i < r->n_frames; i++) {
        const size_t n = r->frames[i]->len + 7;
        str_be(out, 0xfff1, 2);
        str_be(out, 0x4c80 | n >> 11, 2);
        str_be(out, n >> 3 & 0xff, 1);
        str_be(out, (n & 7) << 13 | 0x1ffc, 2);
        str_add(out, frame_span(r->frames[i]));
    }
}

/* The left channel of the AAC frames, decoded. */
static unsigned decode(const struct rig *r, float *pcm, unsigned cap)
{
    struct str s = {0};
    char path[256], command[600];
    adts(r, &s);
    save("out.aac", &s, path);
    str_fini(&s);
    snprintf(command, sizeof command, "ffmpeg -v error -i %s -af 'pan=mono|c0=c0' -f f32le -",
             path);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    const size_t n = fread(pcm, sizeof *pcm, cap, f);
    assert_int_equal(pclose(f), 0);
    unlink(path);
    return (unsigned)n;
}

/* How much of the samples' power is at `hz` (Goertzel): 1 for a pure tone. */
static double tone(const float *x, unsigned n, double hz)
{
    const double w = 2 * M_PI * hz / RATE, c = 2 * cos(w);
    double s0, s1 = 0, s2 = 0, power = 0;
    for (unsigned i = 0; i < n; i++) {
        s0 = x[i] + c * s1 - s2;
        s2 = s1;
        s1 = s0;
        power += (double)x[i] * x[i];
    }
    return power > 0 ? 2 * (s1 * s1 + s2 * s2 - c * s1 * s2) / (power * n) : 0;
}

static double loudness(const float *x, unsigned n)
{
    double sum = 0;
    for (unsigned i = 0; i < n; i++) sum += (double)x[i] * x[i];
    return sqrt(sum / n);
}

/* Times in steps of a frame, from the input's first on, to the microsecond. */
static void check_line(const struct rig *r, unsigned samples)
{
    const int64_t first = r->frames[0]->pts_us;
    for (unsigned i = 0; i < r->n_frames; i++) {
        const struct frame *f = r->frames[i];
        const int64_t want = first + (int64_t)i * samples * 1000000 / RATE;
        assert_true(f->pts_us >= want - 1 && f->pts_us <= want + 1);
        assert_int_equal(f->pts_us, f->dts_us);
        assert_true(f->key);
        assert_int_equal(f->wall_us, INT64_C(1767225600000000) + f->pts_us);
    }
}

static float pcm[20 * RATE];

static void aac_to_opus_and_back(void **state)
{
    struct media_file m;
    static struct rig opus, aac;
    unsigned samples;
    (void)state;
    media_file_open(&m, "aac-44100-stereo.mp4");
    opus = (struct rig){
        .spec = {.from = {[MEDIA_AUDIO] = m.track}, .to = {[MEDIA_AUDIO] = CODEC_OPUS}}};
    assert_int_equal(rig_open(&opus), E_OK);
    rig_feed(&opus, &m, 0, m.n, 3000000);
    rig_until(&opus, rig_has_frames, 240);
    rig_stop(&opus);
    assert_int_equal(opus.n_tracks, 1);
    assert_int_equal(opus.track[MEDIA_AUDIO]->codec, CODEC_OPUS);
    assert_int_equal(opus.track[MEDIA_AUDIO]->channels, 2);
    check_line(&opus, 960);
    assert_in_range(opus.frames[0]->pts_us, 3000000, 3000000 + 20000);
    for (unsigned i = 0; i < opus.n_frames; i++) {
        assert_int_equal(opus_packet_samples(frame_span(opus.frames[i]), &samples), E_OK);
        assert_int_equal(samples, 960);
    }
    aac = (struct rig){.spec = {.from = {[MEDIA_AUDIO] = opus.track[MEDIA_AUDIO]},
                                .to = {[MEDIA_AUDIO] = CODEC_AAC}}};
    assert_int_equal(rig_open(&aac), E_OK);
    for (unsigned i = 0; i < opus.n_frames; i++) {
        const struct media_sample s = {.dts_us = opus.frames[i]->dts_us,
                                       .pts_us = opus.frames[i]->pts_us,
                                       .key = true,
                                       .data = frame_span(opus.frames[i])};
        const struct media_file one = {.track = opus.track[MEDIA_AUDIO],
                                       .codec = CODEC_OPUS,
                                       .samples = (struct media_sample *)&s};
        rig_feed(&aac, &one, 0, 1, 0);
    }
    rig_until(&aac, rig_has_frames, 220);
    rig_stop(&aac);
    check_line(&aac, 1024);
    assert_int_equal(aac.frames[0]->pts_us, opus.frames[0]->pts_us);
    assert_string_equal(aac.track[MEDIA_AUDIO]->codecs, "mp4a.40.2");
    assert_int_equal(aac.track[MEDIA_AUDIO]->sample_rate, RATE);
    const unsigned n = decode(&aac, pcm, sizeof pcm / sizeof *pcm);
    assert_in_range(n, 4 * RATE, 5 * RATE);
    assert_true(tone(pcm + RATE, RATE, 440) > 0.98);
    rig_close(&aac);
    rig_close(&opus);
    media_file_close(&m);
}

/* Packets that never came are silence of the same length. */
static void gap_is_silence(void **state)
{
    struct media_file m;
    static struct rig r;
    (void)state;
    media_file_open(&m, "opus.mp4");
    r = (struct rig){
        .spec = {.from = {[MEDIA_AUDIO] = m.track}, .to = {[MEDIA_AUDIO] = CODEC_AAC}}};
    assert_int_equal(rig_open(&r), E_OK);
    rig_feed(&r, &m, 0, 100, 0);   /* to 2 s */
    rig_feed(&r, &m, 125, 200, 0); /* from 2.5 s to 4 s */
    rig_until(&r, rig_has_frames, 180);
    rig_stop(&r);
    check_line(&r, 1024);
    const unsigned n = decode(&r, pcm, sizeof pcm / sizeof *pcm);
    assert_true(n > 3 * RATE);
    assert_true(tone(pcm + RATE, RATE / 2, 440) > 0.98);
    assert_true(loudness(pcm + RATE, RATE / 2) > 0.02);
    assert_true(loudness(pcm + 2 * RATE + RATE / 10, RATE * 3 / 10) < 0.001);
    assert_true(tone(pcm + RATE * 27 / 10, RATE, 440) > 0.98);
    rig_close(&r);
    media_file_close(&m);
}

/* Times that step back: what has been there already is left out, once, and nothing else. */
static void overlap_is_left_out(void **state)
{
    struct media_file m;
    static struct rig r;
    (void)state;
    media_file_open(&m, "opus.mp4");
    r = (struct rig){
        .spec = {.from = {[MEDIA_AUDIO] = m.track}, .to = {[MEDIA_AUDIO] = CODEC_AAC}}};
    assert_int_equal(rig_open(&r), E_OK);
    rig_feed(&r, &m, 0, 100, 500000);
    rig_feed(&r, &m, 100, 200, 200000); /* 300 ms earlier than they should be */
    rig_until(&r, rig_has_frames, 3700 * 48 / 1024 - 3);
    rig_stop(&r);
    check_line(&r, 1024);
    assert_in_range(r.frames[r.n_frames - 1]->pts_us, 4100000, 4210000);
    for (unsigned i = 0; i < r.n_frames; i++) assert_false(r.frames[i]->discontinuity);
    const unsigned n = decode(&r, pcm, sizeof pcm / sizeof *pcm);
    assert_in_range(n, 3500 * 48, 3720 * 48);
    assert_true(tone(pcm + RATE, RATE / 2, 440) > 0.98);
    assert_true(tone(pcm + RATE * 21 / 10, RATE, 440) > 0.98);
    rig_close(&r);
    media_file_close(&m);
}

/* Times that jump by more than can be filled begin a new line, and say so. */
static void jump_is_told(void **state)
{
    struct media_file m;
    static struct rig r;
    unsigned marks = 0;
    (void)state;
    media_file_open(&m, "opus.mp4");
    r = (struct rig){
        .spec = {.from = {[MEDIA_AUDIO] = m.track}, .to = {[MEDIA_AUDIO] = CODEC_AAC}}};
    assert_int_equal(rig_open(&r), E_OK);
    rig_feed(&r, &m, 0, 100, 0);
    rig_feed(&r, &m, 100, 200, 60000000);
    rig_until(&r, rig_has_frames, 180);
    rig_stop(&r);
    for (unsigned i = 0; i < r.n_frames; i++)
        if (r.frames[i]->discontinuity) {
            marks++;
            assert_in_range(r.frames[i]->pts_us, 61900000, 62100000);
        }
    assert_int_equal(marks, 1);
    rig_close(&r);
    media_file_close(&m);
}

/* A clock that runs 900 parts in a million fast: after 58 seconds two frames more than the samples
 * that came, with no jump in the line. */
static void drift_is_followed(void **state)
{
    struct media_file m;
    static struct rig r;
    (void)state;
    media_file_open(&m, "opus.mp4");
    r = (struct rig){
        .spec = {.from = {[MEDIA_AUDIO] = m.track}, .to = {[MEDIA_AUDIO] = CODEC_AAC}}};
    assert_int_equal(rig_open(&r), E_OK);
    const unsigned passes = 12, n = 240;
    for (unsigned k = 0; k < passes; k++)
        for (unsigned i = 0; i < n; i++) {
            const int64_t at = (int64_t)(k * n + i) * 20000;
            struct media_sample s = m.samples[i];
            s.dts_us = s.pts_us = at + at * 900 / 1000000;
            const struct media_file one = {.track = m.track, .codec = CODEC_OPUS, .samples = &s};
            rig_feed(&r, &one, 0, 1, 0);
        }
    rig_until(&r, rig_has_frames, passes * n * 960 / 1024);
    rig_stop(&r);
    check_line(&r, 1024);
    for (unsigned i = 0; i < r.n_frames; i++) assert_false(r.frames[i]->discontinuity);
    rig_close(&r);
    media_file_close(&m);
}

static void impossible(void **state)
{
    struct media_file a, v;
    static struct rig r;
    (void)state;
    media_file_open(&a, "opus.mp4");
    media_file_open(&v, "vp9.mp4");
    r = (struct rig){
        .spec = {.from = {[MEDIA_AUDIO] = a.track}, .to = {[MEDIA_AUDIO] = CODEC_H264}}};
    assert_int_equal(rig_open(&r), E_UNSUPPORTED);
    r = (struct rig){
        .spec = {.from = {[MEDIA_VIDEO] = v.track}, .to = {[MEDIA_VIDEO] = CODEC_VP9}}};
    assert_int_equal(rig_open(&r), E_UNSUPPORTED);
    r = (struct rig){.spec = {.from = {[MEDIA_AUDIO] = a.track}}};
    assert_int_equal(rig_open(&r), E_INVALID);
    transcoder_set_program("/nowhere/bspnode-worker");
    r = (struct rig){
        .spec = {.from = {[MEDIA_AUDIO] = a.track}, .to = {[MEDIA_AUDIO] = CODEC_AAC}}};
    assert_int_equal(rig_open(&r), E_NOTFOUND);
    transcoder_set_program(WORKER);
    media_file_close(&v);
    media_file_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aac_to_opus_and_back), cmocka_unit_test(gap_is_silence),
        cmocka_unit_test(jump_is_told),         cmocka_unit_test(overlap_is_left_out),
        cmocka_unit_test(drift_is_followed),    cmocka_unit_test(impossible),
    };
    if (!mkdtemp(dir)) return 1;
    transcoder_set_program(WORKER);
    two_loops_start(&loops);
    const int failed = RUN_TESTS(tests);
    two_loops_stop(&loops);
    rmdir(dir);
    return failed;
}
