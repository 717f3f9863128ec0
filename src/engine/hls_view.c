/* SPDX-License-Identifier: MIT */
#include "engine/hls_view.h"
#include "base/clock.h"
#include "wire/lang_tag.h"
#include <stdio.h>

#define US_PER_HOUR (3600 * US_PER_SEC)
#define SIG_BYTES   16
#define SIG_CHARS   22 /* base64url of them */
#define MS_MAX      INT64_C(100000000000000)

/* --- what is asked for ------------------------------------------------------------------------
 */

enum wish {
    MIN_RESOLUTION,
    MAX_RESOLUTION,
    RENDITION_ORDER,
    REDUNDANT_STREAMS,
    ROKU_TRICK_PLAY,
    SUBTITLES_LANG,
    ASSET_START,
    ASSET_END,
    PROGRAM_START,
    PROGRAM_END,
    EXCLUDE_PDT,
    LOW_LATENCY,
};

const char *const HLS_WISHES[] = {
    "min_resolution",
    "max_resolution",
    "rendition_order",
    "redundant_streams",
    "roku_trick_play",
    "default_subtitles_lang",
    "asset_start_time",
    "asset_end_time",
    "program_start_time",
    "program_end_time",
    "exclude_pdt",
    "low_latency",
    NULL,
};

static bool read_height(struct span v, unsigned *out)
{
    static const unsigned HEIGHTS[] = {270, 360, 480, 540, 720, 1080, 1440, 2160};
    uint64_t n;
    if (!span_ends(v, "p") || !span_u64(span_head(v, v.len - 1), 2160, &n)) return false;
    for (size_t i = 0; i < sizeof HEIGHTS / sizeof *HEIGHTS; i++)
        if (HEIGHTS[i] == n) *out = (unsigned)n;
    return *out == n;
}

static bool read_bool(struct span v, bool *out)
{
    *out = span_is(v, "true");
    return *out || span_is(v, "false");
}

/* Seconds, with decimals: "12", "12.5". */
static bool read_ms(struct span v, int64_t *out)
{
    uint64_t whole, ms = 0;
    const struct span s = span_cut(&v, '.');
    if (!span_u64(s, MS_MAX / 1000, &whole)) return false;
    if (v.p && (v.len == 0 || v.len > 12)) return false;
    for (size_t i = 0, unit = 100; i < v.len; i++, unit /= 10) {
        if (v.p[i] < '0' || v.p[i] > '9') return false;
        ms += (uint64_t)(v.p[i] - '0') * unit;
    }
    *out = (int64_t)(whole * 1000 + ms);
    return true;
}

static bool read_lang(struct span v, char *out, size_t cap)
{
    return lang_tag_valid(v) && span_cstr(v, out, cap);
}

static bool set_clip(struct hls_wish *w, enum hls_clip clip, bool end, struct span v)
{
    if (!w->clip_seen) w->view.to_ms = HLS_CLIP_END;
    w->clip_seen |= 1u << clip;
    w->view.clip = clip;
    return read_ms(v, end ? &w->view.to_ms : &w->view.from_ms);
}

static bool set(struct hls_wish *w, enum wish which, struct span v)
{
    bool b = false, ok;
    switch (which) {
    case MIN_RESOLUTION:
        return read_height(v, &w->min_height);
    case MAX_RESOLUTION:
        return read_height(v, &w->max_height);
    case RENDITION_ORDER:
        return w->largest_first = span_is(v, "desc");
    case REDUNDANT_STREAMS: /* one host: nothing to list twice */
        return read_bool(v, &b);
    case ROKU_TRICK_PLAY:
        return read_bool(v, &w->trick_play);
    case SUBTITLES_LANG:
        return read_lang(v, w->subtitles, sizeof w->subtitles);
    case ASSET_START:
    case ASSET_END:
        return set_clip(w, HLS_CLIP_ASSET, which == ASSET_END, v);
    case PROGRAM_START:
    case PROGRAM_END:
        return set_clip(w, HLS_CLIP_PROGRAM, which == PROGRAM_END, v);
    case EXCLUDE_PDT:
        return read_bool(v, &w->view.no_dates);
    case LOW_LATENCY:
        ok = read_bool(v, &b);
        w->view.no_parts = !b;
        return ok;
    }
    return true;
}

