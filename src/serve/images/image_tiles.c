/* SPDX-License-Identifier: MIT */
/* Storyboards as WebVTT (with media fragments, #xywh) and as JSON. */
#include "base/clock.h"
#include "serve/images/image_source.h"

int64_t image_tile_start(const struct image_tiles *t, unsigned i)
{
    return t->duration_us / t->n * i + t->duration_us % t->n * i / t->n;
}

static void add_time(struct str *out, int64_t us)
{
    const long long ms = us / 1000;
    str_addf(out, "%02lld:%02lld:%02lld.%03lld", ms / 3600000, ms / 60000 % 60, ms / 1000 % 60,
             ms % 1000);
}

static unsigned tile_x(const struct image_tiles *t, unsigned i)
{
    return i % IMAGE_COLUMNS * t->width;
}

static unsigned tile_y(const struct image_tiles *t, unsigned i)
{
    return i / IMAGE_COLUMNS * t->height;
}

void image_tiles_vtt(const struct image_tiles *t, const char *url, struct str *out)
{
    str_adds(out, "WEBVTT\n\n");
    for (unsigned i = 0; i < t->n; i++) {
        const int64_t from = image_tile_start(t, i);
        const int64_t to = i + 1 < t->n ? image_tile_start(t, i + 1) : t->duration_us;
        if (to / 1000 == from / 1000) continue; /* a cue lasts */
        add_time(out, from);
        str_adds(out, " --> ");
        add_time(out, to);
        str_addf(out, "\n%s#xywh=%u,%u,%u,%u\n\n", url, tile_x(t, i), tile_y(t, i), t->width,
                 t->height);
    }
}

/* What may stand in a JSON string as it is, does. */
static void add_escaped(struct str *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') str_addc(out, '\\');
        if ((unsigned char)*s >= 32) str_addc(out, *s);
    }
}

void image_tiles_json(const struct image_tiles *t, const char *url, struct str *out)
{
    str_adds(out, "{\"url\":\"");
    add_escaped(out, url);
    str_addf(out, "\",\"tile_width\":%u,\"tile_height\":%u,\"duration\":%.3f,\"tiles\":[", t->width,
             t->height, (double)t->duration_us / 1e6);
    for (unsigned i = 0; i < t->n; i++)
        str_addf(out, "%s{\"start\":%.3f,\"x\":%u,\"y\":%u}", i ? "," : "",
                 (double)image_tile_start(t, i) / 1e6, tile_x(t, i), tile_y(t, i));
    str_adds(out, "]}");
}
