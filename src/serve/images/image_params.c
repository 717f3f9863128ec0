/* SPDX-License-Identifier: MIT */
#include "serve/images/image_params.h"
#include "base/clock.h"
#include "wire/http_uri.h"

#define TIME_MAX_S INT64_C(100000000000) /* seconds since 1970, and far beyond */
#define SPAN_MIN   (US_PER_SEC / 4)
#define SPAN_MAX   (10 * US_PER_SEC)
#define SPAN_USUAL (5 * US_PER_SEC)

/* --- names --- */

static const struct {
    const char *ext;
    enum image_format format;
} EXTENSIONS[] = {{"jpg", IMAGE_JPEG},
                  {"jpeg", IMAGE_JPEG},
                  {"png", IMAGE_PNG},
                  {"webp", IMAGE_WEBP},
                  {"gif", IMAGE_GIF}};

static bool find_format(struct span ext, enum image_format *out)
{
    for (size_t i = 0; i < sizeof EXTENSIONS / sizeof *EXTENSIONS; i++) {
        if (!span_is(ext, EXTENSIONS[i].ext)) continue;
        *out = EXTENSIONS[i].format;
        return true;
    }
    return false;
}

const char *image_format_name(enum image_format f)
{
    static const char *const NAMES[] = {"jpg", "png", "webp", "gif"};
    return NAMES[f];
}

const char *image_format_type(enum image_format f)
{
    static const char *const TYPES[] = {"image/jpeg", "image/png", "image/webp", "image/gif"};
    return TYPES[f];
}

static bool kind_has(enum image_kind k, enum image_format f)
{
    return k == IMAGE_ANIMATED ? f == IMAGE_GIF || f == IMAGE_WEBP : f != IMAGE_GIF;
}

enum err image_params_name(struct span name, struct image_params *out)
{
    struct span ext = name;
    const struct span stem = span_cut(&ext, '.');
    struct image_params p = {.fps = 0,
                             .time_us = IMAGE_NO_TIME,
                             .program_us = IMAGE_NO_TIME,
                             .start_us = IMAGE_NO_TIME,
                             .end_us = IMAGE_NO_TIME};
    const bool board = span_is(stem, "storyboard");
    if (span_is(stem, "thumbnail"))
        p.kind = IMAGE_THUMBNAIL;
    else if (span_is(stem, "animated"))
        p.kind = IMAGE_ANIMATED;
    else if (board)
        p.kind = IMAGE_STORYBOARD;
    else
        return E_NOTFOUND;
    if (board && (span_is(ext, "vtt") || span_is(ext, "json"))) {
        p.kind = IMAGE_TILES;
        p.text = span_is(ext, "vtt") ? IMAGE_VTT : IMAGE_JSON;
    } else if (!find_format(ext, &p.format) || !kind_has(p.kind, p.format)) {
        return E_NOTFOUND;
    }
    if (p.kind == IMAGE_ANIMATED) p.fps = 15;
    *out = p;
    return E_OK;
}

/* --- values --- */

/* "12", "12.5": seconds; to the microsecond, what is finer is dropped. */
static bool seconds(struct span s, int64_t *out)
{
    struct span rest = s;
    const struct span whole = span_cut(&rest, '.');
    uint64_t n = 0, part = 0;
    const bool dot = whole.len != s.len;
    if (!span_u64(whole, (uint64_t)TIME_MAX_S, &n) || (dot && !rest.len) || rest.len > 20)
        return false;
    for (size_t i = 0, unit = 100000; i < rest.len; i++, unit /= 10) {
        if (rest.p[i] < '0' || rest.p[i] > '9') return false;
        part += unit * (uint64_t)(rest.p[i] - '0');
    }
    *out = (int64_t)(n * US_PER_SEC + part);
    return true;
}

static bool truth(struct span s, bool *out)
{
    *out = span_is(s, "true") || span_is(s, "1");
    return *out || span_is(s, "false") || span_is(s, "0");
}

static bool number(struct span s, uint64_t min, uint64_t max, uint16_t *out)
{
    uint64_t n;
    if (!span_u64(s, max, &n) || n < min) return false;
    *out = (uint16_t)n;
    return true;
}

static bool set_fit(struct span s, enum image_fit *out)
{
    static const char *const NAMES[IMAGE_FITS] = {"preserve", "stretch", "crop", "smartcrop",
                                                  "pad"};
    for (int i = 0; i < IMAGE_FITS; i++) {
        if (!span_is(s, NAMES[i])) continue;
        *out = (enum image_fit)i;
        return true;
    }
    return false;
}

