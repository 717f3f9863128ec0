/* SPDX-License-Identifier: MIT */
/* Every rule: numbers that trigger it, and numbers beside them that do not. And what encoders call
 * themselves. */
#include "../test.h"
#include "product/advice.h"
#include <string.h>

static struct ingest_state good(void)
{
    return (struct ingest_state){.connected = true,
                                 .encoder = ENCODER_OBS,
                                 .connects = 1,
                                 .connected_s = 60,
                                 .has_video = true,
                                 .segments = true,
                                 .video_codec = "h264",
                                 .width = 1280,
                                 .height = 720,
                                 .fps = 30,
                                 .best_fps = 30,
                                 .key_interval_s = 2,
                                 .key_longest_s = 2,
                                 .key_shortest_s = 2,
                                 .since_key_s = 1,
                                 .video_bps = 2500000,
                                 .has_audio = true,
                                 .audio_codec = "aac",
                                 .sample_rate = 48000,
                                 .channels = 2,
                                 .audio_bps = 160000,
                                 .level_known = true,
                                 .level_db = -20,
                                 .peak_db = -12,
                                 .speed = 1,
                                 .frame_jitter_ms = 5,
                                 .offset_known = true,
                                 .offset_ms = 10};
}

static const struct advice *find(const struct ingest_state *in, const char *code)
{
    static struct advice a[ADVICE_MAX];
    const size_t n = advice_give(in, a);
    assert_in_range(n, 1, ADVICE_MAX);
    for (size_t i = 0; i < n; i++) {
        assert_in_range(strlen(a[i].text), 5, sizeof a[i].text - 2);
        assert_non_null(a[i].setting);
        if (strcmp(a[i].code, code) == 0) return &a[i];
    }
    return NULL;
}

/* Each case changes what is good so that the rule speaks, and so that it just does not. */
#define S struct ingest_state *s
#define CASE(name, yes_is, no_is)                                                                  \
    static void name##_yes(S)                                                                      \
    {                                                                                              \
        yes_is;                                                                                    \
    }                                                                                              \
    static void name##_no(S)                                                                       \
    {                                                                                              \
        no_is;                                                                                     \
    }

CASE(not_connected, *s = (struct ingest_state){0}, (void)s)
CASE(encoder_away, (*s = (struct ingest_state){.away = true}), (void)s)
CASE(nothing_received, s->silent_s = 3.5, s->silent_s = 2.5)
CASE(reconnects, s->connects = 4, s->connects = 3)
CASE(source_slow, (s->speed = 0.9, s->behind_s = 2), (s->speed = 0.9, s->behind_s = 0.5))
CASE(source_far, (s->speed = 1, s->behind_s = 5), (s->speed = 1, s->behind_s = 3))
CASE(jitter, s->frame_jitter_ms = 300, s->frame_jitter_ms = 200)
CASE(jitter_rtc, (s->network_known = true, s->jitter_ms = 50),
     (s->network_known = true, s->jitter_ms = 20, s->frame_jitter_ms = 300))
CASE(packet_loss, (s->network_known = true, s->loss = 0.05),
     (s->network_known = true, s->loss = 0.01))
CASE(far_away, (s->network_known = true, s->rtt_ms = 300),
     (s->network_known = true, s->rtt_ms = 100))
CASE(timestamps_jump, s->jumps = 2, s->jumps = 1)
CASE(no_video, s->has_video = false, s->has_video = s->has_audio = false)
CASE(keyframes_very_rare, s->key_interval_s = s->key_longest_s = 10, s->key_interval_s = 9)
CASE(keyframes_waited_for, s->since_key_s = 12, s->since_key_s = 3)
CASE(keyframes_rare, s->key_interval_s = 250 / 30.0, s->key_interval_s = 4)
CASE(keyframes_irregular, (s->key_shortest_s = 1, s->key_longest_s = 4),
     (s->key_shortest_s = 1.9, s->key_longest_s = 2.1))
CASE(keyframes_asked, (s->key_shortest_s = 1, s->key_longest_s = 4),
     (s->key_shortest_s = 1, s->key_longest_s = 4, s->webrtc = true))
CASE(keyframes_too_often, s->key_interval_s = 0.2, s->key_interval_s = 0.5)
CASE(b_frames, s->b_frames = true, (void)s)
CASE(b_frames_no_slot, s->b_frames = s->no_slot = true, s->b_frames = true)
CASE(vp8_no_slot, (memcpy(s->video_codec, "vp8", 4), s->segments = false),
     memcpy(s->video_codec, "vp8", 4))
CASE(hevc, memcpy(s->video_codec, "h265", 5), (void)s)
CASE(av1, memcpy(s->video_codec, "av1", 4), (void)s)
CASE(vp9, memcpy(s->video_codec, "vp9", 4), memcpy(s->video_codec, "vp8", 4))
CASE(bitrate_low, s->video_bps = 600000, s->video_bps = 1200000)
CASE(bitrate_low_rtc, (s->webrtc = true, s->video_bps = 400000),
     (s->webrtc = true, s->video_bps = 400000, s->connected_s = 10))