enum err hls_wish_set(struct hls_wish *w, const char *name, struct span value)
{
    for (int i = 0; HLS_WISHES[i]; i++)
        if (!strcmp(HLS_WISHES[i], name)) return set(w, (enum wish)i, value) ? E_OK : E_INVALID;
    return E_OK;
}

enum err hls_wish_check(struct hls_wish *w, const char **why)
{
    if (w->clip_seen == (1u << HLS_CLIP_ASSET | 1u << HLS_CLIP_PROGRAM))
        *why = "Times of the program and of the asset do not go together.";
    else if (w->view.clip && w->view.from_ms >= w->view.to_ms)
        *why = "The start must be before the end.";
    else if (w->min_height && w->max_height && w->min_height > w->max_height)
        *why = "min_resolution is above max_resolution.";
    else
        return E_OK;
    return E_INVALID;
}

/* --- the path element -------------------------------------------------------------------------
 */

bool hls_view_plain(const struct hls_view *v)
{
    return !v->clip && !v->no_dates && !v->no_parts;
}

static bool is_name(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        const uint8_t c = s.p[i];
        const bool ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                        (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
        if (!ok) return false;
    }
    return s.len > 0;
}

static bool take_number(struct span *s, int64_t *out)
{
    size_t n = 0;
    uint64_t v;
    while (n < s->len && s->p[n] >= '0' && s->p[n] <= '9') n++;
    if (!span_u64(span_head(*s, n), (uint64_t)MS_MAX, &v)) return false;
    *s = span_skip(*s, n);
    *out = (int64_t)v;
    return true;
}

static bool take_char(struct span *s, char c)
{
    if (!s->len || s->p[0] != (uint8_t)c) return false;
    *s = span_skip(*s, 1);
    return true;
}

/* In one order only: a view has one spelling. */
static bool read_view(struct span s, struct hls_view *v)
{
    *v = (struct hls_view){0};
    if (span_is(s, "0")) return true;
    if (s.len && (s.p[0] == 'a' || s.p[0] == 'p')) {
        v->clip = s.p[0] == 'a' ? HLS_CLIP_ASSET : HLS_CLIP_PROGRAM;
        v->to_ms = HLS_CLIP_END;
        s = span_skip(s, 1);
        if (!take_number(&s, &v->from_ms) || !take_char(&s, '-')) return false;
        if (s.len && s.p[0] >= '0' && s.p[0] <= '9' && !take_number(&s, &v->to_ms)) return false;
    }
    v->no_dates = take_char(&s, 'x');
    v->no_parts = take_char(&s, 'l');
    return s.len == 0 && !hls_view_plain(v);
}

static void write_view(const struct hls_view *v, char *out, size_t cap)
{
    size_t n = 0;
    if (v->clip && v->to_ms != HLS_CLIP_END)
        n = (size_t)snprintf(out, cap, "%c%lld-%lld", v->clip == HLS_CLIP_ASSET ? 'a' : 'p',
                             (long long)v->from_ms, (long long)v->to_ms);
    else if (v->clip)
        n = (size_t)snprintf(out, cap, "%c%lld-", v->clip == HLS_CLIP_ASSET ? 'a' : 'p',
                             (long long)v->from_ms);
    snprintf(out + n, cap - n, "%s%s%s", v->no_dates ? "x" : "", v->no_parts ? "l" : "",
             hls_view_plain(v) ? "0" : "");
}

enum err hls_path_parse(struct span text, struct hls_path *out)
{
    struct hls_path p = {0};
    struct span rest = text;
    const struct span run = span_cut(&rest, '~'), view = span_cut(&rest, '~');
    if (!is_name(run) || !span_cstr(run, p.run, sizeof p.run)) return E_NOTFOUND;
    if (view.p && !read_view(view, &p.view)) return E_NOTFOUND;
    if (rest.p) {
        const struct span hour = span_cut(&rest, '~');
        uint64_t n;
        if (rest.len != SIG_CHARS || !is_name(rest) || !span_u64(hour, 100000000, &n))
            return E_NOTFOUND;
        p.until_hour = (int64_t)n;
        p.is_signed = true;
    } else if (view.p && hls_view_plain(&p.view)) {
        return E_NOTFOUND; /* "RUN~0": one spelling */
    }
    *out = p;
    return E_OK;
}

