/* SPDX-License-Identifier: MIT */
/* Advice about the picture. */
#include "product/advice_rules.h"
#include <string.h>

#define SAY        ADVICE_SAY
#define RULE(name) static bool name(const struct ingest_state *in, char *text, size_t cap)

/* What the next key frame has kept waiting counts too. */
static double key_interval(const struct ingest_state *in)
{
    return in->since_key_s > in->key_interval_s ? in->since_key_s : in->key_interval_s;
}

static bool is_codec(const struct ingest_state *in, const char *name)
{
    return in->has_video && strcmp(in->video_codec, name) == 0;
}

RULE(no_video)
{
    if (!in->connected || in->has_video || !in->has_audio) return false;
    SAY("There is sound and no picture. That is fine for radio; otherwise look at the video "
        "source and the video encoder.");
}

RULE(keys_very_rare)
{
    if (in->webrtc || key_interval(in) <= 9.5) return false;
    SAY("A key frame comes only every %.0f seconds or more: viewers wait that long for their first "
        "picture.",
        key_interval(in));
}

RULE(keys_rare)
{
    if (in->webrtc || key_interval(in) <= 4.2 || key_interval(in) > 9.5) return false;
    SAY("A key frame comes every %.1f seconds. Viewers start sooner and stay closer to live with "
        "2 seconds.",
        key_interval(in));
}

/* A browser makes key frames when viewers come: then they cannot be regular. */
RULE(keys_irregular)
{
    if (in->webrtc || in->key_shortest_s <= 0 || in->key_longest_s > 9.5) return false;
    if (in->key_longest_s < 1.5 * in->key_shortest_s + 0.5) return false;
    SAY("Key frames come after %.1f to %.1f seconds. When they are regular, segments are equally "
        "long and players run steadier.",
        in->key_shortest_s, in->key_longest_s);
}

RULE(keys_too_often)
{
    if (in->webrtc || in->key_interval_s <= 0 || in->key_interval_s >= 0.45) return false;
    SAY("A key frame comes every %.2f seconds, which costs picture quality.", in->key_interval_s);
}

RULE(reorders)
{
    if (!in->b_frames || in->no_slot) return false;
    SAY("The encoder sends B-frames. HLS plays them well; for viewers by WebRTC the server makes "
        "another picture without them, which needs one of its few transcoding slots.");
}

RULE(reorders_without_slot)
{
    if (!in->b_frames || !in->no_slot) return false;
    SAY("The encoder sends B-frames and the server has no transcoding slot free: viewers get the "
        "stream by HLS, some seconds later than by WebRTC.");
}

RULE(vp8_without_slot)
{
    if (!is_codec(in, "vp8") || in->segments) return false;
    SAY("The picture is VP8 and is not being made into H.264 now, as no transcoding slot is free: "
        "viewers without WebRTC see nothing, and nothing is recorded.");
}

RULE(not_everywhere)
{
    const bool hevc = is_codec(in, "h265"), av1 = is_codec(in, "av1"), vp9 = is_codec(in, "vp9");
    if (!hevc && !av1 && !vp9) return false;
    SAY("%s is not played by every browser and television. H.264 reaches the widest audience.",
        hevc  ? "HEVC"
        : av1 ? "AV1"
              : "VP9");
}

/* Bits that a pixel gets; newer codecs need about half of H.264's. */
static double bits_per_pixel(const struct ingest_state *in)
{
    const double pixels = (double)in->width * in->height * in->fps;
    if (pixels <= 0 || in->video_bps <= 0) return -1;
    const bool old = is_codec(in, "h264") || is_codec(in, "vp8");
    return (double)in->video_bps / pixels * (old ? 1 : 2);
}

RULE(starved)
{
    const double bpp = bits_per_pixel(in);
    /* A browser begins low, and makes the picture smaller by itself when it must. */
    if (in->webrtc && (in->connected_s < 20 || bpp >= 0.02)) return false;
    if (bpp < 0 || bpp >= 0.035 || in->height < 480 || in->fps < 10) return false;
    SAY("%u × %u at %.0f frames a second share %.1f Mbit/s, which looks blocky when something "
        "moves. Good values are 2.5 to 4 Mbit/s for 720p and 4.5 to 6 for 1080p.",
        in->width, in->height, in->fps, (double)in->video_bps / 1e6);
}

RULE(gross)
{
    const int64_t bps = in->video_bps + in->audio_bps;
    const bool far = bps > 12 * 1000 * 1000;
    if (!far && (bits_per_pixel(in) < 0.5 || bps < 4 * 1000 * 1000)) return false;
    SAY("The stream is %.1f Mbit/s, and every viewer gets all of it: many cannot follow. 6 Mbit/s "
        "is plenty for 1080p, 4 for 720p.",
        (double)bps / 1e6);
}

RULE(fewer_frames)
{
    if (in->best_fps < 12 || in->fps <= 0 || in->fps >= 0.75 * in->best_fps) return false;
    SAY("Only %.0f frames a second arrive of the %.0f that there were: the computer or its "
        "connection does not keep up.",
        in->fps, in->best_fps);
}

RULE(few_frames)
{
    if (in->fps <= 0 || in->fps >= 14 || in->best_fps >= 14) return false;
    SAY("Only %.0f frames a second arrive. If that is not what the encoder is set to, the computer "
        "is too slow for it.",
        in->fps);
}