static bool set_time(struct image_params *p, struct span v)
{
    return seconds(v, &p->time_us);
}
static bool set_program(struct image_params *p, struct span v)
{
    return seconds(v, &p->program_us);
}
static bool set_start(struct image_params *p, struct span v)
{
    return seconds(v, &p->start_us);
}
static bool set_end(struct image_params *p, struct span v)
{
    return seconds(v, &p->end_us);
}
static bool set_width(struct image_params *p, struct span v)
{
    return number(v, 1, p->kind == IMAGE_ANIMATED ? LIMIT_IMAGE_ANIM_SIDE : LIMIT_IMAGE_SIDE,
                  &p->width);
}
static bool set_height(struct image_params *p, struct span v)
{
    return number(v, 1, p->kind == IMAGE_ANIMATED ? LIMIT_IMAGE_ANIM_SIDE : LIMIT_IMAGE_SIDE,
                  &p->height);
}
static bool set_fps(struct image_params *p, struct span v)
{
    return number(v, 1, LIMIT_IMAGE_FPS, &p->fps);
}
static bool set_fit_mode(struct image_params *p, struct span v)
{
    return set_fit(v, &p->fit);
}
static bool set_rotate(struct image_params *p, struct span v)
{
    return number(v, 0, 270, &p->rotate) && p->rotate % 90 == 0;
}
static bool set_flip_h(struct image_params *p, struct span v)
{
    return truth(v, &p->flip_h);
}
static bool set_flip_v(struct image_params *p, struct span v)
{
    return truth(v, &p->flip_v);
}
static bool set_latest(struct image_params *p, struct span v)
{
    return truth(v, &p->latest);
}
static bool set_format(struct image_params *p, struct span v)
{
    return find_format(v, &p->format) && kind_has(IMAGE_STORYBOARD, p->format);
}

#define OF(kind) (1u << (kind))

static const struct {
    const char *name;
    unsigned kinds;
    bool (*set)(struct image_params *p, struct span value);
    const char *problem;
} PARAMS[] = {
    {"time", OF(IMAGE_THUMBNAIL), set_time, "time is a number of seconds."},
    {"program_time", OF(IMAGE_THUMBNAIL), set_program, "program_time is in seconds since 1970."},
    {"latest", OF(IMAGE_THUMBNAIL), set_latest, "latest is true or false."},
    {"fit_mode", OF(IMAGE_THUMBNAIL), set_fit_mode,
     "fit_mode is preserve, stretch, crop, smartcrop or pad."},
    {"rotate", OF(IMAGE_THUMBNAIL), set_rotate, "rotate is 90, 180 or 270."},
    {"flip_h", OF(IMAGE_THUMBNAIL), set_flip_h, "flip_h is true or false."},
    {"flip_v", OF(IMAGE_THUMBNAIL), set_flip_v, "flip_v is true or false."},
    {"width", OF(IMAGE_THUMBNAIL) | OF(IMAGE_ANIMATED), set_width,
     "width is a number of pixels: at most 4096, of an animation 640."},
    {"height", OF(IMAGE_THUMBNAIL) | OF(IMAGE_ANIMATED), set_height,
     "height is a number of pixels: at most 4096, of an animation 640."},
    {"start", OF(IMAGE_ANIMATED), set_start, "start is a number of seconds."},
    {"end", OF(IMAGE_ANIMATED), set_end, "end is a number of seconds."},
    {"fps", OF(IMAGE_ANIMATED), set_fps, "fps is a number from 1 to 30."},
    {"format", OF(IMAGE_TILES), set_format, "format is jpg, png or webp."},
};

enum err image_params_set(struct image_params *p, struct span name, struct span value,
                          const char **problem)
{
    for (size_t i = 0; i < sizeof PARAMS / sizeof *PARAMS; i++) {
        if (!span_is(name, PARAMS[i].name) || !(PARAMS[i].kinds & OF(p->kind))) continue;
        if (PARAMS[i].set(p, value)) return E_OK;
        *problem = PARAMS[i].problem;
        return E_INVALID;
    }
    return E_OK;
}

enum err image_params_check(const struct image_params *p, const char **problem)
{
    const unsigned times =
        (p->time_us != IMAGE_NO_TIME) + (p->program_us != IMAGE_NO_TIME) + (p->latest ? 1u : 0u);
    *problem = "Give one of time, program_time and latest.";
    if (times > 1) return E_INVALID;
    if (p->kind != IMAGE_ANIMATED || p->end_us == IMAGE_NO_TIME) return E_OK;
    const int64_t start = p->start_us == IMAGE_NO_TIME ? 0 : p->start_us;
    *problem = "end is 0.25 to 10 seconds after start.";
    return p->end_us - start < SPAN_MIN || p->end_us - start > SPAN_MAX ? E_INVALID : E_OK;
}

enum err image_params_query(struct image_params *p, struct span query, const char **problem)
{
    struct span name, value;
    unsigned n = 0;
    while (http_uri_query_next(&query, &name, &value)) {
        char text[64], key[16];
        if (++n > LIMIT_IMAGE_PARAMS) {
            *problem = "There are too many parameters.";
            return E_INVALID;
        }
        if (!span_cstr(name, key, sizeof key)) continue; /* none of ours */
        struct image_params probe = *p;
        const struct span pair =
            span_of(name.p, (size_t)(value.p ? value.p + value.len - name.p : (ptrdiff_t)name.len));
        /* A value that is too long, or badly escaped, is a bad one, of a name that is ours. */
        const bool good = http_uri_query_get(pair, key, text, sizeof text) == E_OK;
        const enum err e =
            image_params_set(&probe, name, good ? span_str(text) : SPAN_LIT("?"), problem);
        if (e != E_OK) return e;
        *p = probe;
    }
    return image_params_check(p, problem);
}

void image_params_key(const struct image_params *p, struct str *out)
{
    str_addf(out, "%d %d %d %d %ux%u %u %u %d%d%d %lld %lld %lld %lld", p->kind, p->text, p->format,
             p->fit, p->width, p->height, p->rotate, p->fps, p->flip_h, p->flip_v, p->latest,
             (long long)p->time_us, (long long)p->program_us, (long long)p->start_us,
             (long long)p->end_us);
}
