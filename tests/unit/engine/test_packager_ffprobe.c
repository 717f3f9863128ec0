/* SPDX-License-Identifier: MIT */
/* What the packager makes is read and decoded by somebody else: ffprobe and ffmpeg, for real. */
#include "../media_file.h"
#include "../packager_check.h"
#include "../test.h"
#include <unistd.h>

static char dir[] = "/tmp/bspnode-packager-XXXXXX";

/* The output of a command, and what it says on stderr; the command must succeed. */
static char *run(const char *command)
{
    static char out[1 << 20];
    FILE *f = popen(command, "r");
    assert_non_null(f);
    const size_t n = fread(out, 1, sizeof out - 1, f);
    out[n] = 0;
    const int rc = pclose(f);
    if (rc != 0) printf("%s: %d\n%s\n", command, rc, out);
    assert_int_equal(rc, 0);
    return out;
}

static void feed_sample(struct packager *p, struct check *c, const struct media_file *m, unsigned i)
{
    const struct media_sample *s = &m->samples[i];
    struct frame *f = frame_new(s->data.len);
    memcpy(f->data, s->data.p, s->data.len);
    f->track = m->track->id;
    f->codec = m->codec;
    f->key = s->key;
    f->dts_us = s->dts_us;
    f->pts_us = s->pts_us;
    f->wall_us = INT64_C(1767225600000000) + s->dts_us;
    packager_frame(p, f, s->dts_us);
    frame_unref(f);
    check_drain(c, p);
}

static void feed(struct packager *p, struct check *c, const struct media_file *v,
                 const struct media_file *a)
{
    unsigned i = 0, k = 0;
    const unsigned nv = v ? v->n : 0, na = a ? a->n : 0;
    while (i < nv || k < na) {
        if (k == na || (i < nv && v->samples[i].dts_us <= a->samples[k].dts_us)) {
            feed_sample(p, c, v, i++);
        } else {
            feed_sample(p, c, a, k++);
        }
    }
    packager_end(p, 10000000);
    check_drain(c, p);
    check_aligned(c);
}

static void save(const char *path, const struct str *s)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(s->p, 1, s->len, f), s->len);
    fclose(f);
}

/* One number of ffprobe's answer "key=value" lines. */
static double value(const char *out, const char *key)
{
    const char *at = strstr(out, key);
    assert_non_null(at);
    return atof(at + strlen(key));
}

static void probe(const struct lane_check *l, const struct media_file *m, unsigned lost)
{
    char path[256], command[1024], wanted[64];
    const bool video = m->track->kind == MEDIA_VIDEO;
    snprintf(path, sizeof path, "%s/%c.mp4", dir, video ? 'v' : 'a');
    save(path, &l->file);
    snprintf(
        command, sizeof command,
        "ffprobe -v warning -count_packets -show_entries stream=codec_name,codec_tag_string,"
        "width,height,start_time,nb_read_packets,sample_rate,channels -of default=nw=1 %s 2>&1",
        path);
    const char *out = run(command);
    const char *tag = m->init.tracks[0].entry;
    snprintf(wanted, sizeof wanted, "codec_tag_string=%s\n", tag);
    assert_non_null(strstr(out, wanted));
    assert_ptr_equal(strstr(out, "codec_name="), out); /* nothing before: no warning */
    assert_int_equal((int)value(out, "nb_read_packets="), (int)(m->n - lost));
    const int64_t start_us = (int64_t)(value(out, "start_time=") * 1e6 + 0.5);
    assert_in_range(start_us - l->segs[0].start_us + 2, 0, 4);
    if (video) {
        assert_int_equal((int)value(out, "width="), l->init.tracks[0].width);
        assert_int_equal((int)value(out, "height="), l->init.tracks[0].height);
    } else {
        assert_int_equal((int)value(out, "sample_rate="), m->track->sample_rate);
        assert_int_equal((int)value(out, "channels="), m->track->channels);
    }
    /* Every frame decodes. */
    snprintf(command, sizeof command, "ffmpeg -nostdin -v warning -i %s -f null - 2>&1", path);
    out = run(command);
    if (*out) fputs(out, stdout);
    assert_string_equal(out, "");
}

/* The times that ffprobe reads are the source's. */
static void probe_times(const struct lane_check *l, const struct media_file *m)
{
    char command[1024];
    (void)l;
    snprintf(command, sizeof command,
             "ffprobe -v warning -show_entries packet=pts_time -of csv=p=0 %s/v.mp4 2>&1", dir);
    char *at = run(command);
    for (unsigned i = 0; i < m->n; i++) {
        const double pts = strtod(at, &at);
        at += strcspn(at, "\n");
        assert_in_range((int64_t)(pts * 1e6 + 1000) - m->samples[i].pts_us, 980, 1020);
    }
}

static void pair(const char *video, const char *audio)
{
    struct media_file v, a;
    const struct packager_config config = {.part_ms = 334, .segment_ms = 2000, .target_s = 10};
    struct packager *p = packager_new(&config);
    struct check c = {.target_s = 10, .keep = true};
    if (video) {
        media_file_open(&v, video);
        assert_int_equal(packager_track(p, v.track, 0), E_OK);
    }
    if (audio) {
        media_file_open(&a, audio);
        assert_int_equal(packager_track(p, a.track, 0), E_OK);
        c.audio_frame_us = a.samples[1].dts_us - a.samples[0].dts_us;
    }
    feed(p, &c, video ? &v : NULL, audio ? &a : NULL);
    if (video) {
        probe(&c.v, &v, 0);
        probe_times(&c.v, &v);
        media_file_close(&v);
    }
    if (audio) {
        probe(&c.a, &a, a.n - c.a.samples);
        assert_in_range(a.n - c.a.samples, 0, 4); /* before the first picture is shown */
        media_file_close(&a);
    }
    packager_free(p);
    check_fini(&c);
}

static void h264_and_aac(void **state)
{
    (void)state;
    pair("h264-bframes.mp4", "aac-48000.mp4");
    pair("h264-baseline.mp4", "aac-44100-stereo.mp4");
    pair("h264-cropped.mp4", NULL);
}

static void h265_and_aac(void **state)
{
    (void)state;
    pair("h265.mp4", "aac-48000.mp4");
}

static void av1_and_opus(void **state)
{
    (void)state;
    pair("av1.mp4", "opus.mp4");
}

static void vp9_and_opus(void **state)
{
    (void)state;
    pair("vp9.mp4", "opus.mp4");
}

static void audio_alone(void **state)
{
    (void)state;
    pair(NULL, "aac-44100-stereo.mp4");
    pair(NULL, "opus.mp4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(h264_and_aac), cmocka_unit_test(h265_and_aac),
        cmocka_unit_test(av1_and_opus), cmocka_unit_test(vp9_and_opus),
        cmocka_unit_test(audio_alone),
    };
    if (!mkdtemp(dir)) return 1;
    const int rc = RUN_TESTS(tests);
    char path[256];
    for (const char *n = "va"; *n; n++) {
        snprintf(path, sizeof path, "%s/%c.mp4", dir, *n);
        unlink(path);
    }
    rmdir(dir);
    return rc;
}