RULE(vary)
{
    if (in->webrtc || !in->frames_vary) return false;
    SAY("The frame rate varies: frames come at uneven distances, and motion looks jerky.");
}

RULE(very_large)
{
    if ((int64_t)in->width * in->height <= 1920 * 1200) return false;
    SAY("%u × %u is more than most screens show and many connections carry; 1920 × 1080 reaches "
        "more viewers.",
        in->width, in->height);
}

RULE(odd_size)
{
    if (in->width % 2 == 0 && in->height % 2 == 0) return false;
    SAY("The picture is %u × %u. With an odd number of lines or columns some players show a green "
        "edge or nothing.",
        in->width, in->height);
}

RULE(upright)
{
    if (in->width == 0 || in->height <= in->width) return false;
    SAY("The picture is upright (%u × %u): on wide screens it has broad black borders.", in->width,
        in->height);
}

#define OUTPUT "OBS: Settings → Output → Output Mode \"Advanced\" → Streaming → "
static const char KEY_OBS[] = OUTPUT "Keyframe Interval: 2 s (0 means automatic, up to 8.3 s)";
static const char KEY_FFMPEG[] = "ffmpeg: -g with twice the frame rate (-g 60 at 30 frames a "
                                 "second), -sc_threshold 0";
static const char B_OBS[] = OUTPUT "x264 Options: bframes=0 (or Tune: zerolatency; NVENC: Max "
                                   "B-frames 0)";
static const char RATE_OBS[] = "OBS: Settings → Output → Video Bitrate; the size under Settings → "
                               "Video → Output (Scaled) Resolution";
static const char LOWER[] = "In the browser: choose a lower quality, close other tabs and programs";

static const struct advice_rule RULES[] = {
    {ADVICE_ERROR, "keyframes_very_rare", keys_very_rare, KEY_OBS, KEY_FFMPEG, ""},
    {ADVICE_WARNING, "keyframes_rare", keys_rare, KEY_OBS, KEY_FFMPEG, ""},
    {ADVICE_WARNING, "keyframes_irregular", keys_irregular,
     OUTPUT "Keyframe Interval: 2 s, and x264 Options: scenecut=0", KEY_FFMPEG, ""},
    {ADVICE_WARNING, "b_frames_no_slot", reorders_without_slot, B_OBS, "ffmpeg: -bf 0", ""},
    {ADVICE_WARNING, "vp8_no_slot", vp8_without_slot,
     "OBS: Settings → Output → Video Encoder: x264", "ffmpeg: -c:v libx264",
     "In the browser: nothing to set; H.264 is chosen where it can be"},
    {ADVICE_WARNING, "frames_dropping", fewer_frames,
     "OBS: View → Stats: rendering lag (close games and browser sources), encoding lag (Settings → "
     "Output → CPU Usage Preset: a faster one), or network (a lower Video Bitrate)",
     "ffmpeg: a faster -preset, or a smaller -s", LOWER},
    {ADVICE_WARNING, "few_frames", few_frames,
     "OBS: Settings → Video → Common FPS Values: 30; Settings → Output → CPU Usage Preset: a "
     "faster "
     "one",
     "ffmpeg: -r 30, a faster -preset", LOWER},
    {ADVICE_WARNING, "bitrate_low", starved, RATE_OBS,
     "ffmpeg: -b:v 2500k for 720p, 4500k for 1080p",
     "In the browser: choose a smaller size, or close what else uses the connection"},
    {ADVICE_WARNING, "bitrate_high", gross, RATE_OBS, "ffmpeg: -b:v and -maxrate",
     "In the browser: choose a lower quality"},
    {ADVICE_WARNING, "odd_size", odd_size,
     "OBS: Settings → Video → Output (Scaled) Resolution: even numbers, as 1280x720",
     "ffmpeg: -vf scale=trunc(iw/2)*2:trunc(ih/2)*2", ""},
    {ADVICE_INFO, "no_video", no_video, "OBS: Sources: add a video source", NULL,
     "In the browser: switch the camera on"},
    {ADVICE_INFO, "b_frames", reorders, B_OBS, "ffmpeg: -bf 0", ""},
    {ADVICE_INFO, "codec_support", not_everywhere,
     "OBS: Settings → Output → Video Encoder: one with H.264", "ffmpeg: -c:v libx264",
     "In the browser: choose H.264"},
    {ADVICE_INFO, "keyframes_too_often", keys_too_often, KEY_OBS, KEY_FFMPEG, ""},
    {ADVICE_INFO, "frame_rate_varies", vary,
     "OBS: Settings → Video → Common FPS Values; a source with a steady rate of its own",
     "ffmpeg: -vsync cfr -r 30", ""},
    {ADVICE_INFO, "very_large", very_large,
     "OBS: Settings → Video → Output (Scaled) Resolution: 1920x1080 (Rescale)",
     "ffmpeg: -vf scale=-2:1080", "In the browser: choose 1080p or less"},
    {ADVICE_INFO, "upright", upright,
     "OBS: right click on the source → Transform → Rotate, if it is not meant so",
     "ffmpeg: -vf transpose=1, if it is not meant so", "Turn the telephone, if it is not meant so"},
};
const struct advice_rules ADVICE_PICTURE = ADVICE_RULES(RULES);
