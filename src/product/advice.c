/* SPDX-License-Identifier: MIT */
#include "product/advice.h"
#include <stdio.h>
#include <string.h>

/* A rule writes its text and says true when it has something to say. */
typedef bool rule_fn(const struct ingest_state *in, char *text, size_t cap);

#define SAY(...) return snprintf(text, cap, __VA_ARGS__) > 0

static bool not_connected(const struct ingest_state *in, char *text, size_t cap)
{
    if (in->connected || in->away) return false;
    SAY("No encoder is connected. In OBS: Settings > Stream, service \"Custom\", paste the server "
        "and the stream key, then Start Streaming.");
}

static bool gone_away(const struct ingest_state *in, char *text, size_t cap)
{
    if (!in->away) return false;
    SAY("The encoder has gone. Start it again soon: the stream and its recording go on where they "
        "were. If this happens often, the upload of your connection is too slow for the bitrate.");
}

static bool nothing_comes(const struct ingest_state *in, char *text, size_t cap)
{
    if (!in->connected || in->silent_s < 3) return false;
    SAY("The encoder is connected, but nothing has come from it for %.0f seconds. Look at its "
        "dropped frames: the connection may be too slow for the bitrate.",
        in->silent_s);
}

static bool no_video(const struct ingest_state *in, char *text, size_t cap)
{
    if (!in->connected || in->has_video || !in->has_audio) return false;
    SAY("There is sound and no picture. That is fine for radio; otherwise look at the video "
        "source and the video encoder.");
}

static bool no_audio(const struct ingest_state *in, char *text, size_t cap)
{
    if (!in->connected || in->has_audio || !in->has_video) return false;
    SAY("There is a picture and no sound track. In OBS: Settings > Output > Audio Track, and an "
        "audio source that is not muted.");
}

static bool keys_very_rare(const struct ingest_state *in, char *text, size_t cap)
{
    if (in->key_interval_s <= 10) return false;
    SAY("A key frame comes only every %.1f seconds: viewers wait that long for their first "
        "picture. In OBS: Settings > Output > Output Mode \"Advanced\" > Streaming > Keyframe "
        "Interval: 2 s. With ffmpeg: -g %d.",
        in->key_interval_s, (int)(2 * (in->fps > 0 ? in->fps : 30) + 0.5));
}

static bool keys_rare(const struct ingest_state *in, char *text, size_t cap)
{
    if (in->key_interval_s <= 4.2 || in->key_interval_s > 10) return false;
    SAY("A key frame comes every %.1f seconds. Viewers start sooner and stay closer to live with "
        "2 seconds. In OBS: Settings > Output > Output Mode \"Advanced\" > Streaming > Keyframe "
        "Interval: 2 s (0 means automatic, which is 8.3 s). With ffmpeg: -g %d.",
        in->key_interval_s, (int)(2 * (in->fps > 0 ? in->fps : 30) + 0.5));
}

static bool keys_too_often(const struct ingest_state *in, char *text, size_t cap)
{
    if (in->key_interval_s <= 0 || in->key_interval_s >= 0.45) return false;
    SAY("A key frame comes every %.2f seconds, which costs picture quality. Set the key-frame "
        "interval to 2 s.",
        in->key_interval_s);
}

static bool reorders(const struct ingest_state *in, char *text, size_t cap)
{
    if (!in->b_frames) return false;
    SAY("The encoder sends B-frames. HLS plays them well; viewers by WebRTC need a stream without "
        "them. In OBS: Settings > Output > Advanced > Streaming, x264 options \"bframes=0\" or "
        "Tune \"zerolatency\"; NVENC: Max B-frames 0. With ffmpeg: -bf 0.");
}

static bool not_everywhere(const struct ingest_state *in, char *text, size_t cap)
{
    const bool hevc = strcmp(in->video_codec, "h265") == 0,
               av1 = strcmp(in->video_codec, "av1") == 0;
    if (!hevc && !av1) return false;
    SAY("%s is not played by every browser. For the widest audience choose H.264 as the video "
        "encoder (OBS: Settings > Output > Video Encoder).",
        hevc ? "HEVC" : "AV1");
}

static bool starved(const struct ingest_state *in, char *text, size_t cap)
{
    if (in->video_bps <= 0 || in->height < 720 || in->video_bps >= 1000 * 1000) return false;
    SAY("%u lines of picture share %.1f Mbit/s, which looks blocky when something moves. In OBS: "
        "Settings > Output > Video Bitrate: 2500 kbit/s or more for 720p, 4500 for 1080p; or a "
        "smaller output size under Settings > Video.",
        in->height, (double)in->video_bps / 1e6);
}

static bool gross(const struct ingest_state *in, char *text, size_t cap)
{
    if (in->video_bps + in->audio_bps <= 12 * 1000 * 1000) return false;
    SAY("The stream is %.1f Mbit/s, and every viewer gets all of it: many cannot follow. 6 Mbit/s "
        "is plenty for 1080p.",
        (double)(in->video_bps + in->audio_bps) / 1e6);
}

static bool few_frames(const struct ingest_state *in, char *text, size_t cap)
{
    if (in->fps <= 0 || in->fps >= 14) return false;
    SAY("Only %.0f frames a second arrive. If that is not what the encoder is set to, the computer "
        "is too slow for it: choose a faster preset or a smaller picture.",
        in->fps);
}

static bool odd_rate(const struct ingest_state *in, char *text, size_t cap)
{
    if (in->sample_rate == 0 || in->sample_rate == 48000 || in->sample_rate == 44100) return false;
    SAY("The sound has %u samples a second; 48000 is what browsers like best. In OBS: Settings > "
        "Audio > Sample Rate: 48 kHz.",
        in->sample_rate);
}

static const struct {
    const char *level, *code;
    rule_fn *fn;
} RULES[] = {
    {"error", "nothing_received", nothing_comes},
    {"error", "keyframes_very_rare", keys_very_rare},
    {"warning", "encoder_away", gone_away},
    {"warning", "keyframes_rare", keys_rare},
    {"warning", "few_frames", few_frames},
    {"warning", "bitrate_low", starved},
    {"warning", "bitrate_high", gross},
    {"warning", "no_audio", no_audio},
    {"info", "not_connected", not_connected},
    {"info", "no_video", no_video},
    {"info", "b_frames", reorders},
    {"info", "codec_support", not_everywhere},
    {"info", "keyframes_too_often", keys_too_often},
    {"info", "sample_rate", odd_rate},
};

size_t advice_give(const struct ingest_state *in, struct advice out[ADVICE_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < sizeof RULES / sizeof *RULES && n < ADVICE_MAX; i++) {
        if (!RULES[i].fn(in, out[n].text, sizeof out[n].text)) continue;
        out[n].level = RULES[i].level;
        out[n].code = RULES[i].code;
        n++;
    }
    if (n) return n;
    out[0] = (struct advice){"ok", "ok", "Everything looks good."};
    return 1;
}