/* What is signed: the playback id too, for the same run may have several. */
static void signature(const uint8_t key[SHA256_LEN], const char *id, struct span text,
                      char out[HASH_B64_LEN(SIG_BYTES)])
{
    struct str s = {0};
    uint8_t mac[SHA256_LEN];
    str_adds(&s, id);
    str_addc(&s, '/');
    str_add(&s, text);
    hash_hmac_sha256(span_of(key, SHA256_LEN), str_span(&s), mac);
    hash_b64url(span_of(mac, SIG_BYTES), out);
    str_fini(&s);
}

void hls_path_write(const struct hls_path *p, const uint8_t key[SHA256_LEN], const char *id,
                    char out[HLS_VIEW_PATH_CAP])
{
    char view[64], sig[HASH_B64_LEN(SIG_BYTES)];
    write_view(&p->view, view, sizeof view);
    if (!key) {
        const bool plain = hls_view_plain(&p->view);
        snprintf(out, HLS_VIEW_PATH_CAP, "%s%s%s", p->run, plain ? "" : "~", plain ? "" : view);
        return;
    }
    const int n =
        snprintf(out, HLS_VIEW_PATH_CAP, "%s~%s~%lld", p->run, view, (long long)p->until_hour);
    signature(key, id, span_of(out, (size_t)n), sig);
    snprintf(out + n, HLS_VIEW_PATH_CAP - (size_t)n, "~%s", sig);
}

enum err hls_path_valid(struct span text, const uint8_t key[SHA256_LEN], const char *id,
                        int64_t now_us)
{
    struct hls_path p;
    char sig[HASH_B64_LEN(SIG_BYTES)];
    if (hls_path_parse(text, &p) != E_OK || !p.is_signed) return E_AUTH;
    const struct span body = span_head(text, text.len - SIG_CHARS - 1);
    signature(key, id, body, sig);
    if (!hash_equal(span_str(sig), span_skip(text, body.len + 1))) return E_AUTH;
    return now_us / US_PER_HOUR >= p.until_hour ? E_TIMEOUT : E_OK;
}

/* --- the texts --------------------------------------------------------------------------------
 */

static bool is_low_latency(struct span line)
{
    static const char *const TAGS[] = {"#EXT-X-PART:", "#EXT-X-PART-INF:", "#EXT-X-PRELOAD-HINT:",
                                       "#EXT-X-RENDITION-REPORT:", "#EXT-X-SERVER-CONTROL:"};
    for (size_t i = 0; i < sizeof TAGS / sizeof *TAGS; i++)
        if (span_starts(line, TAGS[i])) return true;
    return false;
}

void hls_view_filter(struct span text, const struct hls_view *v, struct str *out)
{
    size_t whole = 0; /* up to the last segment: what follows would describe the open one */
    while (text.p && text.len) {
        const struct span line = span_cut(&text, '\n');
        if (v->no_dates && span_starts(line, "#EXT-X-PROGRAM-DATE-TIME:")) continue;
        if (v->no_parts && is_low_latency(line)) continue;
        str_add(out, line);
        str_addc(out, '\n');
        const bool is_uri = line.len && line.p[0] != '#';
        if (is_uri || span_is(line, "#EXT-X-ENDLIST")) whole = out->len;
    }
    if (v->no_parts && whole) out->len = whole;
}

bool hls_view_has(const struct hls_view *v, int64_t at_us, int64_t wall_us, int64_t dur_us)
{
    const int64_t from = v->clip == HLS_CLIP_PROGRAM ? wall_us : at_us;
    if (!v->clip) return true;
    return from + dur_us > v->from_ms * US_PER_MS && !hls_view_over(v, at_us, wall_us);
}

bool hls_view_over(const struct hls_view *v, int64_t at_us, int64_t wall_us)
{
    const int64_t from = v->clip == HLS_CLIP_PROGRAM ? wall_us : at_us;
    return v->clip && v->to_ms != HLS_CLIP_END && from >= v->to_ms * US_PER_MS;
}
