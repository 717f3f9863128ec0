/* SPDX-License-Identifier: MIT */
/* What there is to say of a file that only its packets tell: how far its key frames are apart, how
 * many bits it has at its worst, whether parts of it are not to be shown. */
#include "import.h"
#include <libavutil/pixdesc.h>
#include <stdio.h>

#define RATE_US 1000000 /* of a rate: not of a single picture */

static struct {
    bool begun;
    int64_t key_us, last_us, longest_us; /* of the picture */
    int64_t from_us, bytes, peak;        /* since `from_us`; bits a second */
    bool kept[2], hidden[2], cut[2]; /* packets that are shown, that are not, and in what order */
} f;

static void close_rate(int64_t at_us)
{
    if (at_us <= f.from_us) return;
    const double rate = (double)f.bytes * 8e6 / (double)(at_us - f.from_us);
    if (rate > (double)f.peak) f.peak = rate < 1e12 ? (int64_t)rate : INT64_C(1000000000000);
    f.from_us = at_us;
    f.bytes = 0;
}

static void note_picture(const AVPacket *p, int64_t at_us)
{
    const bool key = p->flags & AV_PKT_FLAG_KEY;
    if (!f.begun) f.key_us = f.from_us = f.last_us = at_us;
    f.begun = true;
    if (at_us > f.last_us) f.last_us = at_us;
    if (at_us - f.key_us > f.longest_us) f.longest_us = at_us - f.key_us;
    if (key && f.last_us - f.from_us >= RATE_US) close_rate(f.last_us);
    if (key) f.key_us = f.last_us;
    f.bytes += p->size;
}

void facts_packet(const struct line *l, const AVPacket *p)
{
    const int64_t ts = p->dts != AV_NOPTS_VALUE ? p->dts : p->pts;
    const bool hidden = p->flags & AV_PKT_FLAG_DISCARD;
    if (hidden && f.kept[l->kind]) f.hidden[l->kind] = true;
    if (!hidden && f.hidden[l->kind]) f.cut[l->kind] = true; /* from its middle */
    if (hidden && l->kind == MEDIA_VIDEO) f.cut[MEDIA_VIDEO] = true;
    f.kept[l->kind] |= !hidden;
    if (l->kind == MEDIA_VIDEO && ts != AV_NOPTS_VALUE)
        note_picture(p, av_rescale_q(ts, l->st->time_base, AV_TIME_BASE_Q) + l->in->shift_us);
}

size_t facts_text(const struct line *l, char *out, size_t cap)
{
    if (l->kind == MEDIA_AUDIO) return (size_t)snprintf(out, cap, "sound %d\n", f.cut[MEDIA_AUDIO]);
    const AVRational sar = av_guess_sample_aspect_ratio(l->in->fmt, l->st, NULL);
    const char *format = av_get_pix_fmt_name((enum AVPixelFormat)l->st->codecpar->format);
    const bool square = sar.num <= 0 || sar.den <= 0;
    /* What follows the last key frame, or a file that is shorter than a second. */
    if (f.last_us - f.from_us >= RATE_US || !f.peak) close_rate(f.last_us);
    return (size_t)snprintf(out, cap, "picture %s %d %d %lld %lld %d\n",
                            format ? format : "unknown", square ? 1 : sar.num, square ? 1 : sar.den,
                            (long long)(f.longest_us / 1000), (long long)f.peak,
                            f.cut[MEDIA_VIDEO]);
}