CASE(bitrate_high, s->video_bps = 13000000, s->video_bps = 8000000)
CASE(bitrate_for_size, (s->width = 640, s->height = 360, s->video_bps = 5000000),
     (s->width = 640, s->height = 360, s->video_bps = 2000000))
CASE(frames_dropping, (s->fps = 20, s->best_fps = 30), (s->fps = 25, s->best_fps = 30))
CASE(few_frames, s->fps = s->best_fps = 10, s->fps = s->best_fps = 15)
CASE(frame_rate_varies, s->frames_vary = true, s->frames_vary = s->webrtc = true)
CASE(very_large, (s->width = 2560, s->height = 1440, s->video_bps = 9000000),
     (s->width = 1920, s->height = 1080, s->video_bps = 6000000))
CASE(odd_size, s->width = 853, s->width = 854)
CASE(upright, (s->width = 720, s->height = 1280), (void)s)
CASE(no_audio, s->has_audio = false, s->has_video = s->has_audio = false)
CASE(audio_silent, (s->quiet_s = 6, s->level_db = s->peak_db = -127), s->quiet_s = 2)
CASE(audio_quiet, (s->level_db = -55, s->peak_db = -50), (s->level_db = -30, s->peak_db = -25))
CASE(audio_clipping, (s->level_db = -4, s->peak_db = -3), (s->level_db = -9, s->peak_db = -3))
CASE(sample_rate, s->sample_rate = 22050, s->sample_rate = 44100)
CASE(audio_bitrate_low, s->audio_bps = 32000, s->audio_bps = 96000)
CASE(av_offset, s->offset_ms = -500, s->offset_ms = 90)
CASE(av_start, (s->gap_known = true, s->start_gap_ms = 500),
     (s->gap_known = true, s->start_gap_ms = 100))
CASE(av_offset_ahead, s->offset_ms = 150, (s->offset_ms = 500, s->offset_known = false))

#define ROW(code, name)                                                                            \
    {                                                                                              \
        code, name##_yes, name##_no                                                                \
    }
static const struct {
    const char *code;
    void (*yes)(S), (*no)(S);
} CASES[] = {
    ROW("not_connected", not_connected),
    ROW("encoder_away", encoder_away),
    ROW("nothing_received", nothing_received),
    ROW("reconnects", reconnects),
    ROW("source_slow", source_slow),
    ROW("source_slow", source_far),
    ROW("jitter", jitter),
    ROW("jitter", jitter_rtc),
    ROW("packet_loss", packet_loss),
    ROW("far_away", far_away),
    ROW("timestamps_jump", timestamps_jump),
    ROW("no_video", no_video),
    ROW("keyframes_very_rare", keyframes_very_rare),
    ROW("keyframes_very_rare", keyframes_waited_for),
    ROW("keyframes_rare", keyframes_rare),
    ROW("keyframes_irregular", keyframes_irregular),
    ROW("keyframes_irregular", keyframes_asked),
    ROW("keyframes_too_often", keyframes_too_often),
    ROW("b_frames", b_frames),
    ROW("b_frames_no_slot", b_frames_no_slot),
    ROW("vp8_no_slot", vp8_no_slot),
    ROW("codec_support", hevc),
    ROW("codec_support", av1),
    ROW("codec_support", vp9),
    ROW("bitrate_low", bitrate_low),
    ROW("bitrate_low", bitrate_low_rtc),
    ROW("bitrate_high", bitrate_high),
    ROW("bitrate_high", bitrate_for_size),
    ROW("frames_dropping", frames_dropping),
    ROW("few_frames", few_frames),
    ROW("frame_rate_varies", frame_rate_varies),
    ROW("very_large", very_large),
    ROW("odd_size", odd_size),
    ROW("upright", upright),
    ROW("no_audio", no_audio),
    ROW("audio_silent", audio_silent),
    ROW("audio_quiet", audio_quiet),
    ROW("audio_clipping", audio_clipping),
    ROW("sample_rate", sample_rate),
    ROW("audio_bitrate_low", audio_bitrate_low),
    ROW("av_offset", av_offset),
    ROW("av_start", av_start),
    ROW("av_offset", av_offset_ahead),
};

static void each_rule_speaks_when_it_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct ingest_state s = good();
        CASES[i].yes(&s);
        if (!find(&s, CASES[i].code)) fail_msg("row %zu: %s is not said", i, CASES[i].code);
        if (find(&s, "ok")) fail_msg("row %zu: ok beside %s", i, CASES[i].code);
        s = good();
        CASES[i].no(&s);
        if (find(&s, CASES[i].code)) fail_msg("row %zu: %s is said", i, CASES[i].code);
    }
}

