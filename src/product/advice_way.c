/* SPDX-License-Identifier: MIT */
/* Advice about the connection: is there one, and does it keep up? */
#include "product/advice_rules.h"

#define SAY        ADVICE_SAY
#define RULE(name) static bool name(const struct ingest_state *in, char *text, size_t cap)

RULE(not_connected)
{
    if (in->connected || in->away) return false;
    SAY("No encoder is connected.");
}

RULE(gone_away)
{
    if (!in->away) return false;
    SAY("The encoder has gone. Start it again soon: the stream and its recording go on where they "
        "were.");
}

RULE(nothing_comes)
{
    if (!in->connected || in->silent_s < 3) return false;
    SAY("The encoder is connected, but nothing has come from it for %.0f seconds.", in->silent_s);
}

RULE(reconnects)
{
    if (in->connects < 4) return false;
    SAY("The encoder has connected %u times in ten minutes: its connection is lost again and "
        "again.",
        in->connects);
}

/* Behind and still losing ground, or far behind. */
RULE(slow)
{
    if (in->speed <= 0 || in->behind_s < 1) return false;
    if (in->speed >= 0.97 && in->behind_s < 4) return false;
    SAY("The encoder is %.1f seconds behind and sends at %.0f %% of real time: its upload or its "
        "computer is too slow for this stream. Players stop and wait.",
        in->behind_s, 100 * in->speed);
}

RULE(shaky)
{
    const double ms = in->network_known ? in->jitter_ms : in->frame_jitter_ms;
    if (ms <= (in->network_known ? 40 : 250)) return false;
    SAY("The connection is shaky: what is sent evenly arrives %.0f ms earlier or later than it "
        "should.",
        ms);
}

RULE(loses)
{
    if (!in->network_known || in->loss < 0.02) return false;
    SAY("%.0f %% of the packets are lost on the way here: the picture freezes or breaks up.",
        100 * in->loss);
}

RULE(far_away)
{
    if (!in->network_known || in->rtt_ms <= 250) return false;
    SAY("A packet needs %.0f ms to the server and back, so what is lost comes again late.",
        in->rtt_ms);
}

RULE(jumps)
{
    if (in->jumps < 2) return false;
    SAY("The encoder's clock has jumped %u times: players stumble each time.", in->jumps);
}

static const char UPLOAD_OBS[] =
    "OBS: Settings → Output → Video Bitrate: at most three quarters of what the upload can do; "
    "Settings → Advanced → Dynamically change bitrate; a cable instead of Wi-Fi";
static const char UPLOAD_FFMPEG[] = "ffmpeg: a lower -b:v with -maxrate and -bufsize; a faster "
                                    "-preset when its speed= is below 1";
static const char UPLOAD_BROWSER[] =
    "Use a cable instead of Wi-Fi, close other tabs and downloads, choose a lower quality";

static const struct advice_rule RULES[] = {
    {ADVICE_ERROR, "nothing_received", nothing_comes,
     "OBS: View → Stats → Dropped Frames (Network); Settings → Output → a lower Video Bitrate",
     UPLOAD_FFMPEG, UPLOAD_BROWSER},
    {ADVICE_WARNING, "encoder_away", gone_away, UPLOAD_OBS, UPLOAD_FFMPEG, UPLOAD_BROWSER},
    {ADVICE_WARNING, "source_slow", slow, UPLOAD_OBS, UPLOAD_FFMPEG, UPLOAD_BROWSER},
    {ADVICE_WARNING, "packet_loss", loses, UPLOAD_OBS, UPLOAD_FFMPEG, UPLOAD_BROWSER},
    {ADVICE_WARNING, "jitter", shaky, UPLOAD_OBS, UPLOAD_FFMPEG, UPLOAD_BROWSER},
    {ADVICE_WARNING, "reconnects", reconnects, UPLOAD_OBS, UPLOAD_FFMPEG, UPLOAD_BROWSER},
    {ADVICE_WARNING, "timestamps_jump", jumps,
     "OBS: Sources: a media source with broken times, or Settings → Audio: a device that is "
     "unplugged; restart the stream",
     "ffmpeg: -fflags +genpts, -use_wallclock_as_timestamps 1", ""},
    {ADVICE_INFO, "not_connected", not_connected,
     "OBS: Settings → Stream → Service \"Custom\": paste server and stream key, then Start "
     "Streaming",
     NULL, "Open the broadcast page and press Go live"},
    {ADVICE_INFO, "far_away", far_away, "", NULL, NULL},
};
const struct advice_rules ADVICE_WAY = ADVICE_RULES(RULES);
