/* SPDX-License-Identifier: MIT */
/* Advice about the sound. */
#include "product/advice_rules.h"
#include <math.h>

#define SAY        ADVICE_SAY
#define RULE(name) static bool name(const struct ingest_state *in, char *text, size_t cap)

RULE(no_audio)
{
    if (!in->connected || in->has_audio || !in->has_video) return false;
    SAY("There is a picture and no sound track.");
}

RULE(silent)
{
    if (!in->has_audio || !in->level_known || in->quiet_s < 5) return false;
    SAY("There is a sound track, but nothing to hear for %.0f seconds.", in->quiet_s);
}

RULE(quiet)
{
    if (!in->has_audio || !in->level_known || in->quiet_s >= 5) return false;
    if (in->peak_db >= -42) return false;
    SAY("The sound is very quiet: about %.0f dB below full scale. Speech is easy to understand at "
        "20.",
        -in->level_db);
}

/* A pure tone at full scale is at -3. Speech and music that get near it are cut off. */
RULE(clipping)
{
    if (!in->has_audio || !in->level_known || in->level_db < -6) return false;
    SAY("The sound is as loud as it can be (%.0f dB below full scale): it is probably distorted.",
        fabs(in->level_db));
}

RULE(odd_rate)
{
    if (in->sample_rate == 0 || in->sample_rate == 48000 || in->sample_rate == 44100) return false;
    SAY("The sound has %u samples a second; 48000 is what browsers like best.", in->sample_rate);
}

RULE(thin)
{
    if (in->audio_bps <= 0 || in->audio_bps >= 48000 || in->sample_rate == 0) return false;
    if (in->webrtc || in->channels < 2 || (in->level_known && in->quiet_s > 1)) return false;
    SAY("Stereo sound shares %.0f kbit/s, which hurts music. 128 to 160 is good.",
        (double)in->audio_bps / 1000);
}

RULE(apart)
{
    if (!in->offset_known || fabs(in->offset_ms) <= 100) return false;
    SAY("Sound and picture that belong together come %.0f ms apart: the sound is %s the picture.",
        fabs(in->offset_ms), in->offset_ms > 0 ? "ahead of" : "behind");
}

/* How it goes on cannot be known from here: only that it did not begin together. */
RULE(began_apart)
{
    if (in->webrtc || !in->gap_known || fabs(in->start_gap_ms) <= 150) return false;
    SAY("The %s began %.0f ms after the %s. If lips and voice do not fit together, this is why.",
        in->start_gap_ms > 0 ? "sound" : "picture", fabs(in->start_gap_ms),
        in->start_gap_ms > 0 ? "picture" : "sound");
}

static const struct advice_rule RULES[] = {
    {ADVICE_WARNING, "no_audio", no_audio,
     "OBS: Settings → Output → Audio Track; an audio source in the Audio Mixer that is not muted",
     "ffmpeg: map an audio stream, -c:a aac", "In the browser: switch the microphone on"},
    {ADVICE_WARNING, "audio_silent", silent,
     "OBS: Audio Mixer: is the source muted, does its meter move? Settings → Audio → Global Audio "
     "Devices",
     "ffmpeg: check the audio input (-af volumedetect says how loud it is)",
     "In the browser: unmute the microphone, or choose another one"},
    {ADVICE_WARNING, "audio_clipping", clipping,
     "OBS: Audio Mixer: pull the fader down until the meter stays below red; or Filters → Limiter",
     "ffmpeg: -af volume=-6dB, or -af alimiter", "Turn the microphone's volume down"},
    {ADVICE_WARNING, "av_offset", apart,
     "OBS: Audio Mixer → ⚙ → Advanced Audio Properties → Sync Offset",
     "ffmpeg: -itsoffset before the input that is early",
     "In the browser: choose the microphone of the camera itself, no Bluetooth"},
    {ADVICE_INFO, "av_start", began_apart,
     "OBS: Audio Mixer → ⚙ → Advanced Audio Properties → Sync Offset: 0 ms, or as it fits",
     "ffmpeg: -itsoffset, of the input that is meant", ""},
    {ADVICE_INFO, "audio_quiet", quiet, "OBS: Audio Mixer: push the fader up; or Filters → Gain",
     "ffmpeg: -af loudnorm", "Turn the microphone's volume up, or come nearer to it"},
    {ADVICE_INFO, "sample_rate", odd_rate, "OBS: Settings → Audio → Sample Rate: 48 kHz",
     "ffmpeg: -ar 48000", ""},
    {ADVICE_INFO, "audio_bitrate_low", thin, "OBS: Settings → Output → Audio Bitrate: 160",
     "ffmpeg: -b:a 160k", ""},
};
const struct advice_rules ADVICE_SOUND = ADVICE_RULES(RULES);