static void what_is_good_is_called_so(void **state)
{
    (void)state;
    struct ingest_state s = good();
    struct advice a[ADVICE_MAX];
    assert_int_equal(advice_give(&s, a), 1);
    assert_string_equal(a[0].level, "ok");
    assert_string_equal(a[0].setting, "");
    s.webrtc = s.network_known = true;
    memcpy(s.audio_codec, "opus", 5);
    assert_non_null(find(&s, "ok"));
}

static void the_worst_comes_first_and_all_at_once_fits(void **state)
{
    (void)state;
    struct ingest_state s = good();
    struct advice a[ADVICE_MAX];
    static const char *const ORDER[] = {"error", "warning", "info"};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        if (strcmp(CASES[i].code, "not_connected") != 0 &&
            strcmp(CASES[i].code, "encoder_away") != 0)
            CASES[i].yes(&s);
    s.has_video = s.has_audio = true;
    s.width = s.height = 4095;
    s.video_bps = INT64_MAX / 4;
    s.quiet_s = s.behind_s = s.since_key_s = s.jitter_ms = 1e9;
    const size_t n = advice_give(&s, a);
    unsigned at = 0;
    for (size_t i = 0; i < n; i++) {
        while (strcmp(a[i].level, ORDER[at]) != 0) assert_in_range(++at, 0, 2);
        assert_true(strlen(a[i].text) < sizeof a[i].text - 1);
    }
    assert_string_equal(a[0].level, "error");
}

static void settings_are_those_of_the_encoder(void **state)
{
    (void)state;
    struct ingest_state s = good();
    s.key_interval_s = 8.33;
    assert_non_null(strstr(find(&s, "keyframes_rare")->setting, "Keyframe Interval: 2 s"));
    s.encoder = ENCODER_OTHER;
    assert_non_null(strstr(find(&s, "keyframes_rare")->setting, "OBS: "));
    s.encoder = ENCODER_FFMPEG;
    assert_non_null(strstr(find(&s, "keyframes_rare")->setting, "-g 60"));
    s = good();
    s.encoder = ENCODER_BROWSER;
    s.has_audio = false;
    assert_non_null(strstr(find(&s, "no_audio")->setting, "microphone"));
}

static void encoders_are_known_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *name;
        enum encoder_kind kind;
    } NAMES[] = {
        {"obs-output module (libobs version 29.0.2)", "OBS 29.0.2", ENCODER_OBS},
        {"Mozilla/5.0 (OBS-Studio/30.1.0; Linux x86_64; en-US)", "OBS 30.1.0", ENCODER_OBS},
        {"FMLE/3.0 (compatible; Lavf59.27.100)", "ffmpeg, Lavf59.27.100", ENCODER_FFMPEG},
        {"Lavf59.27.100", "ffmpeg, Lavf59.27.100", ENCODER_FFMPEG},
        {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 "
         "Safari/537.36",
         "Chrome 128", ENCODER_BROWSER},
        {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "HeadlessChrome/120.0.1.2 Safari/537.36",
         "Chrome 120", ENCODER_BROWSER},
        {"Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox 130",
         ENCODER_BROWSER},
        {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/17.5 Safari/605.1.15",
         "Safari 17", ENCODER_BROWSER},
        {"FMLE/3.0 (compatible; FMSc/1.0)", "FMLE/3.0 (compatible; FMSc/1.0)", ENCODER_OTHER},
        {"", "", ENCODER_OTHER},
    };
    char name[ENCODER_NAME_CAP];
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        assert_int_equal(encoder_identify(NAMES[i].raw, name), NAMES[i].kind);
        assert_string_equal(name, NAMES[i].name);
    }
}

static void profiles_have_names(void **state)
{
    (void)state;
    static const char *const NAMES[][2] = {
        {"avc1.64001f", "High 3.1"},
        {"avc1.42e01f", "Constrained Baseline 3.1"},
        {"avc1.4d0028", "Main 4.0"},
        {"hvc1.1.6.L93.B0", "Main 3.1"},
        {"hev1.2.4.H153.90", "Main 10 5.1"},
        {"av01.0.08M.08", "Main 4.0"},
        {"vp09.00.31.08", "Profile 0, 8-bit"},
        {"mp4a.40.2", "LC"},
        {"mp4a.40.5", "HE"},
        {"Opus", ""},
        {"vp08.00.10.08", ""},
        {"", ""},
    };
    char name[ENCODER_NAME_CAP];
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        encoder_profile(NAMES[i][0], name);
        assert_string_equal(name, NAMES[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_speaks_when_it_should),
        cmocka_unit_test(what_is_good_is_called_so),
        cmocka_unit_test(the_worst_comes_first_and_all_at_once_fits),
        cmocka_unit_test(settings_are_those_of_the_encoder),
        cmocka_unit_test(encoders_are_known_by_name),
        cmocka_unit_test(profiles_have_names),
    };
    return RUN_TESTS(tests);
}
