/* SPDX-License-Identifier: MIT */
/* What is not standard about a file, in Mux's words. */
#include "video/import_priv.h"

#define GOP_MS_MAX 20000
#define BPS_MAX    16000000
#define SIDE_MAX   2048
#define FPS_MIN    5000 /* thousandths */
#define FPS_MAX    120000

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (!strcmp(word, *list)) return true;
    return false;
}

static void add(struct str *s, const char *name, const char *value)
{
    str_addf(s, "%s\"%s\":\"%s\"", s->len > 1 ? "," : "", name, value);
}

static void add_pair(struct str *s, const char *name, unsigned a, char between, unsigned b)
{
    str_addf(s, "%s\"%s\":\"%u%c%u\"", s->len > 1 ? "," : "", name, a, between, b);
}

static void judge_picture(const struct import_stream *v, struct str *s)
{
    static const char *const CODECS[] = {"h264", "hevc", NULL};
    static const char *const FORMATS[] = {"yuv420p", "yuvj420p", NULL};
    const bool ten_bits = !strcmp(v->codec, "hevc") && !strcmp(v->pixel_format, "yuv420p10le");
    if (!is_one_of(v->codec, CODECS)) add(s, "video_codec", v->codec);
    if (v->seen && v->gop_ms > GOP_MS_MAX) add(s, "video_gop_size", "high");
    if (!v->fps_milli)
        add(s, "video_frame_rate", "-1");
    else if (v->fps_milli < FPS_MIN || v->fps_milli > FPS_MAX)
        str_addf(s, "%s\"video_frame_rate\":\"%u.%03u\"", s->len > 1 ? "," : "",
                 v->fps_milli / 1000, v->fps_milli % 1000);
    if (v->width > SIDE_MAX || v->height > SIDE_MAX)
        add_pair(s, "video_resolution", v->width, 'x', v->height);
    if (v->seen && v->peak_bps > BPS_MAX) add(s, "video_bitrate", "high");
    if (v->seen && v->pixel_w != v->pixel_h)
        add_pair(s, "pixel_aspect_ratio", v->pixel_w, ':', v->pixel_h);
    if (v->seen && v->edited) add(s, "video_edit_list", "non-standard");
    if (v->seen && !ten_bits && !is_one_of(v->pixel_format, FORMATS))
        add(s, "unsupported_pixel_format", v->pixel_format);
}

void import_standard_json(const struct import_input *in, struct str *out)
{
    const struct import_stream *v = &in->stream[MEDIA_VIDEO], *a = &in->stream[MEDIA_AUDIO];
    str_addc(out, '{');
    if (v->there) judge_picture(v, out);
    if (a->there && strcmp(a->codec, "aac") != 0) add(out, "audio_codec", a->codec);
    if (a->there && a->seen && a->edited) add(out, "audio_edit_list", "non-standard");
    str_addc(out, '}');
    if (out->len == 2) out->len = 0;
}
